"""Names in a quarantine: below the folders that a file lies in, and apart on every file system."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from types import ModuleType

_NO_NAME = re.compile(r"[\\/:?.]+")
"""What a drive has that a folder's name has not: `C:`, `\\\\nas\\photos`."""


def held_name(path: str, paths: ModuleType = os.path) -> str:
    """Where a file is held, as seen from the quarantine; `paths` are those of its system."""
    drive, rest = paths.splitdrive(path)
    named = "_".join(filter(None, _NO_NAME.split(drive)))
    return str(paths.join("files", named, rest.lstrip(paths.sep)))


class HeldNames:
    """Hands out names that nothing in the quarantine's `folder` has, nor is to have: the `taken`.

    The quarantine may lie where capitals and small letters, or two ways to write one letter, are
    the same, and the files where they are not.
    """

    def __init__(self, folder: str, taken: Iterable[str]) -> None:
        self._folder = folder
        self._taken = set(map(_alike, taken))

    def free(self, path: str) -> str:
        """A name for a file, which is taken from then on."""
        inside = held_name(path)
        stem, suffix = os.path.splitext(inside)
        name, number = inside, 1
        while _alike(name) in self._taken or os.path.lexists(os.path.join(self._folder, name)):
            number += 1
            name = f"{stem} ({number}){suffix}"
        self._taken.add(_alike(name))
        return name


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
