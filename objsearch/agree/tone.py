"""Bring tone, colour and blur of two pictures together, by a global model alone.

One monotone curve for all channels, a gain and an offset a channel (white balance), one strength of
colour, one blur. So what was brightened, turned to gray or softened as a whole looks alike again,
and what has another colour in one place does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

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
CLIPPED = 5e-4
"""So much more of one picture lies at an end of the range, where it was cut off there."""
MUCH = 1.2
"""Deviation of a blur, in pixels, that shows in what tone is fitted on."""
LEAST_COLOUR = 8.0
"""Gray levels between the channels that all but a hundredth of a gray picture keeps below."""


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Two pictures (H, W, 3) float32 in one tone and one blur; `colour` says whether both have any.

    `blur_one` and `blur_other` are the deviations that each was blurred by, in pixels.
    """

    one: Values
    other: Values
    colour: bool
    blur_one: float
    blur_other: float


def bring_together(one: Values, other: Values, inside: NDArray[np.bool_]) -> Together:
    """The first in the tone of the second, the sharper one as blurred as the other."""
    x, y = _samples(one, other, inside)
    colour = not (is_gray(x) or is_gray(y))
    if not colour:
        one, other = _grayed(one), _grayed(other)
        x, y = _grayed(x), _grayed(y)
    middles, mask = _middles(one, other, inside)
    tone, blurs = _Toning.fitted(x, y), (0.0, 0.0)
    for _ in range(2):
        blurs = _blurs(*tone.apply(*middles), mask)
        if max(blurs) < MUCH:
            break
        # Where one of them is blurred that much, tone shows once both are.
        x, y = _samples(_blurred(one, blurs[0]), _blurred(other, blurs[1]), inside)
        tone = _Toning.fitted(x, y)
    one, other = (
        _blurred(side, sigma) for side, sigma in zip(tone.apply(one, other), blurs, strict=True)
    )
    return Together(one, other, colour, *blurs)


def _samples(one: Values, other: Values, inside: NDArray[np.bool_]) -> tuple[Values, Values]:
    """(N, 3) colours of both at places around which light changes least, of each level.

    Edges that lie a fraction of a pixel beside each other, or are blurred, say nothing about tone.
    """
    step = max(1, math.ceil(max(inside.shape) / SAMPLED))
    high, wide = inside.shape
    rows, columns = slice(0, high - 1, step), slice(0, wide - 1, step)
    below, right = slice(1, high, step), slice(1, wide, step)
    slopes = np.zeros(inside[rows, columns].shape, np.float32)
    for side in (one[..., 1], other[..., 1]):
        here = side[rows, columns]
        slopes += np.abs(side[below, columns] - here) + np.abs(side[rows, right] - here)
    chosen = inside[rows, columns].copy()
    # The quieter half of each level: ink on a white page must not be lost to the page.
    slope, level = slopes[chosen], (one[rows, columns, 1][chosen] / 16).astype(np.int32)
    quiet = np.zeros(slope.shape, bool)
    for k in np.unique(level):
        of_level = level == k
        quiet[of_level] = slope[of_level] <= np.median(slope[of_level])
    chosen[chosen] = quiet
    return one[rows, columns][chosen], other[rows, columns][chosen]


@dataclass(frozen=True, slots=True, eq=False)
class _Toning:
    """One picture brought into the tone of the other: what was clipped leads nowhere back."""

    tone: _Tone
    is_back: bool

    @classmethod
    def fitted(cls, x: Values, y: Values) -> _Toning:
        there, back = _Tone.fitted(x, y), _Tone.fitted(y, x)
        clipped, other_clipped = _clipped(x), _clipped(y)
        if abs(clipped - other_clipped) > CLIPPED:
            is_back = clipped > other_clipped
        else:
            is_back = back.misses(y, x) < there.misses(x, y)
        return cls(back if is_back else there, is_back)

    def apply(self, one: Values, other: Values) -> tuple[Values, Values]:
        return (one, self.tone.apply(other)) if self.is_back else (self.tone.apply(one), other)


def _clipped(colours: Values) -> float:
    """The part of the values that lie at an end of the range."""
    return float(((colours >= 254) | (colours <= 1)).mean()) if len(colours) else 0.0


def is_gray(colours: Values) -> bool:
    """Whether colours (N, 3) are none worth the name; JPEG leaves a little."""
    if not len(colours):
        return True
    return float(np.percentile(colours.max(axis=1) - colours.min(axis=1), 99)) < LEAST_COLOUR


def _grayed(colours: Values) -> Values:
    weights = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
    return np.repeat((colours @ weights)[..., None], 3, axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class _Tone:
    """A curve for all channels, then a gain and an offset each."""

    levels: NDArray[np.float64]
    become: NDArray[np.float64]
    lines: tuple[tuple[float, float], ...]

    @classmethod
    def fitted(cls, x: Values, y: Values) -> _Tone:
        """What makes colours x (N, 3) most like y; what differs in a few places does not pull."""
        tone = cls(np.array([0.0, 255.0]), np.array([0.0, 255.0]), ((1.0, 0.0),) * 3)
        if len(x) < N_LEVELS:
            return tone
        agree = np.ones(x.shape, bool)
        for _ in range(2):
            levels, become = monotone_curve(x[agree], y[agree])
            along = np.interp(x, levels, become).astype(np.float32)
            lines = tuple(_line(along[:, c], y[:, c], agree[:, c]) for c in range(3))
            tone = cls(levels, become, lines)
            away = np.abs(tone.apply(x) - y)
            agree = away <= max(6.0, 2.5 * float(np.median(away)))
        return tone

    def misses(self, x: Values, y: Values) -> float:
        """How far colours in this tone are from y, in gray levels."""
        return float(np.mean(np.minimum(np.abs(self.apply(x) - y), 32))) if len(x) else 0.0

    def apply(self, picture: Values) -> Values:
        """Colours (..., 3) in this tone."""
        gain, offset = np.array(self.lines, np.float32).T
        table = np.interp(np.arange(0, 256, 0.25), self.levels, self.become).astype(np.float32)
        curved = np.take(table, (picture * 4).astype(np.int16), mode="clip")
        return np.clip(curved * gain + offset, 0, 255, out=curved)


def monotone_curve(x: Values, y: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Levels and what each becomes: medians a level, made to rise by pooling adjacent violators."""
    x, y = x.ravel(), y.ravel()
    level = np.clip((x * (N_LEVELS / 256.0)).astype(np.int32), 0, N_LEVELS - 1)
    count = np.bincount(level, minlength=N_LEVELS)
    seen = np.flatnonzero(count >= LEAST_SAMPLES)
    if not len(seen):
        return np.array([0.0, 255.0]), np.array([0.0, 255.0])
    # Medians from a histogram of both: many times faster than sorting.
    height = np.clip(y + 0.5, 0, 255).astype(np.int32)
    table = np.bincount(level * 256 + height, minlength=N_LEVELS * 256).reshape(N_LEVELS, 256)
    below = np.cumsum(table[seen], axis=1)
    middle = (below < (count[seen, None] + 1) // 2).sum(axis=1)
    held = np.take_along_axis(table[seen], middle[:, None], axis=1)[:, 0]
    before = np.take_along_axis(below, middle[:, None], axis=1)[:, 0] - held
    to = middle - 0.5 + (count[seen] / 2 - before) / np.maximum(held, 1)
    at = np.bincount(level, weights=x, minlength=N_LEVELS)[seen] / count[seen]
    weight = count[seen].astype(float)
    become = _rising(to, weight)
    # Beyond what was seen, light goes on as it was.
    levels = np.array([min(0.0, at[0] - 1), *at, max(255.0, at[-1] + 1)])
    ends = become[0] + levels[0] - at[0], become[-1] + levels[-1] - at[-1]
    return levels, np.clip([ends[0], *become, ends[1]], 0, 255)


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


def _line(x: Values, y: Values, weight: NDArray[np.bool_]) -> tuple[float, float]:
    x, y = x[weight], y[weight]
    if len(x) < N_LEVELS or float(x.std()) < 1.0:
        return 1.0, _lifted(y - x) if len(x) else 0.0
    gain = float(np.cov(x, y)[0, 1] / x.var(ddof=1))
    gain = min(max(gain, LEAST_GAIN), MOST_GAIN)
    return gain, _lifted(y - gain * x)


def _lifted(gaps: Values) -> float:
    """The offset of a channel, as far as white balance and flare go."""
    return float(np.clip(np.median(gaps), -MOST_OFFSET, MOST_OFFSET))


def _middles(
    one: Values, other: Values, inside: NDArray[np.bool_]
) -> tuple[tuple[Values, Values], NDArray[np.uint8]]:
    """The middles of both pictures, on which blurs are tried, and a mask of where both are."""
    middle = tuple(
        slice(max(0, (size - SHOWN) // 2), (size + SHOWN) // 2 + 1) for size in inside.shape
    )
    sides = [np.ascontiguousarray(side[middle]) for side in (one, other)]
    return (sides[0], sides[1]), np.ascontiguousarray(inside[middle], dtype=np.uint8)


def _blurs(one: Values, other: Values, mask: NDArray[np.uint8]) -> tuple[float, float]:
    """How much the sharper of the two must be blurred to be nearest to the other."""
    a, b = (np.asarray(cv2.cvtColor(side, cv2.COLOR_RGB2GRAY), np.float32) for side in (one, other))
    is_sharper = _sharpness(a) > _sharpness(b)
    best = (EARNED * float(cv2.norm(a, b, cv2.NORM_L2, mask)), (0.0, 0.0))
    for sigma in BLURS:
        x, y = (_blurred(a, sigma), b) if is_sharper else (a, _blurred(b, sigma))
        found = float(cv2.norm(x, y, cv2.NORM_L2, mask))
        if found > 1.5 * best[0]:
            break  # much more blurred than the other by now
        best = min(best, (found, (sigma, 0.0) if is_sharper else (0.0, sigma)))
    return best[1]


def _sharpness(light: Values) -> float:
    return float(np.abs(cv2.Laplacian(light, cv2.CV_32F)).mean())


def _blurred(picture: Values, sigma: float) -> Values:
    return (
        picture if sigma == 0 else np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    )
