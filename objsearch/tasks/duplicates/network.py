"""Who is alike to whom: verified pairs of pictures, and those that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from objsearch.flow import Progress, counted, ordered_map, silent
from objsearch.match.geometry import inverse
from objsearch.tasks.duplicates.candidates import Pairs
from objsearch.tasks.duplicates.likeness import Likeness, Transform

Judged = Callable[[int, int, bool, Sequence[Transform]], Likeness | None]
Task = tuple[tuple[int, int], bool, Sequence[Transform]]
MOST_HINTS = 3


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
        self._led: set[tuple[int, int]] = set()

    def __len__(self) -> int:
        """The number of pairs compared so far."""
        return len(self._tried)

    def verify(self, pairs: Pairs, progress: Progress = silent) -> None:
        """Compare candidates in full, each pair once."""
        self._settle([(pair, flag, ()) for pair, flag in pairs.items()], progress)

    def _settle(self, tasks: Sequence[Task], progress: Progress = silent) -> int:
        """Judge the pairs that are new, or newly led to; returns how many were."""
        fresh = [task for task in tasks if self._is_new(task)]
        self._tried |= {task[0] for task in fresh}
        self._led |= {task[0] for task in fresh if task[2]}
        verdicts = ordered_map(partial(_judged, self._judge), fresh, workers=self._workers, ahead=8)
        told = counted(verdicts, "compare", progress, len(fresh))
        for ((i, j), _, _), found in zip(fresh, told, strict=True):
            if found is not None:
                self._links[i][j] = found
                self._links[j][i] = found.reversed()
        return len(fresh)

    def _is_new(self, task: Task) -> bool:
        pair, _, leads = task
        known = self._led if leads else self._tried
        return pair not in known and self._may_pair(*pair)

    def alike(self, i: int, j: int) -> Likeness | None:
        """How picture `i` is a copy of picture `j`; None when it is none. Not defined for i = j."""
        return self._links[i].get(j)

    def explore(self, i: int) -> set[int]:
        """The copies of a picture, those of its copies tried as well.

        A chain alone makes no copy: each is compared with the picture itself.
        """
        while self._settle(self._further(i)):
            pass
        return set(self._links[i])

    def _further(self, i: int) -> list[Task]:
        """Pairs of a picture and its copies' copies, with where these lead to."""
        hints: dict[int, list[Transform]] = defaultdict(list)
        for j, first in sorted(self._links[i].items()):
            for k, second in sorted(self._links[j].items()):
                if k == i or k in self._links[i]:
                    continue
                known = hints[k]
                if first.transform is None or second.transform is None or len(known) >= MOST_HINTS:
                    continue
                known.append(second.transform @ first.transform)
        return [_task(i, k, leads) for k, leads in sorted(hints.items())]


def _task(i: int, k: int, leads: Sequence[Transform]) -> Task:
    if i < k:
        return (i, k), False, leads
    return (k, i), False, [inverse(lead) for lead in leads]


def _judged(judge: Judged, task: Task) -> Likeness | None:
    (i, j), mirrored_first, hints = task
    return judge(i, j, mirrored_first, hints)
