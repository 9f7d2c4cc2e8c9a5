"""Refine a transform until it is good to a pixel, or say that it is not.

Corners are tracked from the one picture to the other laid over it (Lucas and Kanade, IJCAI 1981,
with pyramids after Bouguet), on light brought to one local mean and contrast, so that tone does not
pull; their movements give the rest of the transform by robust fitting. What keeps moving afterwards
has depth, or is not the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.laying import Laid, Matrix, lay
from objsearch.images.transform import gray
from objsearch.types import Pixels

SIDE = 448
"""Longer side of the grid on which corners are tracked, in pixels."""
ROUNDS = 2
N_CORNERS = 200
FEW, MANY = 8, 40
"""Tracked corners from which a similarity, and from which a homography is fitted."""
TOLERANCE = 1.0
"""Pixels of the grid that a corner may lie beside where the transform leads."""
SHARP, SHARP_ROUNDS = 0.25, 3
"""The same, and how often that is tried, for what is to lie on each other exactly."""
LOCAL = 21
"""Side, in pixels, of the surroundings that light is held against."""
STILL = 0.15
"""Median distance, in pixels, that another round would not better."""


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """A refined transform, and how well corners follow it.

    `steady` is the share of the corners that lie within a pixel of a grid of `SIDE`, `residual`
    their median distance in its pixels; `n_corners` how many could be tracked.
    """

    transform: Matrix
    steady: float
    residual: float
    n_corners: int

    def is_within(self, steady: float, residual: float, n_corners: int) -> bool:
        """Whether so many corners, and such a share of them, follow at least so closely."""
        return self.steady >= steady and self.residual <= residual and self.n_corners >= n_corners


def register(first: Pixels, second: Pixels, transform: Matrix, side: int = SIDE) -> Registration:
    """Refine a transform (3, 3) from pixels of the first picture to those of the second.

    Corners are tracked on a grid of at most `side` pixels.
    """
    best = Registration(transform, 0.0, np.inf, 0)
    first, second = gray(first), gray(second)  # tone and place need no colour
    for _ in range(ROUNDS):
        laid = lay(first, second, best.transform, side)
        if laid is None:
            return best
        places, moved = _tracked(laid)
        before = _steadiness(places, moved, side)
        rest = _fitted(places, moved) if len(places) >= FEW else None
        if rest is None:
            return Registration(best.transform, *before, len(places))
        after = _steadiness(_through(rest, places), moved, side)
        if after[0] < before[0] or (after[0] == before[0] and after[1] >= before[1]):
            return Registration(best.transform, *before, len(places))
        best = Registration(_refined(laid, rest), *after, len(places))
        if after[1] < STILL:
            return best
    return best


def sharpened(first: Pixels, second: Pixels, registration: Registration) -> Registration:
    """Refine by what lies closest alone: for sheets of one template, much of which is another.

    Corners of what differs are followed to anywhere, pull the transform and count in the median.
    Here a corner has to lie within a quarter of a pixel to have a say, and `residual` is the median
    distance of the steady ones.
    """
    best = replace(registration, residual=np.inf)
    first, second = gray(first), gray(second)
    for _ in range(SHARP_ROUNDS):
        laid = lay(first, second, best.transform, SIDE)
        if laid is None:
            return best
        places, moved = _tracked(laid)
        rest = _fitted(places, moved, SHARP) if len(places) >= FEW else None
        if rest is None:
            return best
        away = np.linalg.norm(_through(rest, places) - moved, axis=1)
        is_steady = away < TOLERANCE
        residual = float(np.median(away[is_steady])) if is_steady.any() else np.inf
        if residual >= best.residual:
            return best
        best = Registration(_refined(laid, rest), float(is_steady.mean()), residual, len(places))
    return best


def normalised(light: Pixels) -> Pixels:
    """(H, W) light as deviations from its surroundings, 128 where there is none."""
    picture = light.astype(np.float32)
    detail = picture - cv2.blur(picture, (LOCAL, LOCAL))
    # A moving sum of single precision may fall a little under zero.
    spread = np.sqrt(np.maximum(cv2.blur(detail * detail, (LOCAL, LOCAL)), 0)) + 4.0
    return np.asarray(np.clip(128 + 50 * detail / spread, 0, 255), np.uint8)


def _tracked(laid: Laid) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Corners (K, 2) of the first picture as laid, and where the second has them."""
    first, second = normalised(laid.first), normalised(laid.second)
    mask = cv2.erode(laid.inside.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=0)
    nothing = np.zeros((0, 2), np.float32)
    corners = cv2.goodFeaturesToTrack(first, N_CORNERS, 0.02, 6, mask=mask, blockSize=5)
    if corners is None:
        return nothing, nothing
    here = np.asarray(corners, np.float32).reshape(-1, 2)
    there, is_followed = _followed(first, second, here)
    back, is_followed_back = _followed(second, first, there)
    good = is_followed & is_followed_back & (np.linalg.norm(back - here, axis=1) < 0.5)
    return here[good], there[good]


def _followed(
    first: NDArray[np.uint8], second: NDArray[np.uint8], places: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where the second picture has places (K, 2) of the first, and whether they were found."""
    there = np.zeros_like(places)  # OpenCV's types ask for one; it is not looked at
    there, followed, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[assignment]
        first, second, places, there, winSize=(13, 13), maxLevel=2
    )
    return np.asarray(there, np.float32), np.asarray(followed).ravel() == 1


def _fitted(
    places: NDArray[np.float32], moved: NDArray[np.float32], tolerance: float = TOLERANCE
) -> Matrix | None:
    if len(places) >= MANY:
        matrix, _ = cv2.findHomography(places, moved, cv2.USAC_MAGSAC, tolerance, maxIters=500)
        return None if matrix is None else np.asarray(matrix, np.float64)
    matrix, _ = cv2.estimateAffinePartial2D(places, moved, ransacReprojThreshold=TOLERANCE)
    return None if matrix is None else np.vstack([matrix, [0.0, 0.0, 1.0]])


def _steadiness(
    places: NDArray[np.float32], moved: NDArray[np.float32], side: int
) -> tuple[float, float]:
    """The share of corners that stay, and by how much half of them move, as on a grid of SIDE."""
    if not len(places):
        return 0.0, np.inf
    away = np.linalg.norm(places - moved, axis=1) * (SIDE / side)
    return float((away < TOLERANCE).mean()), float(np.median(away))


def _refined(laid: Laid, rest: Matrix) -> Matrix:
    """The transform with the rest: from where the first was laid to where the second has it."""
    refined = np.linalg.inv(laid.second_to_grid) @ rest @ laid.first_to_grid
    return np.asarray(refined / refined[2, 2])


def _through(transform: Matrix, points: NDArray[np.float32]) -> NDArray[np.float32]:
    there = cv2.perspectiveTransform(points[None].astype(np.float64), transform)[0]
    return np.asarray(there, np.float32)
