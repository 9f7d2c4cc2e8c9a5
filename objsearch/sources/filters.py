"""Which files of folders and globs count, and which described images: by path, size, date, …"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from fnmatch import fnmatch
from math import inf

from objsearch.types import ImageRef


@dataclass(frozen=True, slots=True)
class Filters:
    """Globs match whole paths or bare names. Dates are days of the last change, both included.

    What a person names outright is never filtered, only what is found in folders and by globs.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    changed_from: date | None = None
    changed_to: date | None = None
    min_bytes: int = 0
    max_bytes: int | None = None

    def excludes(self, path: str) -> bool:
        """Whether a file or a folder, with all in it, is passed over by name."""
        return _matches(path, self.exclude)

    def keeps(self, path: str, *, unknown: bool = True) -> bool:
        """Whether a file counts; one that cannot be looked at does when `unknown` ones do.

        Of what is found in folders they do: reading them says what is wrong.
        """
        if self.excludes(path) or (self.include and not _matches(path, self.include)):
            return False
        limits = (self.max_bytes, self.changed_from, self.changed_to)
        if self.min_bytes <= 0 and all(limit is None for limit in limits):
            return True
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return unknown
        return self._is_in_size(status.st_size) and self._is_in_time(status.st_mtime)

    def _is_in_size(self, n_bytes: int) -> bool:
        return n_bytes >= self.min_bytes and (self.max_bytes is None or n_bytes <= self.max_bytes)

    def _is_in_time(self, changed: float) -> bool:
        first, last = self.changed_from, self.changed_to
        if first is not None and changed < _seconds(first, time.min):
            return False
        return last is None or changed <= _seconds(last, time.max)


def _seconds(day: date, hour: time) -> float:
    """When that was here, in seconds since 1970.

    The first and the last day of Python's calendar reach out of it where clocks differ from UTC.
    """
    try:
        return datetime.combine(day, hour).timestamp()
    except (OverflowError, OSError, ValueError):
        return inf if day.year > 1970 else -inf


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which described images a search looks at. Pixels are width times height of the image.

    A file that is gone, a URL, what was given as bytes: what nobody knows the date or size of is
    not looked at when dates or sizes are asked for.
    """

    files: Filters = Filters()
    labels: tuple[str, ...] = ()
    min_pixels: int = 0
    max_pixels: int | None = None

    def keeps(self, ref: ImageRef, size_wh: tuple[int, int], labels: frozenset[str]) -> bool:
        """Whether an image of that size counts; one of the wanted `labels` must be seen in it."""
        n_pixels = size_wh[0] * size_wh[1]
        if n_pixels < self.min_pixels or (
            self.max_pixels is not None and n_pixels > self.max_pixels
        ):
            return False
        if self.labels and labels.isdisjoint(self.labels):
            return False
        return self.files.keeps(ref.uri, unknown=False)


def _matches(path: str, rules: Sequence[str]) -> bool:
    return any(fnmatch(path, rule) or fnmatch(os.path.basename(path), rule) for rule in rules)
