"""SIFT keypoints (Lowe, IJCV 2004) with RootSIFT codes (Arandjelovic and Zisserman, CVPR 2012)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from pydantic import Field

from objsearch.describe.keypoints import KeypointExtractor


class Sift(KeypointExtractor):
    """128-d unit vectors: slower than ORB, surer under change of scale and viewpoint."""

    name = "sift"
    produces = "local-real"

    contrast_threshold: float = Field(0.02, gt=0, lt=1, description="least contrast of a point")

    def _detector(self, n_points: int) -> Any:
        return cv2.SIFT.create(nfeatures=n_points, contrastThreshold=self.contrast_threshold)

    def _codes(self, raw: np.ndarray | None) -> np.ndarray:
        if raw is None:
            return np.zeros((0, 128), np.float32)
        # L1-normalise and take roots: Euclidean distance then compares by the Hellinger kernel.
        total = np.abs(raw).sum(axis=1, keepdims=True)
        return np.asarray(np.sqrt(raw / np.maximum(total, 1e-7)), dtype=np.float32)
