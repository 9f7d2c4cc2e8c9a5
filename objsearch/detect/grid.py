"""Tiles instead of detections: for scenes and textures without things in them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from objsearch.detect.base import Detector
from objsearch.detect.regions import grid_regions
from objsearch.types import Image, Region


class Grid(Detector):
    """Tiles of every size from 2 x 2 to `levels` x `levels`, and the full frame."""

    name = "grid"

    levels: int = Field(3, ge=1, le=8, description="finest grid: 3 gives 2 x 2 and 3 x 3 tiles")
    overlap: float = Field(0.25, ge=0, lt=1, description="how far a tile reaches into the next")

    def detect_batch(self, images: Sequence[Image]) -> list[tuple[Region, ...]]:
        return [
            tuple(
                tile
                for n in range(2, self.levels + 1)
                for tile in grid_regions(image.size_wh, n, self.overlap)
            )
            for image in images
        ]
