"""Candidates of a stored index: exact while there are few regions, through indexes beyond."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from objsearch.flow import THREADS
from objsearch.index.base import Rankers
from objsearch.index.lance_rows import VECTORS
from objsearch.index.lance_vectors import Vectors
from objsearch.index.lance_view import Places, View, found_in
from objsearch.index.lance_words import WordFinder, Words
from objsearch.index.memory import candidates, likeliest
from objsearch.index.neighbours import nearest_others
from objsearch.index.where import Where
from objsearch.types import Candidate, DescribedImage, Key

Scores = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard to look: options of the index `lance`."""

    exact: bool
    flat_regions: int
    n_probes: int


class Looker:
    """Looks for candidates in one view."""

    def __init__(self, view: View, limits: Limits, finder: WordFinder, rankers: Rankers) -> None:
        self.view, self.limits, self.rankers = view, limits, rankers
        self._finder = finder
        self._words: Words | None = None
        self._lock = threading.Lock()

    def nearest(self, query: DescribedImage, limit: int | None, where: Where) -> list[Candidate]:
        view = self.view
        kept = view.kept(where)
        votes = None
        is_flat = self.limits.exact or view.n_regions[kept].sum() <= self.limits.flat_regions
        if limit is not None and len(kept) > limit:
            if is_flat:
                votes = self._votes(query, kept)
            else:
                kept, votes = self._pool(query, kept, limit)
        scores = {alias: self.ranked(alias, query, kept) for alias in self.rankers}
        # Pictures that no keypoint speaks for leave their turns to the other rankings.
        further = [] if votes is None else [_voted_first(votes)]
        return candidates([view.keys[i] for i in kept], scores, further, limit)

    def ranked(self, alias: str, query: DescribedImage, kept: Places) -> NDArray[np.float64]:
        """(N,) what a ranker says of some pictures."""
        return self.view.ranked(alias, self.rankers, query, kept, self.limits.flat_regions)

    def vectors(self, alias: str) -> Vectors | None:
        """The vectors of an alias; None where it names none."""
        kind, _ = self.view.aliases.get(alias, ("", ""))
        return Vectors(self.view, alias, self.limits.n_probes) if kind == VECTORS else None

    def _pool(
        self, query: DescribedImage, kept: Places, limit: int
    ) -> tuple[Places, NDArray[np.float64] | None]:
        """Of the kept pictures, those that some descriptor may put among the first `limit`.

        Also how much the keypoints speak for each of these. They are asked beside the vectors,
        which takes no longer than the slower of both.
        """
        with ThreadPoolExecutor(1, thread_name_prefix=THREADS) as beside:
            voting = beside.submit(self._votes, query, kept)
            chosen = [self._likeliest(alias, query, kept, limit) for alias in self.rankers]
            votes = voting.result()
        if votes is not None:
            chosen.append(kept[_voted_first(votes)[:limit]])
        pool = np.unique(np.concatenate([np.zeros(0, np.intp), *chosen]))
        return pool, None if votes is None else votes[np.searchsorted(kept, pool)]

    def _likeliest(self, alias: str, query: DescribedImage, kept: Places, limit: int) -> Places:
        """Those of one descriptor."""
        vectors = self.vectors(alias)
        if vectors is not None:
            return vectors.proposed(query, kept, limit)
        return kept[likeliest(self.ranked(alias, query, kept))[:limit]]

    def words(self) -> Words | None:
        """The words of all pictures; None where there are none."""
        with self._lock:
            if self._words is None and self._finder.has_words(self.view.record):
                self._finder.check(self.view.store, self.view.record)
                self._words = Words(self.view, self._finder)
            return self._words

    def _votes(self, query: DescribedImage, kept: Places) -> NDArray[np.float64] | None:
        """(N,) how much the query's keypoints speak for each of the kept pictures."""
        words = self.words()
        if words is None:
            return None
        described = np.flatnonzero(self.view.is_described)
        return words.voted(query)[np.searchsorted(described, kept)]

    def neighbours(self, alias: str, count: int) -> Iterator[tuple[Key, Key, float]]:
        """The nearest others of each full frame; exact where there are few."""
        vectors, keys = self.vectors(alias), self.view.keys
        if vectors is None:
            return
        places, frames = self.view.frames(alias)
        if self.limits.exact or len(frames) <= self.limits.flat_regions:
            for i, others, cosines in nearest_others(frames, count):
                for j, cosine in zip(places[others], cosines, strict=True):
                    yield keys[places[i]], keys[j], float(cosine)
            return
        # More than asked for: the order is approximate, and the frame itself is among them.
        numbers = self.view.numbers[places]
        for i, nearest in enumerate(vectors.neighbours(frames, 2 * count + 8)):
            near = found_in(numbers, nearest)
            near = np.sort(near[(near >= 0) & (near != i)])
            cosines = np.round((frames[near] @ frames[i]).astype(np.float64), 6)
            for n in np.argsort(-cosines, kind="stable")[:count]:
                cosine = float(np.clip(cosines[n], 0.0, 1.0))
                yield keys[places[i]], keys[places[near[n]]], cosine


def _voted_first(votes: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.argsort(-votes, kind="stable")[: np.count_nonzero(votes)]
