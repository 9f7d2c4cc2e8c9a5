"""A stored index as it was at one moment: what its readers look things up in.

What is known of every picture without its descriptors is kept in memory, as arrays and a table:
some 250 bytes a picture.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence, Set
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from objsearch.index.base import Rankers
from objsearch.index.lance_entries import Entries
from objsearch.index.lance_keypoints import in_full
from objsearch.index.lance_rows import (
    CODES,
    FIRST_COLUMNS,
    ROWS,
    VECTORS,
    alias_of,
    as_text,
    described_of,
    descriptors_of,
    ref_of,
    vectors_of,
)
from objsearch.index.lance_store import Record, Store
from objsearch.index.where import Where
from objsearch.types import DescribedImage, Descriptor, ImageRef, Key, Row, Stamp, Unreadable

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

Places = NDArray[np.intp]
"""Where rows stand among all those stored, in the order of adding."""

LOOKED_THROUGH = (
    *("number", "place", "key", "ref", "row_ref", "stamp_bytes", "stamp_nanoseconds"),
    *("width", "height", "reason", "labels", "warnings", "n_regions"),
)
STACKED_AT_ONCE = 2_048
"""Pictures whose descriptors are read at a time when all are gone through."""


class View:
    """Every row of a stored index at the versions of one record."""

    def __init__(self, store: Store, record: Record) -> None:
        self.store, self.record = store, record
        self.root = store.root_of(record)
        self._lock = threading.RLock()
        self._datasets: dict[str, lance.LanceDataset] = {}
        self._entries: dict[str, Entries] = {}
        self._stacks: dict[str, Any] = {}

    def dataset(self, name: str) -> lance.LanceDataset:
        with self._lock:
            if name not in self._datasets:
                self._datasets[name] = self.store.dataset(name, self.record.versions[name])
            return self._datasets[name]

    @cached_property
    def table(self) -> pa.Table:
        """What is known of every picture without descriptors, in the order of adding."""
        if ROWS not in self.record.versions:
            return None
        with self.store.reading(ROWS):
            table = self.dataset(ROWS).to_table(columns=list(LOOKED_THROUGH), scan_in_order=True)
        return table.take(np.argsort(table["place"].to_numpy()))

    def column(self, name: str) -> list[Any]:
        return [] if self.table is None else self.table[name].to_pylist()

    def _array(self, name: str) -> NDArray[Any]:
        return np.array(self.column(name) if self.table is None else self.table[name].to_numpy())

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        return np.asarray(self._array("number"), np.int64)

    @cached_property
    def n_regions(self) -> NDArray[np.int64]:
        return np.asarray(self._array("n_regions"), np.int64)

    @cached_property
    def keys(self) -> list[Key]:
        return [self.root.whole(as_text(key)) for key in self.column("key")]

    @cached_property
    def places(self) -> Mapping[Key, int]:
        return {key: place for place, key in enumerate(self.keys)}

    @cached_property
    def is_described(self) -> NDArray[np.bool_]:
        if self.table is None:
            return np.zeros(0, bool)
        return np.asarray(self.table["reason"].is_null().to_numpy())

    @cached_property
    def _looks(self) -> list[tuple[ImageRef, tuple[int, int], frozenset[str]]]:
        """Of every picture, what `Where.keeps` is asked with."""
        known: dict[str, frozenset[str]] = {}
        for text in set(self.column("labels")):
            known[text] = frozenset(json.loads(text))
        sizes = zip(self.column("width"), self.column("height"), strict=True)
        rows = zip(self.column("ref"), sizes, self.column("labels"), strict=True)
        return [(self._ref(ref), size, known[labels]) for ref, size, labels in rows]

    def _ref(self, text: str) -> ImageRef:
        with self.store.reading(ROWS):
            return ref_of(text, self.root)

    def kept(self, where: Where) -> Places:
        """The described pictures that count."""
        counts = self.is_described.copy()
        if where.keys is not None:
            counts &= self._are_among(where.keys)
        if where.but:
            counts &= ~self._are_among(where.but)
        kept = np.flatnonzero(counts)
        if where.keeps is None:
            return kept
        return np.array([i for i in kept.tolist() if where.keeps(*self._looks[i])], np.intp)

    def _are_among(self, keys: Set[Key]) -> NDArray[np.bool_]:
        are_among = np.zeros(len(self.keys), bool)
        are_among[[self.places[key] for key in keys if key in self.places]] = True
        return are_among

    def labels(self, kept: Places) -> frozenset[str]:
        if self.table is None:
            return frozenset()
        texts = set(self.table["labels"].take(kept).to_pylist())
        return frozenset(label for text in texts for label in json.loads(text))

    def warnings(self, kept: Places) -> dict[Key, tuple[str, ...]]:
        if self.table is None:
            return {}
        told = self.table["warnings"]
        warned = np.intersect1d(kept, np.flatnonzero(told.is_valid().to_numpy()))
        texts = told.take(warned).to_pylist()
        return {
            self.keys[i]: tuple(json.loads(text))
            for i, text in zip(warned.tolist(), texts, strict=True)
        }

    @cached_property
    def stamps(self) -> Mapping[Key, Stamp]:
        sizes, times = self.column("stamp_bytes"), self.column("stamp_nanoseconds")
        stamps = [None if size is None else (size, t) for size, t in zip(sizes, times, strict=True)]
        return dict(zip(self.keys, stamps, strict=True))

    def unreadable(self, where: Where) -> list[Unreadable]:
        unread = np.flatnonzero(~self.is_described)
        chosen = [int(i) for i in unread if where.holds(self.keys[i])]
        if not chosen:
            return []
        part = self.table.select(["ref", "reason"]).take(chosen).to_pylist()
        refs = [self._ref(entry["ref"]) for entry in part]
        reasons = [json.loads(entry["reason"]) for entry in part]
        return list(map(Unreadable, refs, reasons))

    def row(self, place: int) -> Row:
        """One row with all that is stored of it."""
        columns = ("ref", "row_ref", "stamp_bytes", "stamp_nanoseconds", "reason")
        entry = {name: self.table[name][place].as_py() for name in columns}
        size, time = entry["stamp_bytes"], entry["stamp_nanoseconds"]
        if entry["reason"] is None:
            image: DescribedImage | Unreadable = self.described([place])[0]
        else:
            image = Unreadable(self._ref(entry["ref"]), json.loads(entry["reason"]))
        stamp = None if size is None else (size, time)
        return Row(self.keys[place], self._ref(entry["row_ref"]), stamp, image)

    @cached_property
    def aliases(self) -> Mapping[str, tuple[str, str]]:
        """Kind and dataset of each alias."""
        named = {name: alias_of(name) for name in self.record.versions}
        return {of[1]: (of[0], name) for name, of in named.items() if of}

    def entries(self, name: str) -> Entries:
        with self._lock:
            if name not in self._entries:
                self._entries[name] = Entries(self.store, name, self.dataset(name))
            return self._entries[name]

    def described(self, places: Sequence[int]) -> list[DescribedImage]:
        """Pictures with all that is stored of them."""
        numbers = self.numbers[np.asarray(places, np.intp)]
        distinct, back = np.unique(numbers, return_inverse=True)
        columns = ("ref", "width", "height", "content", "details")
        _, table = self.entries(ROWS).of(distinct, columns)
        rows = table.to_pylist()
        of_alias = {alias: self.descriptors(alias, distinct) for alias in self.aliases}
        with self.store.reading(ROWS):
            images = [
                described_of(row, {alias: parts[i] for alias, parts in of_alias.items()}, self.root)
                for i, row in enumerate(rows)
            ]
        return [images[i] for i in back]

    def descriptors(self, alias: str, numbers: NDArray[np.int64]) -> list[tuple[Descriptor, ...]]:
        """Of each picture, by its number, the descriptors of its regions."""
        kind, name = self.aliases[alias]
        entries = self.entries(name)
        starts, table = entries.of(numbers, entries.dataset.schema.names[len(FIRST_COLUMNS) :])
        every = descriptors_of(kind, table)
        return [in_full(every[a:b]) for a, b in pairwise(starts)]

    def ranked(
        self, alias: str, rankers: Rankers, query: DescribedImage, kept: Places, flat: int
    ) -> NDArray[np.float64]:
        """A score of each of the kept pictures; what is ranked is kept when it is not large."""
        ranker = rankers[alias]
        described = np.flatnonzero(self.is_described)
        are_small = self.aliases.get(alias, ("", ""))[0] == CODES
        if are_small or int(self.n_regions.sum()) <= flat:
            with self._lock:
                if alias not in self._stacks:
                    self._stacks[alias] = ranker.stacked(self._bare(alias, described))
            scores = ranker.rank(query, self._stacks[alias])
            return np.asarray(scores[np.searchsorted(described, kept)], np.float64)
        parts = (kept[i : i + STACKED_AT_ONCE] for i in range(0, len(kept), STACKED_AT_ONCE))
        ranked = [ranker.rank(query, ranker.stacked(self._bare(alias, part))) for part in parts]
        return np.concatenate([*ranked, np.zeros(0)])

    def _bare(self, alias: str, places: Places) -> list[DescribedImage]:
        """Pictures with descriptors of one alias alone, and without regions."""
        if alias not in self.aliases:
            parts: list[tuple[Descriptor, ...]] = [()] * len(places)
        else:
            parts = self.descriptors(alias, self.numbers[places])
        refs = self.table["ref"].take(places).to_pylist() if len(places) else []
        return [
            DescribedImage(self._ref(ref), (0, 0), (), {alias: descriptors} if descriptors else {})
            for ref, descriptors in zip(refs, parts, strict=True)
        ]

    def frames(self, alias: str) -> tuple[Places, NDArray[np.float32]]:
        """The pictures with a vector of that alias, and (N, D) those of their full frames."""
        kind, name = self.aliases.get(alias, ("", ""))
        if kind != VECTORS:
            return np.zeros(0, np.intp), np.zeros((0, 1), np.float32)
        with self.store.reading(name):
            table = self.dataset(name).to_table(["number", "vector"], filter="is_frame")
        places = found_in(self.numbers, table["number"].to_numpy())
        order = np.argsort(places)
        return places[order], vectors_of(table)[order]


def found_in(numbers: NDArray[np.int64], wanted: NDArray[np.int64]) -> Places:
    """Where wanted numbers stand among distinct ones; -1 for those that do not."""
    if not len(numbers):
        return np.full(len(wanted), -1, np.intp)
    order = np.argsort(numbers)
    at = order[np.minimum(np.searchsorted(numbers, wanted, sorter=order), len(order) - 1)]
    return np.where(numbers[at] == wanted, at, -1)
