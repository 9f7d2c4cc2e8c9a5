"""A picture enlarged by repeating its pixels, laid so that it fits another best."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.match.geometry import inverse

Matrix = NDArray[np.float64]
Plane = NDArray[np.float32]
"""(H, W) luminance."""

_NUDGE = 0.002
_SHIFTS, _STRETCHES = np.linspace(-0.5, 0.5, 9), np.linspace(-0.006, 0.006, 7)
_TRIED = (
    *((0, 2, _SHIFTS), (1, 2, _SHIFTS), (0, 0, _STRETCHES), (1, 1, _STRETCHES)),
    *((0, 2, _SHIFTS / 2), (1, 2, _SHIFTS / 2)),
)
_TRIED_SIDE = 192


def repeated(query: Plane, onto: Matrix, large: Plane) -> Plane:
    """The query enlarged by repeating the nearest pixel; 0 outside of it.

    Where places lie right between two pixels, rounding errors of whatever enlarged it have decided,
    column by column and row by row: each takes what fits better.
    """
    x, y = _whence(onto, large)
    rows = []
    for down in (_NUDGE, -_NUDGE):
        columns = [_nearest(query, x + right, y + down) for right in (_NUDGE, -_NUDGE)]
        rows.append(_fitting(columns[0], columns[1], large))
    return _fitting(rows[0], rows[1], large)


def _whence(onto: Matrix, large: Plane) -> tuple[Plane, Plane]:
    """(H, W) x and y in the query of each pixel of the reference."""
    y, x = np.indices(large.shape, np.float32)
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in inverse(onto).astype(np.float32))
    return np.asarray(u / w, np.float32), np.asarray(v / w, np.float32)


def _nearest(query: Plane, x: Plane, y: Plane) -> Plane:
    """The query's pixels nearest to places; 0 outside of it."""
    whole_x, whole_y = np.floor(x + np.float32(0.5)), np.floor(y + np.float32(0.5))
    taken = cv2.remap(query, whole_x, whole_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(taken, np.float32)


def nudged(query: Plane, onto: Matrix, large: Plane, is_inside: NDArray[np.bool_]) -> Matrix:
    """The transform, moved and stretched a little so that repeated pixels fit best.

    They jump from one to the next, so that their places must be right to a fraction of one. Only
    pixels that are inside of the query count.
    """
    corner = np.s_[:_TRIED_SIDE, :_TRIED_SIDE]
    part, is_asked = large[corner], is_inside[corner]
    best = onto
    for row, column, steps in _TRIED:
        tried = []
        for number, step in enumerate(steps):
            move = np.eye(3)
            move[row, column] += step
            error = np.abs(_nearest(query, *_whence(best @ move, part)) - part)[is_asked].sum()
            tried.append((float(error), abs(step), number))
        move = np.eye(3)
        move[row, column] += steps[min(tried)[2]]
        best = best @ move
    return best


def _fitting(first: Plane, second: Plane, wanted: Plane) -> Plane:
    """Of two pictures the better column by column, or row by row."""
    off, second_off = np.abs(first - wanted), np.abs(second - wanted)
    picks = [off.sum(axis, keepdims=True) <= second_off.sum(axis, keepdims=True) for axis in (0, 1)]
    mixed = [np.where(pick, first, second) for pick in picks]
    return min(mixed, key=lambda picture: float(np.abs(picture - wanted).sum()))
