"""A second look at places in doubt, at the pictures' own size.

A digit on a plate fills five pixels of the grid that two large pictures are compared on, and says
next to nothing there. At the files' own size it differs plainly, or does not.
"""

from __future__ import annotations

import numpy as np

from objsearch.agree.base import Agreement
from objsearch.agree.evidence import Evidence, weigh
from objsearch.agree.laying import Laid, Matrix, lay
from objsearch.agree.model import load_model
from objsearch.agree.places import measure
from objsearch.agree.registration import register
from objsearch.agree.tone import bring_together
from objsearch.images.mapping import shift
from objsearch.images.transform import cut
from objsearch.match.geometry import bounds, inverse, local_scale
from objsearch.types import Box, Pixels

WINDOW = 320
"""Pixels a side, of the coarser picture, that are looked at around a place in doubt."""
LEAST_SIDE = 32
SPARE = 4
"""Pixels that are cut out on each side beyond: the transform is exact to a few."""
PLAINLY = 2.5
"""Logit from which a place plainly differs. Digits of 14 to 20 pixels have 5 and more; of 72 large
copies (mosaics of `det/val`, JPEG 15 among them) no window has more than 1.6."""
FINER = 1.1
"""So many times as many pixels as the grid has must the coarser picture have for a second look."""
STEADY = 0.8
"""Share of corners that must follow for a window to be judged."""


def differing_closely(
    first: Pixels, second: Pixels, agreement: Agreement
) -> tuple[tuple[Box, ...], tuple[Box, ...]]:
    """Boxes of what plainly differs around the places in doubt, in pixels of each picture.

    `agreement` is told in pixels of these pictures.
    """
    boxes: tuple[list[Box], list[Box]] = ([], [])
    for place in agreement.doubts:
        for box in _window(first, second, agreement.transform, place):
            there = bounds(box, agreement.transform)
            if there is not None:
                boxes[0].append(box.clipped((first.shape[1], first.shape[0])))
                boxes[1].append(there.clipped((second.shape[1], second.shape[0])))
    return tuple(boxes[0]), tuple(boxes[1])


def _window(
    first: Pixels, second: Pixels, transform: Matrix, place: tuple[float, float]
) -> list[Box]:
    """What differs around a place of the first picture, in its pixels."""
    centre = np.array(place)
    scale = local_scale(transform, centre)
    half = WINDOW / 2 / min(1.0, scale)
    box = Box(centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half)
    there = bounds(box, transform)
    if there is None:
        return []
    wider = Box(there.x1 - SPARE, there.y1 - SPARE, there.x2 + SPARE, there.y2 + SPARE)
    (window, corner), (other_window, other_corner) = cut(first, box), cut(second, wider)
    if min(*window.shape[:2], *other_window.shape[:2]) < LEAST_SIDE:
        return []
    onto = inverse(shift(*other_corner)) @ transform @ shift(*corner)
    seen = _seen(window, other_window, onto)
    if seen is None:
        return []
    laid, evidence = seen
    back = shift(*corner) @ inverse(laid.first_to_grid)
    boxes = (bounds(box, back) for box in evidence.boxes(PLAINLY))
    return [box for box in boxes if box is not None]


def _seen(first: Pixels, second: Pixels, transform: Matrix) -> tuple[Laid, Evidence] | None:
    """Two windows laid over each other, and what their places say; None where they do not lie."""
    registration = register(first, second, transform)
    laid = lay(first, second, registration.transform, 2 * WINDOW)
    if laid is None or not laid.inside.any():
        return None
    if registration.n_corners and registration.steady < STEADY:
        return None
    places = measure(bring_together(laid.first, laid.second, laid.inside), laid.inside)
    return laid, weigh(places, load_model().differing(places.features), registration)
