"""Refine a transform until it is good to a pixel, or say that it is not.

Corners are tracked from the one picture to the other laid over it (Lucas and Kanade, IJCAI 1981, with
pyramids after Bouguet), on light brought to one local mean and contrast, so that tone does not pull;
their movements give the rest of the transform by robust fitting. What keeps moving afterwards has
depth, or is not the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.laying import Laid, Matrix, lay
from objsearch.types import Pixels

SIDE = 640
"""Longer side of the grid on which corners are tracked, in pixels."""
ROUNDS = 2
N_CORNERS = 300
FEW, MANY = 8, 40
"""Tracked corners from which a similarity, and from which a homography is fitted."""
TOLERANCE = 1.0
"""Pixels of the grid that a corner may lie beside where the transform leads."""
LOCAL = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """A refined transform, and how well corners follow it.

    `steady` is the share of the corners that lie within a pixel of the grid, `residual` their median
    distance in pixels; `n_corners` how many could be tracked. `side` is the grid's longer side.
    """

    transform: Matrix
    steady: float
    residual: float
    n_corners: int


def register(one: Pixels, other: Pixels, transform: Matrix) -> Registration:
    """Refine a transform (3, 3) from pixels of the first picture to those of the second."""
    best = Registration(transform, 0.0, np.inf, 0)
    for _ in range(ROUNDS):
        laid = lay(one, other, best.transform, SIDE)
        if laid is None:
            return best
        places, moved = _tracked(laid)
        if len(places) < FEW:
            return Registration(best.transform, *_steadiness(places, moved), len(places))
        rest = _fitted(places, moved)
        before = _steadiness(places, moved)
        if rest is None:
            return Registration(best.transform, *before, len(places))
        after = _steadiness(_through(rest, places), moved)
        if after[0] < before[0] or (after[0] == before[0] and after[1] >= before[1]):
            return Registration(best.transform, *before, len(places))
        # Corners were followed from where the first picture was laid to where the second has them.
        refined = np.linalg.inv(laid.other_to_grid) @ rest @ laid.one_to_grid
        best = Registration(refined / refined[2, 2], *after, len(places))
    return best


def normalised(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W) light as deviations from its surroundings, 128 where there is none."""
    mean = cv2.GaussianBlur(picture, (0, 0), LOCAL)
    detail = picture - mean
    spread = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), LOCAL)) + 4.0
    return np.asarray(np.clip(128 + 50 * detail / spread, 0, 255), np.uint8)


def light(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) luminance (ITU-R BT.601) of (H, W, 3) RGB."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def _tracked(laid: Laid) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Places of corners in the first picture as laid, and where the second has them: (K, 2) each."""
    one, other = (normalised(light(side)) for side in (laid.one, laid.other))
    mask = cv2.erode(laid.inside.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=0)
    nothing = np.zeros((0, 2), np.float32)
    corners = cv2.goodFeaturesToTrack(one, N_CORNERS, 0.02, 6, mask=mask, blockSize=5)
    if corners is None:
        return nothing, nothing
    there, found, _ = cv2.calcOpticalFlowPyrLK(one, other, corners, None, winSize=(13, 13), maxLevel=2)
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(other, one, there, None, winSize=(13, 13), maxLevel=2)
    apart = np.linalg.norm((back - corners).reshape(-1, 2), axis=1)
    good = (found.ravel() == 1) & (found_back.ravel() == 1) & (apart < 0.5)
    return corners.reshape(-1, 2)[good], there.reshape(-1, 2)[good]


def _fitted(places: NDArray[np.float32], moved: NDArray[np.float32]) -> Matrix | None:
    if len(places) >= MANY:
        found, _ = cv2.findHomography(places, moved, cv2.USAC_MAGSAC, TOLERANCE, maxIters=500)
        return None if found is None else np.asarray(found, np.float64)
    found, _ = cv2.estimateAffinePartial2D(places, moved, ransacReprojThreshold=TOLERANCE)
    return None if found is None else np.vstack([found, [0.0, 0.0, 1.0]])


def _steadiness(places: NDArray[np.float32], moved: NDArray[np.float32]) -> tuple[float, float]:
    if not len(places):
        return 0.0, np.inf
    away = np.linalg.norm(places - moved, axis=1)
    return float((away < TOLERANCE).mean()), float(np.median(away))


def _through(transform: Matrix, points: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.perspectiveTransform(points[None].astype(np.float64), transform)[0].astype(np.float32)
