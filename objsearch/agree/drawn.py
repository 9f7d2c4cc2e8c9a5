"""Drawings of a few plain colours, as icons and charts are, and little pictures ask for more.

A tone curve leads any few levels to any others: a sign in another shade, or a gray one, may be its
copy or its sibling, and what a curve cuts off it explains away. And few pieces look alike once they
are turned, as an arrow up and one down do. Of a few hundred places toning explains nearly anything,
too: a battery half full, an icon that is switched off.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.places import Map, pool, whole_places
from objsearch.types import Pixels

FINE, COARSE = 2, 5
"""Bits of a level that are left out where colours are counted, and where pieces are."""
N_COLOURS, PLAIN = 8, 0.85
"""The part of a drawing that so many colours cover."""
EVEN = 0.5
"""The part of a drawing whose pixels are just as those around them: fog and faint gray have few
colours, too, but one runs into the next. Of 1,986 photos three count as drawn; of 225 icons,
diagrams and test cards of few colours 205."""
ANOTHER_SHADE = 20.0
"""Levels of a channel by which the mean of a window is apart in another shade. JPEG 15 leaves less
in 95 of 100 of those drawings, half the size in 99; JPEG 40 in 150 photos of 32 to 96 pixels."""
WINDOW, CLOSE = 2.0, 0.75
"""Its deviation, in places, of drawings and of little pictures."""
FEW_PIECES = 24
"""A drawing of no more may be another one turned: an icon has up to a dozen, a page hundreds."""
_LEAST_PIECE = 6
SPREAD = 0.02
"""The part of a picture that a colour of pieces covers: what JPEG leaves along edges has less."""


def is_drawn(picture: Pixels) -> bool:
    """Whether next to all pixels (H, W, 3) are of a few colours, and most as those around them."""
    kernel = np.ones((3, 3), np.uint8)
    steps = cv2.dilate(picture, kernel) - cv2.erode(picture, kernel)
    even = cv2.inRange(steps, (0, 0, 0), (0, 0, 0))
    if cv2.countNonZero(even) < EVEN * even.size:
        return False
    counts = np.bincount(_numbered(picture, FINE).ravel())
    counts.partition(max(0, counts.size - N_COLOURS))
    return bool(counts[-N_COLOURS:].sum() >= PLAIN * counts.sum())


def other_shade(
    first: Pixels, second: Pixels, inside: NDArray[np.bool_], window: float = WINDOW
) -> NDArray[np.bool_]:
    """(H / STEP, W / STEP) the places of two pictures on one grid that have another shade."""
    first, second, inside = whole_places(first), whole_places(second), whole_places(inside)
    shown = pool(inside.astype(np.float32)) > 0.99
    gaps = pool(first.astype(np.float32)) - pool(second.astype(np.float32))
    apart: Map = np.abs(cv2.GaussianBlur(gaps, (0, 0), window)).max(axis=2)
    return np.asarray((apart > ANOTHER_SHADE) & shown)


def has_few_pieces(picture: Pixels) -> bool:
    """Whether a drawing has so few areas, each of one colour, that another may show them turned."""
    # JPEG has a colour between two numbers fall into pieces; half a step away it is one.
    half = 1 << (COARSE - 1)
    lifted = np.minimum(picture, 255 - half) + np.uint8(half)
    return _are_few(_numbered(picture, COARSE)) or _are_few(_numbered(lifted, COARSE))


def _are_few(numbered: NDArray[np.intp]) -> bool:
    """Whether areas of one number (H, W) are `FEW_PIECES` at most."""
    counts = np.bincount(numbered.ravel())
    n_pieces = 0
    for number in np.flatnonzero(counts >= SPREAD * numbered.size):
        stats = cv2.connectedComponentsWithStats((numbered == number).astype(np.uint8))[2]
        n_pieces += int((stats[1:, cv2.CC_STAT_AREA] >= _LEAST_PIECE).sum())
        if n_pieces > FEW_PIECES:
            return False
    return True


def _numbered(picture: Pixels, left_out: int) -> NDArray[np.intp]:
    """(H, W) a number for each colour, which shades next to it may share."""
    red, green, blue = np.moveaxis((picture >> left_out).astype(np.intp), -1, 0)
    bits = 8 - left_out
    return np.asarray((red << 2 * bits) + (green << bits) + blue)
