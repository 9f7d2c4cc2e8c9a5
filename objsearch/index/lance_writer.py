"""What changes a stored index: batches of rows, indexes of vectors, compaction.

Nothing is seen by readers before `finish`, which first sees all new files to the disk: Lance asks
the system for none of that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from objsearch.errors import UsageError
from objsearch.files import sync_folder
from objsearch.index.lance_cells import index_cells
from objsearch.index.lance_rows import VECTORS, alias_of
from objsearch.index.lance_store import ENDING, Record, Store
from objsearch.index.lance_sums import write_sums

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

DELETED_AT_ONCE = 5_000
ENTRIES_A_FILE = {VECTORS: 65_536}
FEWEST_ENTRIES_A_FILE = 16_384
"""Files with fewer entries are small; those with more are left alone when small ones are not."""

SPARED = 0.1
"""Part of a large file that may have been removed before it is rewritten, unless that is asked."""

MOST_FILES = 64
"""Small files of a dataset before they are put together."""

KEPT_FOR = timedelta(days=1)
"""How long a version stays after it was replaced, as someone may be reading it."""

GROWTH = 8
"""An index of vectors is learned anew when there are so many times as many of them."""


class Writer:
    """Changes to a store, to be published together. For whoever holds its lock."""

    def __init__(self, store: Store, record: Record) -> None:
        self.store = store
        self.record = record
        self._handles: dict[str, lance.LanceDataset] = {}
        known = set(record.versions) - store.restored
        self._known = {name: files_of(store.path(name + ENDING)) for name in known}

    def dataset(self, name: str) -> lance.LanceDataset:
        if name not in self._handles:
            self._handles[name] = self.store.dataset(name, self.record.versions[name])
        return self._handles[name]

    def append(self, name: str, table: pa.Table) -> None:
        """Add entries to a dataset, which is made when it is not there.

        Raises UsageError for those of another shape, such as longer vectors.
        """
        import lance

        if name not in self.record.versions and name not in self._handles:
            path = self.store.path(name + ENDING)
            self._handles[name] = lance.write_dataset(table, path, mode="create")
            return
        dataset = self.dataset(name)
        if not dataset.schema.equals(table.schema):
            raise UsageError(
                f"'{name}' of the index '{self.store.folder}' holds descriptors of another kind or "
                "length than those to be added"
            )
        self._handles[name] = lance.write_dataset(table, dataset, mode="append")

    def delete(self, numbers: Sequence[int]) -> None:
        """Take pictures out of every dataset."""
        for start in range(0, len(numbers), DELETED_AT_ONCE):
            listed = ",".join(map(str, numbers[start : start + DELETED_AT_ONCE]))
            for name in self.record.versions:
                self.dataset(name).delete(f"number IN ({listed})")

    def put_together(self, *, always: bool = False) -> None:
        """Rewrite the small files of datasets with many, or of all, without what was deleted."""
        for name in {*self.record.versions, *self._handles}:
            dataset, kind = self.dataset(name), (alias_of(name) or (name, ""))[0]
            fewest = ENTRIES_A_FILE.get(kind, FEWEST_ENTRIES_A_FILE)
            sizes = [file.physical_rows for file in dataset.get_fragments()]
            if always or sum(size < fewest for size in sizes) > MOST_FILES:
                # Asked for, all of what was forgotten goes: a picture must not outlive its row.
                spared = 0.0 if always else SPARED
                dataset.optimize.compact_files(
                    target_rows_per_fragment=fewest, materialize_deletions_threshold=spared
                )

    def clean(self) -> int:
        """Delete versions that nobody can be reading any more; returns bytes.

        For what is published: a version goes by when the next one came, not by its own age, as one
        that was the newest for long may just have been opened.
        """
        freed, before = 0, datetime.now() - KEPT_FOR
        for name in self.record.versions:
            dataset = self.dataset(name)
            listed = pairwise(dataset.versions())
            gone = [int(v["version"]) for v, after in listed if _time_of(after) <= before]
            if gone:
                freed += int(dataset.cleanup_old_versions(versions=gone).bytes_removed)
        return freed

    def vectors_due(self, flat: int) -> list[str]:
        """Datasets of vectors that an index would help: more than `flat`, and many without."""
        names = [n for n in self.record.versions if (alias_of(n) or ("",))[0] == VECTORS]
        sizes = {name: self.dataset(name).count_rows() for name in names}
        return [n for n in names if sizes[n] > flat and n_unindexed(self.dataset(n)) > flat // 4]

    def index_vectors(self, flat: int) -> list[str]:
        """Bring the indexes of vectors up to date where that is due; of which datasets."""
        due = self.vectors_due(flat)
        for name in due:
            self._index(name)
        return due

    def _index(self, name: str) -> None:
        dataset = self.dataset(name)
        n_rows, learned = dataset.count_rows(), self.record.notes.get("learned", {})
        if name in learned and n_rows < GROWTH * learned[name]:
            dataset.optimize.optimize_indices()
            return
        index_cells(dataset)
        # Full frames are asked for by themselves; Lance looks for them once a query otherwise.
        dataset.create_scalar_index("is_frame", "BITMAP", replace=True)
        self.note("learned", {**learned, name: n_rows})

    def note(self, name: str, value: object) -> None:
        """Have the record remember something beside versions."""
        self.record = replace(self.record, notes={**self.record.notes, name: value})

    def finish(self, next_number: int | None = None) -> Record:
        """See everything to the disk, then let readers see it."""
        versions = dict(self.record.versions)
        for name, dataset in self._handles.items():
            versions[name] = dataset.version
        changed = [n for n in versions if versions[n] != self.record.versions.get(n)]
        synced = [name for name in versions if name in changed or name not in self._known]
        fresh = {name: self._sync(name) for name in synced}
        if fresh:
            write_sums(self.store, {name: self.dataset(name) for name in fresh}, fresh)
        number = self.record.next_number if next_number is None else next_number
        record = replace(self.record, versions=versions, next_number=number)
        self.record = self.store.publish(record)
        self.store.restored.clear()
        return self.record

    def _sync(self, name: str) -> set[str]:
        """See what was written of a dataset to the disk; returns its fresh files."""
        root = self.store.path(name + ENDING)
        fresh = files_of(root) - self._known.get(name, set())
        for path in fresh:
            sync_file(path)
        folders = {os.path.dirname(path) for path in fresh}
        for folder in {*folders, *map(os.path.dirname, folders), root, self.store.folder}:
            sync_folder(folder)
        return fresh


def _time_of(version: Any) -> datetime:
    """When a version was made, as Lance tells it: by the local clock."""
    made: datetime = version["timestamp"]
    return made


def n_unindexed(dataset: lance.LanceDataset) -> int:
    """Entries that no index of vectors holds."""
    of_vectors = (index for index in dataset.describe_indices() if "vector" in index.field_names)
    return max(0, dataset.count_rows() - sum(index.num_rows_indexed for index in of_vectors))


def files_of(root: str) -> set[str]:
    """Every file of a dataset that is there to stay."""
    return {
        os.path.join(folder, name)
        for folder, _, names in os.walk(root)
        for name in names
        if not name.startswith(".tmp")
    }


def sync_file(path: str) -> None:
    """See a file to the disk."""
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def bytes_of(paths: Iterable[str]) -> int:
    return sum(os.path.getsize(path) for path in paths)
