"""The robust signature: 256 keyed bits in the low frequencies of brightness.

The picture's cosine transform has the same low coefficients at every size. They are taken for the
picture on 8 x 8 cells, and of each cell's waves a keyed stream deals shares to four bits. Of each
share a signed sum is taken, and moved to the nearest point of a lattice that stands for the bit's
value. So a bit outlasts what is done to the whole frame, and what covers a part of the frame takes
only the bits that lie there. Sources: I. Cox, J. Kilian, T. Leighton, T. Shamoon, "Secure Spread
Spectrum Watermarking for Multimedia", IEEE Transactions on Image Processing 6 (1997), for a keyed
spread over the low frequencies; B. Chen, G. Wornell, "Quantization Index Modulation", IEEE
Transactions on Information Theory 47 (2001), for the lattice with a dither (spread-transform dither
modulation), which keeps the picture itself from disturbing its mark.

It survives what keeps the frame: compression, scaling, blur, noise, text and turning by 90 degrees.
It does not survive cropping.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.signing.bits import N_BITS
from objsearch.signing.password import Key

Floats = NDArray[np.float64]
Samples = NDArray[Any]
"""(H, W, 1 | 2 | 3 | 4) uint8: gray or RGB, each with or without transparency."""

MIN_SIDE = 128
"""Pixels of the shorter side: halved, it still holds all the coefficients used."""

STEPS = (45.25, 64.0, 90.5, 128.0, 181.0)
"""Distances of lattice points of one value; the first moves samples by about 0.8, or 49 dB."""

_SIDE = 56  # coefficients a direction: no more than half the smallest picture holds
_CELLS = 8  # a direction
_WAVES = 5  # a direction and cell
_SHARE = 4  # waves of a bit
_SCALE = 256.0  # coefficients are those of the picture at 256 x 256, whatever its size
_WORKING = 512  # pixels a side that the transform is taken of, at most
_STRIP = 256  # rows at a time, so that large pictures need little memory
_ROUNDS = 8
_CLOSE = 1 / 32  # of a step: near enough to a lattice point


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What a key says: each bit's waves (256, 4) with their signs, its dither, its value."""

    places: NDArray[np.intp]
    weights: Floats
    dithers: Floats
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, key: Key) -> Layout:
        used = _used_waves()
        drawn = key.stream("robust/order", 8 * used.size).view("<u8").reshape(used.shape)
        dealt = np.take_along_axis(used, np.argsort(drawn, axis=1, kind="stable"), axis=1)
        places = dealt.reshape(N_BITS, _SHARE)
        signs = 1.0 - 2.0 * key.bits("robust/signs", places.size).reshape(places.shape)
        dithers = key.stream("robust/dithers", 4 * N_BITS).view("<u4") / 2.0**32
        return cls(places, signs / np.sqrt(_SHARE), dithers, key.bits("robust/bits", N_BITS))

    def sums(self, coefficients: Floats) -> Floats:
        """(256,): each bit's signed sum."""
        waves = _local() @ coefficients @ _local().T
        return np.asarray((waves.reshape(-1)[self.places] * self.weights).sum(axis=1))

    def spread(self, moves: Floats) -> Floats:
        """The coefficients that move each bit's sum by so much, or nearly: cells touch."""
        side = _CELLS * _WAVES
        waves = np.zeros(side * side)
        waves[self.places] = moves[:, None] * self.weights
        return np.asarray(_local().T @ waves.reshape(side, side) @ _local())


def _used_waves() -> NDArray[np.intp]:
    """(64, 16): the places of each cell's waves, without those whose mean is not 0."""
    cell_y, cell_x, wave_y, wave_x = np.indices((_CELLS, _CELLS, _WAVES, _WAVES))
    rows, columns = cell_y * _WAVES + wave_y, cell_x * _WAVES + wave_x
    # Wave n goes through n + 1 half periods: an even number of them means 0.
    is_level = (wave_y % 2 == 1) | (wave_x % 2 == 1)
    places = (rows * _CELLS * _WAVES + columns)[is_level]
    return np.asarray(places, np.intp).reshape(_CELLS * _CELLS, -1)


@cache
def _local() -> Floats:
    """(40, 56): the waves of 8 cells (sines, 0 at a cell's edges) in terms of 56 cosines."""
    n = 1024
    places = (np.arange(n) + 0.5) / n * _CELLS
    cells = places.astype(np.intp)
    waves = np.zeros((_CELLS * _WAVES, n))
    for number in range(_WAVES):
        heights = np.sin(np.pi * (number + 1) * (places - cells))
        waves[cells * _WAVES + number, np.arange(n)] = heights
    local = waves @ _cosines(n).T.astype(np.float64)
    return np.asarray(local / np.linalg.norm(local, axis=1, keepdims=True))


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
    """(56, 56) low coefficients of the orthonormal cosine transform (DCT-II) of brightness.

    Rows are vertical frequencies; the mean is left out. What is transparent counts as white.
    """
    small = _shrunk(_brightness(samples)).astype(np.float32)
    height, width = small.shape
    low = _product(_cosines(height), _product(small, _cosines(width).T)).astype(np.float64)
    low[0, 0] = 0.0
    return np.asarray(low * (_SCALE / np.sqrt(height * width)))


def _painted(samples: Samples, coefficients: Floats) -> Samples:
    """The samples with a pattern of the given coefficients added to every colour."""
    height, width = samples.shape[:2]
    low_h, low_w = min(height, _WORKING), min(width, _WORKING)
    scaled = (coefficients * (np.sqrt(low_h * low_w) / _SCALE)).astype(np.float32)
    pattern = _product(_cosines(low_h).T, _product(scaled, _cosines(low_w)))
    if (low_h, low_w) != (height, width):
        enlarged = cv2.resize(pattern, (width, height), interpolation=cv2.INTER_CUBIC)
        pattern = np.asarray(enlarged, np.float32)
    painted = samples.copy()
    n_colours = _n_colours(samples)
    for start in range(0, height, _STRIP):
        rows = slice(start, start + _STRIP)
        wanted = samples[rows, :, :n_colours] + pattern[rows, :, None]
        painted[rows, :, :n_colours] = np.rint(wanted).clip(0, 255)
    return painted


def _shrunk(brightness: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most 512 pixels a side: fine detail says nothing of low frequencies."""
    height, width = brightness.shape
    size_wh = min(width, _WORKING), min(height, _WORKING)
    if size_wh == (width, height):
        return brightness
    return np.asarray(cv2.resize(brightness, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """left @ right, eight rows at a time.

    For larger products OpenBLAS wakes its threads, which takes several times as long as the work.
    """
    return np.concatenate([left[row : row + 8] @ right for row in range(0, len(left), 8)])


@lru_cache(maxsize=8)
def _cosines(n: int) -> NDArray[np.float32]:
    """(56, n): the lowest cosines over n samples; those that n samples cannot hold are 0."""
    numbers = np.arange(_SIDE)[:, None]
    waves = np.cos(np.pi * numbers * (2 * np.arange(n) + 1) / (2 * n)) * np.sqrt(2.0 / n)
    waves[0] /= np.sqrt(2.0)
    waves[n:] = 0.0
    return np.asarray(waves, np.float32)


def _n_colours(samples: Samples) -> int:
    return 3 if samples.shape[2] >= 3 else 1


def _brightness(samples: Samples) -> NDArray[np.uint8]:
    """(H, W): luminance (ITU-R BT.601), as laid on white."""
    n_colours = _n_colours(samples)
    colours = np.ascontiguousarray(samples[..., :n_colours])
    gray = colours[..., 0] if n_colours == 1 else cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    if samples.shape[2] == n_colours:
        return np.asarray(gray, np.uint8)
    opacity = samples[..., n_colours]
    light = gray.astype(np.uint16) * opacity + np.uint16(255) * (255 - opacity.astype(np.uint16))
    return np.asarray((light + 127) // 255, np.uint8)
