"""From the pixels of a picture to those of another: (3, 3) between the middles of pixels.

Whole numbers are middles, and edges lie half a pixel before them: resizing moves the middle of the
first pixel, not its outer corner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
"""(3, 3), or points (N, 2)."""


def scaling(x: float, y: float) -> Matrix:
    """(3, 3): what a resize by these factors does to places."""
    return np.array([[x, 0.0, (x - 1) / 2], [0.0, y, (y - 1) / 2], [0.0, 0.0, 1.0]])


def shift(dx: float, dy: float) -> Matrix:
    """(3, 3): what moving by so many pixels does to places."""
    return np.array([[1.0, 0.0, dx], [0.0, 1.0, dy], [0.0, 0.0, 1.0]])


def mirroring(width: float) -> Matrix:
    """(3, 3): where places of a picture so wide lie in its mirror image, left for right."""
    return np.array([[-1.0, 0.0, width - 1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def mapped(points_xy: Matrix, transform: Matrix) -> Matrix | None:
    """(N, 2) where a transform leads; None where a side between two lies beyond infinity."""
    carried = np.hstack([points_xy, np.ones((len(points_xy), 1))]) @ transform.T
    depth = carried[:, 2]
    if (depth * np.sign(depth[0]) < 1e-9).any():
        return None
    return np.asarray(carried[:, :2] / depth[:, None], np.float64)
