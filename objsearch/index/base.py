"""What every index is: its options are the component, and what they open holds the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from objsearch.components.registry import Component
from objsearch.index.where import EVERYTHING, Where
from objsearch.types import Candidate, DescribedImage, Key, Recipe, Row, Stamp, Unreadable


class Ranker(Protocol):
    """One descriptor's cheap opinion of many pictures.

    Of stored pictures it may count on the descriptors of its own alias, and on nothing else.
    """

    def stacked(self, images: Sequence[DescribedImage]) -> Any:
        """Pictures made ready to be ranked many times."""

    def rank(self, query: DescribedImage, stack: Any) -> NDArray[np.float64]:
        """(N,) in [0, 1], higher is likelier: one a stacked picture.

        NaN where the query or the picture has no descriptor of that alias: nothing is known.
        """


READ_AT_ONCE = 32
"""Pictures in memory at a time when all are gone through."""

Rankers = Mapping[str, Ranker]
"""By the alias of the descriptor that each ranks by."""


class IndexOptions(Component, ABC):
    """The options of an index."""

    keeps: ClassVar[bool] = False
    """Whether rows outlive the process: there may be more than a search was given."""

    @property
    def covers(self) -> frozenset[str]:
        """Aliases whose descriptors the index ranks by itself: it wants no ranker of them."""
        return frozenset()

    @property
    def is_cache(self) -> bool:
        """Whether rows may be lost: where they cannot be kept, a search goes on in memory."""
        return False

    def in_memory(self) -> IndexOptions:
        """The options of an index that ranks alike, and ends with the process."""
        return self

    @abstractmethod
    def open(self, recipe: Recipe, rankers: Rankers) -> Index:
        """An index whose rows are made by a recipe.

        Raises UsageError for one that holds rows of another recipe, naming what differs first.
        """


class Index(ABC):
    """Stores described pictures by key; knows nothing of how they are compared in full.

    One thread at a time writes, any number read: `snapshot` is what a reader keeps to, whatever is
    written meanwhile.
    """

    recipe: Recipe

    @property
    def root(self) -> str | None:
        """The folder that files are known from, where it lies now; None for whole paths."""
        return None

    def check_keys(self, keys: Iterable[Key]) -> None:  # noqa: B027  (most take all)
        """Raises UsageError for a key that no row can have, before its picture is described."""

    @abstractmethod
    def put(self, rows: Iterable[Row]) -> None:
        """Store rows; one with the key of a stored row replaces it, in its place."""

    @abstractmethod
    def remove(self, keys: Iterable[Key]) -> int:
        """Forget rows; returns how many there were."""

    @abstractmethod
    def stamps(self) -> Mapping[Key, Stamp]:
        """What each row's file was like when it was read, unreadable ones too, in order."""

    def row(self, key: Key) -> Row | None:
        """The row of a key, if there is one."""
        stamps = self.stamps()
        if key not in stamps:
            return None
        unread = next((unreadable for unreadable in self.unreadable(Where(keys={key}))), None)
        image = unread or self.get([key])[0]
        return Row(key, image.ref, stamps[key], image)

    @abstractmethod
    def get(self, keys: Sequence[Key]) -> list[DescribedImage]:
        """Described pictures, as many and in the order asked for. Raises KeyError."""

    @abstractmethod
    def nearest(
        self, query: DescribedImage, limit: int | None, where: Where = EVERYTHING
    ) -> list[Candidate]:
        """The pictures worth a full comparison, likeliest first.

        The first `limit` are the shortlist, in which each descriptor has its turns; what is known
        of others may follow, in any number. None: all of them, in order of adding.
        """

    @abstractmethod
    def neighbours(self, alias: str, count: int) -> Iterator[tuple[Key, Key, float]]:
        """Of each picture the `count` nearest others, nearest first, by the vectors of full frames.

        A picture, another, and their cosine in [0, 1], picture after picture in order of adding;
        nothing for pictures that have no vector of that alias.
        """

    @abstractmethod
    def unreadable(self, where: Where = EVERYTHING) -> list[Unreadable]:
        """The pictures that could not be read, with reasons."""

    @abstractmethod
    def keys(self, where: Where = EVERYTHING) -> Sequence[Key]:
        """The keys of all described pictures, in order of adding."""

    def count(self, where: Where = EVERYTHING) -> int:
        """How many described pictures there are."""
        return len(self.keys(where))

    @abstractmethod
    def warnings(self, where: Where = EVERYTHING) -> Mapping[Key, tuple[str, ...]]:
        """What was odd about described pictures, of those of which anything was."""

    @abstractmethod
    def labels(self, where: Where = EVERYTHING) -> frozenset[str]:
        """The labels of all regions."""

    @abstractmethod
    def snapshot(self) -> Index:
        """The same rows, for reading: what is written from now on does not change it."""

    def due(self) -> Sequence[str]:
        """What `optimize` would do now, in words; nothing where looking up is quick as it is."""
        return []

    def optimize(self) -> Sequence[str]:
        """Bring what is derived from the rows up to date; what was done, in words."""
        return []

    def compact(self) -> int:
        """Give back the room of rows that were removed or replaced; returns bytes freed."""
        return 0

    def info(self) -> Any:
        """Figures of an index that is kept in a folder, as a dataclass; None for others."""
        return None

    def check_files(self) -> Any:
        """Read all that is kept, and say what was found whole, as a dataclass; None for others.

        Raises LostIndexError where something does not hold what was written.
        """
        return None

    def without_thumbnail(self, keys: Iterable[Key]) -> Sequence[Key]:
        """Of some keys, those of described pictures that a thumbnail could be kept of."""
        return []

    def keep_thumbnails(self, thumbnails: Sequence[tuple[Key, bytes]]) -> None:  # noqa: B027
        """Store small copies as JPEG; they go with their rows."""

    def thumbnail(self, key: Key) -> bytes | None:
        """The small copy of a picture, if one is kept."""
        return None

    def close(self) -> None:  # noqa: B027  (most have nothing to give back)
        """Give back what was opened; nothing that was written gets lost."""

    def images(self) -> Iterator[DescribedImage]:
        """Every described picture, in order of adding."""
        reader = self.snapshot()
        keys = reader.keys()
        for start in range(0, len(keys), READ_AT_ONCE):
            yield from reader.get(keys[start : start + READ_AT_ONCE])

    def __len__(self) -> int:
        return self.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
