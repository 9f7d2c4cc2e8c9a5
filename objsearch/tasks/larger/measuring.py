"""Where a query's content lies in a reference, to a fraction of a pixel, and how large it is there.

Transforms map pixels of the query to pixels of the reference; whole numbers are the middles of
pixels, as in the keypoints they come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.images.mapping import Matrix, mapped, scaling
from objsearch.images.transform import gray
from objsearch.match.geometry import inverse, local_scale
from objsearch.types import Box, Pixels

Plane = NDArray[np.float32]
"""(H, W) luminance."""

MeasuredBy = Literal["frame", "transform"]
SNAP_SHARE = 0.012
"""Corners this near to the reference's, as a part of its longer side, are those corners."""
SNAP_PIXELS = 1.5
ALIGNED_SIDE = 320
"""Longest side, in query pixels, of the copy that is aligned."""
_ROUNDS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)


@dataclass(frozen=True, slots=True)
class Extent:
    """How large the query's content is in a reference.

    `scale` is reference pixels a query pixel, along a side. `coverage` in [0, 1] is the part of the
    query that the reference holds, `pixels` how many of the reference's pixels show it.
    """

    scale: float
    coverage: float
    pixels: float


def extent(frame: Box, size_wh: tuple[int, int], transform: Matrix) -> Extent | None:
    """The extent of a query's frame in a reference; None when nothing of it lies inside."""
    quad = mapped(_corners(frame), transform)
    if quad is None:
        return None
    whole = _corners(Box(0, 0, *map(float, size_wh)))
    shared, polygon = cv2.intersectConvexConvex(quad.astype(np.float32), whole.astype(np.float32))
    if shared <= 0 or polygon is None:
        return None
    back = mapped(polygon.reshape(-1, 2).astype(np.float64), inverse(transform))
    if back is None:
        return None
    in_query = float(cv2.contourArea(back.astype(np.float32)))
    if in_query <= 0:
        return None
    return Extent(float(np.sqrt(shared / in_query)), min(1.0, in_query / frame.area), float(shared))


def snapped(frame: Box, size_wh: tuple[int, int], transform: Matrix) -> tuple[Matrix, MeasuredBy]:
    """The exact transform of frame to frame, where the whole query fills the whole reference.

    Keypoints place corners to a pixel or so; the sizes of two files say it exactly.
    """
    whole = _corners(Box(0, 0, *map(float, size_wh)))
    quad = mapped(_corners(frame), transform)
    if quad is None:
        return transform, "transform"
    nearest = np.linalg.norm(quad[:, None] - whole[None], axis=2)
    order = nearest.argmin(axis=1)
    limit = max(SNAP_PIXELS, SNAP_SHARE * max(size_wh))
    if sorted(order) != [0, 1, 2, 3] or nearest.min(axis=1).max() > limit:
        return transform, "transform"
    exact = cv2.getPerspectiveTransform(
        _corners(frame).astype(np.float32), whole[order].astype(np.float32)
    )
    return np.asarray(exact, np.float64), "frame"


def refined(query: Pixels, reference: Pixels, transform: Matrix) -> tuple[Matrix, float]:
    """The transform after alignment by pixels, and the correlation in [-1, 1] that it reaches.

    Maximises the enhanced correlation coefficient (Evangelidis and Psarakis, 2008), which does not
    mind brightness and contrast. Where it finds no better, the transform stays as it was.
    """
    small, onto = _shrunk(query, transform)
    size_wh = (small.shape[1], small.shape[0])
    plane = _plane(reference)
    laid, is_laid = seen_through(plane, onto, size_wh)
    before = correlation(small, laid, is_laid)
    try:
        _, moved = cv2.findTransformECC(
            small, laid, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, _ROUNDS, is_laid, 3
        )
    except cv2.error:  # it drifted apart: too little structure, or another picture
        return transform, before
    moved = onto @ np.vstack([moved, [0.0, 0.0, 1.0]])
    after = correlation(small, *seen_through(plane, moved, size_wh))
    if not after > before:
        return transform, before
    return moved @ inverse(onto) @ transform, after


def agreement_of(query: Pixels, reference: Pixels, transform: Matrix) -> float:
    """The correlation in [-1, 1] of both at the query's size, under a transform as it is."""
    small, onto = _shrunk(query, transform)
    laid, is_laid = seen_through(_plane(reference), onto, (small.shape[1], small.shape[0]))
    return correlation(small, laid, is_laid)


def _shrunk(query: Pixels, transform: Matrix) -> tuple[Plane, Matrix]:
    """The query at the size at which it is aligned, and the transform from there."""
    small = _resized(_plane(query), min(1.0, ALIGNED_SIDE / max(query.shape[:2])))
    to_small = scaling(small.shape[1] / query.shape[1], small.shape[0] / query.shape[0])
    return small, transform @ inverse(to_small)


def seen_through(
    reference: Plane, onto: Matrix, size_wh: tuple[int, int]
) -> tuple[Plane, NDArray[np.uint8]]:
    """The reference as it looks at the query's size, and (H, W) 255 where it holds anything."""
    height, width = reference.shape
    middle = np.array([size_wh[0] / 2, size_wh[1] / 2])
    scale = local_scale(onto, middle)
    # Averaged first: a warp reads single pixels, and would turn fine texture into noise.
    small = _resized(reference, min(1.0, 1 / scale))
    to_small = scaling(small.shape[1] / width, small.shape[0] / height)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    through = to_small @ onto
    laid = cv2.warpPerspective(small, through, size_wh, flags=flags)
    filled = np.full(small.shape, 255, np.uint8)
    mask = cv2.warpPerspective(filled, through, size_wh, flags=flags)
    return np.asarray(laid, np.float32), np.where(mask == 255, 255, 0).astype(np.uint8)


def correlation(first: Plane, second: Plane, where: NDArray[np.uint8]) -> float:
    """Pearson's correlation over the marked pixels; 0 where there is nothing to correlate."""
    a, b = first[where > 0].astype(np.float64), second[where > 0].astype(np.float64)
    if a.size < 64:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0 else 0.0


def _plane(pixels: Pixels) -> Plane:
    return gray(pixels).astype(np.float32)


def _resized(plane: Plane, factor: float) -> Plane:
    if factor >= 1.0:
        return plane
    size_wh = (max(1, round(plane.shape[1] * factor)), max(1, round(plane.shape[0] * factor)))
    return np.asarray(cv2.resize(plane, size_wh, interpolation=cv2.INTER_AREA), np.float32)


def _corners(box: Box) -> Matrix:
    """(4, 2) the outer corners of a box's pixels, half a pixel from their middles."""
    x1, y1, x2, y2 = box.x1 - 0.5, box.y1 - 0.5, box.x2 - 0.5, box.y2 - 0.5
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
