"""What earlier runs found out about files: a row a file, which counts while the file has its bytes.

The stamp of a file tells whether it has to be hashed again, its hash whether it has to be looked at
again: what was touched, renamed or copied is not.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from objsearch.errors import UsageError
from objsearch.flow import batches
from objsearch.images.holdings import Holdings
from objsearch.index import Index
from objsearch.search.library import open_kept
from objsearch.search.recipe import recipe_with
from objsearch.search.references import COARSE_NS, DOUBTED, References, is_passing, not_remembered
from objsearch.search.renaming import likeliest
from objsearch.settings import Settings
from objsearch.sources import stamp_of
from objsearch.tasks.duplicates import rows
from objsearch.tasks.duplicates.folders import File, Print
from objsearch.types import DescribedImage, ImageRef, Key, Row, Stamp, Unreadable

AT_ONCE = 256
"""Rows that are read, or written, together."""
UNKEPT = ""
"""What a sentence on rows that are not kept is filed under: one is enough for all shelves."""


class Shelf:
    """Rows of one recipe as they were at the start, and what is added; nothing without an index.

    Where they cannot be written any more, that goes into `told`, and no more are kept.
    """

    def __init__(
        self, index: Index | None, started_ns: int, told: dict[str, str] | None = None
    ) -> None:
        self._index = index
        self._told = {} if told is None else told
        self._before = index.snapshot() if index is not None else None
        self._stamps: Mapping[Key, Stamp] = self._before.stamps() if self._before else {}
        self._started_ns = started_ns
        self._valid: set[Key] = set()
        self._waiting: dict[Key, Row] = {}
        self._lock = threading.Lock()

    @cached_property
    def _unread(self) -> Mapping[Key, str]:
        every = self._before.unreadable() if self._before is not None else ()
        return {unreadable.ref.uri: unreadable.reason for unreadable in every}

    @cached_property
    def _by_stamp(self) -> Mapping[Stamp, Sequence[Key]]:
        keys: dict[Stamp, list[Key]] = defaultdict(list)
        for key, stamp in self._stamps.items():
            keys[stamp].append(key)
        return keys

    def prints(self, paths: Iterable[str]) -> dict[str, Print]:
        """Of the files that have the stamp of their row, what tells their bytes."""
        same = (path for path in paths if path in self._stamps and self._is_as_stamped(path))
        prints: dict[str, Print] = {}
        for some in batches(same, AT_ONCE):
            for path, image in self._got(some).items():
                facts = image.facts
                prints[path] = Print(self._stamps[path], facts[rows.SHA256], facts[rows.KIND])
            unread = {path: self._unread[path] for path in some if path in self._unread}
            prints |= {path: Print(self._stamps[path], reason=why) for path, why in unread.items()}
        return prints

    def _is_as_stamped(self, path: str) -> bool:
        stamp = stamp_of(ImageRef(path))
        return stamp is not None and stamp == self._stamps[path]

    def _got(self, keys: Iterable[Key]) -> dict[Key, DescribedImage]:
        wanted = [key for key in dict.fromkeys(keys) if key not in self._unread]
        if self._before is None or not wanted:
            return {}
        return dict(zip(wanted, self._before.get(wanted), strict=True))

    def known(self, files: Sequence[File]) -> dict[str, DescribedImage]:
        """The rows that were made of the bytes that files have, by path."""
        keys = {file.path: self._keys_for(file) for file in files}
        got = self._got(key for some in keys.values() for key in some)
        by_path: dict[str, DescribedImage] = {}
        for file in files:
            own = [got[key] for key in keys[file.path] if key in got]
            row = next((image for image in own if rows.is_of(image, file)), None)
            if row is not None:
                by_path[file.path] = row
                self._valid |= {file.path} if row.ref.uri == file.path else set()
        return by_path

    def _keys_for(self, file: File) -> Sequence[Key]:
        """The file's own key; else those of files that had its stamp, which may have been it."""
        if file.unread:
            return ()
        if file.path in self._stamps:
            return (file.path,)
        return likeliest(file.path, self._by_stamp.get((file.bytes, file.mtime_ns), ()))

    def note(self, file: File, image: DescribedImage | Unreadable) -> None:
        """Keep what was made of a file, unless it is kept, or the file has changed meanwhile.

        That the system, or a missing codec, refused to read it says nothing of the next time.
        """
        if isinstance(image, Unreadable) and is_passing(image):
            return
        if self._index is None or stamp_of(ImageRef(file.path)) != (file.bytes, file.mtime_ns):
            return
        stamp = self._doubted(file.bytes, file.mtime_ns)
        is_kept = file.path in self._valid or file.unread
        if is_kept and self._stamps[file.path] == stamp:
            return
        ref = ImageRef(file.path)
        with self._lock:
            self._waiting[file.path] = Row(file.path, ref, stamp, replace(image, ref=ref))
            if len(self._waiting) >= AT_ONCE:
                self._write()

    def _doubted(self, n_bytes: int, mtime_ns: int) -> Stamp:
        """The stamp; none to go by where a file may be written to again without its telling."""
        is_new = self._started_ns - COARSE_NS < mtime_ns < time.time_ns() + COARSE_NS
        return n_bytes, DOUBTED if is_new else mtime_ns

    def write(self) -> None:
        """Put in what waits."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        if self._index is not None and self._waiting:
            some, self._waiting = list(self._waiting.values()), {}
            try:
                self._index.put(some)
            except UsageError as error:
                self._give_up(error)

    def _give_up(self, error: UsageError) -> None:
        """Keep no more: a search must not fail because its cache cannot be written to."""
        self._told.setdefault(UNKEPT, not_remembered(error, "nothing more"))
        self._index = None

    def complete(self, facts: Mapping[File, Mapping[str, str]]) -> None:
        """Add facts to the rows that are there of files, with the same bytes."""
        self.write()
        if self._index is None or not facts:
            return
        now = self._index.snapshot()
        stamps, described = now.stamps(), set(now.keys())
        for some in batches((file for file in facts if file.path in described), AT_ONCE):
            for file, row in zip(some, now.get([file.path for file in some]), strict=True):
                if rows.is_of(row, file):  # another process may have seen it change
                    more = replace(row, facts={**row.facts, **facts[file]})
                    self._waiting[file.path] = Row(file.path, row.ref, stamps[file.path], more)
            self.write()

    def close(self, sources: Sequence[str], seen: Iterable[str]) -> list[str]:
        """Forget what lay in folders and does not any more; `seen` is what does.

        Returns what there is to say of what is kept all the same.
        """
        self.write()
        if self._index is None:
            return []
        references = References(self._index, {path: ImageRef(path) for path in seen}, True)
        try:
            references.forget_vanished(sources)
            self._index.close()
        except UsageError as error:
            self._give_up(error)
        return list(references.away.values())


class Memory:
    """What is known of files before a search for copies, and what it adds: in a library's folder.

    Nothing is, and nothing is kept, without a folder, or where rows cannot be stored: `told`.
    """

    def __init__(self, settings: Settings, library: Path | None) -> None:
        started_ns = time.time_ns()
        self._told: dict[str, str] = {}

        def shelf(made_by: Mapping[str, Any]) -> Shelf:
            if library is None:
                return Shelf(None, started_ns)
            index, told = open_kept(recipe_with(settings, made_by), library)
            for sentence in told:
                self._told.setdefault(UNKEPT if index is None else sentence, sentence)
            return Shelf(index, started_ns, self._told)

        self.looks = shelf(rows.looks_made_by())
        self._views = {}
        if not settings.duplicates.exact_only:
            self._views = {
                is_mirrored: shelf(rows.views_made_by(settings, is_mirrored))
                for is_mirrored in (False, True)
            }
        self._holdings: dict[str, str] = {}
        self._added: dict[File, str] = {}

    @property
    def told(self) -> tuple[str, ...]:
        """What there is to say of a library that could not be used as it should."""
        return tuple(self._told.values())

    def views(self, is_mirrored: bool) -> Shelf:
        """Descriptions of pictures, or of what a mirror shows of them."""
        return self._views[is_mirrored]

    def looked_at(self, files: Sequence[File]) -> dict[str, DescribedImage]:
        """Rows of looks by path; what they tell of all that a file holds is remembered."""
        known = self.looks.known(files)
        told = {
            path: image.facts[rows.HOLDINGS] for path, image in known.items() if _has_all(image)
        }
        self._holdings |= told
        return known

    def note_look(self, file: File, row: DescribedImage | Unreadable) -> None:
        """Keep a look, with what is known beside it."""
        known = self._holdings.get(file.path)
        if known is not None and isinstance(row, DescribedImage):
            row = replace(row, facts={**row.facts, rows.HOLDINGS: known})
        self.looks.note(file, row)

    def holdings(self, file: File) -> Holdings | None:
        """All that a file holds, if that is known."""
        text = self._holdings.get(file.path)
        return None if text is None else rows.held_by(text)

    def note_holdings(self, file: File, held: Holdings) -> None:
        """Keep what a file holds, unless it has changed since it was hashed."""
        if stamp_of(ImageRef(file.path)) == (file.bytes, file.mtime_ns):
            self._added[file] = rows.told_of(held)

    def write(self) -> None:
        """Put in all that is new; what was done stays when a run is stopped."""
        for shelf in self._every():
            shelf.write()
        added, self._added = self._added, {}
        self.looks.complete({file: {rows.HOLDINGS: text} for file, text in added.items()})

    def close(self, sources: Sequence[str], seen: Sequence[str]) -> None:
        """Put in all that is new, and forget what lay in folders and does not any more."""
        self.write()
        away, *_ = [shelf.close(sources, seen) for shelf in self._every()]
        self._told |= {told: told for told in away}  # of looks, in which every file is

    def _every(self) -> Iterator[Shelf]:
        yield self.looks
        yield from self._views.values()


def _has_all(row: DescribedImage) -> bool:
    return rows.HOLDINGS in row.facts
