"""Every registered component, built with the least options it needs, one of each for all tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from objsearch.components.registry import ROOMS, Component, build, names

NEEDED: dict[tuple[str, str], dict[str, Any]] = {
    # One box inside every picture but the tiniest, one over the edge, one outside.
    ("detect", "given-boxes"): {
        "boxes_xywh": [[0, 0, 12, 9], [20, 30, 4000, 4000], [9000, 9000, 5, 5]]
    },
}
"""A component that cannot be built from its name alone says here what it needs."""

EVERY = [(room, name) for room in ROOMS for name in names(room)]


def spec(room: str, name: str) -> dict[str, Any]:
    return {"name": name, **NEEDED.get((room, name), {})}


def fresh(room: str, name: str) -> Any:
    return build(room, spec(room, name))


@cache
def shared(room: str, name: str) -> Any:
    """The same object each time, so that its weights load once."""
    component: Component = fresh(room, name)
    return component
