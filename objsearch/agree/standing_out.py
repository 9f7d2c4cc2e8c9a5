"""Of two pictures that count as the same: places that are apart by far more than all others.

What compression, a filter or another size does to a picture it does all over, and to its liveliest
places about as much. A digit, a bird or a spot on the skin is in one place. So it stands out, even
where it is too small or too faint to say so by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.agreement import IN_PLACE
from objsearch.agree.laying import Laid, Matrix, lay
from objsearch.agree.on_grid import led_back, points_back
from objsearch.agree.places import (
    NEAR,
    STEP,
    Map,
    beyond,
    colour_places,
    eroded,
    pool,
    whole_places,
)
from objsearch.agree.shape import farthest_moved
from objsearch.types import Box, Pixels

Levels = NDArray[np.int16]

TIMES = 1.7
"""So many times as far apart as at the next place in order. Of 764 copies of 60 photos (JPEG 15 to
85, resized, blurred, noisy, toned) eleven have 1.5 times as much and two have 1.7; none of these
differs at a closer look, but a drawing of which every second pixel was left out does, with 1.57."""
TIMES_IN_COLOUR, LEAST_IN_COLOUR = 2.0, 7.0
"""The same of colour, and the levels from which it is worth a look: toning moves what is coloured
most by half as much again as the next, and compression leaves 5 (`hue`). None of the copies has."""
SAME_HUE = 0.7
"""Cosine between two colours from which they are of one hue: toning of what is coloured turns none
by 45 degrees."""
LEAST = 1.0
"""Levels that both are raised by: less is rounding."""
MOST = 3
"""Places that may stand out together."""
REACH = 4
"""Places around one that are counted with it."""
RIM = 2
"""Places along the rim of what both show that are left out."""
LOCAL = 33
"""Side, in pixels, of the surroundings that light is held against: tone is not to count."""
ROWS = 512
"""Rows of pixels that are held against each other at a time: a large picture fills memory."""


class Standing(NamedTuple):
    """Places (x, y), in pixels of the first, to be looked at closely; boxes of those that have
    colour in both pictures, and another: a picture that is gray but for them is compared in gray.
    """

    places: tuple[tuple[float, float], ...]
    recoloured: tuple[Box, ...]


def standing_out(first: Pixels, second: Pixels, transform: Matrix) -> Standing:
    """What is apart by more than all other places.

    `transform` (3, 3) leads from pixels of the first to those of the second. Looked at is the size
    of the coarser picture.
    """
    laid = _laid(first, second, transform)
    if laid is None:
        return Standing((), ())
    light, colour = _apart(laid)
    in_light = _outstanding(light, TIMES, 0.0)
    in_colour = _outstanding(colour, TIMES_IN_COLOUR, LEAST_IN_COLOUR)
    boxes = [
        Box(*(at - 1 for at in place), *(at + 2 for at in place))
        for place in in_colour
        if _is_recoloured(laid, place)
    ]
    chosen = np.array([*in_light, *in_colour], float).reshape(-1, 2)
    return Standing(
        points_back((chosen + 0.5) * STEP - 0.5, laid.first_to_grid),
        led_back(boxes, laid.first_to_grid, first),
    )


def _laid(first: Pixels, second: Pixels, transform: Matrix) -> Laid | None:
    """As `lay`; two of one size that lie on each other as they are need not be moved."""
    moved = farthest_moved(transform, (first.shape[1], first.shape[0]))
    if first.shape == second.shape and moved < IN_PLACE:
        return Laid(first, second, np.ones(first.shape[:2], bool), np.eye(3), np.eye(3))
    return lay(first, second, transform, max(*first.shape, *second.shape))


def _is_recoloured(laid: Laid, place: tuple[int, int]) -> bool:
    """Whether both have colour at a place, and another."""
    left, top = (STEP * at for at in place)
    first, second = (
        colour_places(np.ascontiguousarray(side[top : top + STEP, left : left + STEP]))[0, 0] - 128
        for side in (laid.first, laid.second)
    )
    lengths = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    is_coloured = min(lengths) > LEAST_IN_COLOUR
    return is_coloured and float(first @ second) < SAME_HUE * lengths[0] * lengths[1]


def _outstanding(apart: Map, times: float, least: float) -> list[tuple[int, int]]:
    """(column, row) of the places that are apart by so many times as much as all others, and by so
    many levels; `apart` is spent.
    """
    found = list(_farthest(apart))
    drops = [above / below for (_, above), (_, below) in pairwise(found)]
    if max(drops) < times or found[0][1] < least + LEAST:
        return []
    return [place for place, _ in found[: drops.index(max(drops)) + 1]]


def _farthest(apart: Map) -> Iterator[tuple[tuple[int, int], float]]:
    """(column, row) of what is farthest apart, farthest first, and how far; `apart` is spent."""
    for _ in range(MOST + 1):
        row, column = divmod(int(apart.argmax()), apart.shape[1])
        yield (column, row), float(apart[row, column]) + LEAST
        cv2.circle(apart, (column, row), REACH, 0, -1)


def _apart(laid: Laid) -> tuple[Map, Map]:
    """(H / STEP, W / STEP) levels of light by which each place shows what the other has not within
    a pixel, and those of colour in its mean; 0 where one of them shows nothing.
    """
    first, second, inside = (whole_places(side) for side in (laid.first, laid.second, laid.inside))
    shown = eroded(pool(inside.astype(np.float32)) > 0.999, RIM)
    squares, colours = zip(*_bands(first, second), strict=True)
    light = np.sqrt(cv2.GaussianBlur(np.concatenate(squares), (0, 0), NEAR))
    gaps = np.asarray(cv2.GaussianBlur(np.concatenate(colours), (0, 0), NEAR), np.float32)
    around = LOCAL // STEP
    colour = np.linalg.norm(gaps - cv2.blur(gaps, (around, around)), axis=2)
    return _where(shown, np.asarray(light)), _where(shown, colour)


def _where(shown: NDArray[np.bool_], apart: NDArray[np.floating[Any]]) -> Map:
    return np.where(shown, apart, 0).astype(np.float32)


def _bands(first: Pixels, second: Pixels) -> Iterator[tuple[Map, Map]]:
    """Mean squares of light and mean gaps of colour (Cr and Cb) a place, some rows at a time."""
    spare = -(-LOCAL // STEP) * STEP
    for start in range(0, len(first), ROWS):
        above = min(start, spare)
        rows = slice(start - above, start + ROWS + spare)
        a, b = (cv2.cvtColor(side[rows], cv2.COLOR_RGB2YCrCb) for side in (first, second))
        own = slice(above, above + ROWS)
        small = [pool(side[own])[..., 1:] for side in (a, b)]  # in whole levels, as they came
        light = [_without_tone(np.ascontiguousarray(side[..., 0])) for side in (a, b)]
        gap = np.maximum(beyond(*light), beyond(*light[::-1]))[own]
        yield pool(gap * gap), small[0] - small[1]


def _without_tone(light: NDArray[np.uint8]) -> Levels:
    """Whole levels: a fraction of one is rounding, and takes five times as long."""
    around = cv2.blur(light, (LOCAL, LOCAL))
    return np.asarray(cv2.subtract(light, around, dtype=cv2.CV_16S), np.int16)
