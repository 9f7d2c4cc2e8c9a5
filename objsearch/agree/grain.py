"""Two pictures that lie on each other: do they share their grain, or is each a shot of its own?

From a tripod, by a camera on a wall or of the sky at night, next to nothing moves from shot to
shot; but the grain of a sensor is drawn anew each time. A copy has the grain of what it was made
of, or less of it; so where two have as much, and nothing in common, neither was made of the other.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.images.transform import gray
from objsearch.types import Pixels

SIDE = 1024
"""Pixels of the middle that are looked at."""
TILE = 16
QUIETEST = 0.02
"""Part of the tiles that are looked at: elsewhere there is more to be seen than grain, and that is
the same in both."""
LEAST_TILES = 8
DARK, BRIGHT = 6.0, 246.0
"""Gray levels beyond which grain is cut off."""
LEAST_GRAIN = 0.8
"""Deviation, in gray levels, from which grain is more than what rounding leaves."""
AS_MUCH = 0.7
"""Part of the other's grain that each has at least: what was taken from a copy is no proof."""
NOTHING_SHARED = 0.15
"""Correlation of the grain up to which there is nothing in common: copies that have as much of it
have 0.16 at JPEG 30, 0.3 at 50, 0.4 toned; most other shots of plain grain less than 0.1."""

Light = NDArray[np.float32]


def is_other_grain(first: Pixels, second: Pixels) -> bool:
    """Whether two pictures (H, W, 3) that lie on each other are two shots, by their grain alone.

    False where they have too little of it, or too few places are quiet enough to say so.
    """
    if first.shape != second.shape:
        return False
    lights = [_middle(side) for side in (first, second)]
    grains = [light - cv2.GaussianBlur(light, (0, 0), 1.0) for light in lights]
    mine, its = (_tiles(grain * grain) for grain in grains)
    both = _tiles(grains[0] * grains[1])
    levels = [_tiles(light) for light in lights]
    told = np.logical_and.reduce([(level > DARK) & (level < BRIGHT) for level in levels])
    most = np.maximum(mine, its)
    if np.count_nonzero(told) < LEAST_TILES:
        return False
    border = np.partition(most[told], LEAST_TILES - 1)[LEAST_TILES - 1]
    quiet = told & (most <= max(border, np.quantile(most[told], QUIETEST)))
    deviations = [float(np.sqrt(energy[quiet].mean())) for energy in (mine, its)]
    if min(deviations) < max(LEAST_GRAIN, AS_MUCH * max(deviations)):
        return False
    return float(both[quiet].mean()) < NOTHING_SHARED * deviations[0] * deviations[1]


def _middle(picture: Pixels) -> Light:
    high, wide = picture.shape[:2]
    top, left = (max(0, (size - SIDE) // 2) for size in (high, wide))
    part = picture[top : top + SIDE, left : left + SIDE]
    return gray(np.ascontiguousarray(part)).astype(np.float32)


def _tiles(values: Light) -> Light:
    """Means over whole tiles."""
    high, wide = (size // TILE for size in values.shape)
    if not high or not wide:
        return np.zeros((0, 0), np.float32)
    whole = np.ascontiguousarray(values[: high * TILE, : wide * TILE])
    return np.asarray(cv2.resize(whole, (wide, high), interpolation=cv2.INTER_AREA), np.float32)
