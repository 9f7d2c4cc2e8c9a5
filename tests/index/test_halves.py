"""Vectors as half floats: what is read once more is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from objsearch.index.base import IndexOptions
from objsearch.index.halves import as_kept, halved, restored
from objsearch.index.lance import Lance
from objsearch.index.memory import Memory
from objsearch.index.visual_words import VisualWords
from objsearch.types import DescribedImage, GlobalDescriptor
from tests.contracts.rows import RECIPE, ByCosine, rich_row


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


@pytest.mark.parametrize("options", [Memory(), VisualWords()], ids=["memory", "visual-words"])
def test_an_index_in_memory_says_the_same_as_one_in_a_folder(
    options: IndexOptions, tmp_path: Path
) -> None:
    """To the last bit: nobody should have to ask why a score differs in the fifth place."""
    rankers = {"vectors/1": ByCosine("vectors/1")}
    lance = Lance(path=str(tmp_path / "rows"))
    in_memory, in_folder = (one.open(RECIPE, rankers) for one in (options, lance))
    rows = [rich_row(f"{i}.png", i) for i in range(20)]
    for index in (in_memory, in_folder):
        index.put(rows)
    [one], [other] = (index.get(["7.png"]) for index in (in_memory, in_folder))
    query = rich_row("query.png", 500).image
    assert isinstance(query, DescribedImage)
    for mine, its in zip(one.descriptors["vectors/1"], other.descriptors["vectors/1"], strict=True):
        assert isinstance(mine, GlobalDescriptor) and isinstance(its, GlobalDescriptor)
        assert mine.vector.dtype == np.float32 and np.array_equal(mine.vector, its.vector)
    scores = [
        {found.key: found.scores for found in index.nearest(query, None)}
        for index in (in_memory, in_folder)
    ]
    assert scores[0] == scores[1] and len(scores[0]) == 20
