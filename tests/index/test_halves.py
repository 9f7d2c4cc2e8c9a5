"""Vectors as half floats: what is read once more is the same."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.index.halves import as_kept, halved, restored


@pytest.mark.parametrize("size", [16, 64, 512, 1280])
def test_what_is_kept_stays_as_it_is(size: int) -> None:
    vectors = np.random.default_rng(size).normal(size=(200, size)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kept = np.stack([as_kept(vector) for vector in vectors])
    assert kept.dtype == np.float32 and not np.array_equal(kept, vectors)
    assert np.array_equal(restored(halved(kept)), kept)
    assert np.abs((kept * vectors).sum(axis=1) - 1).max() < 1e-6


def test_what_is_no_unit_vector_keeps_its_length() -> None:
    vector = np.array([3.0, 4.0], np.float32)
    assert np.array_equal(as_kept(vector), vector)
    assert np.array_equal(as_kept(np.zeros(3, np.float32)), np.zeros(3, np.float32))
