"""Copies of copies are tried, with where they lead to; a chain alone makes no copy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from objsearch.tasks.duplicates.likeness import Likeness, Transform
from objsearch.tasks.duplicates.network import Network


def shift(dx: float) -> Transform:
    return np.array([[1.0, 0, dx], [0, 1, 0], [0, 0, 1]])


def network(calls: list[tuple[int, int, list[float]]], *, believes_hints: bool) -> Network:
    """Pictures on a line, one pixel apart; neighbours are alike, others only if led to."""

    def judge(i: int, j: int, _: bool, hints: Sequence[Transform]) -> Likeness | None:
        calls.append((i, j, [float(hint[0, 2]) for hint in hints]))
        is_alike = j - i == 1 or (believes_hints and len(hints) > 0)
        return Likeness(0.9, transform=shift(j - i)) if is_alike else None

    return Network(judge, lambda i, j: True)


def test_a_pair_that_was_tried_is_tried_again_where_another_leads() -> None:
    calls: list[tuple[int, int, list[float]]] = []
    found = network(calls, believes_hints=True)
    found.verify({(0, 1): False, (0, 2): False, (1, 2): False})
    assert found.alike(0, 2) is None
    assert found.explore(2) == {0, 1}
    assert calls[3:] == [(0, 2, [2.0])]
    back = found.alike(2, 0)
    assert back is not None and back.transform is not None and back.transform[0, 2] == -2


def test_what_is_led_to_in_vain_is_not_tried_for_ever() -> None:
    calls: list[tuple[int, int, list[float]]] = []
    found = network(calls, believes_hints=False)
    found.verify({(0, 1): False, (1, 2): False})
    assert found.explore(0) == {1}
    assert found.explore(0) == {1}
    assert calls[2:] == [(0, 2, [2.0])]
