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

    def _detector(self, n_points: int) -> Any:
        return cv2.ORB.create(
            nfeatures=n_points,
            scaleFactor=self.scale_factor,
            nlevels=self.n_levels,
            fastThreshold=self.fast_threshold,
        )

    def _codes(self, raw: np.ndarray | None) -> np.ndarray:
        return np.zeros((0, 32), np.uint8) if raw is None else np.ascontiguousarray(raw)
