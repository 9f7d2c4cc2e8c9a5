"""What differs beside a thing, of two pictures made from one: other words, another number plate.

A thing may agree in every place while the pictures that it was found in differ next to it. Between
two photos that says nothing: one mug stands on many tables. Where what lies around the thing is the
same as well, to a fraction of a pixel, the two are versions of one picture, and what differs was
put there.
"""

from __future__ import annotations

from objsearch.agree.closely import FINER, differing_closely, finer_than_grid
from objsearch.agree.evidence import STRONG
from objsearch.agree.exactly import MOST_BEND, differing_beyond_doubt, exactly_registered
from objsearch.agree.laying import Matrix, lay
from objsearch.agree.on_grid import covered, led_back
from objsearch.agree.places import measure
from objsearch.agree.registration import register
from objsearch.agree.shape import bend, lies_within
from objsearch.agree.thing import AGREES, EXACT_SIDE, MOST_BOXES
from objsearch.agree.tone import bring_together
from objsearch.match.geometry import inverse
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
    registration = exactly_registered(query, reference, register(query, reference, transform))
    if registration is None:
        return (), ()
    if _is_copied(query, reference, registration.transform):
        closely = differing_closely(query, reference, registration.transform)
        if closely[0]:
            return closely
    laid = lay(query, reference, registration.transform, EXACT_SIDE)
    if laid is None or not laid.inside.any():
        return (), ()
    places = measure(bring_together(laid.first, laid.second, laid.inside), laid.inside)
    around = places.inside & ~covered(box_xyxy, laid.first_to_grid, places)
    detailed = places.feature("wide correlation")[around & (places.feature("strong") > STRONG)]
    if detailed.size < AROUND or (detailed > AGREES).mean() < ALIKE:
        return (), ()  # nothing is beside it, or two grounds are
    boxes = differing_beyond_doubt(places, registration)[:MOST_BOXES]
    there = led_back(boxes, laid.first_to_grid, query)
    return there, led_back(boxes, laid.second_to_grid, reference)


def _is_copied(query: Pixels, reference: Pixels, transform: Matrix) -> bool:
    """Whether each shows all of the other and nothing is bent, and more of it than the grid does.

    What differs may be tiny then; of small pictures one odd pixel would be a difference.
    """
    size_wh, other_wh = ((side.shape[1], side.shape[0]) for side in (query, reference))
    is_whole = lies_within(size_wh, transform, other_wh)
    is_whole = is_whole and lies_within(other_wh, inverse(transform), size_wh)
    is_level = is_whole and bend(transform, size_wh) < MOST_BEND
    return is_level and finer_than_grid(query, reference, transform) > FINER
