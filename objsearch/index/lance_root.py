"""The folder that files are known from, so that a stored index can be moved along with them.

Rows then hold places below it, with '/' on any system. Where it lies is remembered twice: as a
whole path, and as seen from the index, which is what still holds when both went to another disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from objsearch.errors import UsageError

NOTE = "root"
"""What a record remembers of a root: `folder`, and `from_index` where there is such a way."""
TRIED = 50
"""Files that are looked for where a root may be, evenly spread."""


@dataclass(frozen=True, slots=True)
class Root:
    """Where the root of an index lies now; '' where files are known by their whole paths."""

    folder: str = ""
    index: str = ""

    def below(self, path: str) -> str:
        """What is stored of a path, or of one with a fragment; a URL stays as it is.

        Raises UsageError for a file that lies elsewhere.
        """
        if not self.folder or not os.path.isabs(path):
            return path
        above = os.path.join(self.folder, "")
        if not path.startswith(above):
            raise UsageError(
                f"'{path}' lies outside '{self.folder}', the root of the index '{self.index}': "
                "name photos below it, or make another index for these"
            )
        return path[len(above) :].replace(os.sep, "/")

    def whole(self, stored: str) -> str:
        """The path of what is stored, where it lies now."""
        if not self.folder or "://" in stored:  # a URL; no way below a folder has two slashes
            return stored
        return os.path.join(self.folder, stored.replace("/", os.sep))

    def note(self) -> Mapping[str, Any]:
        """What is to be remembered."""
        noted = {"folder": self.folder}
        with suppress(ValueError):  # on Windows, there is no way to another drive
            noted["from_index"] = os.path.relpath(self.folder, os.path.realpath(self.index))
        return noted


def given_root(folder: str, index: str) -> Root:
    """A root that a person names. Raises UsageError where no folder is."""
    if not os.path.isdir(folder):
        raise UsageError(f"the root '{folder}' is no folder: name the one that holds the photos")
    return Root(os.path.realpath(folder), index)


def root_of(note: Mapping[str, Any], index: str, stored: Callable[[], Sequence[str]]) -> Root:
    """The root that a record remembers: as seen from the index if some of its files are there.

    Else where it was: some other folder is none, though it lies where the root once lay. `stored`
    gives some of the files.
    """
    before = Root(str(note["folder"]), index)
    way = note.get("from_index")
    if not isinstance(way, str):
        return before
    seen = Root(os.path.normpath(os.path.join(os.path.realpath(index), way)), index)
    if seen == before or not os.path.isdir(seen.folder):
        return before
    files = [text.partition("#")[0] for text in stored() if "://" not in text]
    is_held = any(os.path.lexists(seen.whole(file)) for file in files)
    return seen if is_held or not files else before
