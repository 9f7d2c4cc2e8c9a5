"""The nearest others of every vector, against the same written out."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.index import neighbours as module
from objsearch.index.neighbours import nearest_others


@pytest.fixture
def vectors() -> np.ndarray:
    rng = np.random.default_rng(2)
    made = rng.normal(size=(23, 6)).astype(np.float32)
    made[7] = made[3]  # twins, and a third
    made[19] = made[3]
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize("count", [1, 2, 5, 22, 99])
@pytest.mark.parametrize("block", [1, 5, 256])
def test_they_are_the_nearest_in_order(
    count: int, block: int, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    found = list(nearest_others(vectors, count))
    assert [i for i, _, _ in found] == list(range(23))
    cosines = np.round((vectors @ vectors.T).astype(np.float64), 6)
    for i, others, scores in found:
        order = sorted((j for j in range(23) if j != i), key=lambda j: (-cosines[i, j], j))
        assert others.tolist() == order[:count]
        np.testing.assert_allclose(scores, np.clip(cosines[i, order[:count]], 0, 1), atol=1e-6)
        assert scores.min() >= 0


def test_few_have_few_others() -> None:
    assert list(nearest_others(np.zeros((0, 4), np.float32), 3)) == []
    [(number, others, scores)] = nearest_others(np.ones((1, 1), np.float32), 3)
    assert (number, others.tolist(), scores.tolist()) == (0, [], [])
