"""Who is alike to whom: verified pairs of pictures, and those that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from objsearch.flow import Progress, counted, ordered_map, silent
from objsearch.tasks.duplicates.candidates import Pairs
from objsearch.tasks.duplicates.likeness import Likeness

Judged = Callable[[int, int, bool], Likeness | None]


class Network:
    """Pictures by number, and the likeness of each pair that was found to be copies."""

    def __init__(
        self, judge: Judged, may_pair: Callable[[int, int], bool], workers: int = 1
    ) -> None:
        self._judge = judge
        self._may_pair = may_pair
        self._workers = workers
        self._links: dict[int, dict[int, Likeness]] = defaultdict(dict)
        self._tried: set[tuple[int, int]] = set()

    def __len__(self) -> int:
        """The number of pairs compared so far."""
        return len(self._tried)

    def verify(self, pairs: Pairs, progress: Progress = silent) -> None:
        """Compare candidates in full, each pair once."""
        fresh = {pair: flag for pair, flag in pairs.items() if self._is_new(*pair)}
        self._tried |= fresh.keys()
        verdicts = ordered_map(
            partial(_judged, self._judge), fresh.items(), workers=self._workers, ahead=8
        )
        for (i, j), found in zip(
            fresh, counted(verdicts, "compare", progress, len(fresh)), strict=True
        ):
            if found is not None:
                self._links[i][j] = found
                self._links[j][i] = found.reversed()

    def _is_new(self, i: int, j: int) -> bool:
        return (i, j) not in self._tried and self._may_pair(i, j)

    def alike(self, i: int, j: int) -> Likeness | None:
        """How picture `i` is a copy of picture `j`; None when it is none. Not defined for i = j."""
        return self._links[i].get(j)

    def explore(self, i: int) -> set[int]:
        """The copies of a picture, those of its copies tried as well.

        A chain alone makes no copy: each is compared with the picture itself.
        """
        while True:
            near = set(self._links[i])
            further = _ordered(i, (k for j in near for k in self._links[j] if k != i))
            fresh = {pair: False for pair in sorted(further) if self._is_new(*pair)}
            if not fresh:
                return near
            self.verify(fresh)


def _ordered(i: int, others: Iterable[int]) -> set[tuple[int, int]]:
    return {(min(i, k), max(i, k)) for k in others}


def _judged(judge: Judged, item: tuple[tuple[int, int], bool]) -> Likeness | None:
    (i, j), mirrored_first = item
    return judge(i, j, mirrored_first)
