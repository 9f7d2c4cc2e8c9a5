"""The entries of a dataset with several a picture, found by the numbers of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from objsearch.index.lance_store import Store

if TYPE_CHECKING:
    import lance
    import pyarrow as pa


class Entries:
    """A dataset with several entries a picture, found by the numbers of pictures."""

    def __init__(self, store: Store, name: str, dataset: lance.LanceDataset) -> None:
        self.name, self.dataset, self._store = name, dataset, store
        columns = [column for column in ("number", "part") if column in dataset.schema.names]
        with store.reading(name):
            table = dataset.to_table(columns=columns, scan_in_order=True)
        numbers = table["number"].to_numpy()
        parts = table["part"].to_numpy() if "part" in columns else np.zeros(len(table), np.int16)
        self._order = np.lexsort((parts, numbers))
        self.numbers: NDArray[np.int64] = numbers[self._order]

    def __len__(self) -> int:
        return len(self.numbers)

    def of(
        self, numbers: NDArray[np.int64], columns: Sequence[str]
    ) -> tuple[NDArray[np.intp], pa.Table]:
        """(N + 1,) where the entries of each picture begin, and the table of all of them."""
        first = np.searchsorted(self.numbers, numbers, "left")
        counts = np.searchsorted(self.numbers, numbers, "right") - first
        starts = np.concatenate([[0], np.cumsum(counts)])
        sorted_places = np.repeat(first - starts[:-1], counts) + np.arange(starts[-1])
        return starts, self._taken(self._order[sorted_places], columns)

    def frames_of(
        self, numbers: NDArray[np.int64], columns: Sequence[str]
    ) -> tuple[NDArray[np.bool_], pa.Table]:
        """(N,) which pictures have entries, and the last one, the full frame's, of each."""
        after = np.searchsorted(self.numbers, numbers, "right")
        has_any = after > np.searchsorted(self.numbers, numbers, "left")
        return has_any, self._taken(self._order[after[has_any] - 1], columns)

    def _taken(self, offsets: NDArray[np.intp], columns: Sequence[str]) -> pa.Table:
        names = [name for name in self.dataset.schema.names if name in columns]
        with self._store.reading(self.name):
            if len(offsets) == len(self):
                # All of them: one sweep over the disk, then into the order asked for.
                table = self.dataset.to_table(columns=names, scan_in_order=True)
                return table.take(offsets)
            return self.dataset.take(offsets, columns=names)
