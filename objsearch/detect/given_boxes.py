"""Boxes that the user already knows."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from objsearch.detect.base import Detector
from objsearch.types import Box, Image, Region


class GivenBoxes(Detector):
    """The same boxes in every image, clipped to it; what falls outside is dropped."""

    name = "given-boxes"

    boxes_xywh: tuple[tuple[float, float, float, float], ...] = Field(
        min_length=1, description="x, y, width, height in pixels of the upright image"
    )
    label: str = Field("given", description="what the regions are called in answers")

    def detect_batch(self, images: Sequence[Image]) -> list[tuple[Region, ...]]:
        return [self._inside(image) for image in images]

    def _inside(self, image: Image) -> tuple[Region, ...]:
        boxes = (Box(x, y, x + w, y + h).clipped(image.size_wh) for x, y, w, h in self.boxes_xywh)
        return tuple(
            Region(box, self.label, 1.0, "given") for box in boxes if box.width >= 1 <= box.height
        )
