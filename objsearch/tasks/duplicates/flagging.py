"""What is not to be shown on the page for review, by the section `screening` of the settings."""

from __future__ import annotations

from collections.abc import Mapping

from objsearch.screening import Screen
from objsearch.search.pipeline import screen_of
from objsearch.settings import Settings
from objsearch.types import Flag, ImageRef
from objsearch.types.plans import Plan


def open_screen(settings: Settings) -> Screen:
    """The rules, loaded: what is missing is told before hours of planning, not after.

    Raises UsageError, MissingDependencyError and WeightsError when anything of a rule is missing.
    """
    screen = screen_of(settings)
    screen.prepare()
    return screen


def flagged_members(plan: Plan, screen: Screen) -> Mapping[ImageRef, tuple[Flag, ...]]:
    """What there is against the files of a plan; clean ones are left out.

    A file that cannot be read any more is flagged, too: nobody has looked at it.
    """
    if not screen.section.has_rules:
        return {}
    refs = [ImageRef(member.path) for group in plan.groups for member in group.members]
    return {ref: flags for ref in refs if (flags := screen.flags_of(ref))}
