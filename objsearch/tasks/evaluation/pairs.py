"""Which two photos show the same thing, in a CSV: a, b (relative to the CSV), same (1 or 0)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from objsearch.errors import UsageError

COLUMNS = ("a", "b", "same")
_TRUE, _FALSE = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos, and the truth of them."""

    a: Path
    b: Path
    is_same: bool


def is_pairs(path: Path) -> bool:
    """Whether a file has the columns of one; what cannot be read has not."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return set(COLUMNS) <= set(next(csv.reader(stream), ()))
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def read_pairs(path: Path) -> list[Pair]:
    """Read a file; raises UsageError naming file and line of the first mistake."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return list(_pairs(path, csv.DictReader(stream)))
    except OSError as error:
        raise UsageError(f"cannot read the pairs '{path}': {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: not a CSV file ({error})") from None


def _pairs(path: Path, lines: Iterable[dict[str, str | None]]) -> Iterator[Pair]:
    for number, line in enumerate(lines, 2):
        one, other, same = ((line[column] or "").strip() for column in COLUMNS)
        if not one or not other:
            raise UsageError(f"{path}, line {number}: a pair wants two photos, in a and b")
        if same.lower() not in (*_TRUE, *_FALSE):
            raise UsageError(f"{path}, line {number}: same is 1 or 0, not '{same}'")
        yield Pair(path.parent / one, path.parent / other, same.lower() in _TRUE)
