"""Laid upon each other by a transform, do two pictures show the same? Small gray copies tell.

Detail is compared, not light: what is smooth agrees with everything. So a sunset is not another
sunset, and a copy stays one when it was brightened, recoloured or compressed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.images.mapping import scaling, shift
from objsearch.images.transform import fitted_wh, gray, shrunk
from objsearch.match.geometry import inverse, jacobian
from objsearch.types import Pixels

SIDE = 128
"""Longer side of a small copy, in pixels."""
FINE, COARSE = 1.2, 5.0
"""Deviations of the two blurs whose difference is detail: alignment errs by about a pixel."""
RIM = 7
"""Pixels along what overlaps that are left out; fewer of a strip, or none would be left."""
LEAST_PIXELS = 300
"""Fewer that overlap, the rim left out, prove nothing."""
NOISE = 1.0
"""Gray levels of detail that count as none: two blank parts do not agree, they say nothing."""

BLOCK = 16
"""Side of the blocks that have to agree one by one, in pixels of a small copy."""
MOST_PLACES = 2 / 3
"""The part of the blocks that has to agree."""
LEAST_DETAIL = 3.0
"""Gray levels of detail, as a deviation, from which a block says something."""

TINY_SIDE = 24


@dataclass(frozen=True, slots=True, eq=False)
class Small:
    """A gray copy (H, W) float32, and the size of the picture that it stands for."""

    gray: NDArray[np.float32]
    size_wh: tuple[int, int]

    @classmethod
    def of(cls, pixels: Pixels) -> Small:
        """The small copy of a picture of any size."""
        height, width = pixels.shape[:2]
        return cls(shrunk(gray(pixels), SIDE).astype(np.float32), (width, height))

    @property
    def levels(self) -> NDArray[np.uint8]:
        """(H * W,) of the copy: with the size, all there is to it."""
        return self.gray.astype(np.uint8).ravel()

    @classmethod
    def of_levels(cls, levels: NDArray[np.uint8], size_wh: tuple[int, int]) -> Small:
        """The small copy that has these levels; raises ValueError where they are too few."""
        width, height = fitted_wh(size_wh, SIDE) if max(size_wh) > SIDE else size_wh
        return cls(levels.reshape(height, width).astype(np.float32), size_wh)

    @property
    def scaling(self) -> NDArray[np.float64]:
        """(3, 3) from pixels of the picture to those of the copy, centres on centres."""
        height, width = self.gray.shape
        sx, sy = width / self.size_wh[0], height / self.size_wh[1]
        return scaling(sx, sy)


def tiny_versions(small: Small) -> NDArray[np.float32]:
    """(8, D) unit vectors of the picture's coarse detail: four quarter turns, then mirrored ones.

    The whole picture counts, whatever its proportions: a stretched copy is still the same.
    """
    size_wh = min(TINY_SIDE, small.gray.shape[1]), min(TINY_SIDE, small.gray.shape[0])
    # Of a strip OpenCV would enlarge one side, and then takes single pixels of the other.
    averaged = cv2.resize(small.gray, size_wh, interpolation=cv2.INTER_AREA)
    square = cv2.resize(averaged, (TINY_SIDE, TINY_SIDE), interpolation=cv2.INTER_LINEAR)
    square = square - cv2.GaussianBlur(square, (0, 0), TINY_SIDE / 6)
    square = square / (float(np.linalg.norm(square)) + 1.0)
    made = [np.rot90(side, k).ravel() for side in (square, square[:, ::-1]) for k in range(4)]
    return np.stack(made).astype(np.float32)


def agreement(first: Small, second: Small, transform: NDArray[np.float64]) -> float:
    """Correlation of the detail where both overlap, in [-1, 1]; 0 where too little does.

    `transform` (3, 3) leads from pixels of the first picture to those of the second.
    """
    # Into the coarser of the two, or a few pixels would be blown up to look like many.
    if _area_scale(first, second, transform) > 1:
        first, second, transform = second, first, inverse(transform)
    between = second.scaling @ transform @ np.linalg.inv(first.scaling)
    size_wh = (second.gray.shape[1], second.gray.shape[0])
    sharp = _softened(first.gray, between)
    laid = np.asarray(
        cv2.warpPerspective(sharp, between, size_wh, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
    inside = cv2.warpPerspective(np.ones_like(first.gray), between, size_wh)
    # Near a rim, blurring sees what is not there: it would agree with every other rim.
    side = 2 * min(RIM, min(size_wh) // 4) + 1
    rim = np.ones((side, side), np.uint8)
    whole = (inside > 0.99).astype(np.uint8)
    mask = cv2.erode(whole, rim, borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(bool)
    if mask.sum() < min(LEAST_PIXELS, mask.size // 6) or not mask.any():
        return 0.0
    details = _detail(laid), _detail(second.gray)
    everywhere = _correlation(*(detail[mask] for detail in details))
    return min(everywhere, _typical_correlation(*details, mask))


def _area_scale(first: Small, second: Small, transform: NDArray[np.float64]) -> float:
    """How many pixels of the second copy one of the first becomes, in its middle."""
    between = second.scaling @ transform @ np.linalg.inv(first.scaling)
    middle = np.array(first.gray.shape[::-1]) / 2
    if abs(between[2] @ np.array([*middle, 1.0])) < 1e-9:
        return 1.0
    return abs(float(np.linalg.det(jacobian(between, middle))))


def _softened(picture: NDArray[np.float32], between: NDArray[np.float64]) -> NDArray[np.float32]:
    """Blurred as much as it will shrink, so that fine lines do not flicker."""
    scale = np.sqrt(abs(np.linalg.det(between[:2, :2])))
    if scale >= 0.7:
        return picture
    sigma = 0.45 / max(float(scale), 0.05)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def _detail(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    fine = cv2.GaussianBlur(picture, (0, 0), FINE)
    coarse = cv2.GaussianBlur(picture, (0, 0), COARSE)
    return np.asarray(fine - coarse, np.float32)


def _typical_correlation(
    first: NDArray[np.float32], second: NDArray[np.float32], mask: NDArray[np.bool_]
) -> float:
    """What two thirds of the small blocks that hold detail reach; 1 where none holds any.

    One strong edge can carry the correlation of whole pictures: the empty corners of two turned
    photos agree whatever the photos show. A copy agrees in most places; what was laid over it may
    hide a third.
    """
    weight = mask.astype(np.float32)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float64]:
        return _blocks(values * weight) / filled

    held = _blocks(weight)
    filled = np.maximum(held, 1e-6)
    mean_first, mean_second = mean(first), mean(second)
    spread_first = np.maximum(mean(first * first) - mean_first**2, 0)
    spread_second = np.maximum(mean(second * second) - mean_second**2, 0)
    shared = mean(first * second) - mean_first * mean_second
    says = (held > 0.5) & (np.maximum(spread_first, spread_second) > LEAST_DETAIL**2)
    if not says.any():
        return 1.0
    agree = (shared / (np.sqrt(spread_first * spread_second) + NOISE))[says]
    return float(np.quantile(agree, 1 - MOST_PLACES))


def _blocks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Means over BLOCK x BLOCK pixels; what is left over at the right and below does not count."""
    rows, columns = (size // BLOCK for size in values.shape)
    if rows == 0 or columns == 0:
        return np.zeros((rows, columns))
    whole = values[: rows * BLOCK, : columns * BLOCK]
    return cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float64)


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    first, second = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((first**2).mean() * (second**2).mean())) + NOISE
    return float((first * second).mean()) / norm


def stretched(first: Small, second: Small, quarters: int, is_mirrored: bool) -> NDArray[np.float64]:
    """(3, 3) that lays the whole first picture onto the whole second one.

    First mirrored (left to right) if asked for, then turned by quarters, as `numpy.rot90` turns.
    """
    (w, h), (to_w, to_h) = first.size_wh, second.size_wh
    matrix = np.diag([1 / w, 1 / h, 1.0]) @ shift(0.5, 0.5)
    if is_mirrored:
        matrix = np.array([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]]) @ matrix
    turn = np.array([[0.0, 1, 0], [-1, 0, 1], [0, 0, 1]])  # counter-clockwise, of the unit square
    for _ in range(quarters % 4):
        matrix = turn @ matrix
    return shift(-0.5, -0.5) @ np.diag([to_w, to_h, 1.0]) @ matrix
