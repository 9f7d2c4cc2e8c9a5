"""Order, bounds and the first mistake."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from objsearch.flow import batches, counted, default_workers, once, ordered_map


def test_batches_are_full_but_the_last() -> None:
    assert list(batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batches([], 3)) == []
    assert list(batches([1], 1)) == [[1]]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_order_is_kept_whatever_finishes_first(workers: int) -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.002 * (number % 5 == 0))
        return number * number

    assert list(ordered_map(slow_first, range(60), workers=workers)) == [n * n for n in range(60)]


@pytest.mark.parametrize("workers", [1, 3])
def test_it_runs_ahead_by_a_bounded_number(workers: int) -> None:
    taken = []

    def endless() -> Iterator[int]:
        number = 0
        while True:
            taken.append(number)
            yield number
            number += 1

    results = ordered_map(lambda n: n, endless(), workers=workers, ahead=2)
    assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
    assert len(taken) <= 4 + 2 * workers
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_first_mistake_is_raised_at_its_place(workers: int) -> None:
    started = []

    def fails_at_5(number: int) -> int:
        started.append(number)
        if number == 5:
            raise ValueError("five")
        return number

    results = ordered_map(fails_at_5, range(1000), workers=workers)
    got = []
    with pytest.raises(ValueError, match="five"):
        for number in results:
            got.append(number)
    assert got == [0, 1, 2, 3, 4]
    assert len(started) < 30


def test_threads_work_side_by_side() -> None:
    barrier = threading.Barrier(2, timeout=20)
    assert list(ordered_map(lambda n: barrier.wait() >= 0 and n, [1, 2], workers=2)) == [1, 2]


def test_progress_is_told_after_each() -> None:
    told: list[tuple[str, int, int | None]] = []
    items = counted("ab", "read", lambda *what: told.append(what), 2)
    assert list(items) == ["a", "b"]
    assert told == [("read", 1, 2), ("read", 2, 2)]


def test_there_is_at_least_one_worker() -> None:
    assert default_workers() >= 1


def test_what_several_threads_want_is_made_once() -> None:
    made = []

    def make() -> int:
        made.append(1)
        time.sleep(0.02)
        return len(made)

    given = once(make)
    assert list(ordered_map(lambda _: given(), range(6), workers=3)) == [1] * 6
    assert len(made) == 1
