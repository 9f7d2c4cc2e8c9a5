"""What was made and may be asked for again: the last of it, as much as memory may hold."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key, of `bytes_of` each; what was not asked for the longest goes first."""

    def __init__(self, bytes_of: Callable[[V], int], most_bytes: int) -> None:
        self._bytes_of = bytes_of
        self._left = most_bytes
        self._held: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[K], V | None]) -> V | None:
        """The value of a key, made where it is not at hand; None, which is not kept, for none."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = make(key)
        if made is not None:
            self._keep(key, made)
        return made

    def _keep(self, key: K, made: V) -> None:
        with self._lock:
            if key in self._held:
                return  # another thread has made it meanwhile
            self._held[key] = made
            self._left -= self._bytes_of(made)
            while self._left < 0:
                _, gone = self._held.popitem(last=False)
                self._left += self._bytes_of(gone)
