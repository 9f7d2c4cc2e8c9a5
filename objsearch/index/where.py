"""Which stored pictures a question is about."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass

from objsearch.types import ImageRef, Key

Keeps = Callable[[ImageRef, tuple[int, int], frozenset[str]], bool]
"""Whether a picture counts, by its ref, its size (w, h) and the labels of what was seen in it."""


@dataclass(frozen=True, slots=True)
class Where:
    """Of the pictures with `keys`, or of all where that is None, those that `keeps` lets through.

    Those of `but` are left out.
    """

    keys: Set[Key] | None = None
    but: Set[Key] = frozenset()
    keeps: Keeps | None = None

    def holds(self, key: Key) -> bool:
        """Whether a key counts, as far as its name says."""
        return key not in self.but and (self.keys is None or key in self.keys)


EVERYTHING = Where()
