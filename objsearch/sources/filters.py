"""Which files of folders and globs count: by path, size and date."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from fnmatch import fnmatch


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

    def excludes(self, path: str) -> bool:
        """Whether a file or a folder, with all in it, is passed over by name."""
        return _matches(path, self.exclude)

    def keeps(self, path: str) -> bool:
        """Whether a file counts. One that cannot be looked at does: reading it says why."""
        if self.excludes(path) or (self.include and not _matches(path, self.include)):
            return False
        if self.min_bytes <= 0 and self.changed_from is None and self.changed_to is None:
            return True
        try:
            found = os.stat(path)
        except OSError:
            return True
        return found.st_size >= self.min_bytes and self._is_in_time(found.st_mtime)

    def _is_in_time(self, changed: float) -> bool:
        first, last = self.changed_from, self.changed_to
        if first is not None and changed < datetime.combine(first, time.min).timestamp():
            return False
        return last is None or changed <= datetime.combine(last, time.max).timestamp()


def _matches(path: str, rules: Sequence[str]) -> bool:
    return any(fnmatch(path, rule) or fnmatch(os.path.basename(path), rule) for rule in rules)
