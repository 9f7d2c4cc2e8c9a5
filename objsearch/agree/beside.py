"""What differs beside a thing, of two pictures made from one: other words, another number plate.

A thing may agree in every place while the pictures that it was found in differ next to it. Between
two photos that says nothing: one mug stands on many tables. Where what lies around the thing is the
same as well, to a fraction of a pixel, the two are versions of one picture, and what differs was
put there.
"""

from __future__ import annotations

import numpy as np

from objsearch.agree.closely import FINER, differing_closely
from objsearch.agree.evidence import STRONG
from objsearch.agree.exactly import MOST_BEND, differing_beyond_doubt, is_exact
from objsearch.agree.laying import Laid, Matrix, lay
from objsearch.agree.on_grid import covered, led_back
from objsearch.agree.places import measure
from objsearch.agree.registration import Registration, register, sharpened
from objsearch.agree.shape import bend, lies_within
from objsearch.agree.thing import AGREES, EXACT_SIDE, MOST_BOXES
from objsearch.agree.tone import bring_together
from objsearch.match.geometry import inverse, local_scale
from objsearch.types import Box, Pixels

Boxes = tuple[Box, ...]

AROUND = 200
"""Places with detail around a thing, from which they tell where it was seen."""
ALIKE = 0.3
"""Share of them that agree, from which two pictures were made from one. Of another ground hardly a
place agrees; of sheets of which only the heading lies around the thing two in five do."""


def differs_beside(
    query: Pixels, reference: Pixels, transform: Matrix, box_xyxy: Box
) -> tuple[Boxes, Boxes]:
    """Boxes of what plainly differs, in pixels of each picture, around a thing that agrees.

    `transform` (3, 3) leads from pixels of the query to those of the reference; `box_xyxy` is the
    thing in the query. None where the pictures do not lie on each other exactly, or their grounds
    are two.
    """
    registration = _registered(query, reference, transform)
    if registration is None:
        return (), ()
    laid = lay(query, reference, registration.transform, EXACT_SIDE)
    if laid is None or not laid.inside.any():
        return (), ()
    if _is_copied(query, reference, laid.transform) and _is_reduced(query, reference, laid):
        closely = differing_closely(query, reference, laid.transform)
        if closely[0]:
            return closely
    places = measure(bring_together(laid.first, laid.second, laid.inside), laid.inside)
    around = places.inside & ~covered(box_xyxy, laid.first_to_grid, places)
    detailed = places.feature("wide correlation")[around & (places.feature("strong") > STRONG)]
    if detailed.size < AROUND or (detailed > AGREES).mean() < ALIKE:
        return (), ()  # nothing is beside it, or two grounds are
    boxes = differing_beyond_doubt(places, registration)[:MOST_BOXES]
    there = led_back(boxes, laid.first_to_grid, query)
    return there, led_back(boxes, laid.second_to_grid, reference)


def _is_copied(query: Pixels, reference: Pixels, transform: Matrix) -> bool:
    """Whether each shows all of the other and nothing is bent: what differs may be tiny then."""
    size_wh, other_wh = ((side.shape[1], side.shape[0]) for side in (query, reference))
    is_whole = lies_within(size_wh, transform, other_wh)
    is_whole = is_whole and lies_within(other_wh, inverse(transform), size_wh)
    return is_whole and bend(transform, size_wh) < MOST_BEND


def _is_reduced(query: Pixels, reference: Pixels, laid: Laid) -> bool:
    """Whether both pictures show more than the grid; else one odd pixel would be a difference."""
    sides = (query, laid.first_to_grid), (reference, laid.second_to_grid)
    scales = (local_scale(to_grid, np.array(side.shape[1::-1]) / 2) for side, to_grid in sides)
    return max(scales) * FINER < 1


def _registered(query: Pixels, reference: Pixels, transform: Matrix) -> Registration | None:
    """How the pictures lie on each other; None where not exactly."""
    size_wh = query.shape[1], query.shape[0]
    registration = register(query, reference, transform)
    if is_exact(registration, size_wh):
        return registration
    sharp = sharpened(query, reference, registration)
    return sharp if is_exact(sharp, size_wh) else None
