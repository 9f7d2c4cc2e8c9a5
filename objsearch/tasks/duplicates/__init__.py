"""Copies among photos: a plan that changes nothing, applying it, and undoing that.

    plan = plan_duplicates("photos", references=["photos/best"])
    outcome = apply_plan(plan, "photos-quarantine")
    undo(outcome.manifest)

Nothing is lost on the way: a file goes only while the one it is a copy of is there, unchanged.
"""

from objsearch.tasks.duplicates.applying import Outcome, apply_plan
from objsearch.tasks.duplicates.decisions import decide, decide_planned
from objsearch.tasks.duplicates.plan import Group, Member, Plan, plan_json, read_plan, write_plan
from objsearch.tasks.duplicates.planning import plan_duplicates
from objsearch.tasks.duplicates.undoing import Undone, undo

__all__ = [
    "Group",
    "Member",
    "Outcome",
    "Plan",
    "Undone",
    "apply_plan",
    "decide",
    "decide_planned",
    "plan_duplicates",
    "plan_json",
    "read_plan",
    "undo",
    "write_plan",
]
