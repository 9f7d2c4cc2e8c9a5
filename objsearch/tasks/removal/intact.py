"""Whether files are still what they were when a plan was made."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from functools import lru_cache

from objsearch.tasks.removal.moving import digest_of, is_readable
from objsearch.types.plans import Fingerprint

Stamp = tuple[int, ...]
"""What tells a file from another at its name."""


class Intact:
    """Looks at the files of a plan, as they are now."""

    def __init__(self, files: Mapping[str, Fingerprint]) -> None:
        self._files = files
        self._digest = lru_cache(maxsize=None)(_digest)

    def stamp(self, path: str) -> Stamp | None:
        """None for a file that is gone, is no regular one, or has another size by now."""
        fingerprint = self._files.get(path)
        try:
            seen = os.lstat(path)
        except OSError:
            return None
        is_planned = fingerprint is not None and seen.st_size == fingerprint.bytes
        if not is_planned or not stat.S_ISREG(seen.st_mode):
            return None
        return seen.st_dev, seen.st_ino, seen.st_ctime_ns

    def is_unchanged(self, path: str) -> bool:
        """Whether a file has the bytes of the plan, whatever its time says, and is no link."""
        return self.stamp(path) is not None and _digest(path) == self._files[path].sha256

    def is_there(self, path: str, before: Stamp | None = None) -> bool:
        """The same; but the bytes of one and the same file are read once.

        It is opened each time: of a share, its system may still tell what was there a while ago.
        With a stamp of `before`, nothing may have happened to it since, not even a new name.
        """
        stamp = self.stamp(path)
        if stamp is None or stamp != (before or stamp) or not is_readable(path):
            return False
        return self._digest(path, *stamp) == self._files[path].sha256


def is_file(path: str, stamp: Stamp | None) -> bool:
    """Whether a name leads to the file that had a stamp, whatever has happened to it since."""
    seen = os.lstat(path)
    return stamp is not None and stamp[:2] == (seen.st_dev, seen.st_ino)


def _digest(path: str, *_stamp: int) -> str:
    try:
        return digest_of(path)
    except OSError:
        return ""
