"""Components that another package might bring: no weights, and the answer follows from pixels."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from pydantic import Field

from objsearch.describe.base import Crop, Extractor
from objsearch.detect.base import Detector
from objsearch.types import Box, Descriptor, GlobalDescriptor, Image, Region


class Thumbnail(Extractor):
    """A crop as its thumbnail, without the mean."""

    name = "thumbnail"
    produces = "global"

    side: int = Field(8, ge=2, le=64, description="pixels a side")

    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        return [self._of(crop) for crop in crops]

    def _of(self, crop: Crop) -> Descriptor:
        small = cv2.resize(crop.pixels, (self.side, self.side), interpolation=cv2.INTER_AREA)
        vector = small.astype(np.float32).reshape(-1)
        vector = vector - vector.mean() + 1e-3
        return GlobalDescriptor(vector / np.linalg.norm(vector))


class LeftHalf(Detector):
    """What is on the left is an object."""

    name = "left-half"

    def detect_batch(self, images: Sequence[Image]) -> list[tuple[Region, ...]]:
        return [
            (Region(Box(0.0, 0.0, i.size_wh[0] / 2, float(i.size_wh[1])), "left", 0.9, "detector"),)
            for i in images
        ]


class Impostor(Extractor):
    """Claims a name that is taken."""

    name = "orb"
    produces = "global"

    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        raise AssertionError("never asked")
