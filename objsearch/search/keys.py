"""Keys and the files that they lie in."""

from __future__ import annotations

import os
from collections.abc import Mapping

from objsearch.sources import ref_of
from objsearch.types import ImageRef, Key, Stamp


def is_page_or_frame(ref: ImageRef) -> bool:
    """Whether a ref names one picture of a file that may hold several, and all of it."""
    return ref.xywh is None and (ref.page, ref.frame, ref.seconds) != (None, None, None)


def file_of(key: Key) -> Key:
    """The key of the file that a page, a frame or a part lies in."""
    return ref_of(key).uri if "#" in key else key


def by_file(stamps: Mapping[Key, Stamp]) -> Mapping[Key, Mapping[Key, Stamp]]:
    """The stamps of each file's pictures, by the key of the file."""
    files: dict[Key, dict[Key, Stamp]] = {}
    for key, stamp in stamps.items():
        files.setdefault(file_of(key), {})[key] = stamp
    return files


def is_there(key: Key) -> bool:
    """Whether the file of a picture is there, be it a link that leads nowhere.

    What the system will not tell of, as in a folder that is closed to us, counts as there.
    """
    try:
        os.lstat(file_of(key))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def is_away(root: str) -> bool:
    """Whether the photos of a root are not at hand: no folder, or an empty one, as of a disk."""
    return not os.path.isdir(root) or is_empty(root)


def is_empty(folder: str) -> bool:
    """Whether a folder that is there holds nothing, or does not let itself be looked into."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return os.path.isdir(folder)
