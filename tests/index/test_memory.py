"""How the index in memory chooses among rankings."""

from __future__ import annotations

from collections.abc import ItemsView, Sequence
from typing import Any

import numpy as np

from objsearch.index import Where
from objsearch.index.memory import InMemory, Memory, Rows, interleaved
from objsearch.types import DescribedImage, Key, Row
from tests.contracts.rows import RECIPE, By, described, row, unread


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


def test_a_negative_number_is_nothing() -> None:
    orders = [np.array([-1, 2]), np.array([1, -1])]
    assert interleaved(orders, 9) == [1, 2]


def test_what_is_ranked_is_made_ready_once() -> None:
    """Until something is written; a snapshot shares it."""
    made: list[int] = []

    class Counted(By):
        def stacked(self, images: Sequence[DescribedImage]) -> Any:
            made.append(len(images))
            return super().stacked(images)

    index = Memory().open(RECIPE, {"fake": Counted(0)})
    index.put([row("a.png"), row("b.png")])
    for one in (index, index.snapshot(), index):
        one.nearest(described("q.png"), 1)
        one.nearest(described("q.png"), 1, Where(keys={"a.png"}))
    assert made == [2]
    index.put([row("c.png")])
    index.nearest(described("q.png"), 1)
    assert made == [2, 3]


def test_rows_are_gone_through_once_however_many_searches_there_are() -> None:
    walks: list[int] = []

    class Walked(dict[Key, Row]):
        def items(self) -> ItemsView[Key, Row]:
            walks.append(len(self))
            return super().items()

    rows = Walked({made.key: made for made in (row("a.png", warnings=("odd",)), unread("b.png"))})
    index = InMemory(RECIPE, {"fake": By(0)}, Rows(rows))
    told = []
    for _ in range(3):
        told.append((index.count(), index.warnings(), len(index.unreadable())))
        index.nearest(described("q.png"), 1)
        walks, seen = [], walks
    assert seen == [] and told == [(1, {"a.png": ("odd",)}, 1)] * 3
