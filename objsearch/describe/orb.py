"""ORB keypoints: oriented FAST corners with rotated BRIEF codes (Rublee et al., ICCV 2011)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from pydantic import Field

from objsearch.describe.keypoints import KeypointExtractor


class Orb(KeypointExtractor):
    """256-bit codes, matched by Hamming distance: fast, free, good on anything printed."""

    name = "orb"
    produces = "local-binary"

    n_levels: int = Field(8, ge=1, le=16, description="pyramid levels")
    scale_factor: float = Field(1.2, gt=1, le=2, description="size ratio of two levels")
    fast_threshold: int = Field(
        10, ge=1, le=100, description="least corner contrast, in gray levels"
    )

    first_threshold: int | None = Field(
        None,
        ge=1,
        le=100,
        description="corner contrast that is tried first, to save time; the least where it gives "
        "less than half of the points; null: the least at once",
    )

    def _detector(self, n_points: int) -> Any:
        return self._from_contrast(self.fast_threshold, n_points)

    def _from_contrast(self, threshold: int, n_points: int) -> Any:
        return cv2.ORB.create(
            nfeatures=n_points,
            scaleFactor=self.scale_factor,
            nlevels=self.n_levels,
            fastThreshold=threshold,
        )

    def _found(self, working: np.ndarray, n_points: int) -> tuple[Any, np.ndarray | None]:
        # The strongest corners are kept: of a photo that has enough of them, the same ones.
        if self.first_threshold is not None:
            first = self._from_contrast(self.first_threshold, n_points)
            keypoints, raw = first.detectAndCompute(working, None)
            if 2 * len(keypoints) >= n_points:
                return keypoints, raw
        return super()._found(working, n_points)

    def _codes(self, raw: np.ndarray | None) -> np.ndarray:
        return np.zeros((0, 32), np.uint8) if raw is None else np.ascontiguousarray(raw)
