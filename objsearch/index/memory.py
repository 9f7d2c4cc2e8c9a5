"""An index that lives and dies with the process: exact, exhaustive, nothing to configure."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objsearch.index.base import Index, IndexOptions, Rankers
from objsearch.index.halves import as_read
from objsearch.index.neighbours import frame_vector, nearest_others, stacked
from objsearch.index.where import EVERYTHING, Where
from objsearch.types import Candidate, DescribedImage, Key, Recipe, Row, Stamp, Unreadable


class Memory(IndexOptions):
    """All described images in a dictionary, in the order of adding."""

    name = "memory"

    def open(self, recipe: Recipe, rankers: Rankers) -> InMemory:
        return InMemory(recipe, rankers)


class Rows:
    """Rows that never change, with what was made of them to be ranked."""

    def __init__(self, rows: Mapping[Key, Row]) -> None:
        self.rows = rows
        self._stacks: dict[str, Any] = {}
        self._lock = threading.Lock()

    @cached_property
    def described(self) -> tuple[tuple[Key, DescribedImage], ...]:
        """Every picture that could be read, with its key."""
        pictures = ((key, row.image) for key, row in self.rows.items())
        return tuple((key, image) for key, image in pictures if isinstance(image, DescribedImage))

    @cached_property
    def unread(self) -> tuple[tuple[Key, Unreadable], ...]:
        """Every picture that could not be read, with its key."""
        pictures = ((key, row.image) for key, row in self.rows.items())
        return tuple((key, image) for key, image in pictures if isinstance(image, Unreadable))

    @cached_property
    def odd(self) -> Mapping[int, tuple[str, ...]]:
        """What was odd about described pictures, by number, of those of which anything was."""
        described = enumerate(self.described)
        return {number: image.warnings for number, (_, image) in described if image.warnings}

    def stack(self, alias: str, rankers: Rankers) -> Any:
        """All pictures, as a ranker wants them; made once."""
        with self._lock:
            if alias not in self._stacks:
                images = [image for _, image in self.described]
                self._stacks[alias] = rankers[alias].stacked(images)
            return self._stacks[alias]

    def kept(self, where: Where) -> NDArray[np.intp]:
        """Numbers of the pictures that count, among the described ones."""
        if where.keys is None and where.keeps is None:
            kept = np.ones(len(self.described), bool)
            kept[[self._numbers[key] for key in where.but if key in self._numbers]] = False
            return np.flatnonzero(kept)
        counts = (_counts(key, image, where) for key, image in self.described)
        return np.flatnonzero(np.fromiter(counts, bool, len(self.described)))

    @cached_property
    def _numbers(self) -> dict[Key, int]:
        return {key: number for number, (key, _) in enumerate(self.described)}

    def __getstate__(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["rows"])  # type: ignore[misc]


def _as_read(row: Row) -> Row:
    """A row as a stored index gives it back, so that both say the same."""
    if isinstance(row.image, Unreadable):
        return row
    return replace(row, image=as_read(row.image))


def _counts(key: Key, image: DescribedImage, where: Where) -> bool:
    if not where.holds(key):
        return False
    labels = frozenset(region.label for region in image.regions)
    return where.keeps is None or where.keeps(image.ref, image.size_wh, labels)


class InMemory(Index):
    """Rows in a dictionary that is replaced as a whole: readers keep what they began with."""

    def __init__(self, recipe: Recipe, rankers: Rankers, rows: Rows | None = None) -> None:
        self.recipe = recipe
        self._rankers = rankers
        self._rows = rows or self._made({})
        self._writing = threading.Lock()

    def _made(self, rows: Mapping[Key, Row]) -> Rows:
        return Rows(rows)

    def put(self, rows: Iterable[Row]) -> None:
        fresh = {row.key: _as_read(row) for row in rows}
        with self._writing:
            if fresh:
                self._rows = self._made({**self._rows.rows, **fresh})

    def remove(self, keys: Iterable[Key]) -> int:
        gone = set(keys)
        with self._writing:
            before = self._rows.rows
            left = {key: row for key, row in before.items() if key not in gone}
            if len(left) < len(before):
                self._rows = self._made(left)
            return len(before) - len(left)

    def stamps(self) -> Mapping[Key, Stamp]:
        return {key: row.stamp for key, row in self._rows.rows.items()}

    def row(self, key: Key) -> Row | None:
        return self._rows.rows.get(key)

    def get(self, keys: Sequence[Key]) -> list[DescribedImage]:
        pictures = [self._rows.rows[key].image for key in keys]
        unread = next((picture for picture in pictures if isinstance(picture, Unreadable)), None)
        if unread is not None:
            raise KeyError(str(unread.ref))
        return [picture for picture in pictures if isinstance(picture, DescribedImage)]

    def nearest(
        self, query: DescribedImage, limit: int | None, where: Where = EVERYTHING
    ) -> list[Candidate]:
        rows = self._rows
        kept = rows.kept(where)
        scores = {
            alias: ranker.rank(query, rows.stack(alias, self._rankers))[kept]
            for alias, ranker in self._rankers.items()
        }
        is_cut = limit is not None and len(kept) > limit
        further = self._further(rows, query, kept) if is_cut else []
        return candidates([rows.described[i][0] for i in kept], scores, further, limit)

    def _further(
        self, rows: Rows, query: DescribedImage, kept: NDArray[np.intp]
    ) -> list[NDArray[np.intp]]:
        """Orders of the kept pictures that need no ranker."""
        return []

    def unreadable(self, where: Where = EVERYTHING) -> list[Unreadable]:
        return [picture for key, picture in self._rows.unread if where.holds(key)]

    def keys(self, where: Where = EVERYTHING) -> Sequence[Key]:
        rows = self._rows
        return [rows.described[i][0] for i in rows.kept(where)]

    def count(self, where: Where = EVERYTHING) -> int:
        return len(self._rows.kept(where))

    def warnings(self, where: Where = EVERYTHING) -> Mapping[Key, tuple[str, ...]]:
        rows = self._rows
        if not rows.odd:
            return {}
        kept = np.intersect1d(rows.kept(where), list(rows.odd)).tolist()
        return {rows.described[i][0]: rows.odd[i] for i in kept}

    def labels(self, where: Where = EVERYTHING) -> frozenset[str]:
        described, kept = self._rows.described, self._rows.kept(where)
        return frozenset(region.label for i in kept for region in described[i][1].regions)

    def neighbours(self, alias: str, count: int) -> Iterator[tuple[Key, Key, float]]:
        vectors = ((key, frame_vector(image, alias)) for key, image in self._rows.described)
        frames = [(key, vector) for key, vector in vectors if vector is not None]
        for i, others, cosines in nearest_others(stacked([v for _, v in frames]), count):
            for j, cosine in zip(others, cosines, strict=True):
                yield frames[i][0], frames[j][0], float(cosine)

    def snapshot(self) -> Index:
        return type(self)(self.recipe, self._rankers, self._rows)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_writing"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._writing = threading.Lock()


def candidates(
    keys: Sequence[Key],
    scores: Mapping[str, NDArray[np.float64]],
    further: Sequence[NDArray[np.intp]],
    limit: int | None,
) -> list[Candidate]:
    """Pictures with (N,) scores by alias: the first `limit` by turns, then the others as they come.

    NaN is no score: the picture is nowhere in that order, and has no such score.

    `further` are orders, likeliest first, that rest on no score.
    """
    first: Sequence[int] = range(len(keys))
    if limit is not None and len(keys) > limit:
        orders = [likeliest(of_alias) for of_alias in scores.values()]
        first = interleaved([*orders, *further], limit)
    chosen = set(first)
    order = [*first, *(i for i in range(len(keys)) if i not in chosen)]
    every = [{alias: float(own[i]) for alias, own in scores.items()} for i in order]
    if any(np.isnan(own).any() for own in scores.values()):
        every = [{a: s for a, s in known.items() if not math.isnan(s)} for known in every]
    return [Candidate(keys[i], known) for i, known in zip(order, every, strict=True)]


def likeliest(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Numbers of those with a score, the highest first, ties in order."""
    return np.argsort(-scores, kind="stable")[: np.count_nonzero(~np.isnan(scores))]


def interleaved(orders: Sequence[np.ndarray], limit: int) -> list[int]:
    """The first of each order, the second of each, ...: what one descriptor is sure of gets in.

    An order may be shorter than the others; a negative number is nothing.
    """
    chosen: dict[int, None] = {}
    for rank in zip_longest(*orders, fillvalue=-1):
        for i in rank:
            if i >= 0:
                chosen.setdefault(int(i))
            if len(chosen) == limit:
                return list(chosen)
    return list(chosen)
