"""The references of a search: pictures of an index, under the names that they were given by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from objsearch.flow import batches
from objsearch.index import EVERYTHING, Index, Where
from objsearch.sources import key_of, stamp_of
from objsearch.types import DescribedImage, ImageRef, Key, Row, Unreadable

PUT_AT_ONCE = 256
"""Rows that are written together; those of one file are never parted."""


@dataclass(frozen=True, slots=True)
class References:
    """What a search looks among: all of an index, or what was `named` in it.

    An index knows a file by one key; a hit goes by the name under which it was given first.
    """

    index: Index
    named: dict[Key, ImageRef]
    is_shared: bool = False
    """Whether the index may hold more than was named."""

    def take(self, described: Iterable[DescribedImage | Unreadable]) -> None:
        """Store what was described, or could not be, as it comes."""
        for rows in batches(map(self._row, described), PUT_AT_ONCE):
            self.index.put(rows)

    def _row(self, image: DescribedImage | Unreadable) -> Row:
        key = key_of(image.ref)
        self.named.setdefault(key, image.ref)
        return Row(key, image.ref, stamp_of(image.ref), image)

    def known(self, ref: ImageRef) -> DescribedImage | None:
        """What the index holds of a picture, unless its file has changed since."""
        key = key_of(ref)
        row = self.index.row(key)
        if row is None or isinstance(row.image, Unreadable):
            return None
        now = stamp_of(ref)
        has_changed = now is not None and row.stamp is not None and now != row.stamp
        return None if has_changed else self._called(key, row.image)

    @property
    def where(self) -> Where:
        """The pictures of the index that are references."""
        return Where(keys=self.named.keys()) if self.is_shared and self.named else EVERYTHING

    @property
    def skipped(self) -> list[Unreadable]:
        """The references that could not be read, with reasons."""
        found = self.index.unreadable(self.where)
        return [replace(one, ref=self.named.get(key_of(one.ref), one.ref)) for one in found]

    def snapshot(self) -> References:
        """These references as they are now, whatever is written meanwhile."""
        return References(self.index.snapshot(), dict(self.named), self.is_shared)

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
