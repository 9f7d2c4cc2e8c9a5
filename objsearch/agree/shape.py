"""What a transform makes of a picture's outline: by it a scan is told from a photograph."""

from __future__ import annotations

import math

import cv2
import numpy as np

from objsearch.agree.laying import Matrix, fitted_side
from objsearch.agree.registration import SIDE as FOLLOWED
from objsearch.match.geometry import jacobian

ROUNDED = 1.5
"""Pixels by which a picture may reach beyond the other and count as shown by it in full: sizes are
whole, and a border is known to less than a pixel of the grid on which corners are followed. Of 618
copies none reaches so far as half a pixel. By the part of its area a page number at the foot of a
page was nothing."""

EVENLY, UPRIGHT, SLANT = 1.03, 2.0, 1.12
"""Times one way and the other, degrees, and times the opposite side that a transform by a few
keypoints is beside what it should be where sheets lie level. Of 362 photos of covers, packages,
boards and places that show the same, one lies so."""


def outline(size_wh: tuple[int, int]) -> Matrix:
    """Corners of a picture, (4, 2), its pixels' centres on whole numbers."""
    w, h = size_wh
    return np.array([[-0.5, -0.5], [w - 0.5, -0.5], [w - 0.5, h - 0.5], [-0.5, h - 0.5]])


def step(transform: Matrix, size_wh: tuple[int, int]) -> Matrix:
    """(2, 2) how a small step from the middle of a picture moves."""
    return jacobian(transform, np.array([size_wh[0] / 2, size_wh[1] / 2]))


def stretch(transform: Matrix, size_wh: tuple[int, int]) -> float:
    """How many times more the middle of a picture is enlarged one way than the other, from 1."""
    longer, shorter = np.linalg.svd(step(transform, size_wh), compute_uv=False)
    return float(longer / max(shorter, 1e-12))


def bend(transform: Matrix, size_wh: tuple[int, int]) -> float:
    """How many times longer a side becomes than the one opposite, from 1."""
    quad = cv2.perspectiveTransform(outline(size_wh)[None], transform)[0]
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    pairs = sides[0] / sides[2], sides[1] / sides[3]
    return float(max(max(pair, 1 / pair) for pair in pairs))


def lies_level(transform: Matrix, size_wh: tuple[int, int]) -> bool:
    """Whether it hardly does more than to move, to resize evenly, and to turn by quarters.

    So sheets lie on a scanner, or under a camera that stands still.
    """
    small = step(transform, size_wh)
    if float(np.linalg.det(small)) <= 0 or stretch(transform, size_wh) > EVENLY:
        return False
    return is_upright(degrees_of(small), UPRIGHT) and bend(transform, size_wh) < SLANT


def degrees_of(small_step: Matrix) -> float:
    """By how much a small step (2, 2) is turned, from 0 to 180."""
    (a, b), (c, d) = small_step
    return abs(math.degrees(math.atan2(c - b, a + d)))


def is_upright(degrees: float, most: float = 1.0) -> bool:
    """Whether a turn is none, a quarter or a half, but for `most` degrees."""
    return min(abs(degrees - quarter) for quarter in (0, 90, 180)) < most


def farthest_moved(transform: Matrix, size_wh: tuple[int, int]) -> float:
    """Pixels by which a corner is moved at most, along x or y."""
    corners = outline(size_wh)
    return float(np.abs(cv2.perspectiveTransform(corners[None], transform)[0] - corners).max())


def lies_within(size_wh: tuple[int, int], transform: Matrix, other_wh: tuple[int, int]) -> bool:
    """Whether no corner of a picture lies beyond the other, but for rounding.

    `transform` (3, 3) leads from its pixels to the other's.
    """
    corners = cv2.perspectiveTransform(outline(size_wh)[None], transform)[0]
    low, high = outline(other_wh)[0], outline(other_wh)[2]
    beyond = float(np.maximum(low - corners, corners - high).max())
    followed = max(other_wh) / fitted_side(other_wh, FOLLOWED)
    length = float(np.linalg.norm(step(transform, size_wh), 2))
    return beyond <= ROUNDED * max(1.0, followed, length)
