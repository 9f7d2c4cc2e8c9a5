"""Sums of the files of a stored index: whether they still hold what was written.

Lance notices when it cannot read a file, and not when vectors in it are others by now: a disk that
fails, or a copy that broke. `sums.json` has one a file of the present versions; what an older
objsearch wrote has none, and is read through instead.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from objsearch.errors import UsageError
from objsearch.files import write_own
from objsearch.index.lance_store import ENDING, SUMS, Record, Store

if TYPE_CHECKING:
    import lance

AT_ONCE_BYTES = 1 << 20
LAST_BYTES = b"LANC"
"""What Lance ends its files with: one that a crash of the system left blank does not."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found whole: files that have a sum, and those that could only be read."""

    n_files: int
    n_without_sum: int


def write_sums(
    store: Store, datasets: Mapping[str, lance.LanceDataset], fresh: Mapping[str, set[str]]
) -> None:
    """Take the sums of the fresh files of changed datasets; those of others stay as they are."""
    known = _read(store)
    changed = tuple(f"{name}{ENDING}/" for name in datasets)
    sums = {path: known[path] for path in known if not path.startswith(changed)}
    for name, dataset in datasets.items():
        for path in _files(name, dataset):
            if (whole := _whole(store, path)) in fresh[name]:
                sums[path] = _sum(whole)
            elif path in known:
                sums[path] = known[path]
    write_own(store.path(SUMS), json.dumps(sums, indent=0))


def check_ends(store: Store) -> None:
    """Look whether the files of every dataset are there to their ends; what is before is not read.

    Raises LostIndexError; UsageError where they may not be read.
    """
    for name, version in store.read().versions.items():
        dataset, root = store.dataset(name, version), store.path(name + ENDING)
        for fragment in dataset.get_fragments():
            for file in fragment.data_files():
                path = os.path.join(root, "data", file.path)
                _check_end(store, path, file.file_size_bytes, LAST_BYTES)
            if (deleted := fragment.deletion_file()) is not None:
                _check_end(store, os.path.join(root, deleted), None, b"")


def _check_end(store: Store, path: str, n_bytes: int | None, last: bytes) -> None:
    name = os.path.relpath(path, store.folder)
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - len(last)))
            end = stream.read(len(last))
    except FileNotFoundError:
        raise store.damaged(f"it lacks '{name}'") from None
    except OSError as error:
        raise UsageError(f"cannot read the index '{store.folder}': {error.strerror}") from None
    if size != (n_bytes or size):
        raise store.damaged(f"'{name}' is cut short")
    if end != last:
        raise store.damaged(f"'{name}' was written over")


def check_files(store: Store, record: Record) -> Checked:
    """Read all of an index. Raises LostIndexError that names the first file that is not whole."""
    check_ends(store)
    known, paths = _read(store), []
    for name, version in record.versions.items():
        dataset = store.dataset(name, version)
        with store.reading(name):
            for _ in dataset.to_batches():
                pass
        paths += list(_files(name, dataset))
    for path in paths:
        if path in known and _sum(_whole(store, path)) != known[path]:
            raise store.damaged(f"'{path}' does not hold what was written to it")
    return Checked(len(paths), sum(path not in known for path in paths))


def _read(store: Store) -> dict[str, int]:
    """The sums by path; none where there is no file of them, or another's."""
    try:
        with open(store.path(SUMS), encoding="utf-8") as stream:
            return {str(path): int(value) for path, value in json.load(stream).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _files(name: str, dataset: lance.LanceDataset) -> Iterator[str]:
    """Paths of a dataset's data, from the folder of the index on."""
    for fragment in dataset.get_fragments():
        for file in fragment.data_files():
            yield f"{name}{ENDING}/data/{file.path}"


def _whole(store: Store, path: str) -> str:
    return store.path(os.path.join(*path.split("/")))


def _sum(path: str) -> int:
    value = 0
    with open(path, "rb") as stream:
        while part := stream.read(AT_ONCE_BYTES):
            value = zlib.crc32(part, value)
    return value
