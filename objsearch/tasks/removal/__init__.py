"""Removing the files that a plan removes, and undoing that: this knows files, not likeness.

    outcome = apply_plan(plan, "photos-quarantine")
    undo(outcome.manifest)

Nothing is lost on the way: a file goes only while the one it is a copy of is there, unchanged.
"""

from objsearch.tasks.removal.applying import Outcome, apply_plan
from objsearch.tasks.removal.plan_files import read_plan, write_plan
from objsearch.tasks.removal.undoing import Undone, undo

__all__ = ["Outcome", "Undone", "apply_plan", "read_plan", "undo", "write_plan"]
