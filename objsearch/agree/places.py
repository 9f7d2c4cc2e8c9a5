"""Place by place: how alike are two pictures that lie on one grid, in one tone and one blur?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.tone import Together
from objsearch.types import Pixels

Map = NDArray[np.float32]

STEP = 4
"""A place every so many pixels of the grid."""
NEAR, WIDE = 0.75, 2.0
"""Deviations of the two windows of a place, in places."""
DETAIL = 24.0
"""Gray levels between the lightest and the darkest of 5 x 5 pixels."""
RIM = 1
"""Places along the rim of what both show that are left out: blurring sees what is not there."""
SAMPLED = 40_000
"""Pixels, about, among which a median is looked for."""
FEATURES = (
    "residual", "beside", "correlation", "wide correlation", "weak", "strong", "hue", "level",
    "residual in detail", "beside in detail",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """(H / STEP, W / STEP, F) float32 features a place; where both are; the noise.

    `noise` is the deviation, in gray levels, of what is left where nothing differs; `hue`
    (H / STEP, W / STEP) how far the colours of a place are apart beside their light.
    """

    features: NDArray[np.float32]
    inside: NDArray[np.bool_]
    noise: float
    hue: NDArray[np.float32]

    def feature(self, name: str) -> Map:
        """(H / STEP, W / STEP) one of `FEATURES`."""
        return np.asarray(self.features[..., FEATURES.index(name)], np.float32)


def measure(pictures: Together, inside: NDArray[np.bool_]) -> Places:
    """What can be told of each place; all but the correlations are logarithms over the noise.

    residual: what is left (root mean square); beside: the part of it that lies outside of what the
    other picture shows within a pixel; correlation, wide correlation: of the detail, in windows of
    two sizes; weak, strong: the lesser and the greater contrast; hue: what is left of colour;
    level: what is left of light in the mean of a window.
    """
    first, second = (
        np.asarray(cv2.cvtColor(whole_places(side), cv2.COLOR_RGB2YCrCb), np.float32)
        for side in (pictures.first, pictures.second)
    )
    inside = whole_places(inside)
    a, b = (np.ascontiguousarray(side[..., 0]) for side in (first, second))
    rest = a - b
    noise = noise_of(rest, inside)
    harsh = max(noise, noise_of(rest, inside & _is_detailed(a) & _is_detailed(b)))
    left = np.sqrt(_window(pool(rest * rest), NEAR))
    outside = (_window(pool(gap * gap), NEAR) for gap in (beyond(a, b), beyond(b, a)))
    beside = np.sqrt(np.maximum(*outside))
    moments = _moments(a, b)
    spreads = [np.sqrt(_window(square, NEAR)) for square in moments[3:]]
    hue, hue_noise = _hue(first, second)
    features = [
        _over(left, noise),
        _over(beside, noise),
        _correlation(moments, NEAR, noise),
        _correlation(moments, WIDE, noise),
        _over(np.minimum(*spreads), noise),
        _over(np.maximum(*spreads), noise),
        _over(hue, hue_noise),
        _over(np.abs(_window(pool(rest), NEAR)), noise),
        _over(left, harsh),
        _over(beside, harsh),
    ]
    return Places(np.stack(features, axis=-1), _shown(inside), noise, hue)


def _moments(a: Map, b: Map) -> list[Map]:
    """Means over a place of the detail of both, of its product and of both squares."""
    a, b = (side - _spread_out(_window(pool(side), WIDE), side.shape) for side in (a, b))
    return [pool(values) for values in (a, b, a * b, a * a, b * b)]


def _hue(first: Map, second: Map) -> tuple[Map, float]:
    """How far the colours of each place are apart, and how far half of them are."""
    apart = [
        pool(np.asarray(first[..., channel] - second[..., channel], np.float32))
        for channel in (1, 2)
    ]
    hue = np.sqrt(sum(_window(part, NEAR) ** 2 for part in apart))
    return np.asarray(hue, np.float32), 1.48 * float(np.median(np.abs(apart)))


def _shown(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Places that lie inside altogether, without those along the rim of what does."""
    shown = (pool(inside.astype(np.float32)) > 0.999).astype(np.uint8)
    kernel = np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)
    return np.asarray(cv2.erode(shown, kernel, borderType=cv2.BORDER_REPLICATE), bool)


def noise_of(rest: Map, inside: NDArray[np.bool_]) -> float:
    """Deviation of what is left where nothing differs, told by the middle of its finest detail."""
    fine = np.abs(rest - cv2.GaussianBlur(rest, (0, 0), 1.0))
    step = max(1, math.isqrt(rest.size // SAMPLED))
    # What is inside may be a few letters: all of it then.
    few = fine[::step, ::step][inside[::step, ::step]]
    fine = few if few.size >= SAMPLED // 100 else fine[inside]
    # 1.48 makes a median a deviation; a blur of one pixel takes a fifth of white noise away.
    return max(0.5, 1.85 * _median(fine)) if fine.size else 0.5


def _median(values: Map) -> float:
    """That of values (N,) without any that is no number; `numpy.median` takes twice as long."""
    middle = values.size // 2
    parted = np.partition(values, middle)
    if values.size % 2:
        return float(parted[middle])
    return float(np.mean([parted[:middle].max(), parted[middle]], dtype=np.float32))


def _is_detailed(picture: Map) -> NDArray[np.bool_]:
    """(H, W) where light changes by more than DETAIL within a few pixels.

    Compression spoils such places more than flat ones: they have a noise of their own.
    """
    kernel = np.ones((5, 5), np.uint8)
    return np.asarray(cv2.dilate(picture, kernel) - cv2.erode(picture, kernel) > DETAIL)


def whole_places(picture: NDArray[Any]) -> NDArray[Any]:
    """Without the last pixels that fill no place: means over whole ones are taken much faster."""
    high, wide = (size // STEP * STEP for size in picture.shape[:2])
    return np.ascontiguousarray(picture[:high, :wide])


def pool(values: NDArray[Any]) -> Map:
    """Means over STEP x STEP pixels."""
    high, wide = (max(1, size // STEP) for size in values.shape[:2])
    return np.asarray(cv2.resize(values, (wide, high), interpolation=cv2.INTER_AREA), np.float32)


def _window(places: Map, sigma: float) -> Map:
    return np.asarray(cv2.GaussianBlur(places, (0, 0), sigma), np.float32)


def _spread_out(places: Map, shape: tuple[int, ...]) -> Map:
    return np.asarray(
        cv2.resize(places, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _over(values: Map, noise: float) -> Map:
    return np.asarray(np.log((values + 1) / (noise + 1)), np.float32)


def beyond(a: NDArray[Any], b: NDArray[Any]) -> Map:
    """How far each pixel of `a` lies outside of what `b` shows within a pixel of it."""
    kernel = np.ones((3, 3), np.uint8)
    gap = np.maximum(a - cv2.dilate(b, kernel), cv2.erode(b, kernel) - a)
    return np.asarray(np.maximum(gap, 0), np.float32)


def _correlation(moments: list[Map], sigma: float, noise: float) -> Map:
    mean_a, mean_b, both, own_a, own_b = (_window(moment, sigma) for moment in moments)
    own = np.maximum((own_a - mean_a**2) * (own_b - mean_b**2), 0)
    return np.asarray((both - mean_a * mean_b) / (np.sqrt(own) + noise**2), np.float32)


def eroded(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """A mask (H, W) without the places so near its border, or that of the grid."""
    kernel = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    return np.asarray(cv2.erode(mask.astype(np.uint8), kernel, borderValue=0), bool)


def colour_places(picture: Map | Pixels) -> Map:
    """(H / STEP, W / STEP, 2) colour without light (Cr and Cb, ITU-R BT.601), a place of each."""
    colours = pool(np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)[..., 1:]))
    return np.asarray(cv2.GaussianBlur(colours, (0, 0), 0.75), np.float32)
