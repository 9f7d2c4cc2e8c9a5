"""Nearest neighbours by matrix products: the same as by looking at every pair."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.tasks.duplicates import candidates
from objsearch.tasks.duplicates.candidates import nearest_pairs


def unit(n: int, n_versions: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, n_versions, 16))
    return (vectors / np.linalg.norm(vectors, axis=2, keepdims=True)).astype(np.float16)


def by_hand(vectors: np.ndarray, count: int) -> set[tuple[int, int]]:
    """For each picture the most alike others, over all versions of it."""
    exact = vectors.astype(np.float64)
    found = set()
    for i in range(len(exact)):
        alike = [(-np.max(exact[i] @ exact[j, 0]), j) for j in range(len(exact)) if j != i]
        found |= {(min(i, j), max(i, j)) for _, j in sorted(alike)[:count]}
    return found


@pytest.mark.parametrize(("block", "workers"), [(3, 1), (256, 1), (3, 3), (12, 3)])
def test_blocks_find_what_every_pair_finds(
    block: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "BLOCK", block)
    vectors = unit(40, 3, seed=1)
    rounds = nearest_pairs(vectors, 4, workers=workers)
    named = [pair for pairs in rounds for pair in pairs]
    assert set(named) == by_hand(vectors, 4)
    assert len(named) == len(set(named))


def test_the_nearest_come_first() -> None:
    vectors = unit(30, 4, seed=2)
    rounds = nearest_pairs(vectors, 3)
    for n_rounds in (1, 2, 3):
        assert {p for pairs in rounds[:n_rounds] for p in pairs} == by_hand(vectors, n_rounds)
    assert all(pairs == sorted(pairs) for pairs in rounds)


def test_of_equals_the_first_in_order_are_the_nearest() -> None:
    vectors = np.tile(unit(3, 1, seed=5), (4, 1, 1))
    rounds = nearest_pairs(vectors, 2)
    assert rounds[0] == [(i % 3, i) for i in sorted(range(3, 12), key=lambda i: i % 3)]
    assert nearest_pairs(np.ones((5, 1, 4), np.float16), 2)[0] == [(0, 1), (0, 2), (0, 3), (0, 4)]


def test_sides_and_floors_leave_pairs_out() -> None:
    vectors = unit(20, 1, seed=3)
    sides = np.array([1, 2] * 10, np.int8)
    rounds = nearest_pairs(vectors, 19, groups=sides)
    named = {pair for pairs in rounds for pair in pairs}
    assert named == {(i, j) for i in range(20) for j in range(i + 1, 20) if (i + j) % 2}
    assert not any(nearest_pairs(vectors, 19, floor=1.1))


@pytest.mark.parametrize("n", [0, 1])
def test_one_picture_has_no_neighbours(n: int) -> None:
    assert not any(nearest_pairs(unit(n, 2, seed=4), 5))
