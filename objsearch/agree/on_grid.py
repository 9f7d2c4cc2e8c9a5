"""Boxes and points of a picture on the grid, and back."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.laying import Matrix
from objsearch.agree.places import STEP, Places
from objsearch.match.geometry import bounds, inverse
from objsearch.types import Box, Pixels


def covered(box: Box, to_grid: Matrix, places: Places) -> NDArray[np.bool_]:
    """(H, W) the places that a box covers; `to_grid` (3, 3) leads from its picture to the grid."""
    corners = np.array(
        [[box.x1, box.y1], [box.x2, box.y1], [box.x2, box.y2], [box.x1, box.y2]], float
    )
    there = cv2.perspectiveTransform(corners[None], to_grid)[0] / STEP
    mask = np.zeros(places.inside.shape, np.uint8)
    # Far beyond the grid OpenCV's whole numbers overflow.
    cv2.fillConvexPoly(mask, np.round(np.clip(there, -1e4, 1e4)).astype(np.int32), 1)
    return mask.astype(bool)


def led_back(boxes: Iterable[Box], to_grid: Matrix, picture: Pixels) -> tuple[Box, ...]:
    """Boxes of places as upright boxes in a picture that `to_grid` (3, 3) leads from."""
    back = inverse(to_grid)
    size_wh = (picture.shape[1], picture.shape[0])
    led = (bounds(Box(*(STEP * edge for edge in box)), back) for box in boxes)
    return tuple(box.clipped(size_wh) for box in led if box is not None)


def points_back(points: Matrix, to_grid: Matrix) -> tuple[tuple[float, float], ...]:
    """Points (N, 2), in pixels of the grid, in a picture that `to_grid` (3, 3) leads from."""
    if not len(points):
        return ()
    there = cv2.perspectiveTransform(points[None], inverse(to_grid))[0].tolist()
    return tuple((float(x), float(y)) for x, y in there)
