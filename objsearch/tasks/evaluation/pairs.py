"""Which two photos show the same thing, in a CSV: a, b (relative to the CSV), same (1 or 0)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from objsearch.errors import UsageError
from objsearch.tasks.evaluation.labels import Line, check_photo, columns_of, read_lines

COLUMNS = ("a", "b", "same")
_TRUE, _FALSE = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos, and the truth of them."""

    a: Path
    b: Path
    is_same: bool
    line: int = 0
    """Where it stands in the file."""


def is_pairs(path: Path) -> bool:
    """Whether a file has the columns of one; what cannot be read has not."""
    return set(COLUMNS) <= set(columns_of(path))


def read_pairs(path: Path) -> list[Pair]:
    """Read a file; raises UsageError naming file and line of the first mistake."""
    return list(_pairs(path, read_lines(path, "pairs")))


def check_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Raises UsageError, before the work, naming the line that has no photo."""
    for pair in pairs:
        for photo in (pair.a, pair.b):
            check_photo(f"{path}, line {pair.line}", photo)


def _pairs(path: Path, lines: Iterable[Line]) -> Iterator[Pair]:
    for number, line in lines:
        one, other, same = ((line[column] or "").strip() for column in COLUMNS)
        if not one or not other:
            raise UsageError(f"{path}, line {number}: a pair wants two photos, in a and b")
        if same.lower() not in (*_TRUE, *_FALSE):
            raise UsageError(f"{path}, line {number}: same is 1 or 0, not '{same}'")
        yield Pair(path.parent / one, path.parent / other, same.lower() in _TRUE, number)
