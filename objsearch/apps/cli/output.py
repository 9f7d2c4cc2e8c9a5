"""Where words go: data on stdout alone, progress and warnings on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from objsearch.flow import Progress
    from objsearch.pipeline import ObjectSearch
    from objsearch.report.pictures import Read


def complain(sentence: str) -> None:
    """An error, as one line on stderr."""
    print(f"error: {sentence}", file=sys.stderr)


def warn(sentences: Iterable[str]) -> None:
    """Warnings, a line each on stderr."""
    for sentence in sentences:
        print(f"warning: {sentence}", file=sys.stderr)


def print_json(data: Any, *, indent: int | None = None) -> None:
    """One JSON document; without indent on a line of its own."""
    print(json.dumps(data, indent=indent, allow_nan=False), flush=True)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress callback that draws bars on a terminal's stderr, and says nothing elsewhere."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield advance


def reader_of(search: ObjectSearch) -> Read:
    """What gives a report its pictures: the pixels of a whole image, or None."""
    from objsearch.sources import Place
    from objsearch.types import Image, ImageRef, Pixels

    def read(ref: ImageRef) -> Pixels | None:
        image = search.describer.read(Place(ref))
        return image.pixels if isinstance(image, Image) else None

    return read
