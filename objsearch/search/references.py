"""The references of a search: pictures of an index, under the names that they were given by."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from objsearch.errors import UsageError
from objsearch.index import EVERYTHING, Index, Where
from objsearch.sources import Place, is_made_up, key_of, stamp_of
from objsearch.types import DescribedImage, ImageRef, Key, Row, Stamp, Unreadable

PUT_AT_ONCE = 64
"""Rows that are written together, and those of one file."""
COARSE_NS = 2_000_000_000
"""FAT tells times of change to two seconds."""
DOUBTED = -1
"""The time of change of a file that may have been written to since without its stamp telling."""


@dataclass(slots=True)
class References:
    """What a search looks among: all of an index, or what was `named` in it.

    An index knows a file by one key; a hit goes by the name under which it was given first.
    """

    index: Index
    named: dict[Key, ImageRef]
    is_shared: bool = False
    """Whether the index may hold more than was named."""
    is_restricted: bool = False
    """Whether only what was named counts, be it nothing."""
    alone: set[Key] = field(default_factory=set)
    """Pages and frames that were named by themselves: there may be more in their files."""
    before: dict[Key, Stamp] = field(default_factory=dict)
    """Stamps of files before they are read: what changes meanwhile is read again the next time."""

    def fresh(self, places: Sequence[Place | Unreadable]) -> list[Place | Unreadable]:
        """Those of some places that have to be read; the others are named, and remembered.

        What an index that outlives the process holds of a file counts as long as the file has the
        same bytes and time of change; under another name it counts where the pixels are the same.
        """
        self.is_restricted = self.is_shared
        if not self.is_shared:
            return list(places)
        parts = by_file(self.index.stamps())
        fresh = [one for one in places if not self._is_remembered(one, parts)]
        self.alone |= {key_of(one.ref) for one in fresh if is_page_or_frame(one.ref)}
        self.before |= {file_of(key_of(one.ref)): _doubted(stamp_of(one.ref)) for one in fresh}
        return fresh

    def _is_remembered(
        self, place: Place | Unreadable, parts: Mapping[Key, Mapping[Key, Stamp]]
    ) -> bool:
        if isinstance(place, Unreadable) or place.content is not None or place.region:
            return False
        key = key_of(place.ref)
        file = file_of(key)
        known = parts.get(file, {})
        if key != file:
            known = {key: known[key]} if key in known else {}
        else:  # what was cut out of a picture once says nothing of all of it
            known = {part: then for part, then in known.items() if not ImageRef.parse(part).xywh}
        now = stamp_of(place.ref)
        if now is None or not known or any(then != now for then in known.values()):
            return False
        for part in known:
            name = place.ref if part == key else replace(ImageRef.parse(part), uri=place.ref.uri)
            self.named.setdefault(part, name)
        return True

    def forget_vanished(self, sources: Iterable[Any]) -> int:
        """Forget what lay in those sources that are folders, and does not any more: how many."""
        if not self.is_shared:
            return 0
        named = [str(one) for one in sources if isinstance(one, str | os.PathLike)]
        folders = [one for one in named if os.path.isdir(one)]
        tops = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
        unseen = (key for key in self.index.stamps() if key not in self.named)
        lost = [key for key in unseen if key.startswith(tops) and not is_there(key)] if tops else []
        return self.index.remove(lost) if lost else 0

    def take(self, described: Iterable[DescribedImage | Unreadable]) -> None:
        """Store what was described, or could not be, as it comes; what is done stays when stopped.

        The pictures of a file are stored together, or a part of them would be taken for all.
        """
        done: list[Row] = []
        of_file: list[Row] = []
        try:
            for row in map(self._row, described):
                if of_file and file_of(of_file[0].key) != file_of(row.key):
                    done += of_file
                    of_file = []
                of_file.append(row)
                if len(done) >= PUT_AT_ONCE:
                    self.index.put(done)
                    done = []
            done += of_file
        finally:
            if done:
                self.index.put(done)

    def _row(self, image: DescribedImage | Unreadable) -> Row:
        key = key_of(image.ref)
        self.named.setdefault(key, image.ref)
        stamp = stamp_of(image.ref)
        if not self.is_shared:
            return Row(key, image.ref, stamp, image)
        if is_made_up(image.ref):
            raise UsageError(
                f"{image.ref} is in memory, and a library holds files: search it without a library"
            )
        ref = ImageRef.parse(key)  # other folders are searched from, too
        # A page alone is none of what is known of its file: all would be taken for read.
        stamp = self.before.get(file_of(key), _doubted(stamp))
        if stamp and key in self.alone:
            stamp = stamp[0], DOUBTED
        return Row(key, ref, stamp, replace(image, ref=ref))

    def known(self, ref: ImageRef) -> DescribedImage | None:
        """What the index holds of a picture, unless its file has changed since."""
        key = key_of(ref)
        row = self.index.row(key)
        if row is None or isinstance(row.image, Unreadable):
            return None
        now = stamp_of(ref)
        has_changed = now is not None and row.stamp is not None and now != row.stamp
        is_doubted = row.stamp is not None and row.stamp[1] == DOUBTED and key in self.named
        return None if has_changed and not is_doubted else self._called(key, row.image)

    @property
    def where(self) -> Where:
        """The pictures of the index that are references."""
        return Where(keys=self.named.keys()) if self.is_restricted else EVERYTHING

    @property
    def warnings(self) -> list[str]:
        """What was odd about references, with their names."""
        found = self.index.warnings(self.where)
        return [
            f"{self.named.get(key, ImageRef.parse(key))}: {warning}"
            for key, warnings in found.items()
            for warning in warnings
        ]

    def unknown_labels(self, wanted: Iterable[str]) -> list[str]:
        """What is said of labels that no reference bears, with those that some do."""
        if not wanted:
            return []
        seen = self.index.labels(self.where)
        known = ", ".join(sorted(seen - {"frame", "tile"})) or "none"
        return [
            f"no reference has the label '{label}' (labels there are: {known})"
            for label in wanted
            if label not in seen
        ]

    @property
    def skipped(self) -> list[Unreadable]:
        """The references that could not be read, with reasons."""
        found = self.index.unreadable(self.where)
        return [replace(one, ref=self.named.get(key_of(one.ref), one.ref)) for one in found]

    def snapshot(self) -> References:
        """These references as they are now, whatever is written meanwhile."""
        return replace(self, index=self.index.snapshot(), named=dict(self.named))

    def get(self, keys: Sequence[Key]) -> list[DescribedImage]:
        """Described references by key. Raises KeyError."""
        found = self.index.get(keys)
        return [self._called(key, image) for key, image in zip(keys, found, strict=True)]

    def images(self) -> Iterator[DescribedImage]:
        """Every described reference, in order of adding."""
        for key in self.index.keys(self.where):
            yield from self.get([key])

    def _called(self, key: Key, image: DescribedImage) -> DescribedImage:
        name = self.named.get(key, image.ref)
        return image if name == image.ref else replace(image, ref=name)


def is_page_or_frame(ref: ImageRef) -> bool:
    """Whether a ref names one picture of a file that may hold several, and all of it."""
    return ref.xywh is None and (ref.page, ref.frame, ref.seconds) != (None, None, None)


def file_of(key: Key) -> Key:
    """The key of the file that a page, a frame or a part lies in."""
    return ImageRef.parse(key).uri if "#" in key else key


def by_file(stamps: Mapping[Key, Stamp]) -> Mapping[Key, Mapping[Key, Stamp]]:
    """The stamps of each file's pictures, by the key of the file."""
    found: dict[Key, dict[Key, Stamp]] = {}
    for key, stamp in stamps.items():
        found.setdefault(file_of(key), {})[key] = stamp
    return found


def is_there(key: Key) -> bool:
    """Whether the file of a picture is there, be it a link that leads nowhere."""
    return os.path.lexists(file_of(key))


def _doubted(stamp: Stamp) -> Stamp:
    """A stamp that a file written this moment may still have after it was written again: none.

    Clocks of file systems are coarse; what was changed just before it was read is read again the
    next time.
    """
    if stamp is None or abs(time.time_ns() - stamp[1]) > COARSE_NS:
        return stamp
    return stamp[0], DOUBTED
