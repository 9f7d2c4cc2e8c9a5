"""Why names lead to no image at all, in words: no file there, or every one passed over."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from objsearch.sources.filters import Filters
from objsearch.sources.places import expand


def nothing_there(inputs: Any, filters: Filters = Filters()) -> str:
    """The reason why `expand` has found nothing by these filters, as the end of a sentence."""
    n_passed_over = len(expand(inputs))
    if n_passed_over == 0:
        return "the place searched holds no files"
    told = ", ".join(
        f"{field.name} {_text(getattr(filters, field.name))}"
        for field in fields(filters)
        if getattr(filters, field.name) != field.default
    )
    files = "the only file there is" if n_passed_over == 1 else f"all {n_passed_over} files are"
    return f"{files} passed over by the filters: {told}"


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(f"'{part}'" for part in value)
    return str(value)
