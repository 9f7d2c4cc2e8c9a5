"""Nearest vectors of a stored index, through Lance's index of them where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from objsearch.index.lance_view import Places, View, found_in
from objsearch.types import DescribedImage, GlobalDescriptor

FEWEST_ASKED_FOR = 100
MOST_OF_ALL = 0.2
"""Part of all vectors from which on looking at all the wanted ones is as quick."""

QUERIES_AT_ONCE = 200

Found = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]
"""Which query, the number of a row, about 1 - cosine: one entry a pair, nearest first a query."""


class Vectors:
    """The vectors of one alias in a view."""

    def __init__(self, view: View, alias: str, n_probes: int) -> None:
        self.view, self.n_probes = view, n_probes
        self.name = view.aliases[alias][1]
        self.alias = alias

    def near(
        self, queries: NDArray[np.float32], count: int, *, frames: bool, exact: bool = False
    ) -> Found:
        """The `count` nearest of each query among all regions, or among full frames alone.

        `exact` looks at all of them; else which are the nearest is approximate.
        """
        how = {
            "column": "vector",
            "q": queries.astype(np.float32),
            "k": count,
            "metric": "cosine",
            # Not "nprobes": it looks no further where a filter leaves little in those cells.
            "minimum_nprobes": self.n_probes,
            "use_index": not exact,
        }
        with self.view.store.reading(self.name):
            table = self.view.dataset(self.name).to_table(
                ["number", "_distance"],
                filter="is_frame" if frames else None,
                prefilter=True,
                nearest=how,
            )
        columns = ("query_index", "number", "_distance")
        asked, numbers, distances = (table[name].to_numpy() for name in columns)
        return asked, numbers, distances

    def proposed(self, query: DescribedImage, kept: Places, wanted: int) -> Places:
        """Twice as many of the kept pictures as are wanted, or more: the nearest are among them.

        A pair of regions counts when one of the two is a full frame, as everywhere. What lies
        beyond the end of one of the lists is not yet sure to be among the nearest.
        """
        parts = query.descriptors.get(self.alias, ())
        vectors = [
            descriptor.vector for descriptor in parts if isinstance(descriptor, GlobalDescriptor)
        ]
        if not vectors:
            return np.zeros(0, np.intp)
        is_kept = np.zeros(len(self.view.numbers), bool)
        is_kept[kept] = True
        n_regions = int(self.view.n_regions.sum())
        share = len(kept) / max(1, int(self.view.is_described.sum()))
        count = int(max(FEWEST_ASKED_FOR, 2 * wanted) / max(share, 1e-9))
        while count < MOST_OF_ALL * n_regions:
            pairs = [self.near(np.stack(vectors[-1:]), count, frames=False)]
            pairs.append(self.near(np.stack(vectors), count, frames=True))
            _, numbers, distances = (np.concatenate(part) for part in zip(*pairs, strict=True))
            order = np.argsort(distances, kind="stable")
            places, nearest = found_in(self.view.numbers, numbers[order]), distances[order]
            counts = (places >= 0) & is_kept[places]
            places, nearest = places[counts], nearest[counts]
            distinct, first = np.unique(places, return_index=True)
            if np.count_nonzero(nearest[first] <= _reach(pairs, count)) >= wanted:
                return np.sort(distinct[np.argsort(first)[: 2 * wanted]])
            count *= 4
        return kept

    def neighbours(self, vectors: NDArray[np.float32], count: int) -> Iterator[NDArray[np.int64]]:
        """Of each full frame's vector, the numbers of the rows of likely nearest frames."""
        for start in range(0, len(vectors), QUERIES_AT_ONCE):
            block = vectors[start : start + QUERIES_AT_ONCE]
            asked, numbers, _ = self.near(block, count, frames=True)
            for i in range(len(block)):
                yield numbers[asked == i]


def _reach(pairs: Iterable[Found], count: int) -> float:
    """How far all has been found: to the end of the full list that ends first."""
    ends = [np.inf]
    for asked, _, distances in pairs:
        of_query = (distances[asked == number] for number in np.unique(asked))
        ends += [float(own.max()) for own in of_query if len(own) >= count]
    return min(ends)
