"""Pictures by number: small copies of all, descriptions of those that were asked for.

They lie on disk until they are compared; memory holds a few hundred.
"""

from __future__ import annotations

import os
import pickle
import tempfile
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from objsearch.tasks.duplicates.describing import Described
from objsearch.tasks.duplicates.small_copies import Small

Describe = Callable[[int, bool], Described | None]
"""Describes a picture by number, mirrored if asked for; None where it cannot be read any more."""


class OnDisk:
    """Pictures in a temporary file without a name: gone with the process, however it ends."""

    def __init__(self, describe: Describe, at_hand: int = 400) -> None:
        self._file = tempfile.TemporaryFile(prefix="objsearch-")  # noqa: SIM115  (lives as long)
        self._lock = threading.Lock()
        self._end = 0
        self._smalls: list[tuple[int, int]] = []
        self._views: dict[tuple[int, bool], tuple[int, int]] = {}
        self._describe = describe
        self.view = lru_cache(at_hand)(self._view)
        self.small = lru_cache(10 * at_hand)(self._small)

    def __len__(self) -> int:
        return len(self._smalls)

    def close(self) -> None:
        """Give the disk back."""
        self.view.cache_clear()
        self.small.cache_clear()
        self._file.close()

    def append(self, small: Small | None) -> None:
        """Store the small copy of the next picture."""
        self._smalls.append(self._written(small))

    def keep(self, number: int, is_mirrored: bool, described: Described) -> None:
        """Store what is known of a picture, unless that is here: it need not be described then."""
        if (number, is_mirrored) not in self._views:
            self._views[number, is_mirrored] = self._written(described)

    def _small(self, number: int) -> Small:
        small: Small = self._read(self._smalls[number])
        return small

    def _view(self, number: int, is_mirrored: bool) -> Described | None:
        """A picture as it is, or as seen in a mirror: described when first asked for."""
        place = self._views.get((number, is_mirrored))
        if place is not None:
            known: Described | None = self._read(place)
            return known
        made = self._describe(number, is_mirrored)
        self._views[number, is_mirrored] = self._written(made)
        return made

    def _written(self, part: Any) -> tuple[int, int]:
        data = pickle.dumps(part, protocol=pickle.HIGHEST_PROTOCOL)
        with self._lock:
            start = self._end
            self._file.seek(start)
            self._file.write(data)
            self._file.flush()
            self._end += len(data)
        return start, len(data)

    def _read(self, place: tuple[int, int]) -> Any:
        start, length = place
        # What we have written ourselves.
        if hasattr(os, "pread"):  # threads may read at once: the file's position is not used
            return pickle.loads(os.pread(self._file.fileno(), length, start))
        with self._lock:  # on Windows
            self._file.seek(start)
            return pickle.loads(self._file.read(length))
