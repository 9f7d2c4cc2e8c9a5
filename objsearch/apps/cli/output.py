"""Where words go: data on stdout alone, progress and warnings on stderr.

Names in sentences are strangers' text, and a terminal obeys what is in it: it is made safe here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objsearch.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from objsearch.report.pictures import Read
    from objsearch.search.pipeline import ObjectSearch
    from objsearch.sources import Place


def complain(sentence: str) -> None:
    """An error, as one line on stderr."""
    _say(f"error: {sentence}")


def warn(sentences: Iterable[str]) -> None:
    """Warnings, a line each on stderr."""
    for sentence in sentences:
        _say(f"warning: {sentence}")


def hint(sentence: str) -> None:
    """What would be better next time, as one line on stderr."""
    _say(f"hint: {sentence}")


def tell_written(what: str, path: str | Path) -> None:
    """Where something was written, as one line on stderr."""
    _say(f"{what}: {path}")


def _say(sentence: str) -> None:
    from objsearch.report.wording import shown

    print(shown(sentence), file=sys.stderr)


def print_line(line: str) -> None:
    """A line for people on stdout."""
    from objsearch.report.wording import shown

    print(shown(line), flush=True)


def print_json(data: Any, *, indent: int | None = None) -> None:
    """One JSON document; without indent on a line of its own."""
    print(json.dumps(data, indent=indent, allow_nan=False), flush=True)


def print_table(table: RenderableType) -> None:
    """For people on a terminal."""
    from rich.console import Console

    Console().print(table)


def write_report(path: Path | None, write: Callable[[Path], None]) -> None:
    """Have a page written, and say where; nothing without a path. Raises UsageError."""
    if path is None:
        return
    try:
        write(path)
    except OSError as error:
        raise UsageError(f"cannot write the report '{path}': {error.strerror}") from None
    tell_written("report", path)


def reader_of(
    search: ObjectSearch, given: Iterable[str | Place] = (), *, reduced: bool = True
) -> Read:
    """What gives a report its pictures: the pixels of a whole image, or None.

    Huge ones come `reduced`, unless a page shows them pixel by pixel. Of what was `given`, pictures
    from standard input are kept.
    """
    from objsearch.sources import Place
    from objsearch.types import Image, ImageRef, Pixels

    piped = {place.ref.uri: place.content for place in given if isinstance(place, Place)}

    def pixels_of(ref: ImageRef) -> Pixels | None:
        read = search.describer.read_working if reduced else search.describer.read
        image = read(Place(ref, piped.get(ref.uri)))
        return image.pixels if isinstance(image, Image) else None

    return pixels_of
