"""Bring tone, colour and blur of two pictures together, by a global model alone.

One monotone curve for all channels, a gain and an offset a channel (white balance), one strength of
colour, one blur. So what was brightened, turned to gray or softened as a whole looks alike again,
and what has another colour in one place does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.images.transform import gray
from objsearch.types import Pixels

Values = NDArray[np.float32]

P = TypeVar("P", Pixels, Values)

LEVELS: Values = np.arange(256, dtype=np.float32)
N_LEVELS = 64
LEAST_SAMPLES = 8
"""Pixels of a level from which it says what becomes of it."""
BLURS = (0.6, 0.8, 1.0, 1.25, 1.5, 1.8, 2.2, 2.7, 3.3)
"""Deviations that are tried, in pixels of the grid."""
EARNED = 0.97
"""A blur makes nearly everything a little more alike: so much of what is left may stay at most."""
SHOWN = 320
"""Side of the middle on which blurs are tried, in pixels of the grid."""
LEAST_GAIN, MOST_GAIN = 0.7, 1.4
"""Of a channel beside the curve: white balance goes no further."""
MOST_OFFSET = 20.0
"""Gray levels by which a channel may be lifted: more makes one colour of two into another."""
SAMPLED = 160
"""Pixels along the longer side among which tone is fitted."""
STEEP = 256
"""Slopes from here on, in gray levels a step and picture, are not told apart."""
CLIPPED = 5e-4
"""So much more of one picture lies at an end of the range, where it was cut off there."""
ROUNDS = 3
"""Tone and blur are fitted one after the other until neither changes, so often at most."""
LEAST_COLOUR = 8.0
"""Gray levels between the channels that all but a hundredth of a gray picture keeps below."""


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Two pictures (H, W, 3) float32 in one tone and one blur; `colour` says whether both have any.

    `blur_first` and `blur_second` are the deviations that each was blurred by, in pixels.
    """

    first: Values
    second: Values
    colour: bool
    blur_first: float
    blur_second: float


def bring_together(first: Pixels, second: Pixels, inside: NDArray[np.bool_]) -> Together:
    """The first in the tone of the second, the sharper one as blurred as the other."""
    x, y = samples(first, second, inside)
    colour = not (is_gray(x) or is_gray(y))
    if not colour:
        first, second = grayed(first), grayed(second)
        x, y = grayed(x[None])[0], grayed(y[None])[0]
    middles, mask = _middles(first, second, inside)
    tone, blurs = _Toning.fitted(x, y), (0.0, 0.0)
    for _ in range(ROUNDS):
        before, blurs = blurs, _blurs(*tone.apply(*middles), mask)
        if blurs == before:
            break
        # Where one of them is blurred, tone shows once both are.
        x, y = samples(_blurred(first, blurs[0]), _blurred(second, blurs[1]), inside)
        tone = _Toning.fitted(x, y)
    toned_first, toned_second = tone.apply(first, second)
    return Together(
        _blurred(toned_first, blurs[0]), _blurred(toned_second, blurs[1]), colour, *blurs
    )


def samples(first: Pixels, second: Pixels, inside: NDArray[np.bool_]) -> tuple[Pixels, Pixels]:
    """(N, 3) colours of both at places around which light changes least, of each level.

    Edges that lie a fraction of a pixel beside each other, or are blurred, say nothing about tone.
    """
    step = max(1, math.ceil(max(inside.shape) / SAMPLED))
    high, wide = inside.shape
    rows, columns = slice(0, high - 1, step), slice(0, wide - 1, step)
    below, right = slice(1, high, step), slice(1, wide, step)
    chosen = inside[rows, columns].copy()
    slopes = np.zeros(chosen.shape, np.int16)
    for side in (first[..., 1], second[..., 1]):
        here = side[rows, columns].astype(np.int16)
        slopes += np.abs(side[below, columns] - here) + np.abs(side[rows, right] - here)
    # The quieter half of each level: ink on a white page must not be lost to the page.
    slope, level = slopes[chosen], (first[rows, columns, 1][chosen] >> 4).astype(np.intp)
    table = np.bincount(level * STEEP + np.minimum(slope, STEEP - 1), minlength=16 * STEEP)
    so_far = np.cumsum(table.reshape(16, STEEP), axis=1)
    median = (so_far < (so_far[:, -1:] + 1) // 2).sum(axis=1)
    chosen[chosen] = slope <= median[level]
    return first[rows, columns][chosen], second[rows, columns][chosen]


@dataclass(frozen=True, slots=True, eq=False)
class _Toning:
    """One picture brought into the tone of the other: what was clipped leads nowhere back."""

    tone: _Tone
    is_back: bool

    @classmethod
    def fitted(cls, x: Pixels, y: Pixels) -> _Toning:
        clipped, other_clipped = _clipped(x), _clipped(y)
        if abs(clipped - other_clipped) > CLIPPED:
            is_back = clipped > other_clipped
            return cls(_Tone.fitted(y, x) if is_back else _Tone.fitted(x, y), is_back)
        there, back = _Tone.fitted(x, y), _Tone.fitted(y, x)
        is_back = back.misses < there.misses
        return cls(back if is_back else there, is_back)

    def apply(self, first: Pixels, second: Pixels) -> tuple[Values, Values]:
        """Both pictures (H, W, 3), one of them in the tone of the other."""
        if self.is_back:
            return first.astype(np.float32), self.tone.apply(second)
        return self.tone.apply(first), second.astype(np.float32)


def _clipped(colours: Pixels) -> float:
    """The part of the values that lie at an end of the range."""
    return float(((colours >= 254) | (colours <= 1)).mean()) if len(colours) else 0.0


def is_gray(colours: Pixels, inside: NDArray[np.bool_] | None = None) -> bool:
    """Whether colours (..., 3), or those inside (...), are none worth the name.

    JPEG leaves a little.
    """
    if not colours.size:
        return True
    # Along short rows is slow.
    red, green, blue = cv2.split(colours.reshape(-1, 1, 3))
    spread = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    is_coloured = np.asarray(spread).ravel() >= LEAST_COLOUR
    if inside is not None:
        is_coloured &= inside.ravel()
    n = is_coloured.size if inside is None else int(np.count_nonzero(inside))
    return int(np.count_nonzero(is_coloured)) <= 0.01 * n


def grayed(colours: Pixels) -> Pixels:
    """A picture (H, W, 3) in gray."""
    return np.asarray(cv2.cvtColor(gray(colours), cv2.COLOR_GRAY2RGB), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Tone:
    """A curve for all channels, then a gain and an offset each: `table` (3, 256) of what becomes.

    `misses` is how far the colours that it was fitted on are from what they should become.
    """

    table: Values
    misses: float

    @classmethod
    def fitted(cls, x: Pixels, y: Pixels) -> _Tone:
        """What makes colours x (N, 3) most like y; what differs in a few places does not pull."""
        if len(x) < N_LEVELS:
            return cls(np.tile(LEVELS, (3, 1)), 0.0)
        x, y = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
        wanted = y.astype(np.float32)
        table, away, agree = np.zeros((3, 256), np.float32), wanted, np.ones(x.shape, bool)
        for _ in range(2):
            curve = monotone_curve(x[agree], y[agree])
            along = np.take(curve, x)
            lines = [_line(along[c][agree[c]], wanted[c][agree[c]]) for c in range(3)]
            table = np.stack([np.clip(curve * gain + offset, 0, 255) for gain, offset in lines])
            away = np.abs(np.stack([np.take(table[c], x[c]) for c in range(3)]) - wanted)
            agree = away <= max(6.0, 2.5 * _median(away))
        return cls(table, float(np.minimum(away, 32).mean()))

    def apply(self, picture: Pixels) -> Values:
        """A picture (H, W, 3) in this tone."""
        return np.asarray(cv2.LUT(picture, self.table.T[None]), np.float32)


def monotone_curve(x: Pixels, y: Pixels) -> Values:
    """(256,) what each level of x (N,) becomes in y: medians of 64 steps, made to rise by pooling
    adjacent violators.
    """
    level = (x >> 2).astype(np.int32)
    count = np.bincount(level, minlength=N_LEVELS)
    seen = np.flatnonzero(count >= LEAST_SAMPLES)
    if not len(seen):
        return LEVELS
    # Medians from a histogram of both: many times faster than sorting.
    table = np.bincount(level * 256 + y, minlength=N_LEVELS * 256).reshape(N_LEVELS, 256)[seen]
    below = np.cumsum(table, axis=1)
    middle = (below < (count[seen, None] + 1) // 2).sum(axis=1)
    held = np.take_along_axis(table, middle[:, None], axis=1)[:, 0]
    before = np.take_along_axis(below, middle[:, None], axis=1)[:, 0] - held
    to = middle - 0.5 + (count[seen] / 2 - before) / np.maximum(held, 1)
    at = np.bincount(level, weights=x, minlength=N_LEVELS)[seen] / count[seen]
    become = _rising(to, count[seen].astype(float))
    # Beyond what was seen, light goes on as it was.
    levels = np.array([min(0.0, at[0] - 1), *at, max(255.0, at[-1] + 1)])
    ends = become[0] + levels[0] - at[0], become[-1] + levels[-1] - at[-1]
    curve = np.interp(LEVELS, levels, np.clip([ends[0], *become, ends[1]], 0, 255))
    return np.asarray(curve, np.float32)


def _rising(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest sequence that never falls (isotonic regression; Barlow and others, 1972)."""
    pools: list[list[float]] = []
    for value, weight in zip(values, weights, strict=True):
        pools.append([value, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            v, w, n = pools.pop()
            u, m, k = pools.pop()
            pools.append([(v * w + u * m) / (w + m), w + m, n + k])
    return np.concatenate([np.full(int(n), value) for value, _, n in pools])


def _line(x: Values, y: Values) -> tuple[float, float]:
    if len(x) < N_LEVELS or float(x.std()) < 1.0:
        return 1.0, _lifted(y - x) if len(x) else 0.0
    away = x - x.mean()
    gain = float(away @ (y - y.mean())) / float(away @ away)
    gain = min(max(gain, LEAST_GAIN), MOST_GAIN)
    return gain, _lifted(y - gain * x)


def _lifted(gaps: Values) -> float:
    """The offset of a channel, as far as white balance and flare go."""
    return min(max(_median(gaps), -MOST_OFFSET), MOST_OFFSET)


def _median(values: Values) -> float:
    """The greater of the two middle ones where there are two; `numpy.median` takes longer."""
    middle = values.size // 2
    return float(np.partition(values, middle, axis=None)[middle])


def _middles(
    first: Pixels, second: Pixels, inside: NDArray[np.bool_]
) -> tuple[tuple[Pixels, Pixels], NDArray[np.uint8]]:
    """The middles of both pictures, on which blurs are tried, and a mask of where both are."""
    middle = tuple(
        slice(max(0, (size - SHOWN) // 2), (size + SHOWN) // 2 + 1) for size in inside.shape
    )
    sides = [np.ascontiguousarray(side[middle]) for side in (first, second)]
    return (sides[0], sides[1]), np.ascontiguousarray(inside[middle], dtype=np.uint8)


def _blurs(first: Values, second: Values, mask: NDArray[np.uint8]) -> tuple[float, float]:
    """How much the sharper of the two must be blurred to be nearest to the other."""
    a, b = (
        np.asarray(cv2.cvtColor(side, cv2.COLOR_RGB2GRAY), np.float32) for side in (first, second)
    )
    is_sharper = _sharpness(a) > _sharpness(b)
    best = (EARNED * float(cv2.norm(a, b, cv2.NORM_L2, mask)), (0.0, 0.0))
    for sigma in BLURS:
        x, y = (_blurred(a, sigma), b) if is_sharper else (a, _blurred(b, sigma))
        distance = float(cv2.norm(x, y, cv2.NORM_L2, mask))
        if distance > 1.5 * best[0]:
            break  # much more blurred than the other by now
        best = min(best, (distance, (sigma, 0.0) if is_sharper else (0.0, sigma)))
    return best[1]


def _sharpness(light: Values) -> float:
    return float(np.abs(cv2.Laplacian(light, cv2.CV_32F)).mean())


def _blurred(picture: P, sigma: float) -> P:
    """A picture blurred, of the type that it has."""
    if sigma == 0:
        return picture
    return cast(P, cv2.GaussianBlur(picture, (0, 0), sigma))
