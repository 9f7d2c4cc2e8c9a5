"""Lay one picture over another by a transform: both on the grid of the coarser one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.images.transform import resize
from objsearch.match.geometry import inverse, jacobian
from objsearch.types import Pixels

Matrix = NDArray[np.float64]

LEAST_SIDE = 8
"""A grid of fewer pixels a side shows nothing."""
STRIP = 2.0
"""Longer side by shorter from which a picture is a strip: letters are lost on a grid that is no
longer than those of other pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """Two pictures on one grid: (H, W, 3) RGB or (H, W) light, uint8, and where both are.

    `inside` (H, W) bool. `first_to_grid` and `second_to_grid` (3, 3) lead from pixels of each
    picture to those of the grid, centres on centres.
    """

    first: Pixels
    second: Pixels
    inside: NDArray[np.bool_]
    first_to_grid: Matrix
    second_to_grid: Matrix

    def flipped(self) -> Laid:
        """The same with the sides swapped."""
        return replace(
            self,
            first=self.second,
            second=self.first,
            first_to_grid=self.second_to_grid,
            second_to_grid=self.first_to_grid,
        )

    @property
    def transform(self) -> Matrix:
        """(3, 3) from pixels of the first picture to those of the second."""
        made = np.linalg.inv(self.second_to_grid) @ self.first_to_grid
        return np.asarray(made / made[2, 2])


def scaling(size_wh: tuple[int, int], to_wh: tuple[int, int]) -> Matrix:
    """(3, 3) from pixels of a picture to those of its resized copy, centres on centres."""
    sx, sy = to_wh[0] / size_wh[0], to_wh[1] / size_wh[1]
    return np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1.0]])


def fitted_side(size_wh: tuple[int, int], side: int) -> int:
    """The longer side of a picture reduced to `side` pixels; a strip keeps as many pixels in all as
    one of 2 : 1. It may be more than the picture has.
    """
    longer, shorter = max(size_wh), max(1, min(size_wh))
    return round(side * math.sqrt(max(1.0, longer / shorter / STRIP)))


def lay(first: Pixels, second: Pixels, transform: Matrix, side: int) -> Laid | None:
    """Both pictures on the grid of the coarser, at most `side` pixels long (see `fitted_side`);
    None where none is left.

    They may be RGB or (H, W) light alone. `transform` (3, 3) leads from pixels of the first to
    those of the second.
    """
    if _area_scale(transform, first) <= 1:
        return _laid_on(first, second, transform, side)
    flipped = _laid_on(second, first, inverse(transform), side)
    return None if flipped is None else flipped.flipped()


def _laid_on(first: Pixels, second: Pixels, transform: Matrix, side: int) -> Laid | None:
    """The first on the grid of the second."""
    size_wh = second.shape[1], second.shape[0]
    ground, second_to_grid = _reduced(second, min(1.0, fitted_side(size_wh, side) / max(size_wh)))
    if min(ground.shape[:2]) < LEAST_SIDE:
        return None
    onto = second_to_grid @ transform
    length = np.sqrt(_area_scale(onto, first))
    if not np.isfinite(length) or length < 1e-3:
        return None
    # Averaging first, so that what shrinks does not flicker; the rest of the way is about 1 : 1.
    near, first_to_near = _reduced(first, min(1.0, float(length)))
    between = onto @ np.linalg.inv(first_to_near)
    size_wh = (ground.shape[1], ground.shape[0])
    # In eight bits, as they came: in single precision the same takes three times as long.
    laid = cv2.warpPerspective(
        near, between, size_wh, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    whole = cv2.warpPerspective(np.full(near.shape[:2], 255, np.uint8), between, size_wh)
    inside = whole > 252
    return Laid(
        np.asarray(laid, np.uint8),
        ground,
        inside,
        onto,
        second_to_grid,
    )


def _reduced(pixels: Pixels, scale: float) -> tuple[Pixels, Matrix]:
    height, width = pixels.shape[:2]
    to_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    return resize(pixels, to_wh), scaling((width, height), to_wh)


def _area_scale(transform: Matrix, picture: Pixels) -> float:
    """How many square pixels one of the picture's becomes, in its middle."""
    height, width = picture.shape[:2]
    middle = np.array([width / 2, height / 2])
    if abs(transform[2] @ np.array([*middle, 1.0])) < 1e-9:
        return 1.0
    return abs(float(np.linalg.det(jacobian(transform, middle))))
