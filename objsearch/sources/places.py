"""Names -> places: walks folders and globs, without opening a single image.

Folders are walked whole, in the order of their names, hidden files included. Links to files are
followed; links to folders too, but every real folder is visited once, so that loops end. What an
index of ours consists of is passed over.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence, Set, ValuesView
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import Any, get_args

from objsearch.errors import UsageError
from objsearch.sources.filters import Filters
from objsearch.sources.own_files import own_names
from objsearch.sources.regions import RegionOfInterest, RoiMode
from objsearch.sources.urls import is_url, scheme_of
from objsearch.types import ImageRef, Unreadable
from objsearch.types.addresses import without_secrets

_PERCENT = re.compile(r"[#&]xywh=percent:([^#&]*)$")


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where one image lies: a file or a URL by its ref, or something at hand under a name.

    `content` is what a person gave (bytes, a stream, an array, …) or what was read ahead. `region`
    is the part that counts, where the ref does not say so itself in pixels.
    """

    ref: ImageRef
    content: Any = None
    region: RegionOfInterest | None = None
    roi_mode: RoiMode = "replace"

    @property
    def key(self) -> str:
        """What tells two places apart: the real path with its fragment, the URL, the name."""
        return key_of(self.ref) + (f"#{self.region.text}" if self.region else "")

    def within(self, region: RegionOfInterest | None, roi_mode: RoiMode) -> Place:
        """The same place, of which a part counts; a part that it names itself stays."""
        is_named = self.ref.xywh is not None or self.region is not None
        return replace(self, region=self.region if is_named else region, roi_mode=roi_mode)


def within(
    places: Iterable[Place | Unreadable], region: RegionOfInterest | None, roi_mode: RoiMode
) -> tuple[list[Place | Unreadable], list[str]]:
    """Places of which a part counts, and what is said of those that name another one themselves.

    Raises UsageError for a mode that there is none of.
    """
    if roi_mode not in get_args(RoiMode):
        raise UsageError(f"roi_mode: '{roi_mode}' is none of {', '.join(get_args(RoiMode))}")
    parts = [p.within(region, roi_mode) if isinstance(p, Place) else p for p in places]
    told = [
        f"{part.ref}: it names its own part, and the region {region.text} is not used"
        for part in parts
        if region is not None and isinstance(part, Place) and part.region is not region
    ]
    return parts, told


def key_of(ref: ImageRef) -> str:
    """The same text for every way to write a file's path; a URL and a made-up name as shown."""
    if is_made_up(ref) or is_url(ref.uri):
        return str(ref)
    return _real(ref.uri) + ref.fragment


def ref_of(key: str) -> ImageRef:
    """What a key names. An ending that only looks like a fragment, `a#page=2.jpg`, is of a name."""
    try:
        return ImageRef.parse(key)
    except ValueError:
        return ImageRef(key)


def _real(path: str) -> str:
    """The path without links, as `os.path.realpath`; of many files of a folder in far less time."""
    folder, name = os.path.split(path)
    try:
        if os.name == "nt" or name in ("", ".", "..") or stat.S_ISLNK(os.lstat(path).st_mode):
            return real_path(path)
        status = os.stat(folder or ".")
    except (OSError, ValueError):
        return real_path(path)
    # The folder's identity goes along: a link may lead elsewhere by now.
    return os.path.join(_real_folder(os.path.abspath(folder), status.st_dev, status.st_ino), name)


def real_path(path: str) -> str:
    """The path without links; one with a link that the system will not read stays as it is."""
    try:
        return os.path.realpath(path)
    except OSError:
        return os.path.abspath(path)


@lru_cache(maxsize=4096)
def _real_folder(folder: str, device: int, inode: int) -> str:
    return real_path(folder)


def is_made_up(ref: ImageRef) -> bool:
    """Whether it names something in memory, `<bytes:1>`: no one can open it again."""
    return ref.uri.startswith("<") and ref.uri.endswith(">")


def expand(
    inputs: Any,
    *,
    exclude: Sequence[str] = (),
    filters: Filters = Filters(),
    kind: str = "image",
    first_number: int = 1,
) -> list[Place | Unreadable]:
    """List the places that one or several inputs name, each once, in the order given.

    An input is a path, a glob, a folder, a URL, a ref with a fragment, bytes, a binary stream, an
    array, a Pillow image or a list of these (any sequence, set or column of names). `exclude` adds
    to the filters' own; `first_number` is that of the first input without a name. Raises UsageError
    for a name that leads nowhere.
    """
    rules = replace(filters, exclude=(*filters.exclude, *exclude))
    places: dict[str, Place | Unreadable] = {}
    numbers = count(first_number)
    for given in each_input(inputs):
        for place in _expand_one(given, numbers, rules, kind):
            key = place.key if isinstance(place, Place) else str(place.ref)
            places.setdefault(key, place)
    return list(places.values())


def each_input(inputs: Any) -> Iterator[Any]:
    """The inputs one by one, whatever lists they are in, columns of a table of names too."""
    if _are_several(inputs):
        for given in inputs:
            yield from each_input(given)
    else:
        yield inputs


def _are_several(inputs: Any) -> bool:
    if isinstance(inputs, str | bytes | bytearray | memoryview) or hasattr(inputs, "read"):
        return False
    if isinstance(inputs, Sequence | Set | ValuesView | Iterator):
        return True
    # An array of numbers is a picture; one of words, or of things, holds what a person listed.
    kind = getattr(getattr(inputs, "dtype", None), "kind", "")
    return kind in ("U", "O") and getattr(inputs, "ndim", 0) == 1


def _expand_one(
    given: Any, numbers: Iterator[int], filters: Filters, kind: str
) -> Iterable[Place | Unreadable]:
    if isinstance(given, Place):
        return [given]
    if isinstance(given, ImageRef):
        return [Place(given)]
    if isinstance(given, str | os.PathLike):
        return _from_name(os.fspath(given), filters, kind)
    ref = ImageRef(_made_up_name(given, next(numbers)))
    return [Unreadable(ref, "None is not an image") if given is None else Place(ref, given)]


def _made_up_name(content: Any, number: int) -> str:
    if isinstance(content, bytes | bytearray | memoryview):
        return f"<bytes:{number}>"
    if hasattr(content, "read"):
        return f"<stream:{number}>"
    return f"<{'array' if hasattr(content, 'shape') else 'image'}:{number}>"


def _from_name(name: str | bytes, filters: Filters, kind: str) -> Iterable[Place | Unreadable]:
    text = os.fsdecode(name)
    if os.path.isdir(text):
        return _walk(text, filters)
    if os.path.lexists(text):
        return [Place(ImageRef(text))]
    if is_url(text):
        return [place_of(text)]
    if scheme_of(text):
        raise UsageError(
            f"'{without_secrets(text)}' is no URL of http or https, and no other can be opened"
        )
    place = place_of(text)
    if place.ref.uri != text and os.path.lexists(place.ref.uri):
        return [place]
    if glob.has_magic(text):
        return _from_glob(text, filters, kind)
    raise UsageError(f"no such {kind}: '{text}'")


def place_of(text: str) -> Place:
    """What a name with a fragment says; `#xywh=percent:10,20,50,50` is as in W3C Media Fragments.

    Raises UsageError for a fragment that is none.
    """
    percents = _PERCENT.search(text)
    try:
        ref = ImageRef.parse(text[: percents.start()] if percents else text)
    except ValueError as error:
        raise UsageError(f"not a place in an image: {error}") from None
    if percents is None:
        return Place(ref)
    percent = ",".join(f"{part}%" for part in percents[1].split(","))
    return Place(ref, region=RegionOfInterest.of(percent))


def _from_glob(pattern: str, filters: Filters, kind: str) -> Iterable[Place | Unreadable]:
    matches = _matches(_with_literal_folders(pattern)) or _matches(pattern)
    if not matches:
        hint = "; a bracket that is part of a name is written [[]" if "[" in pattern else ""
        raise UsageError(f"no {kind} matches '{pattern}'{hint}")
    for match in matches:
        if os.path.isdir(match):
            yield from _walk(match, filters)
        elif filters.keeps(match):
            yield Place(ImageRef(match))


def _matches(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True, include_hidden=True))


def _with_literal_folders(pattern: str) -> str:
    """A pattern whose leading folders mean themselves, as far as there are such: `[x] t/*.jpg`."""
    folder, name = os.path.split(pattern)
    if not folder or folder == pattern:
        return pattern
    if os.path.isdir(folder):
        return os.path.join(glob.escape(folder), name)
    return os.path.join(_with_literal_folders(folder), name)


def _walk(top: str, filters: Filters) -> Iterator[Place | Unreadable]:
    visited: set[str] = set()
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        real = real_path(folder)
        if real in visited:
            continue
        visited.add(real)
        try:
            entries = _entries(folder)
        except OSError as error:
            yield Unreadable(ImageRef(folder), f"the folder cannot be read ({error.strerror})")
            continue
        folders = []
        for entry in entries:
            if _is_folder(entry):
                if not filters.excludes(entry.path):
                    folders.append(entry.path)
            elif filters.keeps(entry.path):
                yield Place(ImageRef(entry.path))
        waiting.extend(reversed(folders))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What a folder holds and is not ours, in the order of names. Raises OSError."""
    with os.scandir(folder) as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    own = own_names(folder, {entry.name for entry in entries})
    return [entry for entry in entries if entry.name not in own]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself: reading it will say so
        return False
