"""Of two pictures of one size: was the one made of the other, by storing it as JPEG?

Bytes do not tell which of two copies is the better: one that was compressed hard, and then saved as
PNG or at a high quality, has more of them. But to store the better one at the right quality makes
the worse one, or nearly, and nothing makes the better one of the worse (after Farid, "Exposing
digital forgeries from JPEG ghosts", IEEE TIFS 2009).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.compression import BLOCK
from objsearch.agree.recompressing import SAMPLINGS, stored, stored_light
from objsearch.images.transform import gray
from objsearch.types import Pixels

QUALITIES = range(5, 101)
SIDE = 192
"""Pixels of the square, of nine the one that differs most, that is looked at."""
MADE = 0.5
"""Part of what differs that may be left once the other was stored, in light and in colour. Where
this was chosen, what was stored once more left 0.42 at most; what was sharpened, smoothed, toned or
given grain, or is another shot, 0.6 and more either way (`benchmarks/results/duplicates.md`)."""
SURER = 0.75
"""And that part of what is left the other way round: a picture stored twice, finely the second
time, is made of the first, and the first nearly of it."""
MOST_COLOURS = 256
"""That a palette holds."""
MERGED = 2
"""Levels by which half of the pixels, or more, are off where colours were merged to a palette:
photos of 256 colours have 2 and more, and what JPEG does to a drawing of few is near its edges."""


class Made(NamedTuple):
    """0 or 1 for the picture that was made of the other, and the levels of light that it is off."""

    which: int
    off: float


def made_of(first: Pixels, second: Pixels) -> Made | None:
    """Which of two pictures (H, W, 3) RGB was made of the other; None where neither was."""
    if first.shape != second.shape or min(first.shape[:2]) < BLOCK:
        return None
    square = _most_apart(first, second)
    pair = [np.ascontiguousarray(side[square]) for side in (first, second)]
    off = _apart(*map(gray, pair))
    if off == 0:
        return None
    left = [_left(pair[1 - which], pair[which]) for which in (0, 1)]
    which = int(left[1] < left[0])
    is_made = left[which] < MADE and left[which] < SURER * left[1 - which]
    return Made(which, off) if is_made else None


def merged(first: Pixels, second: Pixels) -> int | None:
    """Which of two pictures of one size was brought down to a palette; None where neither was."""
    pair = first, second
    few = [n_colours(side) <= MOST_COLOURS and not _is_gray(side) for side in pair]
    if first.shape != second.shape or few[0] == few[1]:
        return None
    gaps = np.asarray(cv2.absdiff(first, second)).max(axis=2)
    if np.median(gaps) < MERGED:
        return None
    made = made_of(first, second)
    return None if made is not None else few.index(True)


def n_colours(picture: Pixels) -> int:
    """How many colours (H, W, 3) has; 257 stands for more than a palette holds."""
    seen: set[int] = set()
    for row in picture.reshape(-1, picture.shape[1] * 3):
        values = row.reshape(-1, 3).astype(np.int32) @ np.array([65536, 256, 1], np.int32)
        seen.update(np.unique(values).tolist())
        if len(seen) > MOST_COLOURS:
            return MOST_COLOURS + 1
    return len(seen)


def _is_gray(picture: Pixels) -> bool:
    """Gray has no more colours than a palette holds by itself."""
    red, green, blue = cv2.split(picture)
    return bool(np.array_equal(red, green) and np.array_equal(green, blue))


def _left(given: Pixels, made: Pixels) -> float:
    """What is left of the difference, 0 of nothing, once the given picture is stored."""
    light, made_light = gray(given), gray(made)
    # In light alone, of the middle, the quality is found fast; what that leaves is told in colour.
    middle = tuple(_middle(length) for length in light.shape)
    few, made_few = (np.ascontiguousarray(side[middle]) for side in (light, made_light))
    by_quality = [_apart(stored_light(few, quality), made_few) for quality in QUALITIES]
    quality = QUALITIES[int(np.argmin(by_quality))]
    every = [stored(given, quality, sampling) for sampling in SAMPLINGS]
    return min(
        max(
            _apart(gray(whole), made_light) / max(_apart(light, made_light), 1e-6),
            _apart(whole, made) / max(_apart(given, made), 1e-6),
        )
        for whole in every
    )


def _middle(length: int) -> slice:
    """Half of a side, which begins where blocks of JPEG do."""
    start = length // 4 // BLOCK * BLOCK
    return slice(start, start + max(BLOCK, length // 2))


def _apart(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    return cv2.norm(first, second, cv2.NORM_L1) / first.size


def _most_apart(first: Pixels, second: Pixels) -> tuple[slice, slice]:
    """The square in which two pictures differ most, which begins where blocks of JPEG do.

    What was written or laid over one of them is in it, and no JPEG.
    """
    gaps = cv2.absdiff(gray(first), gray(second))
    squares = [
        (rows, columns) for rows in _parts(gaps.shape[0]) for columns in _parts(gaps.shape[1])
    ]
    return max(squares, key=lambda square: float(np.asarray(gaps)[square].mean()))


def _parts(length: int) -> list[slice]:
    last = max(0, length - SIDE)
    starts = sorted({start // (2 * BLOCK) * 2 * BLOCK for start in (0, last // 2, last)})
    return [slice(start, min(start + SIDE, length)) for start in starts]
