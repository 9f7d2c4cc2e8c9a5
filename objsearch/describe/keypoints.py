"""What keypoint extractors share: working size, scaling back, even spread."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from objsearch.describe.base import Crop, Extractor, crop_of
from objsearch.images.transform import fit, gray
from objsearch.types import Box, Descriptor, Image, Kind, LocalFeatures, Region

# OpenCV's detectors need some border around a point; below this many pixels there is none.
SMALLEST_SIDE = 16


@dataclass(frozen=True, slots=True)
class _Found:
    """Keypoints of one extraction, strongest first; `ranks` (K,) tell how soon each is chosen."""

    points_xy: NDArray[np.float32]
    codes: np.ndarray
    ranks: NDArray[np.float64]
    scale: float

    def inside(self, box: Box | None, limit: int) -> LocalFeatures:
        """The best of those in a box; strongest first."""
        chosen = np.arange(len(self.points_xy))
        if box is not None:
            x, y = self.points_xy.T
            held = (x >= box.x1) & (x < box.x2) & (y >= box.y1) & (y < box.y2)
            chosen = np.flatnonzero(held)
        best = np.sort(chosen[np.argsort(self.ranks[chosen], kind="stable")[:limit]])
        return LocalFeatures(self.points_xy[best], self.codes[best], self.scale)


class KeypointExtractor(Extractor):
    """Keypoints and codes at a working size: small pictures are enlarged, large ones reduced.

    A photo is extracted once, and its regions share what was found.
    """

    produces: ClassVar[Kind]

    n_points: int = Field(800, ge=8, le=20000, description="most keypoints of a full frame")
    n_crop_points: int = Field(300, ge=8, le=20000, description="most keypoints of a crop")
    n_shared: int = Field(
        2000, ge=8, le=20000, description="most keypoints of a frame that its crops share"
    )
    long_side: int = Field(640, ge=64, le=4096, description="working size of a frame, in pixels")
    crop_long_side: int | None = Field(
        None,
        ge=64,
        le=4096,
        description="working size of crops that are extracted one by one, which finds more in "
        "small ones and takes longer; null: they share the keypoints of the frame",
    )

    @abstractmethod
    def _detector(self, n_points: int) -> Any:
        """A new OpenCV feature object; made for each crop, since they are not for sharing."""

    @abstractmethod
    def _codes(self, raw: np.ndarray | None) -> np.ndarray:
        """OpenCV's descriptors as this extractor's codes; an empty array for None."""

    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        return [self._extract(crop) for crop in crops]

    def extract_regions(
        self, image: Image, regions: Sequence[Region], as_frame: bool = True
    ) -> list[Descriptor]:
        frame = next((region for region in regions if region.is_frame), None)
        if frame is None or len(regions) == 1 or self.crop_long_side is not None:
            return Extractor.extract_regions(self, image, regions, as_frame)
        # A region may reach a little beyond the part that counts.
        every = self._found(crop_of(image, frame), self.long_side, self.n_shared)
        return [
            every.inside(None, self.n_points)
            if region.is_frame
            else every.inside(region.box_xyxy, self.n_crop_points)
            for region in regions
        ]

    def _extract(self, crop: Crop) -> LocalFeatures:
        n_points = self.n_points if crop.is_frame else self.n_crop_points
        side = self.long_side if crop.is_frame else self.crop_long_side or self.long_side // 2
        return self._found(crop, side, n_points).inside(None, n_points)

    def _found(self, crop: Crop, long_side: int, n_points: int) -> _Found:
        working, scale = fit(gray(crop.pixels), long_side)
        if min(working.shape[:2]) < SMALLEST_SIDE:
            nothing = np.zeros((0, 2), np.float32)
            return _Found(nothing, self._codes(None), np.zeros(0), scale)
        keypoints, raw = self._detector(n_points).detectAndCompute(working, None)
        # SIFT may return more than asked for; the strongest stay, ties broken by place.
        points = np.array(cv2.KeyPoint.convert(keypoints), np.float32).reshape(-1, 2)
        strength = np.array([one.response for one in keypoints])
        order = np.lexsort((points[:, 1], points[:, 0], -strength))
        # Pixel centres lie half a pixel in: without this, points drift when a crop is enlarged.
        points = (points[order] + 0.5) * scale - 0.5 + np.asarray(crop.corner_xy, np.float32)
        codes = self._codes(None if raw is None else raw[order])
        levels = np.array([one.octave for one in keypoints], np.int64)[order]
        return _Found(points.astype(np.float32), codes, self._ranks(levels), scale)

    def _ranks(self, levels: NDArray[np.int64]) -> NDArray[np.float64]:
        """How soon each of some keypoints, strongest first, is chosen: here the strongest."""
        return np.arange(len(levels), dtype=np.float64)
