"""How the index in memory chooses among rankings."""

from __future__ import annotations

import numpy as np

from objsearch.index.memory import interleaved


def test_rankings_take_turns() -> None:
    orders = [np.array([3, 1, 2, 0]), np.array([1, 0, 2, 3])]
    assert interleaved(orders, 1) == [3]
    assert interleaved(orders, 2) == [3, 1]
    assert interleaved(orders, 3) == [3, 1, 0]
    assert interleaved(orders, 4) == [3, 1, 0, 2]


def test_a_short_ranking_leaves_its_turns() -> None:
    orders = [np.array([3, 1, 2, 0]), np.array([1])]
    assert interleaved(orders, 3) == [3, 1, 2]
    assert interleaved(orders, 9) == [3, 1, 2, 0]
