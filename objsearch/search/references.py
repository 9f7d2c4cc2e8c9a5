"""The references of a search: pictures of an index, under the names that they were given by."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from objsearch.errors import UsageError
from objsearch.flow import Progress, batches
from objsearch.index import EVERYTHING, Index, Where
from objsearch.search.keys import by_file, file_of, is_empty, is_page_or_frame
from objsearch.search.vanishing import folders_in, vanished
from objsearch.sources import Place, is_made_up, key_of, ref_of, stamp_of
from objsearch.types import DescribedImage, ImageRef, Key, Row, Stamp, Unreadable

PUT_AT_ONCE = 64
"""Rows that are written together, and those of one file."""
COARSE_NS = 2_000_000_000
"""FAT tells times of change to two seconds."""
PASSING = ("cannot be read (", "pip install")
"""What reasons hold that say nothing of the file: a dropped disk, rights, a missing codec."""
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
    spare: Callable[[], Index] | None = None
    """Opens what to go on in where the index, a cache, cannot be written to."""
    told: list[str] = field(default_factory=list)
    """What there is to say of a cache that could not be used as it should."""
    away: dict[str, str] = field(default_factory=dict)
    """By folder that is empty now, what there is to say of the photos that are remembered there."""
    _seen: dict[Key, tuple[Stamp, int]] = field(default_factory=dict)
    """The stamps of files before they were read, and when that was."""
    _former: dict[Key, Collection[Key]] = field(default_factory=dict)
    """What the index held of files that are read again as a whole."""

    def fresh(self, places: Sequence[Place | Unreadable]) -> list[Place | Unreadable]:
        """Those of some places that have to be read; the others are named, and remembered.

        What an index that outlives the process holds of a file counts as long as the file has the
        same bytes and time of change; under another name it counts where the pixels are the same.
        """
        self.is_restricted = self.is_shared
        keyed = [(key_of(place.ref), place) for place in places]  # once: it asks the system
        self._seen |= {file_of(key): _stamped(place.ref) for key, place in keyed}
        if not self.is_shared:
            return list(places)
        self.index.check_keys(key for key, _ in keyed)
        parts = by_file(self.index.stamps())
        fresh = [place for key, place in keyed if not self._is_remembered(key, place, parts)]
        self.alone |= {key_of(place.ref) for place in fresh if is_page_or_frame(place.ref)}
        whole = (key_of(place.ref) for place in fresh if not _is_part(place))
        self._former |= {file: parts[file].keys() for file in whole if file in parts}
        return fresh

    def _is_remembered(
        self, key: Key, place: Place | Unreadable, parts: Mapping[Key, Mapping[Key, Stamp]]
    ) -> bool:
        if isinstance(place, Unreadable) or place.content is not None or place.region:
            return False
        file = file_of(key)
        known = parts.get(file, {})
        if key != file:
            known = {key: known[key]} if key in known else {}
        else:  # what was cut out of a picture once says nothing of all of it
            known = {part: then for part, then in known.items() if not ref_of(part).xywh}
        now, _ = self._seen[file]
        if now is None or not known or any(then != now for then in known.values()):
            return False
        for part in known:
            name = place.ref if part == key else replace(ref_of(part), uri=place.ref.uri)
            self.named.setdefault(part, name)
        return True

    def forget_vanished(self, sources: Iterable[Any]) -> int:
        """Forget what lay in those sources that are folders, and does not any more: how many.

        What lay in a folder that is empty now is kept: `away` says so.
        """
        folders = folders_in(sources) if self.is_shared else ()
        if not folders:
            return 0
        unseen = (key for key in self.index.stamps() if key not in self.named)
        lost, told = vanished(unseen, folders)
        self.away = told | {at: self.away[at] for at in self.away if is_empty(at)}
        return self.forget(lost)

    def forget(self, keys: Collection[Key]) -> int:
        """Forget pictures: how many there were. A cache that cannot be written to keeps them."""
        try:
            return self.index.remove(keys) if keys else 0
        except UsageError as error:
            self._tell(error)
            return 0

    def tidy(self, progress: Progress) -> None:
        """Bring up to date what the index looks candidates up by, where that is due.

        A search is right without it, and slower; so what keeps it from being done is told.
        """
        try:
            if self.is_shared and self.index.due():
                progress("index", 0, None)
                self.index.optimize()
                progress("index", 1, 1)
        except UsageError as error:
            self.told.append(f"candidates are looked up more slowly than they could be: {error}")

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
                    self._put_all(done)
            done += of_file
        finally:
            self._put_all(done)

    def _put_all(self, rows: list[Row]) -> None:
        """Store rows, of which none is left; what is refused is not tried again, for that may take
        long. What was interrupted is.
        """
        try:
            if rows:
                self._put(rows)
        except UsageError:
            rows.clear()
            raise
        rows.clear()

    def _put(self, rows: Sequence[Row]) -> None:
        held_no_more = self._held_no_more(rows)
        try:
            if held_no_more:  # first: a search must not see them beside the pages of the file now
                self.index.remove(held_no_more)
            self.index.put(rows)
        except UsageError as error:
            self._tell(error)
            self._go_on_in_memory()
            self.index.put(rows)

    def _held_no_more(self, rows: Sequence[Row]) -> set[Key]:
        """Pages and frames that files had once; what was cut out of a picture is left alone."""
        former = {key for row in rows for key in self._former.pop(file_of(row.key), ())}
        return {key for key in former if not ref_of(key).xywh} - {row.key for row in rows}

    def _tell(self, error: UsageError) -> None:
        """Say that nothing more is remembered; raise the error where that must not be."""
        if self.spare is None:
            raise error
        if (told := not_remembered(error, "nothing more")) not in self.told:
            self.told.append(told)

    def _go_on_in_memory(self) -> None:
        """Take what was named so far out of the index, into one that ends with the process."""
        assert self.spare is not None
        stored, self.index, self.spare = self.index, self.spare(), None
        self.index.put(rows_of(stored, self.named))

    def _row(self, image: DescribedImage | Unreadable) -> Row:
        key = key_of(image.ref)
        self.named.setdefault(key, image.ref)
        stamp, at_ns = self._seen.get(file_of(key)) or _stamped(image.ref)
        if not self.is_shared:
            return Row(key, image.ref, stamp, image)
        if is_made_up(image.ref):
            raise UsageError(
                f"{image.ref} is in memory, and a library holds files: search it without a library"
            )
        ref = ref_of(key)  # other folders are searched from, too
        if isinstance(image, Unreadable) and (is_passing(image) or stamp != stamp_of(image.ref)):
            stamp = None  # of which nothing is believed
        # A page alone is none of what is known of its file: all would be taken for read.
        stamp = (stamp[0], DOUBTED) if stamp and key in self.alone else _doubted(stamp, at_ns)
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
        return None if has_changed and not is_doubted else self.called(key, row.image)

    @property
    def where(self) -> Where:
        """The pictures of the index that are references."""
        return Where(keys=self.named.keys()) if self.is_restricted else EVERYTHING

    @property
    def skipped(self) -> list[Unreadable]:
        """The references that could not be read, with reasons."""
        return self.first_skipped(None)[1]

    def first_skipped(self, limit: int | None) -> tuple[int, list[Unreadable]]:
        """How many references could not be read, and the first `limit` of them, with reasons."""
        unread = self.index.unreadable(self.where)
        first = unread[:limit]
        # A stored ref is its key, as it is written; others have to be asked for theirs.
        names = (self.named.get(str(u.ref)) or self.named.get(key_of(u.ref)) for u in first)
        named = [replace(u, ref=name or u.ref) for u, name in zip(first, names, strict=True)]
        return len(unread), named

    def snapshot(self) -> References:
        """These references as they are now, whatever is written meanwhile."""
        return replace(self, index=self.index.snapshot(), named=dict(self.named))

    def get(self, keys: Sequence[Key]) -> list[DescribedImage]:
        """Described references by key. Raises KeyError."""
        images = self.index.get(keys)
        return [self.called(key, image) for key, image in zip(keys, images, strict=True)]

    def images(self) -> Iterator[DescribedImage]:
        """Every described reference, in order of adding."""
        for key in self.index.keys(self.where):
            yield from self.get([key])

    def called(self, key: Key, image: DescribedImage) -> DescribedImage:
        """A picture under the name by which it was given."""
        name = self.named.get(key, image.ref)
        return image if name == image.ref else replace(image, ref=name)


def _is_part(place: Place | Unreadable) -> bool:
    """Whether a place is less than all pictures of its file."""
    is_cut = isinstance(place, Place) and place.region is not None
    return is_cut or place.ref != ImageRef(place.ref.uri)


def is_passing(unreadable: Unreadable) -> bool:
    """Whether a file may be readable another time as it is: the system, or a codec, refused."""
    return any(text in unreadable.reason for text in PASSING)


def not_remembered(error: Exception, what: str = "nothing") -> str:
    """What is said of a search that goes on without a cache."""
    return f"{what} is remembered: {error}; --forget silences this"


def rows_of(index: Index, keys: Iterable[Key]) -> Iterator[Row]:
    """The rows of those keys that an index has, a few at a time."""
    stamps = index.stamps()
    unread = {key_of(unreadable.ref): unreadable for unreadable in index.unreadable()}
    for some in batches((key for key in keys if key in stamps), PUT_AT_ONCE):
        read = [key for key in some if key not in unread]
        images = unread | dict(zip(read, index.get(read), strict=True))
        yield from (Row(key, images[key].ref, stamps[key], images[key]) for key in some)


def _stamped(ref: ImageRef) -> tuple[Stamp, int]:
    """The stamp of a file, and the time when it was looked at."""
    return stamp_of(ref), time.time_ns()


def _doubted(stamp: Stamp, at_ns: int) -> Stamp:
    """A stamp that a file written at that moment may have after it was written again, too: none.

    Clocks of file systems are coarse; what was changed just before it was read is read again the
    next time.
    """
    if stamp is None or abs(at_ns - stamp[1]) > COARSE_NS:
        return stamp
    return stamp[0], DOUBTED
