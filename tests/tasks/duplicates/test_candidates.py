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


@pytest.mark.parametrize("block", [3, 256])
def test_blocks_find_what_every_pair_finds(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "BLOCK", block)
    vectors = unit(40, 3, seed=1)
    pairs = nearest_pairs({"a": vectors}, 4, with_mirrored=False)
    assert set(pairs) == by_hand(vectors, 4)
    assert list(pairs) == sorted(pairs)


def test_mirrored_versions_have_places_of_their_own() -> None:
    vectors = unit(30, 4, seed=2)
    pairs = nearest_pairs({"a": vectors}, 2, with_mirrored=True)
    upright, mirrored = by_hand(vectors[:, :2], 2), set()
    for i in range(30):
        turned = np.concatenate([vectors[i : i + 1, 2:], vectors[i : i + 1, 2:]], axis=1)
        others = vectors.copy()
        others[i] = turned[0]
        alike = [
            (-np.max(turned[0, :2].astype(float) @ others[j, 0].astype(float)), j)
            for j in range(30)
            if j != i
        ]
        mirrored |= {(min(i, j), max(i, j)) for _, j in sorted(alike)[:2]}
    assert set(pairs) == upright | mirrored
    assert all(not pairs[pair] for pair in upright)


def test_sides_and_floors_leave_pairs_out() -> None:
    vectors = unit(20, 1, seed=3)
    sides = np.array([1, 2] * 10, np.int8)
    pairs = nearest_pairs({"a": vectors}, 19, with_mirrored=False, groups=sides)
    assert set(pairs) == {(i, j) for i in range(20) for j in range(i + 1, 20) if (i + j) % 2}
    assert nearest_pairs({"a": vectors}, 19, with_mirrored=False, floors={"a": 1.1}) == {}


@pytest.mark.parametrize("n", [0, 1])
def test_one_picture_has_no_neighbours(n: int) -> None:
    assert nearest_pairs({"a": unit(n, 2, seed=4)}, 5, with_mirrored=False) == {}
