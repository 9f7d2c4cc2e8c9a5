"""The whole-image mode: one region, the full frame. Loads nothing."""

from __future__ import annotations

from collections.abc import Sequence

from objsearch.detect.base import Detector
from objsearch.detect.regions import frame_region
from objsearch.types import Image, Region


class WholeImage(Detector):
    """Every image is one object that fills it."""

    name = "whole-image"

    def detect_batch(self, images: Sequence[Image]) -> list[tuple[Region, ...]]:
        return [(frame_region(image.size_wh),) for image in images]
