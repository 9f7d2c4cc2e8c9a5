"""Threads, batches and progress: the one place where work runs side by side.

Everything that costs time here (image codecs, OpenCV, ONNX Runtime, BLAS) lets go of Python's lock,
so threads are enough, and models are loaded once. Order is kept and the work on one item never
depends on its neighbours: the number of workers and the batch size change the time, not the answer.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[str, int, int | None], None]
"""`progress(stage, done, total)`: called from the caller's thread after each finished item, and
with 0 done where describing begins."""


THREADS = "objsearch"
"""What the names of our threads begin with."""


def silent(stage: str, done: int, total: int | None) -> None:
    """The progress that says nothing."""


def default_workers() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def ordered_map(
    function: Callable[[T], R], items: Iterable[T], *, workers: int, ahead: int = 2
) -> Iterator[R]:
    """`map(function, items)` on threads: same order, at most `workers * ahead` results waiting.

    The first exception is raised at its item's place, and what has not started is not started.
    When interrupted, or not asked for more, it does not wait for what has: nobody wants that.
    """
    if workers <= 1:
        # Computing beside the main thread leaves that free to hear Ctrl-C at once.
        if threading.current_thread() is not threading.main_thread():
            yield from map(function, items)
            return
        workers = ahead = 1
    pending: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix=THREADS)
    is_wanted = True
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= workers * ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except (KeyboardInterrupt, GeneratorExit):
        is_wanted = False
        raise
    finally:
        pool.shutdown(wait=is_wanted, cancel_futures=True)


def once(make: Callable[[], R]) -> Callable[[], R]:
    """What gives the same result to all threads; it is made when the first of them asks."""
    lock, made = threading.Lock(), list[R]()

    def given() -> R:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return given


def is_busy() -> bool:
    """Whether threads of ours still run: something that nobody waits for any more."""
    return any(thread.name.startswith(THREADS) for thread in threading.enumerate())


def counted(
    items: Iterable[T], stage: str, progress: Progress, total: int | None = None
) -> Iterator[T]:
    """Pass items on, telling `progress` after each."""
    for done, item in enumerate(items, 1):
        progress(stage, done, total)
        yield item
