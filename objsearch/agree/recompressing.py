"""Two pictures of one size: stored as JPEG alike, are they the same?

Compression leaves waves beside hard edges and merges faint colours, in drawings most of all. Where
one of two pictures was compressed, the other is compressed as much: what still differs then is no
trace of that.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from objsearch.types import Pixels

TRIED, FINELY = range(5, 100, 10), (4, 2, 1)
"""Qualities that are tried, and how far beside the best of them it is looked for."""
SIDE = 256
"""Pixels of the square, that with the most contrast, by which the quality is found."""
UNIT = 16
"""Pixels a side of what JPEG stores together, with its halved colours."""


def compressed_alike(first: Pixels, second: Pixels) -> tuple[Pixels, Pixels]:
    """Both (H, W, 3), the one that is compressed less stored as coarsely as the other."""
    place = _liveliest(first, second)
    small, other_small = first[place], second[place]
    quality, off = _nearest(small, other_small)
    back_quality, back_off = _nearest(other_small, small)
    if off <= back_off:
        return stored(first, quality), second
    return first, stored(second, back_quality)


def stored(picture: Pixels, quality: int) -> Pixels:
    """What is left of (H, W, 3) RGB after JPEG of a quality, its colours halved."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert read is not None  # written just now
    return np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8)


def _nearest(picture: Pixels, wanted: Pixels) -> tuple[int, float]:
    """The quality by which a picture becomes most like another, and how far it is then."""

    def best(qualities: Iterable[int]) -> tuple[float, int]:
        return min((cv2.norm(stored(picture, one), wanted, cv2.NORM_L1), one) for one in qualities)

    off, quality = best(TRIED)
    for step in FINELY:
        off, quality = best({max(1, quality - step), quality, min(100, quality + step)})
    return quality, off


def _liveliest(first: Pixels, second: Pixels) -> tuple[slice, slice]:
    """Of nine places the one with the most contrast in both, where whole units begin."""
    places = [
        (_part(first.shape[0], row), _part(first.shape[1], column))
        for row in range(3)
        for column in range(3)
    ]
    return max(places, key=lambda place: float(first[place].std() * second[place].std()))


def _part(length: int, which: int) -> slice:
    start = max(0, length - SIDE) * which // 2 // UNIT * UNIT
    return slice(start, start + SIDE)
