"""What every detector is, and the two promises kept for all of them.

The full frame is always one more region, and an image without any detection falls back to a grid:
a detector can lower quality, never empty the answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from objsearch.components.registry import Component
from objsearch.detect.regions import frame_region, grid_regions
from objsearch.types import Image, Region


class Detector(Component, ABC):
    """Proposes regions. Subclasses write `detect_batch`; the rest is derived."""

    @abstractmethod
    def detect_batch(self, images: Sequence[Image]) -> list[tuple[Region, ...]]:
        """One tuple of regions an image, most confident first, in pixels of the image at hand.

        The result for an image must not depend on its neighbours in the batch.
        """

    def propose_batch(self, images: Sequence[Image]) -> list[tuple[Region, ...]]:
        """`detect_batch`, with the grid where nothing was found and the full frame last."""
        return [
            _completed(image, regions)
            for image, regions in zip(images, self.detect_batch(images), strict=True)
        ]

    def propose(self, image: Image) -> tuple[Region, ...]:
        """`propose_batch` for one image."""
        return self.propose_batch([image])[0]


def _completed(image: Image, regions: tuple[Region, ...]) -> tuple[Region, ...]:
    if any(region.is_frame for region in regions):
        return regions
    return (*(regions or grid_regions(image.size_wh, 2)), frame_region(image.size_wh))
