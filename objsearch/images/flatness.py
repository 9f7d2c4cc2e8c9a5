"""Pictures that show nothing: paper, a black frame, light that falls off from side to side."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objsearch.images.transform import gray, resize_quickly
from objsearch.types import Pixels

# Standard deviation of luminance, in gray levels, below which a picture is flat: sensor noise and
# JPEG ripples stay under it, the faintest pencil drawing does not.
FLAT_DEVIATION = 1.5
SMOOTH_DEVIATION = 1.0
"""The same of what is left without light that rises or falls from side to side: of gradients saved
as JPEG 75 at most 0.4, of 5,506 photos at least 3.1."""
_SMALL_WH = (64, 64)


def shows_nothing(pixels: Pixels) -> bool:
    """Whether a picture is flat or smooth."""
    light = gray(resize_quickly(pixels, _SMALL_WH))
    return is_flat(light) or is_smooth(light)


def is_flat(light: NDArray[Any]) -> bool:
    """Whether gray levels (H, W) show next to nothing: paper, a black frame, an overexposed sky."""
    return float(resize_quickly(light, _SMALL_WH).std()) < FLAT_DEVIATION


def is_smooth(light: NDArray[Any]) -> bool:
    """Whether gray levels (H, W) go from light to dark and show nothing else: a gradient."""
    levels = resize_quickly(light, _SMALL_WH).astype(np.float64).ravel()
    trend = _trends()
    left = levels - trend @ (trend.T @ levels)
    return float(left.std()) < SMOOTH_DEVIATION


@cache
def _trends() -> NDArray[np.float64]:
    """(H * W, 6) an orthonormal basis of what rises and falls by the second power at most."""
    x, y = np.meshgrid(*(np.linspace(-1, 1, side) for side in _SMALL_WH))
    powers = np.stack([x**0, x, y, x * y, x * x, y * y], axis=-1).reshape(-1, 6)
    return np.asarray(np.linalg.qr(powers)[0])
