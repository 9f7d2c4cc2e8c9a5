"""Two of one template: frame, caption and logo are the same, and what is shown is another.

Cards of one game, slides of one lecture, posts in one app, two pictures under one joke: what they
share lies in both at the same place, to a pixel, as it does in no two photos of a thing. They were
made by one hand, and what fills the middle says of what.
"""

from __future__ import annotations

import numpy as np

from objsearch.agree.evidence import STRONG
from objsearch.agree.exactly import middle
from objsearch.agree.laying import lay, scaling
from objsearch.agree.on_grid import led_back
from objsearch.agree.places import measure
from objsearch.agree.thing import AGREES, EXACT_SIDE, unlike_regions
from objsearch.agree.tone import bring_together
from objsearch.types import Box, Pixels, Points

Boxes = tuple[Box, ...]

IN_PLACE = 1 / 320
"""Of the longer side: so far at most half of the places that agree lie from where a mere change of
size leads. Keypoints are known to a pixel or two of 640, and no hand takes two photos so."""
MANY = 100
"""Places with detail in the middle from which it says anything: a photo of 160 pixels has more."""
ANOTHER = 0.5
"""Share of these that agree, below which the middle shows something else. Of 84 copies by the edits
of `benchmarks/edits.py`, those with a sticker too, none has less than 0.84, and most have all; of
cards of one game, whose lines of text lie in the same places, none more than 0.45."""


def other_contents(
    query: Pixels, reference: Pixels, query_xy: Points, reference_xy: Points
) -> tuple[Boxes, Boxes]:
    """Boxes of what differs, in pixels of each picture, where both fill in one template.

    `query_xy` and `reference_xy` (N, 2) are the places that agree. None where these lie elsewhere
    than a change of size leads, and where the middle agrees, or holds too little to say so.
    """
    size_wh, other_wh = ((side.shape[1], side.shape[0]) for side in (query, reference))
    onto = scaling(size_wh, other_wh)
    away = np.linalg.norm(query_xy * np.diag(onto)[:2] + onto[:2, 2] - reference_xy, axis=1)
    if not away.size or float(np.median(away)) > IN_PLACE * max(other_wh):
        return (), ()
    laid = lay(query, reference, onto, EXACT_SIDE)
    if laid is None or not laid.inside.any():
        return (), ()
    places = measure(bring_together(laid.first, laid.second, laid.inside), laid.inside)
    is_detailed = middle(places.inside) & (places.feature("strong") > STRONG)
    detailed = places.feature("wide correlation")[is_detailed]
    if detailed.size < MANY or float((detailed > AGREES).mean()) >= ANOTHER:
        return (), ()
    boxes = unlike_regions(places, places.inside)
    there = led_back(boxes, laid.first_to_grid, query)
    return there, led_back(boxes, laid.second_to_grid, reference)
