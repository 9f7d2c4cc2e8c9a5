"""What lies in the folders: each file once, whatever its names, and whether it may be removed.

Hard links are names of one file. Symbolic links are no copies: what they lead to stands in their
place, and stays where it is, so that no link is left dangling.
"""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from objsearch.errors import UnreadableImageError, UsageError
from objsearch.files import is_below_record, lies_in
from objsearch.flow import Progress, counted, ordered_map
from objsearch.settings import Settings
from objsearch.sources import Place, expand, is_made_up, nothing_there, real_path, stamp_of
from objsearch.sources.contents import FileContent
from objsearch.types import ImageRef, Stamp, Unreadable
from objsearch.types.plans import MANIFEST, QUARANTINE


@dataclass(frozen=True, slots=True)
class Sides:
    """Where to look. With `against`, only copies of what lies there are looked for.

    Nothing in `references` and `against` is ever removed; both are looked at like the sources.
    """

    sources: tuple[str, ...]
    references: tuple[str, ...] = ()
    against: tuple[str, ...] = ()

    @property
    def protected(self) -> tuple[str, ...]:
        """The real paths of what is never removed from."""
        return tuple(sorted({root_of(source) for source in (*self.references, *self.against)}))


@dataclass(frozen=True, slots=True)
class Print:
    """What is remembered of a file with a stamp: its hash and kind, or why it cannot be read."""

    stamp: Stamp
    sha256: str = ""
    kind: str = ""
    reason: str = ""


Prints = Callable[[Sequence[str]], Mapping[str, Print]]
"""Tells, of files by path, what is remembered of them; nothing of those that are not known."""


@dataclass(frozen=True, slots=True)
class File:
    """A file on the disk, under all the names that were found for it.

    `protected` says why it must stay; empty when it may go. Of what `is_remembered` nothing was
    read; `unread` says why it cannot be, and it has no hash then.
    """

    names: tuple[str, ...]
    bytes: int
    mtime_ns: int
    sha256: str
    kind: str
    protected: str = ""
    is_against: bool = False
    is_remembered: bool = False
    unread: str = ""

    @property
    def path(self) -> str:
        return self.names[0]


@dataclass(slots=True)
class Listing:
    """The files, and what was passed over with the reason."""

    files: list[File] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Names:
    """Real paths by file (device and inode), while folders are walked."""

    by_file: dict[tuple[int, int], set[str]] = field(default_factory=dict)
    against: set[str] = field(default_factory=set)
    quarantines: dict[str, bool] = field(default_factory=dict)

    def is_quarantined(self, path: str) -> bool:
        """Whether a file lies in a quarantine; each folder is looked at once."""
        folder = os.path.dirname(path)
        if folder not in self.quarantines:
            self.quarantines[folder] = is_below_record(folder, MANIFEST, QUARANTINE)
        return self.quarantines[folder]


def find_files(
    sides: Sides, settings: Settings, progress: Progress, prints: Prints = lambda _: {}
) -> Listing:
    """Every file once, hashed unless its hash is remembered, in the order of its first name.

    Raises UsageError for what is no file or folder: a URL, a page of a PDF.
    """
    listing = Listing()
    names = _Names()
    for source in (*sides.sources, *sides.references):
        for path in _paths(source, settings, listing):
            _note_name(path, names, listing)
    for source in sides.against:
        for path in _paths(source, settings, listing):
            _note_name(path, names, listing)
            names.against.add(path)
    if not names.by_file and not listing.skipped:
        told = nothing_there(list(sides.sources), settings.input.filters)
        raise UsageError(f"no photos: {told}")
    every = sorted(tuple(sorted(paths)) for paths in names.by_file.values())
    remembered = prints([paths[0] for paths in every])
    reader = _Reader(sides, names.against, settings.input.max_bytes, remembered)
    results = ordered_map(reader.read, every, workers=settings.run.n_workers)
    for result in counted(results, "hash", progress, len(every)):
        if isinstance(result, Unreadable):
            listing.skipped[result.ref.uri] = result.reason
        else:
            listing.files.append(result)
    return listing


def _paths(source: str, settings: Settings, listing: Listing) -> Iterator[str]:
    for place in expand([source], filters=settings.input.filters, kind="photo or folder"):
        path = place.ref.uri
        if isinstance(place, Unreadable):
            listing.skipped[path] = place.reason
        elif str(place.ref) != path or is_made_up(place.ref) or place.content is not None:
            raise UsageError(f"'{place.ref}' is no file: duplicates are looked for among files")
        elif "://" in path and not os.path.lexists(path):
            raise UsageError(f"'{path}' is a URL: duplicates are looked for among files")
        else:
            yield real_path(path)


def _note_name(path: str, names: _Names, listing: Listing) -> None:
    if names.is_quarantined(path):
        listing.skipped[path] = "it lies in a quarantine of removed copies"
        return
    try:
        seen = os.lstat(path)
    except OSError as error:
        listing.skipped[path] = f"it cannot be read ({error.strerror})"
        return
    if stat.S_ISREG(seen.st_mode):
        names.by_file.setdefault((seen.st_dev, seen.st_ino), set()).add(path)
    else:
        what = "a symbolic link that leads to itself" if stat.S_ISLNK(seen.st_mode) else ""
        listing.skipped[path] = what or "not a regular file"


class _Reader:
    """Hashes files, and says which of them must stay."""

    def __init__(
        self, sides: Sides, against: set[str], max_bytes: int, prints: Mapping[str, Print]
    ) -> None:
        self.roots = {root_of(source) for source in (*sides.sources, *sides.protected)}
        self.protected = sides.protected
        self.against = against
        self.links = dict(_links(sides))
        self.max_bytes = max_bytes
        self.prints = prints

    def read(self, names: Sequence[str]) -> File | Unreadable:
        ref = ImageRef(names[0])
        known = self.prints.get(names[0])
        if known is not None and known.stamp is not None and stamp_of(ref) == known.stamp:
            file = self._file(names, known.stamp, known.sha256, known.kind)
            return replace(file, is_remembered=True, unread=known.reason)
        try:
            content = FileContent(names[0], self.max_bytes)
            with content.open() as stream:
                seen = os.fstat(stream.fileno())
                digest = _hashed(stream)
        except UnreadableImageError as error:
            return Unreadable(ref, str(error))
        except OSError as error:
            return Unreadable(ref, f"it cannot be read ({error.strerror or error})")
        return self._file(names, (seen.st_size, seen.st_mtime_ns), digest, content.kind)

    def _file(self, names: Sequence[str], stamp: tuple[int, int], digest: str, kind: str) -> File:
        return File(
            tuple(names),
            *stamp,
            digest,
            kind,
            next(filter(None, map(self._why_kept, names)), ""),
            any(name in self.against for name in names),
        )

    def _why_kept(self, path: str) -> str:
        for root in self.protected:
            if lies_in(path, (root,)):
                return f"protected: {root}"
        if path in self.links:
            return f"a symbolic link leads to it: {self.links[path]}"
        if not lies_in(path, self.roots):
            return "reached through a link, outside of the folders named"
        return ""


def _hashed(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while part := stream.read(1 << 20):
        digest.update(part)
    return digest.hexdigest()


def _links(sides: Sides) -> Iterator[tuple[str, str]]:
    """Real paths that symbolic links lead to, each with its link."""
    for source in (*sides.sources, *sides.references, *sides.against):
        if os.path.islink(source) and not os.path.isdir(source):
            yield real_path(source), os.path.abspath(source)
        for folder, _, files in os.walk(root_of(source)):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    yield real_path(path), path


def root_of(source: str) -> str:
    """The real path of a file or folder; of a glob, that of the folder where its magic begins."""
    path = os.path.abspath(source)
    if glob.has_magic(path) and not os.path.lexists(path):
        while glob.has_magic(path):
            path = os.path.dirname(path)
    return real_path(path)


def place_of(file: File) -> Place:
    """The file as something to read."""
    return Place(ImageRef(file.path))
