"""An index that lives and dies with the process: exact, exhaustive, nothing to configure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import numpy as np
from pydantic import PrivateAttr

from objsearch.index.base import Index, Ranker
from objsearch.types import DescribedImage, ImageRef


class Memory(Index):
    """All described images in a dictionary, in the order of adding."""

    name = "memory"

    _images: dict[ImageRef, DescribedImage] = PrivateAttr(default_factory=dict)

    def add(self, images: Iterable[DescribedImage]) -> None:
        self._images.update((image.ref, image) for image in images)

    def remove(self, refs: Iterable[ImageRef]) -> int:
        return sum(self._images.pop(ref, None) is not None for ref in refs)

    def candidates(
        self, query: DescribedImage, limit: int | None, rankers: Sequence[Ranker]
    ) -> list[DescribedImage]:
        stored = list(self._images.values())
        if limit is None or len(stored) <= limit:
            return stored
        orders = [np.argsort(-ranker(query, stored), kind="stable") for ranker in rankers]
        return [stored[i] for i in interleaved(orders, limit)]

    def get(self, ref: ImageRef) -> DescribedImage | None:
        return self._images.get(ref)

    def __iter__(self) -> Iterator[DescribedImage]:  # type: ignore[override]
        return iter(list(self._images.values()))

    def __len__(self) -> int:
        return len(self._images)


def interleaved(orders: Sequence[np.ndarray], limit: int) -> list[int]:
    """The first of each order, the second of each, ...: what one descriptor is sure of gets in.

    An order may be shorter than the others; a negative number is nothing.
    """
    chosen: dict[int, None] = {}
    for rank in zip_longest(*orders, fillvalue=-1):
        for i in rank:
            if i >= 0:
                chosen.setdefault(int(i))
            if len(chosen) == limit:
                return list(chosen)
    return list(chosen)
