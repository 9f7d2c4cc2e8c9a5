"""Does a larger copy show more than a smaller one, or was it only enlarged?

What an enlargement adds above the query's finest detail can be foretold from the query: nothing, or
the traces of its resampling filter and of its compression. Detail is what is there and cannot be
foretold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.compression import BLOCK, steps_of, stored
from objsearch.agree.repeating import nudged, repeated
from objsearch.images.transform import crop, gray
from objsearch.match.geometry import inverse, jacobian, local_scale
from objsearch.types import Box, Pixels

Matrix = NDArray[np.float64]
Plane = NDArray[np.float32]
"""(H, W) luminance."""

TILES = (64, 32)
"""Pixels a side of the squares whose spectra are taken: the first size that enough fit of."""
MIN_TILES = 6
MIN_SCALE = 1.05
"""Below this there is no band above the query's to look into."""
MAX_OCTAVE = 2.0
"""Larger references are reduced to this: detail begins right above the query's."""
WINDOW_SIDE = 256
REPEATED = 0.6
"""What lies off by less of what smooth filters do repeats pixels; few drawings have so little."""
LEAST_KEPT = 0.3
"""Of `kept`: with less, the larger one was enlarged from a picture that had less than the smaller.
Of 40 photos, sharpened or not, at 120 to 320 pixels and JPEG 60 to 95, the larger ones keep half
and more, and enlargements from half that size 0.23 at most."""
_MOST_REFERENCE_SIDE = 2048
_MID = (0.5, 0.95)
_HIGH = 1.06
_FLOOR_PERCENT = 10.0
_WHOLLY = 0.999  # of a pixel lies inside
_SLOPE = 0.15  # the borders of the bands are not sharp


@dataclass(frozen=True, slots=True, eq=False)
class _Tiles:
    """Spectra of the tiles of one picture, (N, F) complex, at the frequencies of two bands."""

    mid: NDArray[np.complex64]
    high: NDArray[np.complex64]


class Detail(NamedTuple):
    """What a larger picture shows beside a smaller one of the same.

    `gain`: energy above the smaller one's finest detail that it does not foretell, >= 0. About 1
    for a photo as sharp as photos are, 0 for one that was only enlarged: it is told as a part of
    the energy in the octave below and of what the width of the band lets expect. `at_most`: the
    same without regard to compression, which is not always foretold rightly. `repeated`: how
    far the smaller one lies off when its pixels are repeated, over how far with the better of two
    smooth filters; photos have 0.9 and more, drawings of straight lines 0.5 and more, and what was
    enlarged by repeating pixels mostly 0.2 to 0.6 (`benchmarks/results/duplicates.md`). `kept`: the
    part of the smaller one's own finest detail that the larger shows, about 1 for a photo.
    """

    gain: float
    at_most: float
    repeated: float
    kept: float

    @property
    def is_lesser(self) -> bool:
        """Whether the larger one repeats pixels, or keeps less than the smaller one has."""
        return self.repeated < REPEATED or self.kept < LEAST_KEPT


def detail_gain(query: Pixels, reference: Pixels, transform: Matrix) -> float | None:
    """The `gain` of the reference, 0 of a lesser one; None where it cannot be told."""
    detail = detail_of(query, reference, transform)
    if detail is None:
        return None
    return 0.0 if detail.is_lesser else detail.gain


def detail_of(query: Pixels, reference: Pixels, transform: Matrix) -> Detail | None:
    """What a reference shows beside a query that `transform` (3, 3) leads from.

    None where it cannot be told: scales under 1.05, too small or too flat a part in common.
    """
    window = _window(query, reference, transform)
    if window is None:
        return None
    small, large, onto = window
    step = jacobian(onto, np.array([small.shape[1] / 2, small.shape[0] / 2]))
    scale = float(np.sqrt(abs(np.linalg.det(step))))
    reduced = min(1.0, MAX_OCTAVE / scale)
    height, width = large.shape
    size_wh = (max(1, round(width * reduced)), max(1, round(height * reduced)))
    shown = _laid(np.ones_like(small), onto, large, cv2.INTER_LINEAR)
    places, side = _places(_reduced(shown, size_wh))
    bands = _bands(np.diag([size_wh[0] / width, size_wh[1] / height]) @ step, side)
    if len(places) < MIN_TILES or not bands.high.any():
        return None
    look, is_inside = _Look(size_wh, places, bands), shown > _WHOLLY
    enlarged = [
        repeated(small, nudged(small, onto, large, is_inside), large),
        *(_laid(small, onto, large, how) for how in (cv2.INTER_LINEAR, cv2.INTER_CUBIC)),
    ]
    steps = steps_of(large)
    made = [stored(plane, steps) for plane in enlarged]
    guesses = [
        _Guess(look.of(plane), look.of(kept - plane))
        for plane, kept in zip(enlarged, made, strict=True)
    ]
    seen = look.of(large)
    gains = _gains(seen, guesses, min(scale, MAX_OCTAVE))
    if gains is None:
        return None
    off, *smooth = (float(np.abs(kept - large)[is_inside].mean()) for kept in made)
    return Detail(*gains, off / max(min(smooth), 1e-6), _kept(seen, guesses[-1].shown))


class _Guess(NamedTuple):
    """What the larger picture would be, enlarged, and what its compression would add to that."""

    shown: _Tiles
    added: _Tiles


def _gains(seen: _Tiles, guesses: Sequence[_Guess], scale: float) -> tuple[float, float] | None:
    """The unforetold energy of the most structured third of the tiles, under the best guess.

    With what compression adds foretold, and without.
    """
    mid = _energy(seen.mid)
    if mid.max() <= 0:
        return None
    chosen = _most_structured(mid)
    left = [_left(seen.high, guess.shown.high) for guess in guesses]
    added = [_energy(guess.added.high) for guess in guesses]
    unforetold = min(
        _above_floor(rest - of_it, chosen) for rest, of_it in zip(left, added, strict=True)
    )
    expected = np.log2(scale) + _SLOPE  # of a spectrum that falls with the square, as photos' do
    unit = float(mid[chosen].sum() * expected)
    return unforetold / unit, min(_above_floor(rest, chosen) for rest in left) / unit


def _kept(seen: _Tiles, shown: _Tiles) -> float:
    """The part of the smaller one's finest detail that is seen, in amplitude, where it has most.

    `shown` is the smaller one enlarged by the filter that keeps most of it.
    """
    energy = _energy(shown.mid)
    chosen = _most_structured(energy)
    shared = np.abs((seen.mid * shown.mid.conj()).sum(axis=1))
    return float(shared[chosen].sum() / max(float(energy[chosen].sum()), 1e-9))


def _most_structured(energy: NDArray[np.float64]) -> NDArray[np.intp]:
    """The third of the tiles that has most of an energy (N,)."""
    return np.argsort(-energy, kind="stable")[: max(1, len(energy) // 3)]


def _above_floor(energy: NDArray[np.float64], chosen: NDArray[np.intp]) -> float:
    # Noise and blocks of compression are everywhere, detail only where there is something to see.
    return max(0.0, float((energy[chosen] - np.percentile(energy, _FLOOR_PERCENT)).sum()))


def _left(seen: NDArray[np.complex64], guess: NDArray[np.complex64]) -> NDArray[np.float64]:
    """(N,) energy left of each tile when the guess, at its best strength, is taken off."""
    shared = (seen * guess.conj()).sum(axis=1)
    energy = _energy(seen)
    explained = np.abs(shared) ** 2 / (_energy(guess) + 1e-3 * energy.mean() + 1e-9)
    return np.asarray(energy - explained, np.float64)


def _energy(spectra: NDArray[np.complex64]) -> NDArray[np.float64]:
    return np.asarray((np.abs(spectra) ** 2).sum(axis=1, dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class _Bands:
    """Which frequencies of a tile's spectrum count, (side, side // 2 + 1) each."""

    side: int
    mid: NDArray[np.bool_]
    high: NDArray[np.bool_]


def _bands(step: Matrix, side: int) -> _Bands:
    """The bands below and above the query's finest detail; `step` (2, 2) query to tile pixels."""
    vertical, horizontal = np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij")
    in_query = np.stack([horizontal, vertical], axis=-1) @ step
    fineness = np.abs(in_query).max(axis=-1) / 0.5
    return _Bands(side, (fineness > _MID[0]) & (fineness < _MID[1]), fineness > _HIGH)


def _places(inside: Plane) -> tuple[list[tuple[int, int]], int]:
    """Corners (x, y) of the tiles that lie inside altogether, and their side."""
    height, width = inside.shape
    places: list[tuple[int, int]] = []
    for side in TILES:
        places = [
            (x, y)
            for y in range(0, height - side + 1, side // 2)
            for x in range(0, width - side + 1, side // 2)
            if inside[y : y + side, x : x + side].min() > _WHOLLY
        ]
        if len(places) >= MIN_TILES:
            break
    return places, side


class _Look(NamedTuple):
    """Where and how finely planes of the larger picture's pixels are looked at."""

    size_wh: tuple[int, int]
    places: Sequence[tuple[int, int]]
    bands: _Bands

    def of(self, plane: Plane) -> _Tiles:
        side, plane = self.bands.side, _reduced(plane, self.size_wh)
        taper = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
        tiles = np.stack([plane[y : y + side, x : x + side] for x, y in self.places])
        tiles = (tiles - tiles.mean(axis=(1, 2), keepdims=True)) * taper
        spectra = np.fft.rfft2(tiles).astype(np.complex64)
        return _Tiles(spectra[:, self.bands.mid], spectra[:, self.bands.high])


def _laid(query: Plane, onto: Matrix, large: Plane, how: int) -> Plane:
    """The query enlarged to the reference's pixels by one of OpenCV's filters."""
    size_wh = (large.shape[1], large.shape[0])
    return np.asarray(cv2.warpPerspective(query, onto, size_wh, flags=how), np.float32)


def _reduced(plane: Plane, size_wh: tuple[int, int]) -> Plane:
    if size_wh == (plane.shape[1], plane.shape[0]):
        return plane
    return np.asarray(cv2.resize(plane, size_wh, interpolation=cv2.INTER_AREA), np.float32)


def _window(
    query: Pixels, reference: Pixels, transform: Matrix
) -> tuple[Plane, Plane, Matrix] | None:
    """The part of both that is looked at, and the transform between the parts.

    It is the most structured one where the query is large, so that time and memory are bounded.
    """
    height, width = query.shape[:2]
    scale = local_scale(transform, np.array([width, height]) / 2)
    if not np.isfinite(scale) or scale < MIN_SCALE:
        return None
    side = int(max(TILES[0], min(WINDOW_SIDE, _MOST_REFERENCE_SIDE / scale)))
    box = _liveliest(gray(query), side, transform, reference)
    corners = np.array([(box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2)])
    mapped = cv2.perspectiveTransform(corners[None].astype(np.float64), transform)[0]
    (x1, y1), (x2, y2) = mapped.min(axis=0), mapped.max(axis=0)
    there = Box(float(x1), float(y1), float(x2), float(y2))
    there = there.clipped((reference.shape[1], reference.shape[0]))
    if min(there.width, there.height) < TILES[-1]:
        return None
    # It begins with a whole block, so that what compression did to it can be seen.
    left, top = (int(corner) // BLOCK * BLOCK for corner in (there.x1, there.y1))
    there = Box(left, top, there.x2, there.y2)
    into = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]])
    out_of = np.array([[1.0, 0.0, box.x1], [0.0, 1.0, box.y1], [0.0, 0.0, 1.0]])
    small = gray(np.ascontiguousarray(crop(query, box))).astype(np.float32)
    large = gray(np.ascontiguousarray(crop(reference, there))).astype(np.float32)
    return small, large, into @ transform @ out_of


def _liveliest(plane: NDArray[np.uint8], side: int, transform: Matrix, reference: Pixels) -> Box:
    """The box of at most `side` pixels a side with the most contrast that the reference holds."""
    height, width = plane.shape
    if max(height, width) <= side:
        return Box(0, 0, width, height)
    contrast = np.abs(cv2.Laplacian(plane.astype(np.float32), cv2.CV_32F))
    held = cv2.warpPerspective(
        np.ones(reference.shape[:2], np.uint8), inverse(transform), (width, height)
    )
    sums = cv2.integral(contrast * held)
    best, most = Box(0, 0, min(side, width), min(side, height)), -1.0
    for y in _steps(height, side):
        for x in _steps(width, side):
            x2, y2 = min(x + side, width), min(y + side, height)
            total = sums[y2, x2] - sums[y, x2] - sums[y2, x] + sums[y, x]
            if total > most:
                best, most = Box(x, y, x2, y2), float(total)
    return best


def _steps(length: int, side: int) -> list[int]:
    last = max(0, length - side)
    return sorted({*range(0, last, max(1, side // 2)), last})
