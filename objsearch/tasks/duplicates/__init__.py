"""Copies among photos: a plan that says what is a copy of what, and changes nothing.

    plan = plan_duplicates("photos", references=["photos/best"])
    outcome = apply_plan(plan, "photos-quarantine")

Applying it, and undoing that, is `objsearch.tasks.removal`.
"""

from objsearch.tasks.duplicates.decisions import decide, decide_planned
from objsearch.tasks.duplicates.planning import plan_duplicates
from objsearch.types.plans import Group, Member, Plan, plan_json

__all__ = [
    "Group",
    "Member",
    "Plan",
    "decide",
    "decide_planned",
    "plan_duplicates",
    "plan_json",
]
