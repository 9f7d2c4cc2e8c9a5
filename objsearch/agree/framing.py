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
BESIDE = 1.5
"""Pixels of the inner picture from its border to lines that go on where the scene does."""
TREND = 25
"""Points of a line over which light is held to be a trend and no detail."""
NOISE = 4.0
"""Variance of light, in gray levels, that is no detail."""
LEAST_ALIKE, SEAM = 0.2, 0.25
"""Correlation of neighbouring lines of the inner picture from which that says something, and the
part of it below which those across the border have nothing to do with each other."""
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
    if breaks or _is_seam(light, inner_wh, transform):
        return True
    return bool(within.mean() > 2 * STILL and _is_flat(light, inner_wh, transform))


def _is_seam(
    light: NDArray[np.float32], inner_wh: tuple[int, int], transform: NDArray[np.float64]
) -> bool:
    """Whether lines on either side of the borders know nothing of each other.

    However wild the picture is, lines so near to each other are alike where it goes on.
    """
    over = _alikeness(light, inner_wh, transform, -BESIDE, BESIDE)
    within = _alikeness(light, inner_wh, transform, -3 * BESIDE, -BESIDE)
    return within > LEAST_ALIKE and over < SEAM * within


def _alikeness(
    light: NDArray[np.float32],
    inner_wh: tuple[int, int],
    transform: NDArray[np.float64],
    offset: float,
    other: float,
) -> float:
    """Correlation of the detail of two lines beside each border, so far out; 0 where unseen."""
    products = np.zeros(3)
    for place, normal in _borders(inner_wh):
        first, second = (_seen(light, place + k * normal, transform) for k in (offset, other))
        seen = np.isfinite(first) & np.isfinite(second)
        if seen.sum() >= N_POINTS // 4:
            a, b = (_detail(side[seen]) for side in (first, second))
            products += (float(a @ b), float(a @ a) + NOISE * len(a), float(b @ b) + NOISE * len(b))
    return float(products[0] / np.sqrt(products[1] * products[2])) if products[1] else 0.0


def _detail(line: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(line - cv2.blur(line[:, None], (1, TREND))[:, 0], np.float64)


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
    before, after = (_seen(light, places + k * STEP * normal, transform) for k in (-1, 1))
    return np.asarray(np.abs(before - after))


def _seen(
    light: NDArray[np.float32], places: NDArray[np.float64], transform: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N,) light at places of the inner picture, as the outer shows it; not a number outside."""
    there = cv2.perspectiveTransform(places[None], transform)[0].astype(np.float32)
    seen = cv2.remap(
        light, there[None, :, 0], there[None, :, 1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"),
    )  # fmt: skip
    return np.asarray(seen[0], np.float64)
