"""What every index is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from objsearch.components.registry import Component
from objsearch.types import DescribedImage, ImageRef

Ranker = Callable[[DescribedImage, Sequence[DescribedImage]], NDArray[np.float64]]
"""(N,) cheap numbers, higher is likelier: one descriptor's opinion of every stored image."""


class Index(Component, ABC):
    """Stores described images; knows nothing of how they are compared."""

    @property
    def covers(self) -> frozenset[str]:
        """Extractors whose descriptors the index ranks by itself: it wants no ranker of them."""
        return frozenset()

    @abstractmethod
    def add(self, images: Iterable[DescribedImage]) -> None:
        """Store images; one with the ref of a stored image replaces it."""

    @abstractmethod
    def remove(self, refs: Iterable[ImageRef]) -> int:
        """Forget images by ref; returns how many there were."""

    @abstractmethod
    def candidates(
        self, query: DescribedImage, limit: int | None, rankers: Sequence[Ranker]
    ) -> list[DescribedImage]:
        """The images worth a full comparison, likeliest first; all of them when limit is None."""

    def get(self, ref: ImageRef) -> DescribedImage | None:
        """The stored image of that ref, if there is one."""
        return next((one for one in self if one.ref == ref), None)

    @abstractmethod
    def __iter__(self) -> Iterator[DescribedImage]:  # type: ignore[override]  # not pydantic's
        """The stored images in the order of adding."""

    @abstractmethod
    def __len__(self) -> int: ...
