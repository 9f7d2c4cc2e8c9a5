"""Of two pictures that count as the same: places that are apart by far more than all others.

What compression, a filter or another size does to a picture it does all over, and to its liveliest
places about as much. A digit, a bird or a spot on the skin is in one place. So it stands out, even
where it is too small or too faint to say so by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.laying import Laid, Matrix, lay
from objsearch.agree.places import NEAR, STEP, Map, eroded, pool, whole_places
from objsearch.images.transform import gray
from objsearch.match.geometry import inverse
from objsearch.types import Pixels

Levels = NDArray[np.int16]

TIMES = 1.5
"""So many times as far apart as at the next place in order: of 764 copies of 60 photos (JPEG 15 to
85, resized, blurred, noisy, toned) six have more, and none of these differs at a closer look."""
LEAST = 1.0
"""Levels that both are raised by: less is rounding."""
MOST = 3
"""Places that may stand out together."""
REACH = 4
"""Places around one that are counted with it."""
RIM = 2
"""Places along the rim of what both show that are left out."""
LOCAL = 33
"""Side, in pixels, of the surroundings that light is held against: tone is not to count."""
ROWS = 512
"""Rows of pixels that are held against each other at a time: a large picture fills memory."""


def standing_out(
    first: Pixels, second: Pixels, transform: Matrix
) -> tuple[tuple[float, float], ...]:
    """Places, in pixels of the first, that are apart by more than all others.

    `transform` (3, 3) leads from pixels of the first to those of the second. Looked at is the size
    of the coarser picture.
    """
    laid = lay(gray(first), gray(second), transform, max(*first.shape, *second.shape))
    if laid is None:
        return ()
    found = list(_farthest(_apart(laid)))
    levels = [level for _, level in found]
    drops = [above / below for above, below in pairwise(levels)]
    if not drops or max(drops) < TIMES:
        return ()
    chosen = [place for place, _ in found[: drops.index(max(drops)) + 1]]
    grid = (np.array(chosen) + 0.5) * STEP - 0.5
    there = cv2.perspectiveTransform(grid[None], inverse(laid.first_to_grid))[0].tolist()
    return tuple((float(x), float(y)) for x, y in there)


def _farthest(apart: Map) -> Iterator[tuple[tuple[int, int], float]]:
    """(column, row) of what is farthest apart, farthest first, and how far; `apart` is spent."""
    for _ in range(MOST + 1):
        row, column = divmod(int(apart.argmax()), apart.shape[1])
        yield (column, row), float(apart[row, column]) + LEAST
        cv2.circle(apart, (column, row), REACH, 0, -1)


def _apart(laid: Laid) -> Map:
    """(H / STEP, W / STEP) levels by which each place shows what the other has not within a pixel;
    0 where one of them shows nothing.
    """
    first, second, inside = (whole_places(side) for side in (laid.first, laid.second, laid.inside))
    squares = np.concatenate([*_bands(first, second)])
    apart = np.sqrt(cv2.GaussianBlur(squares, (0, 0), NEAR))
    shown = eroded(pool(inside.astype(np.float32)) > 0.999, RIM)
    return np.where(shown, apart, 0).astype(np.float32)


def _bands(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Iterator[Map]:
    """Mean squares a place, some rows at a time."""
    spare = -(-LOCAL // STEP) * STEP
    for start in range(0, len(first), ROWS):
        above = min(start, spare)
        rows = slice(start - above, start + ROWS + spare)
        a, b = (_without_tone(side[rows]) for side in (first, second))
        gap = cv2.max(_beyond(a, b), _beyond(b, a))[above : above + ROWS].astype(np.float32)
        yield pool(gap * gap)


def _without_tone(light: NDArray[np.uint8]) -> Levels:
    """Whole levels: a fraction of one is rounding, and takes five times as long."""
    around = cv2.blur(light, (LOCAL, LOCAL))
    return np.asarray(cv2.subtract(light, around, dtype=cv2.CV_16S), np.int16)


def _beyond(a: Levels, b: Levels) -> Levels:
    """As `places.beyond`, of whole levels."""
    kernel = np.ones((3, 3), np.uint8)
    above, below = cv2.subtract(a, cv2.dilate(b, kernel)), cv2.subtract(cv2.erode(b, kernel), a)
    return np.asarray(np.maximum(cv2.max(above, below), 0), np.int16)
