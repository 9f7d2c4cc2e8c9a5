"""What a stored index holds, in figures."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from objsearch.index.lance_nearest import Looker
from objsearch.index.lance_root import NOTE
from objsearch.index.lance_rows import VECTORS
from objsearch.index.lance_store import ENDING, RECORD, SCHEMA, Store
from objsearch.index.lance_vectors import Vectors
from objsearch.index.lance_writer import bytes_of, files_of, n_unindexed
from objsearch.index.where import EVERYTHING
from objsearch.types import Unreadable

if TYPE_CHECKING:
    import lance

ASKED = 50
RECALLED = 100


@dataclass(frozen=True, slots=True)
class Info:
    """What `Stored.info` says of a folder."""

    path: str
    schema: int
    recipe: Mapping[str, str]
    root: str | None
    """The folder that files are known from, where it lies now."""
    n_described: int
    unreadable: tuple[Unreadable, ...]
    n_regions: int
    n_bytes: Mapping[str, int]
    """Of each dataset and of what else lies in the folder, by name, with what only old versions
    use."""
    n_bytes_spare: int
    """Of entries that were removed or replaced: what `compact` gives back, a day later."""
    versions: Mapping[str, int]
    generation: int
    n_indexed: Mapping[str, int]
    """Vectors in an index, by alias; the others are all looked at."""
    recall: Mapping[str, float]
    """Part of the 100 nearest regions that the index of vectors finds of rows' own frames."""
    due: tuple[str, ...]
    """What `optimize` would do now."""


def info_of(looker: Looker, due: list[str]) -> Info:
    """Looks at all files, and searches for up to 50 rows twice where vectors are indexed."""
    view = looker.view
    store, record = view.store, view.record
    indexed = {}
    for alias, (kind, name) in view.aliases.items():
        if kind == VECTORS:
            dataset = view.dataset(name)
            indexed[alias] = dataset.count_rows() - n_unindexed(dataset)
    return Info(
        store.folder,
        SCHEMA,
        record.recipe.options,
        view.root.folder or None,
        int(view.is_described.sum()),
        tuple(view.unreadable(EVERYTHING)),
        int(view.n_regions.sum()),
        _bytes(store.folder),
        sum(_spare(store, name, view.dataset(name)) for name in record.versions),
        dict(record.versions),
        record.generation,
        indexed,
        {alias: _recall(looker, alias) for alias, count in indexed.items() if count},
        tuple(due),
    )


def _bytes(folder: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for path in files_of(folder):
        top = path[len(folder) :].strip("/\\").replace("\\", "/").partition("/")
        name = top[0].removesuffix(ENDING) if top[1] else "other"
        sizes[name] = sizes.get(name, 0) + bytes_of([path])
    return dict(sorted(sizes.items()))


def _spare(store: Store, name: str, dataset: lance.LanceDataset) -> int:
    """Bytes of a dataset's entries that its present version does not hold any more."""
    there = bytes_of(files_of(os.path.join(store.path(name + ENDING), "data")))
    used = 0.0
    for fragment in dataset.get_fragments():
        deleted = fragment.metadata.deletion_file
        kept = 1 - (deleted.num_deleted_rows if deleted else 0) / max(1, fragment.physical_rows)
        used += kept * sum(file.file_size_bytes or 0 for file in fragment.data_files())
    return max(0, there - round(used))


def _recall(looker: Looker, alias: str) -> float:
    """Exact and approximate search for some of the rows' own frames, evenly spread."""
    vectors = Vectors(looker.view, alias, looker.limits.n_probes)
    _, frames = looker.view.frames(alias)
    chosen = frames[np.unique(np.linspace(0, len(frames) - 1, ASKED).round().astype(int))]
    pairs = [vectors.near(chosen, RECALLED, frames=False, exact=exact) for exact in (True, False)]
    right, near = (
        {(int(q), int(row)) for q, row in zip(asked, rows, strict=True)} for asked, rows, _ in pairs
    )
    return len(right & near) / max(1, len(right))


def former_root(folder: Path) -> Path | None:
    """The root that a folder remembers, as far as its record can be read: it may be damaged."""
    try:
        data = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return Path(data["notes"][NOTE]["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
