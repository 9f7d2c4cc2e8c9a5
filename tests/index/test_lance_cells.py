"""Cells of an index of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from objsearch.index import lance_cells
from objsearch.index.lance_store import engine

SIZE = 16


def dataset_of(folder: Path, vectors: NDArray[Any]) -> Any:
    import pyarrow as pa

    values = pa.array(vectors.astype(np.float16).reshape(-1))
    table = pa.table({"vector": pa.FixedSizeListArray.from_arrays(values, vectors.shape[1])})
    return engine().write_dataset(table, str(folder / "vectors.lance"), max_rows_per_file=700)


def heaps(n_heaps: int, n_each: int) -> NDArray[Any]:
    """Unit vectors near so many others, heap after heap."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(n_heaps, 1, SIZE)) + 0.02 * rng.normal(size=(n_heaps, n_each, SIZE))
    vectors = vectors.reshape(-1, SIZE)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_cells_grow_with_the_vectors_and_beyond_a_million_with_their_root() -> None:
    numbers = (100, 20_000, 1_000_000, 4_000_000, 10_000_000)
    assert [lance_cells.cells_of(n) for n in numbers] == [2, 20, 1_000, 2_000, 3_162]


def test_the_nearest_middle_is_that_of_the_least_distance() -> None:
    rng = np.random.default_rng(1)
    vectors, middles = (rng.normal(size=(n, SIZE)).astype(np.float32) for n in (500, 9))
    middles *= np.linspace(0.1, 2, 9, dtype=np.float32)[:, None]  # of any length
    away = np.linalg.norm(vectors[:, None] - middles, axis=2)
    assert (lance_cells.nearest(vectors, middles) == away.argmin(axis=1)).all()
    assert not len(lance_cells.nearest(vectors[:0], middles))


def test_what_lies_together_is_in_one_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heaps of one size have a cell each, but for those that began with two middles or none."""
    monkeypatch.setattr(lance_cells, "VECTORS_A_CELL", 100)
    monkeypatch.setattr(lance_cells, "AT_ONCE", 256)
    vectors = heaps(16, 100)
    dataset = dataset_of(tmp_path, vectors)
    lance_cells.index_cells(dataset)
    middles = lance_cells.learned(dataset)
    assert middles.shape == (16, SIZE)
    assert (middles == lance_cells.learned(dataset)).all()
    cells = lance_cells.nearest(vectors.astype(np.float32), middles).reshape(16, 100)
    assert sum(len(np.unique(of_heap)) == 1 for of_heap in cells) >= 10
    for number in range(0, 1600, 100):  # Lance looks where the cells say
        near = {"column": "vector", "q": vectors[number], "k": 20, "nprobes": 1}
        found = dataset.to_table(["vector"], nearest=near, with_row_id=True)
        rows = found["vector"].combine_chunks().flatten().to_numpy().reshape(-1, SIZE)
        own = cells.ravel()[number]
        assert (lance_cells.nearest(rows.astype(np.float32), middles) == own).all()
        assert len(rows) == 20


@pytest.mark.parametrize("zeros", [0, 30])
def test_few_and_equal_vectors_make_cells_too(zeros: int, tmp_path: Path) -> None:
    vectors = np.ones((40, SIZE))
    vectors[:zeros] = 0  # of no direction
    dataset = dataset_of(tmp_path, vectors)
    lance_cells.index_cells(dataset)
    near = {"column": "vector", "q": np.ones(SIZE, np.float32), "k": 5, "minimum_nprobes": 2}
    found = dataset.to_table(["_distance"], nearest=near)["_distance"].to_numpy()
    assert len(found) == 5 and np.abs(found).max() < 1e-3
