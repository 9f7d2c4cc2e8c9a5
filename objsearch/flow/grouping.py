"""Items of many groups, such as crops of images, worked on in batches that span the groups."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

G = TypeVar("G")
T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class _Waiting(Generic[G, R]):
    """A group, how many results it wants, and those that it has."""

    group: G
    n_wanted: int
    results: list[R] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return len(self.results) == self.n_wanted


class _Gatherer(Generic[G, T, R]):
    """Groups that wait, in order, and the items of theirs that nothing was made of yet."""

    def __init__(self, function: Callable[[list[T]], Sequence[R]], size: int) -> None:
        self.function = function
        self.size = size
        self.waiting: deque[_Waiting[G, R]] = deque()
        self.items: list[T] = []

    def add(self, group: G, items: Sequence[T]) -> None:
        self.waiting.append(_Waiting(group, len(items)))
        self.items += items

    def work(self) -> None:
        """One batch."""
        batch, self.items = self.items[: self.size], self.items[self.size :]
        results = list(self.function(batch))
        if len(results) != len(batch):
            raise ValueError(f"{len(results)} results for a batch of {len(batch)}")
        for group in self.waiting:
            n = group.n_wanted - len(group.results)
            group.results += results[:n]
            results = results[n:]

    def done(self) -> Iterator[tuple[G, list[R]]]:
        """The first groups, as far as they have all."""
        while self.waiting and self.waiting[0].is_done:
            group = self.waiting.popleft()
            yield group.group, group.results


def map_groups(
    function: Callable[[list[T]], Sequence[R]],
    groups: Iterable[tuple[G, Sequence[T]]],
    *,
    size: int,
    most: int,
) -> Iterator[tuple[G, list[R]]]:
    """Each group with a result an item, in order; `function` gets `size` items at a time.

    Items of several groups share a batch, and those of a large one are spread over several. Fewer
    than `size` are worked on when `most` groups wait, which bounds the memory, and at the end.

    An exception of `function` is raised in the place of the first group of its batch that is not
    done; one of `groups` after all that came before it. Not asked for more, nothing more is done.
    """
    gatherer: _Gatherer[G, T, R] = _Gatherer(function, size)
    source = iter(groups)
    mistake: Exception | None = None
    while mistake is None:
        try:
            group, items = next(source)
        except StopIteration:
            break
        except Exception as error:  # what came before it is handed on first
            mistake = error
            continue
        gatherer.add(group, items)
        yield from gatherer.done()
        while len(gatherer.items) >= size or (gatherer.items and len(gatherer.waiting) >= most):
            gatherer.work()
            yield from gatherer.done()
    while gatherer.items:
        gatherer.work()
        yield from gatherer.done()
    if mistake is not None:
        raise mistake
