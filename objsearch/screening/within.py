"""Pictures that lie on plain ground within another: in a screenshot, on a page, in a letterbox.

A picture that fills a third of a screenshot has few keypoints there to be known by. Cut out, it is
a picture like others. Lines without any change lead around it, as they do around the blocks of a
page (recursive cuts along rows and columns; Nagy and Seth, ICPR 1984).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.images.transform import gray, shrunk
from objsearch.types import Box, Pixels

SIDE = 768
"""Longer side, in pixels, at which is looked."""
CHANGE = 6
"""Gray levels between neighbours from which there is something: compression leaves less on plain
ground."""
STRAY = 0.01
"""Part of a line that may change all the same."""
GAP = 3
"""Plain lines that part two things."""
LEAST_SIDE, LEAST, MOST = 48, 0.04, 0.9
"""Pixels a side, and parts of the whole area: a lesser one is an icon, a greater is the whole."""
FILLED = 0.1
"""Part of its box that a picture fills with change; words fill a box of rows less."""
AT_MOST = 3
DEPTH = 6
"""Cuts one in another: pages hold columns, columns cards, and cards a picture."""

Mask = NDArray[np.bool_]
Sides = tuple[int, int, int, int]


def pictures_within(picture: Pixels) -> list[Box]:
    """Boxes of what lies on plain ground within a picture (H, W, 3), the largest first."""
    small = gray(shrunk(picture, SIDE))
    busy = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > CHANGE
    height, width = busy.shape
    found = [
        Box(*box) for box in _blocks(busy, (0, 0, width, height), DEPTH) if _is_picture(busy, box)
    ]
    along, down = picture.shape[1] / width, picture.shape[0] / height
    largest = sorted(found, key=lambda box: -box.area)[:AT_MOST]
    return [Box(box.x1 * along, box.y1 * down, box.x2 * along, box.y2 * down) for box in largest]


def _is_picture(busy: Mask, box: Sides) -> bool:
    x1, y1, x2, y2 = box
    part = (x2 - x1) * (y2 - y1) / busy.size
    is_sized = LEAST <= part <= MOST and min(x2 - x1, y2 - y1) >= LEAST_SIDE
    return is_sized and float(busy[y1:y2, x1:x2].mean()) >= FILLED


def _blocks(busy: Mask, box: Sides, depth: int) -> Iterator[Sides]:
    """What is left when a box is cut along its plain lines until there are none."""
    x1, y1, x2, y2 = box
    part = busy[y1:y2, x1:x2]
    rows, columns = _runs(part.mean(axis=1)), _runs(part.mean(axis=0))
    if not rows or not columns:
        return
    if depth == 0 or (len(rows) == 1 and len(columns) == 1):
        (top, _), (_, bottom) = rows[0], rows[-1]
        (left, _), (_, right) = columns[0], columns[-1]
        yield x1 + left, y1 + top, x1 + right, y1 + bottom
    elif len(rows) > 1:
        for top, bottom in rows:
            yield from _blocks(busy, (x1, y1 + top, x2, y1 + bottom), depth - 1)
    else:
        for left, right in columns:
            yield from _blocks(busy, (x1 + left, y1, x1 + right, y2), depth - 1)


def _runs(change: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Begin and end of the runs of lines that are not plain, but for a few."""
    lines = np.flatnonzero(change > STRAY)
    if not lines.size:
        return []
    breaks = np.flatnonzero(np.diff(lines) > GAP)
    begins, ends = lines[[0, *(breaks + 1)]], lines[[*breaks, -1]] + 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))
