"""Is a picture that holds another its full frame, or something laid around it?

The full frame goes on beyond the borders of a cut. A frame, a letterbox, a screenshot or a collage
breaks off there, in straight lines, or is flat outside.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.images.transform import gray
from objsearch.types import Pixels

REACH = 10
"""Pixels of the inner picture from its border to the lines beside it that are looked at."""
STEP = 2
"""Pixels from either side of a line, over which light may change."""
BREAK = 2.0
"""So many times more must light change over the border than beside it."""
STILL, FLAT = 1.5, 0.95
"""Gray levels of change that count as none, and the part of the places outside that shows none."""
RINGING = 12
"""Pixels around the inner picture that are left out where flatness is looked for."""
N_POINTS = 200


def is_laid_around(
    outer: Pixels, inner_wh: tuple[int, int], transform: NDArray[np.float64]
) -> bool:
    """Whether what the outer picture shows beyond the inner one is a frame and no scene.

    `transform` (3, 3) leads from pixels of the inner picture to those of the outer. False where
    none of the inner picture's borders lies within the outer.
    """
    light = gray(outer).astype(np.float32)
    at_border: list[NDArray[np.float64]] = []
    outside: list[NDArray[np.float64]] = []
    inside: list[NDArray[np.float64]] = []
    for place, normal in _borders(inner_wh):
        for offset, changes in ((0.0, at_border), (REACH, outside), (-REACH, inside)):
            # The border lies where it does to a pixel or so.
            steps = [
                _change(light, place + (offset + k) * normal, normal, transform)
                for k in (-1.5, 0.0, 1.5)
            ]
            changes.append(np.maximum.reduce(steps))
    border, beyond, within = (np.concatenate(part) for part in (at_border, outside, inside))
    seen = np.isfinite(border) & np.isfinite(beyond) & np.isfinite(within)
    if seen.sum() < N_POINTS // 4:
        return False
    border, beyond, within = border[seen], beyond[seen], within[seen]
    breaks = border.mean() > BREAK * (max(beyond.mean(), within.mean()) + 2.0)
    return bool(breaks or (within.mean() > 2 * STILL and _is_flat(light, inner_wh, transform)))


def _is_flat(
    light: NDArray[np.float32], inner_wh: tuple[int, int], transform: NDArray[np.float64]
) -> bool:
    """Whether next to nothing changes outside of the inner picture, all over the outer one."""
    w, h = inner_wh
    corners = np.array([[[0, 0], [w, 0], [w, h], [0, h]]], np.float64) - 0.5
    quad = cv2.perspectiveTransform(corners, transform)[0]
    outside = np.ones(light.shape, np.uint8)
    cv2.fillConvexPoly(outside, np.round(np.clip(quad, -1e4, 1e4)).astype(np.int32), 0)
    # Compression rings as far as a block of its reaches.
    reach = np.ones((2 * RINGING + 1, 2 * RINGING + 1), np.uint8)
    beyond = cv2.erode(outside, reach, borderType=cv2.BORDER_REPLICATE) > 0
    if not beyond.any():
        return False
    changes = cv2.morphologyEx(light, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return bool((changes[beyond] < 2 * STILL).mean() > FLAT)


def _borders(inner_wh: tuple[int, int]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Points (N, 2) along the four borders, and the way out (2,) of each."""
    w, h = inner_wh
    along = (np.arange(N_POINTS) + 0.5) / N_POINTS
    zero = np.zeros(N_POINTS)
    return [
        (np.stack([along * w, zero], 1) - 0.5, np.array([0.0, -1.0])),
        (np.stack([along * w, zero + h], 1) - 0.5, np.array([0.0, 1.0])),
        (np.stack([zero, along * h], 1) - 0.5, np.array([-1.0, 0.0])),
        (np.stack([zero + w, along * h], 1) - 0.5, np.array([1.0, 0.0])),
    ]


def _change(
    light: NDArray[np.float32],
    places: NDArray[np.float64],
    normal: NDArray[np.float64],
    transform: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(N,) how much light changes over each place, along the normal; not a number outside."""
    ends = [places + k * STEP * normal for k in (-1, 1)]
    values = []
    for points in ends:
        there = cv2.perspectiveTransform(points[None], transform)[0].astype(np.float32)
        seen = cv2.remap(
            light, there[None, :, 0], there[None, :, 1], cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"),
        )  # fmt: skip
        values.append(seen[0].astype(np.float64))
    return np.asarray(np.abs(values[0] - values[1]))
