"""Of two things whose print lies on each other to a fraction of a pixel: where it plainly differs.

Flat packages of one brand share most of their print, so that shares of places say the same for a
sibling as for a photo of the thing itself. Where all that is shared agrees superbly, neither light
nor depth explains a region that does not: another name, another colour.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.evidence import STRONG, weigh
from objsearch.agree.model import load_model
from objsearch.agree.places import Places, eroded
from objsearch.agree.registration import Registration
from objsearch.types import Box

STEADY, RESIDUAL, CORNERS = 0.95, 0.2, 60
"""Share of corners that follow, their residual in pixels, and how many, for print to be flat."""
SUPERBLY = 0.97
"""Median correlation of the detail of both from which what is shared is printed alike."""
PLAINLY = 4.0
"""Logit of a place that plainly differs."""
REGION = 0.025
"""Part of the thing that a region must fill: a name in other words fills 6 in 100, a band of
another colour 25, and of the same prints seen anew none has more than 1."""
WITH_DETAIL = 0.1
"""A region along three sides of the thing with less detail is the ground, as is one all round."""
HALF, PARTED, ALIKE = 0.5, 0.92, 0.8
"""With other words in it, corners lie either where they should, to a fifth of a pixel, or somewhere
else, followed to other letters; less likeness will do then. Depth and glare lose corners, or move
the others, too: of 196 covers photographed by telephone none has so few that follow so closely."""
RIM = 3
"""Places along the border of the thing that are left out: boxes are not exact."""


def plain_regions(
    places: Places, whole: NDArray[np.bool_], registration: Registration
) -> list[Box]:
    """Boxes on the grid of regions of flat print that plainly differ; none where it is not flat.

    `whole` (H, W) are the places of the thing.
    """
    least_likeness = _least_likeness(registration)
    if least_likeness is None or _likeness(places, whole) < least_likeness:
        return []
    core = eroded(whole, RIM)
    logits = weigh(places, load_model().differing(places.features), registration).logits
    strong = places.feature("strong") > STRONG
    n, labels, stats, _ = cv2.connectedComponentsWithStats(
        (core & (logits > PLAINLY)).astype(np.uint8)
    )
    least = REGION * max(1, int(core.sum()))
    order = sorted(range(1, n), key=lambda k: -int(stats[k][4]))
    kept = [k for k in order if stats[k][4] >= least]
    boxes = [Box(x, y, x + w, y + h) for x, y, w, h, _ in stats[kept].tolist()]
    return [
        box
        for k, box in zip(kept, boxes, strict=True)
        if not _is_ground(box, core, float(strong[labels == k].mean()))
    ]


def _least_likeness(registration: Registration) -> float | None:
    """The median correlation from which what is shared is printed alike; None where print is not
    flat, and none suffices."""
    if registration.is_within(STEADY, RESIDUAL, CORNERS):
        return SUPERBLY
    is_parted = registration.steady < PARTED
    return ALIKE if is_parted and registration.is_within(HALF, RESIDUAL, CORNERS) else None


def _is_ground(box: Box, core: NDArray[np.bool_], detail: float) -> bool:
    """Whether a region is what the thing lies on, by the sides that it reaches, and its detail."""
    x, y, w, h = cv2.boundingRect(core.astype(np.uint8))
    reached = box.x1 <= x + 1, box.y1 <= y + 1, box.x2 >= x + w - 1, box.y2 >= y + h - 1
    return sum(reached) == 4 or (sum(reached) == 3 and detail < WITH_DETAIL)


def _likeness(places: Places, whole: NDArray[np.bool_]) -> float:
    """Median correlation of the detail that both have; 0 where there is none."""
    shared = places.feature("wide correlation")[whole & (places.feature("weak") > STRONG)]
    return float(np.median(shared)) if shared.size else 0.0
