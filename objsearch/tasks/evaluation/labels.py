"""The rows of a CSV that a person has labelled, each with the line that it stands on."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from objsearch.errors import UsageError
from objsearch.sources import place_of

Line = tuple[int, dict[str, str | None]]
"""The number of a line, counted from 1, and what stands there by column."""


def columns_of(path: Path) -> tuple[str, ...]:
    """The names in its head; none where it cannot be read."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return tuple(_reader(stream).fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error):
        return ()


def read_lines(path: Path, what: str) -> list[Line]:
    """All rows; lines without anything are passed over. Raises UsageError, which says `what` it is.

    Spaces after commas and around the names of columns do not count.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = _reader(stream)
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise UsageError(f"cannot read the {what} '{path}': {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not a CSV file in UTF-8; save it as UTF-8") from None
    except csv.Error as error:
        raise UsageError(f"{path}: not a CSV file ({error})") from None


def check_photo(where: str, path: Path) -> None:
    """Raises UsageError that begins with `where` it stands, unless a path leads to one file."""
    if os.path.isdir(path):
        raise UsageError(f"{where}: '{path}' is a folder; name its photos, a row each")
    if not (os.path.lexists(path) or os.path.lexists(place_of(os.fspath(path)).ref.uri)):
        raise UsageError(f"{where}: no such photo: '{path}'")


def _reader(stream: Iterable[str]) -> csv.DictReader[str]:
    reader = csv.DictReader(stream, skipinitialspace=True)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    return reader
