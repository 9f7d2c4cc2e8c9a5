"""Cells of an index of vectors: their middles are learned, and each vector's own is found.

Lance would do both. It takes distances of half floats number by number on processors without
AVX-512, though, a tenth as fast as a product of matrices, and learns cells by halving cells, which
makes worse ones. What it is handed here it takes as it is.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

VECTORS_A_CELL = 1_000
"""Up to a million vectors. Beyond, cells grow with the root of their number: every vector is
compared with the middle of every cell."""

LEARNED_FROM = 64
"""Vectors a cell that its middle is learned from."""
ROUNDS = 10
AT_ONCE = 8_192
MOST_IN_ONE_FILE = 10**9
"""Lance demands that the cells of all vectors lie in one file."""

Vectors = NDArray[np.float32]


def cells_of(n_vectors: int) -> int:
    """How many cells an index of so many vectors has."""
    return max(2, round(min(n_vectors / VECTORS_A_CELL, math.sqrt(n_vectors))))


def index_cells(dataset: lance.LanceDataset) -> None:
    """Give a dataset an index of its column `vector`, in place of one that it may have."""
    import lance
    import pyarrow as pa

    middles = learned(dataset)
    halves = pa.array(middles.astype(np.float16).reshape(-1))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cells.lance")
        lance.write_dataset(_found(dataset, middles), path, max_rows_per_file=MOST_IN_ONE_FILE)
        dataset.create_index(
            "vector",
            "IVF_SQ",
            metric="cosine",
            num_partitions=len(middles),
            ivf_centroids=pa.FixedSizeListArray.from_arrays(halves, middles.shape[1]),
            precomputed_partition_dataset=path,
            replace=True,
        )


def learned(dataset: lance.LanceDataset) -> Vectors:
    """(K, D) middles of cells, by k-means of some vectors; the same for the same vectors."""
    n_vectors, rng = dataset.count_rows(), np.random.default_rng(0)
    n_cells = cells_of(n_vectors)
    chosen = rng.choice(n_vectors, min(n_vectors, LEARNED_FROM * n_cells), replace=False)
    some = _unit(dataset.take(np.sort(chosen).tolist(), columns=["vector"])["vector"])
    middles = some[rng.permutation(len(some))[:n_cells]]
    for _ in range(ROUNDS):
        cells = nearest(some, middles)
        order = np.argsort(cells, kind="stable")
        held, starts, counts = np.unique(cells[order], return_index=True, return_counts=True)
        middles[held] = np.add.reduceat(some[order], starts, axis=0) / counts[:, None]
        empty = np.setdiff1d(np.arange(n_cells), held)
        middles[empty] = some[rng.choice(len(some), len(empty))]
    return middles


def nearest(vectors: Vectors, middles: Vectors) -> NDArray[np.intp]:
    """(N,) the cell whose middle is the nearest to each vector."""
    halves = (middles**2).sum(axis=1) / 2
    starts = range(0, len(vectors), AT_ONCE)
    # |v - m|^2 but for what all middles share: |v|^2.
    found = [np.argmax(vectors[i : i + AT_ONCE] @ middles.T - halves, axis=1) for i in starts]
    return np.concatenate([np.zeros(0, np.intp), *found])


def _found(dataset: lance.LanceDataset, middles: Vectors) -> pa.RecordBatchReader:
    """Of every vector, by its number within Lance, the cell."""
    import pyarrow as pa

    schema = pa.schema({"row_id": pa.uint64(), "partition": pa.uint32()})

    def batches() -> Iterator[pa.RecordBatch]:
        read = dataset.scanner(columns=["vector"], with_row_id=True, batch_size=AT_ONCE)
        for batch in read.to_batches():
            cells = nearest(_unit(batch["vector"]), middles).astype(np.uint32)
            yield pa.record_batch([batch["_rowid"], pa.array(cells)], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _unit(column: Any) -> Vectors:
    """(N, D) of unit length, as Lance compares them by their cosine; zeros stay."""
    values = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    vectors = values.flatten().to_numpy().reshape(len(column), -1).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))
