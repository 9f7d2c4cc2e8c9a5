"""A second look at places in doubt, at the pictures' own size and larger.

A digit on a plate fills five pixels of the grid that two large pictures are compared on, and says
next to nothing there. At the files' own size it differs plainly, or does not. What stands out is
looked at twice as large: a digit of a small picture fills two places of its grid, and is softened
away with those around it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from objsearch.agree.agreement import SIDE
from objsearch.agree.evidence import Evidence, weigh
from objsearch.agree.laying import Laid, Matrix, fitted_side, lay, scaling
from objsearch.agree.model import load_model
from objsearch.agree.places import measure
from objsearch.agree.registration import register
from objsearch.agree.standing_out import standing_out
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
ENLARGED = 2
"""So many times as large is looked at what stands out, unless the files show it as large."""
STEADY = 0.8
"""Share of corners that must follow for a window to be judged."""


def differing_closely(
    first: Pixels,
    second: Pixels,
    transform: Matrix,
    in_doubt: Sequence[tuple[float, float]] = (),
) -> tuple[tuple[Box, ...], tuple[Box, ...]]:
    """Boxes of what plainly differs around the places in doubt and those that stand out, in pixels
    of each picture.

    `transform` (3, 3) leads from pixels of the first to those of the second; `in_doubt` are places
    (x, y) of the first.
    """
    boxes: tuple[list[Box], list[Box]] = ([], [])
    finer = finer_than_grid(first, second, transform)
    doubts = [(place, 1) for place in in_doubt] if finer > FINER else []
    outstanding = standing_out(first, second, transform)
    enlarged = ENLARGED if finer < ENLARGED else 1
    found = list(outstanding.recoloured)
    for place, by in (*doubts, *((place, enlarged) for place in outstanding.places)):
        found += _window(first, second, transform, place, by)
    for box in found:
        there = bounds(box, transform)
        # What is in doubt and stands out is told once.
        if there is not None and not any(box.intersection(told) for told in boxes[0]):
            boxes[0].append(box.clipped((first.shape[1], first.shape[0])))
            boxes[1].append(there.clipped((second.shape[1], second.shape[0])))
    return tuple(boxes[0]), tuple(boxes[1])


def finer_than_grid(first: Pixels, second: Pixels, transform: Matrix) -> float:
    """So many times as many pixels a side as the grid has, has the coarser picture."""
    middle = np.array([first.shape[1], first.shape[0]]) / 2
    coarser = first if local_scale(transform, middle) >= 1 else second
    size_wh = coarser.shape[1], coarser.shape[0]
    return float(max(size_wh) / fitted_side(size_wh, SIDE))


def _window(
    first: Pixels, second: Pixels, transform: Matrix, place: tuple[float, float], enlarged: int
) -> list[Box]:
    """What differs around a place of the first picture, in its pixels.

    Fewer of them, as many times as large, where it is to be enlarged.
    """
    centre = np.array(place)
    scale = local_scale(transform, centre)
    half = WINDOW / enlarged / 2 / min(1.0, scale)
    box = Box(centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half)
    there = bounds(box, transform)
    if there is None:
        return []
    wider = Box(there.x1 - SPARE, there.y1 - SPARE, there.x2 + SPARE, there.y2 + SPARE)
    (window, corner), (other_window, other_corner) = cut(first, box), cut(second, wider)
    if min(*window.shape[:2], *other_window.shape[:2]) * enlarged < LEAST_SIDE:
        return []
    onto = inverse(shift(*other_corner)) @ transform @ shift(*corner)
    (window, larger), (other_window, other_larger) = (
        _enlarged(side, enlarged) for side in (window, other_window)
    )
    seen = _seen(window, other_window, other_larger @ onto @ inverse(larger))
    if seen is None:
        return []
    laid, evidence = seen
    back = shift(*corner) @ inverse(laid.first_to_grid @ larger)
    boxes = (bounds(box, back) for box in evidence.boxes(PLAINLY))
    return [box for box in boxes if box is not None]


def _enlarged(window: Pixels, by: int) -> tuple[Pixels, Matrix]:
    """A window so many times as large, and what leads to its pixels."""
    if by == 1:
        return window, np.eye(3)
    wide, high = by * window.shape[1], by * window.shape[0]
    larger = cv2.resize(window, (wide, high), interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, np.uint8), scaling((window.shape[1], window.shape[0]), (wide, high))


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
