"""The robust signature: 256 keyed bits in the low frequencies of brightness.

The picture's cosine transform has the same low coefficients at every size. A keyed stream deals
them to the bits; of each bit's share a signed sum is taken, and moved to the nearest point of a
lattice that stands for the bit's value. Sources: I. Cox, J. Kilian, T. Leighton, T. Shamoon,
"Secure Spread Spectrum Watermarking for Multimedia", IEEE Transactions on Image Processing 6
(1997), for spreading over the transform of the whole picture; B. Chen, G. Wornell, "Quantization
Index Modulation", IEEE Transactions on Information Theory 47 (2001), for the lattice with a dither
(spread-transform dither modulation), which keeps the picture itself from disturbing its mark.

It survives what keeps the frame: compression, scaling, blur, noise, and turning by 90 degrees. It
does not survive cropping.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objsearch.tasks.signing.bits import N_BITS
from objsearch.tasks.signing.password import Key

Floats = NDArray[np.float64]
Samples = NDArray[Any]
"""(H, W, 1 | 2 | 3 | 4) uint8: gray or RGB, each with or without transparency."""

MIN_SIDE = 128
"""Pixels of the shorter side: halved, it still holds all the coefficients used."""

STEPS = (64.0, 90.5, 128.0, 181.0)
"""Distances of lattice points of one value; the first moves samples by about 1.2, or 46 dB."""

_SIDE = 40  # coefficients a direction
_LOWEST = 6.0  # below lie light and shade, which the simplest edit changes
_SCALE = 256.0  # coefficients are those of the picture at 256 x 256, whatever its size
_STRIP = 256  # rows at a time, so that large pictures need little memory
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_ROUNDS = 5
_CLOSE = 1 / 32  # of a step: near enough to a lattice point


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What a key says: each bit's coefficients (256, n) with their signs, its dither, its value."""

    places: NDArray[np.intp]
    weights: Floats
    dithers: Floats
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, key: Key) -> Layout:
        v, u = np.divmod(np.arange(_SIDE * _SIDE), _SIDE)
        used = np.flatnonzero(np.hypot(u, v) >= _LOWEST)
        dealt = used[key.order("robust/order", len(used))]
        share = len(dealt) // N_BITS
        places = dealt[: share * N_BITS].reshape(N_BITS, share)
        signs = 1.0 - 2.0 * key.bits("robust/signs", places.size).reshape(places.shape)
        dithers = key.stream("robust/dithers", 4 * N_BITS).view("<u4") / 2.0**32
        return cls(places, signs / np.sqrt(share), dithers, key.bits("robust/bits", N_BITS))

    def sums(self, coefficients: Floats) -> Floats:
        """(256,): each bit's signed sum."""
        return np.asarray((coefficients.reshape(-1)[self.places] * self.weights).sum(axis=1))

    def spread(self, moves: Floats) -> Floats:
        """The coefficients that move each bit's sum by so much."""
        coefficients = np.zeros(_SIDE * _SIDE)
        coefficients[self.places] = moves[:, None] * self.weights
        return coefficients.reshape(_SIDE, _SIDE)


def sign_with_step(samples: Samples, layout: Layout, step: float) -> Samples:
    """The samples with the mark in them; transparency stays."""
    sums = layout.sums(coefficients_of(samples))
    offsets = step * (layout.dithers + layout.bits / 2.0)
    targets = offsets + np.rint((sums - offsets) / step) * step
    base = samples
    for headroom in (0, round(step / 16.0)):
        base = _with_headroom(samples, headroom)
        signed, error = _moved(base, layout, targets, step)
        if error < step / 8.0:  # a quarter would be a wrong bit
            break
    return signed


def _moved(samples: Samples, layout: Layout, targets: Floats, step: float) -> tuple[Samples, float]:
    """Samples whose sums are at the targets, and the largest distance left.

    Rounding, limits and transparency take their part of a move, so it is asked for again.
    """
    moves = np.zeros(N_BITS)
    signed = samples
    error = np.inf
    for _ in range(_ROUNDS):
        left = targets - layout.sums(coefficients_of(signed))
        error = float(np.abs(left).max())
        if error < _CLOSE * step:
            break
        moves += left
        signed = _painted(samples, layout.spread(moves))
    return signed, error


def _with_headroom(samples: Samples, levels: int) -> Samples:
    """Black and white made a little less so: they could be moved one way only."""
    if levels == 0:
        return samples
    limited = samples.copy()
    n_colours = _n_colours(samples)
    limited[..., :n_colours] = samples[..., :n_colours].clip(levels, 255 - levels)
    return limited


def coefficients_of(samples: Samples) -> Floats:
    """(40, 40) low coefficients of the orthonormal cosine transform (DCT-II) of brightness.

    Rows are vertical frequencies. What is transparent counts as laid on white.
    """
    height, width = samples.shape[:2]
    down, across = _cosines(height), _cosines(width)
    total = np.zeros((_SIDE, _SIDE))
    for rows in _strips(height):
        total += down[:, rows] @ (_brightness(samples[rows]) @ across.T)
    return np.asarray(total * (_SCALE / np.sqrt(height * width)))


def _painted(samples: Samples, coefficients: Floats) -> Samples:
    """The samples with a pattern of the given coefficients added to every colour."""
    height, width = samples.shape[:2]
    down, across = _cosines(height), _cosines(width)
    pattern = (coefficients * (np.sqrt(height * width) / _SCALE)).astype(np.float32)
    painted = samples.copy()
    n_colours = _n_colours(samples)
    for rows in _strips(height):
        added = down[:, rows].T @ (pattern @ across)
        wanted = samples[rows, :, :n_colours] + added[..., None]
        painted[rows, :, :n_colours] = np.rint(wanted).clip(0, 255)
    return painted


@lru_cache(maxsize=8)
def _cosines(n: int) -> NDArray[np.float32]:
    """(40, n): the lowest cosines over n samples; those that n samples cannot hold are 0."""
    numbers = np.arange(_SIDE)[:, None]
    waves = np.cos(np.pi * numbers * (2 * np.arange(n) + 1) / (2 * n)) * np.sqrt(2.0 / n)
    waves[0] /= np.sqrt(2.0)
    waves[n:] = 0.0
    return np.asarray(waves, np.float32)


def _strips(height: int) -> Iterator[slice]:
    for start in range(0, height, _STRIP):
        yield slice(start, min(start + _STRIP, height))


def _n_colours(samples: Samples) -> int:
    return 3 if samples.shape[2] >= 3 else 1


def _brightness(samples: Samples) -> NDArray[np.float32]:
    n_colours = _n_colours(samples)
    colours = samples[..., :n_colours].astype(np.float32)
    brightness = colours @ _LUMINANCE if n_colours == 3 else colours[..., 0]
    if samples.shape[2] == n_colours:
        return np.asarray(brightness)
    opacity = samples[..., n_colours].astype(np.float32) / 255.0
    return np.asarray(255.0 + (brightness - 255.0) * opacity)
