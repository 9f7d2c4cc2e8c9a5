"""Does one movement of the camera explain the matches? Verification by robust fitting.

MAGSAC++ (Barath et al., CVPR 2020) in OpenCV's USAC framework for homographies and fundamental
matrices, RANSAC for affinities. Degenerate transforms are refused.
"""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from objsearch.match.guided import guided_matches
from objsearch.types import Box, LocalFeatures, Verification

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]
Model = Literal["homography", "affine", "fundamental"]


MIN_FOR_FUNDAMENTAL = 16
MIN_SPREAD = 6.0
"""Least standard deviation of the inliers' places in any direction, in working pixels."""


class Geometry(BaseModel):
    """How strictly geometry is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Model, ...] = Field(
        ("homography", "affine"),
        min_length=1,
        description="planes: the better of those named is taken; fundamental (depth) is tried only "
        "where no plane fits",
    )
    tolerance: float = Field(4.0, gt=0, le=50, description="reprojection error, working pixels")
    min_inliers: int = Field(6, ge=5, description="fewer agreeing matches are chance")
    max_scale: float = Field(6.0, gt=1, description="greatest enlargement or shrinking believed")
    mirrored: bool = Field(False, description="also look for mirror images")
    guided: bool = Field(
        False,
        description="look again for matches near where a first transform expects them",
    )


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
    first, second = (reference, query) if swapped else (query, reference)
    pairs = matches[:, ::-1] if swapped else matches
    # Random samples are drawn by row: the order must not tell which side was the query.
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    best = _fit(first, second, pairs, options)
    if best is not None and options.guided and best.model != "fundamental":
        again = _fit(first, second, guided_matches(first, second, best.transform), options)
        if again is not None and again.n_inliers > best.n_inliers:
            best = again
    return None if best is None else _oriented(best, swapped)


def _fit(
    first: LocalFeatures, second: LocalFeatures, pairs: NDArray[np.int32], options: Geometry
) -> Verification | None:
    """The best transform from one to the other, in image pixels."""
    if len(pairs) < options.min_inliers:
        return None
    source = first.points_xy[pairs[:, 0]].astype(np.float64)
    target = second.points_xy[pairs[:, 1]].astype(np.float64)
    to_source, to_target = _to_working(first), _to_working(second)
    fit = _best_fit(_moved(source, to_source), _moved(target, to_target), options)
    if fit is None:
        return None
    model, transform, inside = fit
    back = to_target.T if model == "fundamental" else inverse(to_target)
    inliers = np.hstack([source[inside], target[inside]]).astype(np.float32)
    return Verification(model, back @ transform @ to_source, inliers)


def _to_working(features: LocalFeatures) -> Matrix:
    """From image pixels to working pixels, counted from the features' own corner."""
    x, y = features.points_xy.min(axis=0).astype(np.float64)
    return np.array([[1.0, 0.0, -x], [0.0, 1.0, -y], [0.0, 0.0, features.scale]]) / features.scale


def _moved(points: Matrix, transform: Matrix) -> Matrix:
    return np.asarray(points * transform[0, 0] + transform[:2, 2], dtype=np.float64)


def _best_fit(
    source: Matrix, target: Matrix, options: Geometry
) -> tuple[Model, Matrix, Mask] | None:
    """The plane with most inliers; where none fits, the epipolar geometry if that is allowed."""
    fits: list[tuple[Model, Matrix, Mask]] = []
    for model in options.models:
        if model == "fundamental" and fits:
            continue
        transform, inside = _fitted(model, source, target, options)
        if transform is not None:
            fits.append((model, transform, inside))
    return max(fits, key=lambda fit: int(fit[2].sum()), default=None)


def _sort_key(features: LocalFeatures) -> tuple[int, bytes]:
    return len(features), features.codes[:8].tobytes()


def _oriented(verification: Verification, swapped: bool) -> Verification:
    """From query to reference, scaled so that the last number is 1 where it can be."""
    transform, inliers = verification.transform, verification.inliers_xyxy
    if swapped:
        transform = transform.T if verification.model == "fundamental" else inverse(transform)
        inliers = inliers[:, [2, 3, 0, 1]]
    last = transform[2, 2]
    if abs(last) > 1e-12:
        transform = transform / last
    return Verification(verification.model, transform, inliers)


def _fitted(
    model: Model, source: Matrix, target: Matrix, options: Geometry
) -> tuple[Matrix | None, Mask]:
    """A believable transform in working pixels and the inliers' mask, or None."""
    nothing = np.zeros(len(source), bool)
    transform, mask = _estimated(model, source, target, options.tolerance)
    if transform is None or mask is None or not np.isfinite(transform).all():
        return None, nothing
    inside = _distinct(source, target, mask.ravel().astype(bool), options.tolerance)
    # A point need only lie near a line to agree with a fundamental matrix: that proves less.
    needed = options.min_inliers * (2 if model == "fundamental" else 1)
    if inside.sum() < needed or not (_is_spread(source[inside]) and _is_spread(target[inside])):
        return None, nothing
    if model != "fundamental" and not _is_believable(transform, source[inside], options.max_scale):
        return None, nothing
    return transform, inside


def inverse(transform: Matrix) -> Matrix:
    """The transform from the other side."""
    return np.asarray(np.linalg.inv(transform), dtype=np.float64)


def jacobian(transform: Matrix, at_xy: NDArray[np.float64]) -> Matrix:
    """(2, 2) how a small step from a place moves where the transform (3, 3) leads."""
    x, y, w = transform @ np.array([*at_xy, 1.0])
    towards = np.array([x / w, y / w])
    return np.asarray((transform[:2, :2] - np.outer(towards, transform[2, :2])) / w)


def _estimated(model: Model, source: Matrix, target: Matrix, tolerance: float) -> tuple[Any, Any]:
    """OpenCV's (transform, mask); either may be None. The random seed is fixed in there."""
    try:
        if model == "homography":
            return cv2.findHomography(
                source, target, cv2.USAC_MAGSAC, tolerance, maxIters=1000, confidence=0.999
            )
        if model == "affine":
            # An affinity bends less than what it stands for: it is allowed half as much again.
            affine, mask = cv2.estimateAffine2D(
                source,
                target,
                method=cv2.RANSAC,
                ransacReprojThreshold=1.5 * tolerance,
                maxIters=1000,
                confidence=0.999,
            )
            return (None if affine is None else np.vstack([affine, [0.0, 0.0, 1.0]])), mask
        if len(source) < MIN_FOR_FUNDAMENTAL:
            return None, None
        matrix, mask = cv2.findFundamentalMat(
            source, target, cv2.USAC_MAGSAC, tolerance / 2, 0.999, 1000
        )
        return (matrix if matrix is not None and matrix.shape == (3, 3) else None), mask
    except cv2.error:  # too few or collinear points for a minimal sample
        return None, None


def _distinct(
    source: Matrix, target: Matrix, inside: NDArray[np.bool_], cell: float
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


def _is_spread(points: Matrix) -> bool:
    """Whether points lie all over, rather than in one spot or on one line (deviation in pixels)."""
    return bool(np.linalg.eigvalsh(np.cov(points.T))[0] > MIN_SPREAD**2)


def _is_believable(transform: Matrix, source: Matrix, max_scale: float) -> bool:
    """Refuse folds, mirrors, collapses and wild scales over the area that the inliers span."""
    low, high = source.min(axis=0), source.max(axis=0)
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    homogeneous = np.hstack([corners, np.ones((4, 1))]) @ transform.T
    depth = homogeneous[:, 2] * np.sign(homogeneous[0, 2])
    if depth.min() < 1e-9 or depth.max() > 4 * depth.min():
        return False
    quad = homogeneous[:, :2] / homogeneous[:, 2:]
    edges = np.roll(quad, -1, axis=0) - quad
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    if (turns <= 0).any():  # not convex, or turned inside out
        return False
    x, y = quad.T
    area = 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    scale = float(np.sqrt(area / np.prod(high - low)))
    return 1 / max_scale <= scale <= max_scale and _stretch(transform, source.mean(axis=0)) < 5


def _stretch(transform: Matrix, at_xy: Matrix) -> float:
    """How much longer than wide a small circle at a place becomes."""
    longest, shortest = np.linalg.svd(jacobian(transform, at_xy), compute_uv=False)
    return float(longest / max(shortest, 1e-12))


CENTRE_SIGMA = 0.2
"""Reach of the centre, as a part of width and height."""


def central_inliers(verification: Verification, query_frame: Box) -> float:
    """Inliers, each weighing as much as it is central in the query, in [0, N].

    People put the thing they mean in the middle of a query, or cut it out; what agrees at the rim
    is the carpet it stands on, or its neighbour. So all of them weigh less, too, the farther the
    surface that they lie on (their convex hull) stays away from the middle: a thing in the middle
    that has changed is not outvoted by the wall behind it.
    """
    centre = [(query_frame.x1 + query_frame.x2) / 2, (query_frame.y1 + query_frame.y2) / 2]
    size = [query_frame.width, query_frame.height]
    away = ((verification.inliers_xyxy[:, :2] - centre) / size).astype(np.float32)
    inside = cv2.pointPolygonTest(cv2.convexHull(away), (0.0, 0.0), measureDist=True)
    weights = _centrality((away**2).sum(axis=1)) * _centrality(min(inside, 0.0) ** 2)
    return float(np.sum(weights))


def _centrality(squared_distance: Any) -> Any:
    return np.exp(-squared_distance / (2 * CENTRE_SIGMA**2))


def projected(box: Box, transform: Matrix) -> NDArray[np.float32] | None:
    """The corners of a box on the other side, (4, 2); None when one goes beyond infinity."""
    corners = np.array(
        [[box.x1, box.y1, 1], [box.x2, box.y1, 1], [box.x2, box.y2, 1], [box.x1, box.y2, 1]]
    )
    homogeneous = corners @ transform.T
    if (homogeneous[:, 2] * np.sign(transform[2, 2] or 1.0) < 1e-9).any():
        return None
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], dtype=np.float32)


def local_scale(transform: Matrix, at_xy: NDArray[np.float64]) -> float:
    """Pixels of the second picture that one of the first is long at a place."""
    return float(np.sqrt(abs(np.linalg.det(jacobian(transform, at_xy)))))


def bounds(box: Box, transform: Matrix) -> Box | None:
    """The upright box around where a box is led; None when a corner goes beyond infinity."""
    quad = projected(box, transform)
    if quad is None or not np.isfinite(quad).all():
        return None
    (x1, y1), (x2, y2) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    return Box(x1, y1, x2, y2)


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
