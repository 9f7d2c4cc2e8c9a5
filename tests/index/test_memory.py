"""How the index in memory chooses among rankings."""

from __future__ import annotations

import numpy as np

from objsearch.index.memory import _interleaved


def test_rankings_take_turns() -> None:
    orders = [np.array([3, 1, 2, 0]), np.array([1, 0, 2, 3])]
    assert _interleaved(orders, 1) == [3]
    assert _interleaved(orders, 2) == [3, 1]
    assert _interleaved(orders, 3) == [3, 1, 0]
    assert _interleaved(orders, 4) == [3, 1, 0, 2]
