"""Does one movement of the camera explain the matches? Verification by robust fitting.

MAGSAC++ (Barath et al., CVPR 2020) in OpenCV's USAC framework; a homography for planes, an affinity
where a homography would be loose, a fundamental matrix for depth. Degenerate transforms are refused.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from objsearch.types import Box, LocalFeatures, Verification

Model = Literal["homography", "affine", "fundamental"]


class Geometry(BaseModel):
    """How strictly geometry is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Model, ...] = Field(
        ("homography", "fundamental"),
        description="families tried in order; the first with enough inliers wins",
    )
    tolerance: float = Field(4.0, gt=0, le=50, description="reprojection error, working pixels")
    min_inliers: int = Field(8, ge=4, description="fewer agreeing matches are chance")
    max_scale: float = Field(20.0, gt=1, description="greatest enlargement or shrinking believed")
    mirrored: bool = Field(False, description="also look for mirror images")


def verify(
    query: LocalFeatures, reference: LocalFeatures, matches: NDArray[np.int32], options: Geometry
) -> Verification | None:
    """The transform from query to reference that most matches agree on, or None.

    `matches` (N, 2) indices of keypoints. The result is the same, inverted, with the sides swapped:
    fitting always starts from the side whose keypoints sort first.
    """
    if len(matches) < options.min_inliers:
        return None
    swapped = _sort_key(reference) < _sort_key(query)
    one, other = (reference, query) if swapped else (query, reference)
    pairs = matches[:, ::-1] if swapped else matches
    source = one.points_xy[pairs[:, 0]].astype(np.float64)
    target = other.points_xy[pairs[:, 1]].astype(np.float64)
    for model in options.models:
        transform, inside = _fitted(model, source / one.scale, target / other.scale, options)
        if transform is None:
            continue
        unscale, rescale = np.diag([1 / one.scale] * 2 + [1.0]), np.diag([other.scale] * 2 + [1.0])
        if model == "fundamental":
            transform = np.diag([1 / other.scale] * 2 + [1.0]) @ transform @ unscale
        else:
            transform = rescale @ transform @ unscale
        inliers = np.hstack([source[inside], target[inside]]).astype(np.float32)
        return _oriented(model, transform, inliers, swapped)
    return None


def _sort_key(features: LocalFeatures) -> tuple[int, bytes]:
    return len(features), features.points_xy[:8].tobytes()


def _oriented(
    model: Model, transform: NDArray[np.float64], inliers: NDArray[np.float32], swapped: bool
) -> Verification:
    if swapped:
        transform = transform.T if model == "fundamental" else np.linalg.inv(transform)
        inliers = inliers[:, [2, 3, 0, 1]]
    last = transform[2, 2]
    if abs(last) > 1e-12:
        transform = transform / last
    return Verification(model, transform, inliers)


def _fitted(
    model: Model, source: NDArray[np.float64], target: NDArray[np.float64], options: Geometry
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_]]:
    """A believable transform in working pixels and the inliers' mask, or None."""
    nothing = np.zeros(len(source), bool)
    transform, mask = _estimated(model, source, target, options.tolerance)
    if transform is None or mask is None or not np.isfinite(transform).all():
        return None, nothing
    inside = _distinct(source, target, mask.ravel().astype(bool), options.tolerance)
    needed = options.min_inliers * (2 if model == "fundamental" else 1)
    if inside.sum() < needed:
        return None, nothing
    if model != "fundamental" and not _is_believable(transform, source[inside], options):
        return None, nothing
    return transform, inside


def _estimated(
    model: Model, source: NDArray[np.float64], target: NDArray[np.float64], tolerance: float
) -> tuple[NDArray[np.float64] | None, NDArray[np.uint8] | None]:
    try:
        if model == "homography":
            return cv2.findHomography(
                source, target, cv2.USAC_MAGSAC, tolerance, maxIters=2000, confidence=0.999
            )
        if model == "affine":
            affine, mask = cv2.estimateAffine2D(
                source, target, method=cv2.USAC_MAGSAC, ransacReprojThreshold=tolerance,
                maxIters=2000, confidence=0.999,
            )
            return (None if affine is None else np.vstack([affine, [0.0, 0.0, 1.0]])), mask
        if len(source) < 16:
            return None, None
        found, mask = cv2.findFundamentalMat(
            source, target, cv2.USAC_MAGSAC, tolerance / 2, 0.999, 2000
        )
        return (found if found is not None and found.shape == (3, 3) else None), mask
    except cv2.error:  # too few or collinear points for a minimal sample
        return None, None


def _distinct(
    source: NDArray[np.float64], target: NDArray[np.float64], inside: NDArray[np.bool_], cell: float
) -> NDArray[np.bool_]:
    """One inlier a cell on either side: pyramid levels find the same corner many times."""
    kept = np.zeros_like(inside)
    seen_source: set[tuple[int, int]] = set()
    seen_target: set[tuple[int, int]] = set()
    for i in np.flatnonzero(inside):
        a = (int(source[i, 0] // cell), int(source[i, 1] // cell))
        b = (int(target[i, 0] // cell), int(target[i, 1] // cell))
        if a not in seen_source and b not in seen_target:
            seen_source.add(a)
            seen_target.add(b)
            kept[i] = True
    return kept


def _is_believable(
    transform: NDArray[np.float64], source: NDArray[np.float64], options: Geometry
) -> bool:
    """Refuse folds, mirrors, collapses and wild scales over the area that the inliers span."""
    low, high = source.min(axis=0), source.max(axis=0)
    if (high - low).min() < 2:
        return False
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    homogeneous = np.hstack([corners, np.ones((4, 1))]) @ transform.T
    if (homogeneous[:, 2] * np.sign(homogeneous[0, 2]) < 1e-6).any():
        return False
    quad = homogeneous[:, :2] / homogeneous[:, 2:]
    edges = np.roll(quad, -1, axis=0) - quad
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    if (turns <= 0).any():  # not convex, or turned inside out
        return False
    stretch = np.linalg.norm(edges, axis=1) / np.tile(high - low, 2)
    scale = float(np.sqrt(stretch.max() * stretch.min()))
    return stretch.max() <= 6 * stretch.min() and 1 / options.max_scale <= scale <= options.max_scale


def projected(box: Box, transform: NDArray[np.float64]) -> NDArray[np.float32] | None:
    """The four corners of a box on the other side, (4, 2), or None when one goes beyond infinity."""
    corners = np.array(
        [[box.x1, box.y1, 1], [box.x2, box.y1, 1], [box.x2, box.y2, 1], [box.x1, box.y2, 1]]
    )
    homogeneous = corners @ transform.T
    if (homogeneous[:, 2] * np.sign(transform[2, 2] or 1.0) < 1e-9).any():
        return None
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], dtype=np.float32)


def overlap(quad: NDArray[np.float32] | None, box: Box) -> tuple[float, Box | None]:
    """Which part of the box a projected quad covers, in [0, 1], and the bounds of that part."""
    if quad is None or box.area <= 0:
        return 0.0, None
    rectangle = np.array(
        [[box.x1, box.y1], [box.x2, box.y1], [box.x2, box.y2], [box.x1, box.y2]], np.float32
    )
    shared, polygon = cv2.intersectConvexConvex(quad, rectangle)
    if shared <= 0 or polygon is None:
        return 0.0, None
    (x1, y1), (x2, y2) = polygon.reshape(-1, 2).min(axis=0), polygon.reshape(-1, 2).max(axis=0)
    return min(1.0, float(shared) / box.area), Box(float(x1), float(y1), float(x2), float(y2))
