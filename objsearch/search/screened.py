"""A screen by some settings: its block list is read as what is held against it is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from objsearch.screening import Screen
from objsearch.screening.rules import Finder
from objsearch.settings import Settings

READ_ALIKE = {
    "max_megapixels", "max_bytes", "background", "dpi", "timeout_seconds",
    "offline", "allow_private",
}  # fmt: skip
"""Options of the section `input`: what limits one limits the other, and both are drawn alike."""


def screen_by(settings: Settings, open_search: Callable[..., Finder]) -> Screen:
    """Nothing is loaded yet.

    `open_search(preset, overrides=...)` makes the search that finds copies of blocked images: a
    copy of any page or frame is a copy.
    """
    alike = settings.input.model_dump(mode="json", include=READ_ALIKE)
    overrides = {f"input.{key}": value for key, value in alike.items()}
    overrides |= {"input.pages": "all", "input.frames": "all"}
    opened = partial(open_search, overrides=overrides)
    return Screen(settings.screening, settings.input.reading, settings.run.n_workers, opened)
