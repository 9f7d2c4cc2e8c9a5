"""Names -> places: walks folders and globs, without opening a single image.

Folders are walked whole, in the order of their names, hidden files included. Links to files are
followed; links to folders too, but every real folder is visited once, so that loops end.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from objsearch.errors import UsageError
from objsearch.types import ImageRef, Unreadable


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where one image lies: a file by its ref, or something in memory under a made-up name."""

    ref: ImageRef
    content: Any = None

    @property
    def is_file(self) -> bool:
        return self.content is None

    @property
    def key(self) -> str:
        """What tells two places apart: the real path with its fragment, or the made-up name."""
        if not self.is_file:
            return str(self.ref)
        real = os.path.realpath(self.ref.uri)
        return real + str(self.ref)[len(self.ref.uri) :]


def expand(
    inputs: Any, *, exclude: Sequence[str] = (), kind: str = "image"
) -> list[Place | Unreadable]:
    """List the places that one or several inputs name, each once, in the order given.

    An input is a path, a glob, a folder, a ref with a fragment, bytes, a binary stream, an array, a
    Pillow image or a list of these. Raises UsageError for a name that leads nowhere.
    """
    found: dict[str, Place | Unreadable] = {}
    for number, one in enumerate(_flat(inputs), 1):
        for place in _expand_one(one, number, exclude, kind):
            key = place.key if isinstance(place, Place) else str(place.ref)
            found.setdefault(key, place)
    return list(found.values())


def _flat(inputs: Any) -> list[Any]:
    if isinstance(inputs, list | tuple | set | Iterator):
        return list(inputs)
    return [inputs]


def _expand_one(
    one: Any, number: int, exclude: Sequence[str], kind: str
) -> Iterable[Place | Unreadable]:
    if isinstance(one, Place):
        return [one]
    if isinstance(one, ImageRef):
        return [Place(one)]
    if isinstance(one, str | os.PathLike):
        return _from_name(os.fspath(one), exclude, kind)
    return [Place(ImageRef(_made_up_name(one, number)), one)]


def _made_up_name(content: Any, number: int) -> str:
    if isinstance(content, bytes | bytearray | memoryview):
        return f"<bytes:{number}>"
    if hasattr(content, "read"):
        return f"<stream:{number}>"
    return f"<{'array' if hasattr(content, '__array_interface__') else 'image'}:{number}>"


def _from_name(
    name: str | bytes, exclude: Sequence[str], kind: str
) -> Iterable[Place | Unreadable]:
    text = os.fsdecode(name)
    if os.path.isdir(text):
        return _walk(text, exclude)
    if os.path.lexists(text):
        return [Place(ImageRef(text))]
    ref = _parsed(text)
    if ref.uri != text and os.path.lexists(ref.uri):
        return [Place(ref)]
    if glob.has_magic(text):
        return _from_glob(text, exclude, kind)
    raise UsageError(f"no such {kind}: '{text}'")


def _parsed(text: str) -> ImageRef:
    try:
        return ImageRef.parse(text)
    except ValueError as error:
        raise UsageError(f"not a place in an image: {error}") from None


def _from_glob(pattern: str, exclude: Sequence[str], kind: str) -> Iterable[Place | Unreadable]:
    matches = sorted(glob.glob(pattern, recursive=True, include_hidden=True))
    if not matches:
        raise UsageError(f"no {kind} matches '{pattern}'")
    for match in matches:
        if os.path.isdir(match):
            yield from _walk(match, exclude)
        elif not _is_excluded(match, exclude):
            yield Place(ImageRef(match))


def _walk(top: str, exclude: Sequence[str]) -> Iterator[Place | Unreadable]:
    visited: set[str] = set()
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        real = os.path.realpath(folder)
        if real in visited:
            continue
        visited.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield Unreadable(ImageRef(folder), f"the folder cannot be read ({error.strerror})")
            continue
        folders = []
        for entry in entries:
            if _is_excluded(entry.path, exclude):
                continue
            if entry.is_dir():
                folders.append(entry.path)
            else:
                yield Place(ImageRef(entry.path))
        waiting.extend(reversed(folders))


def _is_excluded(path: str, exclude: Sequence[str]) -> bool:
    return any(fnmatch(path, rule) or fnmatch(os.path.basename(path), rule) for rule in exclude)


def read_bytes(path: str, max_bytes: int) -> bytes:
    """The bytes of a regular file, at most `max_bytes` + 1 of them.

    Raises OSError. Pipes and devices are refused before they are opened: they may never end.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(None, "not a regular file")
    with Path(path).open("rb") as stream:
        return stream.read(max_bytes + 1)
