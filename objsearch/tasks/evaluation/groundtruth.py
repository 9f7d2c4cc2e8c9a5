"""Which photos show the same thing, in a CSV: group_id, path, role, box.

`role` is `query`, `db` or `distractor`; `path` is relative to the CSV; `box` is `x1,y1,x2,y2` or
empty. A photo may stand in several rows, one a thing that it shows, and be spelled differently.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from objsearch.errors import UsageError, nearest
from objsearch.tasks.evaluation.judging import photo_of
from objsearch.tasks.evaluation.labels import Line, check_photo, read_lines
from objsearch.types import Box

COLUMNS = ("group_id", "path", "role", "box")
ROLES = ("query", "db", "distractor")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in one photo."""

    group_id: str
    path: Path
    role: str
    box_xyxy: Box | None
    line: int = 0
    """Where it stands in the file."""

    @property
    def photo(self) -> str:
        """What tells its photo from others, however the path is spelled."""
        return photo_of(self.path)


@dataclass(frozen=True, slots=True)
class Groundtruth:
    """All rows of a file."""

    name: str
    rows: tuple[Row, ...]

    def queries(self, every: bool = False) -> list[Row]:
        """The rows to search with; with `every`, also those of role db."""
        roles = ("query", "db") if every else ("query",)
        return [row for row in self.rows if row.role in roles]

    def check(self, every: bool = False, *, has_more: bool = False) -> None:
        """Raises UsageError where nothing is searched for, or nothing searched: no figure is one.

        `has_more` says that there are photos to search in that stand elsewhere.
        """
        if not self.queries(every):
            raise UsageError(f"{self.name}: no row has the role query: nothing to search for")
        if not has_more and not self.references(every):
            raise UsageError(
                f"{self.name}: no row has the role db or distractor: nothing to search"
            )

    def check_photos(self) -> None:
        """Raises UsageError where a thing is said to be in what is no photo.

        Looked at before the work: the last row may come up after hours. What a folder or a pattern
        holds is never right by name; as distractors it need not be.
        """
        for row in self.queries(every=True):
            check_photo(f"{self.name}, line {row.line}", row.path)

    def references(self, every: bool = False) -> list[Path]:
        """The photos to search in, each once; with `every`, also those of role query."""
        roles = ROLES if every else ("db", "distractor")
        return list(dict.fromkeys(row.path for row in self.rows if row.role in roles))

    def right(self, query: Row, every: bool = False) -> dict[Path, Box | None]:
        """The photos that show the query's thing, itself left out, with its box in each."""
        return {row.path: row.box_xyxy for row in self._right_rows(query, every)}

    def boxes(self, query: Row, every: bool = False) -> dict[str, tuple[Box, ...]]:
        """The same by what tells photos apart (`Row.photo`): every box of the thing in each."""
        boxes: dict[str, tuple[Box, ...]] = {}
        for row in self._right_rows(query, every):
            known = () if row.box_xyxy is None else (row.box_xyxy,)
            boxes[row.photo] = boxes.get(row.photo, ()) + known
        return boxes

    def _right_rows(self, query: Row, every: bool) -> list[Row]:
        roles = ("query", "db") if every else ("db",)
        rows = (row for row in self.rows if row.group_id == query.group_id and row.role in roles)
        return [row for row in rows if row.photo != query.photo]


def read_groundtruth(path: Path) -> Groundtruth:
    """Read a file; raises UsageError naming file, line and column of the first mistake."""
    lines = read_lines(path, "ground truth")
    if not lines:
        raise UsageError(f"{path}: no rows")
    _check_columns(path, list(lines[0][1]))
    return Groundtruth(str(path), tuple(_rows(path, lines)))


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    missing = [column for column in COLUMNS[:3] if column not in columns]
    if not missing:
        return
    header = columns[0] or ""
    other = next((separator for separator in (";", "\t", "|") if separator in header), None)
    if other is not None and len(columns) == 1:
        name = "tabs" if other == "\t" else f"'{other}'"
        raise UsageError(f"{path}: its columns are separated by {name}; separate them by commas")
    raise UsageError(
        f"{path}: no column '{missing[0]}' (wanted: {', '.join(COLUMNS)}; or a, b, same for pairs "
        "to calibrate by)"
    )


def _rows(path: Path, lines: Iterable[Line]) -> Iterable[Row]:
    for number, line in lines:
        role = (line["role"] or "").strip()
        if role not in ROLES:
            raise UsageError(
                f"{path}, line {number}: no role '{role}'{nearest(role, ROLES)} "
                f"(known: {', '.join(ROLES)})"
            )
        group, photo = ((line[column] or "").strip() for column in ("group_id", "path"))
        if not photo:
            raise UsageError(f"{path}, line {number}: no photo: 'path' is empty")
        if not group and role != "distractor":
            raise UsageError(
                f"{path}, line {number}: a {role} wants a group_id, the name of what it shows"
            )
        box = _box(path, number, (line.get("box") or "").strip())
        yield Row(group, path.parent / photo, role, box, number)


def _box(path: Path, number: int, text: str) -> Box | None:
    if not text:
        return None
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
        if not (math.inf > x2 > x1 > -math.inf and math.inf > y2 > y1 > -math.inf):
            raise ValueError
    except ValueError:
        raise UsageError(
            f"{path}, line {number}: the box '{text}' is not x1,y1,x2,y2 with x1 < x2 and y1 < y2"
        ) from None
    return Box(x1, y1, x2, y2)
