"""Who is alike to whom: verified pairs of pictures, and those that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from objsearch.flow import Progress, batches, counted, ordered_map, silent
from objsearch.match.geometry import inverse
from objsearch.tasks.duplicates.candidates import Pair
from objsearch.tasks.duplicates.likeness import Likeness, Means, Transform

MOST_HINTS = 3

BATCH = 8


class Task(NamedTuple):
    """A pair (i, j), i < j, to be judged; `hints` are transforms that other pairs lead to."""

    pair: Pair
    by: Means = "keypoints"
    hints: Sequence[Transform] = ()


class Network:
    """Pictures by number, and the likeness of each pair that was found to be copies."""

    def __init__(
        self,
        judge: Callable[[Task], Likeness | None],
        may_pair: Callable[[int, int], bool],
        workers: int = 1,
    ) -> None:
        self._judge = judge
        self._may_pair = may_pair
        self._workers = workers
        self._links: dict[int, dict[int, Likeness]] = defaultdict(dict)
        self._near: dict[int, set[int]] = defaultdict(set)
        self._tried: set[tuple[Pair, Means, bool]] = set()
        self._together: dict[int, set[int]] = {}

    def verify(
        self,
        rounds: Sequence[Sequence[Pair]],
        progress: Progress = silent,
        *,
        by: Means = "keypoints",
    ) -> None:
        """Compare candidates, likeliest first: what is together by then has to wait.

        Most of that never needs a look: where copies lead to each other, `explore` knows already
        how one would have to lie upon the other.
        """
        total, done = sum(map(len, rounds)), 0
        for pairs in rounds:
            apart = [Task(pair, by) for pair in pairs if not self._are_together(*pair)]
            # What frames did not prove, keypoints of their leaders will be asked.
            judged = {task.pair for task in apart if by == "frames"}
            for i, j in set(pairs) - judged:
                self._near[i].add(j)
                self._near[j].add(i)
            done += len(pairs) - len(apart)
            self._settle(apart, _counted_on(progress, done, total))
            done += len(apart)

    def _are_together(self, i: int, j: int) -> bool:
        return j in self._together.get(i, ())

    def leaders(self, order: Sequence[int], kinds: Sequence[object]) -> list[int]:
        """Of what is together the first of each kind; sorted. `kinds[i]` is that of picture `i`."""
        seen: dict[object, int] = {}
        for i in order:
            seen.setdefault((min(self._together.get(i, (i,))), kinds[i]), i)
        return sorted(seen.values())

    def _join(self, i: int, j: int) -> None:
        """From now on, all that one leads to and all that the other leads to are together."""
        first, second = (self._together.setdefault(k, {k}) for k in (i, j))
        if first is not second:
            first |= second
            self._together.update(dict.fromkeys(second, first))

    def _settle(self, tasks: Sequence[Task], progress: Progress = silent) -> int:
        """Judge the pairs that are new, or newly led to; returns how many were."""
        fresh = list({_key(task): task for task in tasks if self._is_new(task)}.values())
        self._tried |= {_key(task) for task in fresh}
        # Many a comparison takes a millisecond or two: threads are handed several at once, where
        # there are enough for all.
        size = max(1, min(BATCH, len(fresh) // (2 * self._workers)))
        judged = ordered_map(self._judged, batches(fresh, size), workers=self._workers)
        verdicts = (likeness for batch in judged for likeness in batch)
        told = counted(verdicts, "compare", progress, len(fresh))
        for ((i, j), _, _), likeness in zip(fresh, told, strict=True):
            if likeness is not None:
                self._links[i][j] = likeness
                self._links[j][i] = likeness.reversed()
                self._join(i, j)
        return len(fresh)

    def _judged(self, tasks: Sequence[Task]) -> list[Likeness | None]:
        return [self._judge(task) for task in tasks]

    def _is_new(self, task: Task) -> bool:
        return _key(task) not in self._tried and self._may_pair(*task.pair)

    def alike(self, i: int, j: int) -> Likeness | None:
        """How picture `i` is a copy of picture `j`; None when it is none. Not defined for i = j."""
        return self._links[i].get(j)

    def firsts(self, order: Iterable[int]) -> list[int]:
        """Of what is together the first in an order; what is alone is left out."""
        seen: dict[int, int] = {}
        for i in order:
            if i in self._together:
                seen.setdefault(id(self._together[i]), i)
        return list(seen.values())

    def component(self, i: int) -> int:
        """The least number of what is together with a picture: equal for pictures that are."""
        return min(self._together.get(i, (i,)))

    def explore(self, pictures: Sequence[int], progress: Progress = silent) -> None:
        """Compare pictures with the copies of their copies, side by side, until none are left.

        A chain alone makes no copy: each is compared with the picture itself.
        """
        steps = (self._led_to, self._waiting)
        while any(
            self._settle([task for i in pictures for task in step(i)], progress) for step in steps
        ):
            pass

    def copies(self, i: int) -> set[int]:
        """All that was found to be copies of a picture."""
        return set(self._links[i])

    def _led_to(self, i: int) -> list[Task]:
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

    def _waiting(self, i: int) -> list[Task]:
        """Candidates of a picture and its copies that were together, yet did not join them."""
        links = self._links[i]
        return [
            _task(j, k, ())
            for j in (i, *sorted(links))
            for k in sorted(self._near[j] - {i, *links})
        ]


def _key(task: Task) -> tuple[Pair, Means, bool]:
    return task.pair, task.by, bool(task.hints)


def _task(i: int, k: int, leads: Sequence[Transform]) -> Task:
    if i < k:
        return Task((i, k), hints=leads)
    return Task((k, i), hints=[inverse(lead) for lead in leads])


def _counted_on(progress: Progress, before: int, total: int) -> Progress:
    """Progress of a part, told as that of the whole."""
    return lambda stage, done, _: progress(stage, before + done, total)
