"""What keypoint extractors share: working size, scaling back, even spread."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import cv2
import numpy as np
from pydantic import Field

from objsearch.describe.base import Crop, Extractor, crop_of
from objsearch.images.transform import fitted_wh, gray, resize_quickly
from objsearch.types import Box, Descriptor, Image, Kind, LocalFeatures, Region

# OpenCV's detectors need some border around a point; below this many pixels there is none.
SMALLEST_SIDE = 16


class KeypointExtractor(Extractor):
    """Keypoints and codes at a working size: small pictures are enlarged, large ones reduced.

    A photo is extracted once, and each of its regions has those that lie in it. Extracted one by
    one, crops have more of them, take five times as long, and are recognised no better.
    """

    produces: ClassVar[Kind]

    n_points: int = Field(800, ge=8, le=20000, description="most keypoints of a photo")
    n_crop_points: int = Field(
        300, ge=8, le=20000, description="most keypoints of a crop extracted by itself"
    )
    long_side: int = Field(640, ge=64, le=4096, description="working size of a photo, in pixels")
    crop_long_side: int | None = Field(
        None,
        ge=64,
        le=4096,
        description="working size of crops extracted one by one; null: they share the photo's",
    )

    @abstractmethod
    def _detector(self, n_points: int) -> Any:
        """A new OpenCV feature object; made for each crop, since they are not for sharing."""

    @abstractmethod
    def _codes(self, raw: np.ndarray | None) -> np.ndarray:
        """OpenCV's descriptors as this extractor's codes; an empty array for None."""

    def _found(self, working: np.ndarray, n_points: int) -> tuple[Any, np.ndarray | None]:
        """OpenCV's keypoints and descriptors of gray levels (H, W)."""
        detected: tuple[Any, np.ndarray | None] = self._detector(n_points).detectAndCompute(
            working, None
        )
        return detected

    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        return [self._extract(crop) for crop in crops]

    def extract_regions(
        self, image: Image, regions: Sequence[Region], as_frame: bool = True
    ) -> list[Descriptor]:
        frame = next((region for region in regions if region.is_frame), None)
        if frame is None or self.crop_long_side is not None:
            return super().extract_regions(image, regions, as_frame)
        every = self._extract(crop_of(image, frame))
        return [every if region.is_frame else _inside(every, region.box_xyxy) for region in regions]

    def _extract(self, crop: Crop) -> LocalFeatures:
        long_side = self.long_side if crop.is_frame else self.crop_long_side or self.long_side // 2
        n_points = self.n_points if crop.is_frame else self.n_crop_points
        size_wh = crop.pixels.shape[1], crop.pixels.shape[0]
        working = resize_quickly(gray(crop.pixels), fitted_wh(size_wh, long_side))
        scale = max(size_wh) / long_side
        if min(working.shape[:2]) < SMALLEST_SIDE or _is_blank(working):
            return LocalFeatures(np.zeros((0, 2), np.float32), self._codes(None), scale)
        keypoints, raw = self._found(working, n_points)
        # SIFT may return more than asked for; the strongest stay, ties broken by place.
        points = np.array(cv2.KeyPoint.convert(keypoints), np.float32).reshape(-1, 2)
        strength = np.array([keypoint.response for keypoint in keypoints])
        order = np.lexsort((points[:, 1], points[:, 0], -strength))[:n_points]
        # Pixel centres lie half a pixel in: without this, points drift when a crop is enlarged.
        points = (points[order] + 0.5) * scale - 0.5 + np.asarray(crop.corner_xy, np.float32)
        codes = self._codes(None if raw is None else raw[order])
        return LocalFeatures(points.astype(np.float32), codes, scale)


def _is_blank(gray_levels: np.ndarray) -> bool:
    """Whether there is one level alone: nothing can be found, and looking takes as long as ever."""
    least, most, *_ = cv2.minMaxLoc(gray_levels)
    return least == most


def _inside(features: LocalFeatures, box: Box) -> LocalFeatures:
    """Those that lie in a box, in their order."""
    x, y = features.points_xy.T
    held = (x >= box.x1) & (x < box.x2) & (y >= box.y1) & (y < box.y2)
    return replace(features, points_xy=features.points_xy[held], codes=features.codes[held])
