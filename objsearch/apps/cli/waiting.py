"""What a person sees while waiting: from the first moment, with the seconds really waited."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import Task
    from rich.text import Text


class Stopwatch:
    """Seconds since the command was called, start-up and all."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin again at 0."""
        self._started = self._last = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._started

    def lap(self) -> float:
        """Since the last lap, or the start: what a person has waited for what is shown next."""
        now = time.perf_counter()
        lap, self._last = now - self._last, now
        return lap


stopwatch = Stopwatch()
"""Started as the first thing of all, and again by `main`."""


class Waiting:
    """A progress callback, `waiting(stage, done, total)`, with a bar a stage."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}
        self._first = bars.add_task("starting", total=None)

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if stage not in self._tasks:
            self._bars.update(self._first, visible=False)
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def say(self, what: str) -> None:
        """What goes on now, where nothing can be counted."""
        for task in self._tasks.values():
            self._bars.update(task, visible=False)
        self._bars.update(self._first, description=what, visible=True)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """No bars while data is printed: both may go to one terminal."""
        if self._bars.disable:
            yield
            return
        self._bars.stop()
        try:
            yield
        finally:
            self._bars.start()


@contextmanager
def waiting() -> Iterator[Waiting]:
    """Bars on a terminal's stderr, at once and until the block ends; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text as RichText

    class Waited(ProgressColumn):
        def render(self, task: Task) -> Text:
            return RichText(f"{stopwatch.seconds:.0f} s", style="progress.elapsed")

    class Counted(MofNCompleteColumn):
        def render(self, task: Task) -> Text:
            return super().render(task) if task.completed or task.total else RichText("")

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            if not speed or not task.total:
                return RichText("")
            return RichText(f"{speed:.1f}/s" if speed < 10 else f"{speed:.0f}/s")

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        Counted(),
        Rate(),
        Waited(),
        TimeRemainingColumn(),
    )
    bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    shown = Waiting(bars)
    with bars:
        yield shown
