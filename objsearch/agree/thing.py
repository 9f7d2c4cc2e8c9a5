"""Do two things that a plane carries onto each other agree all over, or only in some print?

Siblings of a brand share print, and inliers cannot tell them from one another; their pixels can,
where one is laid over the other to a pixel. Where that cannot be (depth, cloth, glare, blur),
nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.evidence import STRONG
from objsearch.agree.exactly import (
    differing_regions,
    exactly_registered,
    is_proven,
    may_prove,
    recoloured,
)
from objsearch.agree.flat_print import plain_regions
from objsearch.agree.laying import Laid, Matrix, lay
from objsearch.agree.on_grid import covered, led_back
from objsearch.agree.places import Map, Places, colour_places, measure
from objsearch.agree.registration import Registration, register
from objsearch.agree.thing_model import is_followed, is_laid, load_thing_model
from objsearch.agree.tone import Together, bring_together
from objsearch.agree.toned import without_toning
from objsearch.images.mapping import mirroring, shift
from objsearch.images.transform import Cut, cut
from objsearch.match.geometry import bounds, inverse, jacobian
from objsearch.types import Box, Pixels, Points

SIDE, EXACT_SIDE = 320, 1024
"""Longer side, in pixels, of the grid that two things are compared on; and that of those that lie
on each other to a fraction of a pixel, of which each place counts."""
MARGIN = 0.05
"""Of the box: transforms are inexact before they are refined."""
LEAST_SIDE = 16
"""Pixels a side of a thing that can be judged."""
AGREES = 0.4
"""Correlation from which a place agrees."""
DIFFERS = 0.2
"""Correlation of the detail below which a place is drawn as one that differs."""
LEAST_PLACES = 3
"""Places of a region that is drawn."""
MOST_BOXES = 12
LEAST_PRINT = 400
"""Pixels of the grid from which tone can be told."""
FAINT = 3.0
"""Gray levels of colour that are none worth the name."""


class Finer(NamedTuple):
    """Both on the finer grid, boxes of places on it that plainly differ, and whether none does and
    next to all detail agrees."""

    laid: Laid
    differs: list[Box]
    is_proven: bool


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """`numbers` by `NUMBERS`; boxes of what differs in pixels of each picture.

    `is_other_print`: whether a region of flat print plainly differs; `is_proven`: whether nothing
    does, and next to all detail agrees (only where that is asked for).
    """

    numbers: NDArray[np.float64]
    differs: tuple[tuple[Box, ...], tuple[Box, ...]]
    is_other_print: bool = False
    is_proven: bool = False

    @property
    def can_be_judged(self) -> bool:
        """Whether they lie on each other well enough for their places to be compared."""
        return load_thing_model().can_judge(self.numbers)

    @property
    def is_laid(self) -> bool:
        """Whether they lie on each other to a pixel."""
        return is_laid(self.numbers)

    @property
    def is_followed(self) -> bool:
        """Whether their corners are where a plane leads, if both are one flat sheet."""
        return is_followed(self.numbers)

    @property
    def shares_print_only(self) -> bool:
        """Whether they share print and no more; False where that cannot be told."""
        return load_thing_model().is_sibling(self.numbers)


def look(
    query: Pixels,
    reference: Pixels,
    transform: Matrix,
    box_xyxy: Box,
    print_xy: Points,
    *,
    to_prove: bool = False,
) -> Seen | None:
    """Lay the query's thing over the reference, and sum up the places that both show.

    `transform` (3, 3) leads from pixels of the query to those of the reference; `box_xyxy` is the
    thing in the query, `print_xy` (N, 2) the places in it that agree. With `to_prove` it is said
    whether pixels alone prove that both are one. None where the thing is too small, or lies outside
    of the reference.
    """
    middle = np.array([(box_xyxy.x1 + box_xyxy.x2) / 2, (box_xyxy.y1 + box_xyxy.y2) / 2])
    if float(np.linalg.det(jacobian(transform, middle))) < 0:
        return _look_mirrored(query, reference, transform, box_xyxy, print_xy, to_prove)
    cuts = _cuts(query, reference, transform, box_xyxy)
    if cuts is None:
        return None
    query_cut, reference_cut = cuts
    between = inverse(shift(*reference_cut.corner_xy)) @ transform @ shift(*query_cut.corner_xy)
    registration = register(query_cut.pixels, reference_cut.pixels, between)
    laid = lay(query_cut.pixels, reference_cut.pixels, registration.transform, SIDE)
    if laid is None or not laid.inside.any():
        return None
    places, own, together = _measured(laid, query_cut, box_xyxy, print_xy)
    whole = places.inside & own
    colours = colour_places(together.first), colour_places(together.second)
    numbers = _numbers(places, colours, whole, registration, len(print_xy))
    plain = plain_regions(places, whole, registration)
    boxes = plain or unlike_regions(places, whole)
    finer = None if plain else _finer(cuts, registration, box_xyxy, print_xy, to_prove)
    if finer is not None and finer.differs:
        laid, boxes, plain = finer.laid, finer.differs, finer.differs
    there = led_back(boxes, laid.first_to_grid @ _into(query_cut), query)
    back = led_back(boxes, laid.second_to_grid @ _into(reference_cut), reference)
    return Seen(numbers, (there, back), bool(plain), finer is not None and finer.is_proven)


def _finer(
    cuts: tuple[Cut, Cut], registration: Registration, box: Box, print_xy: Points, to_prove: bool
) -> Finer | None:
    """None where they do not lie on each other well enough to say more."""
    query_cut, reference_cut = cuts
    can_prove = to_prove and may_prove(registration)
    exact = exactly_registered(query_cut.pixels, reference_cut.pixels, registration)
    if not (can_prove or exact):
        return None
    registration = exact or registration
    laid = lay(query_cut.pixels, reference_cut.pixels, registration.transform, EXACT_SIDE)
    if laid is None or not laid.inside.any():
        return None
    laid = without_toning(laid)
    places, own, _ = _measured(laid, query_cut, box, print_xy)
    whole = places.inside & own
    differs = recoloured(colour_places(laid.first), colour_places(laid.second), whole)
    differs += differing_regions(places, whole, registration)[:MOST_BOXES]
    is_same = can_prove and not differs and is_proven(places, whole, own)
    return Finer(laid, differs if exact else [], is_same)


def _measured(
    laid: Laid, query_cut: Cut, box: Box, print_xy: Points
) -> tuple[Places, NDArray[np.bool_], Together]:
    """The places of both, those that the thing covers (H, W), and both brought together."""
    to_grid = laid.first_to_grid @ _into(query_cut)
    together = bring_together(laid.first, laid.second, _printed(print_xy, to_grid, laid))
    places = measure(together, laid.inside)
    return places, covered(box, to_grid, places), together


def _look_mirrored(
    query: Pixels,
    reference: Pixels,
    transform: Matrix,
    box: Box,
    print_xy: Points,
    to_prove: bool,
) -> Seen | None:
    """Corners are not followed through a mirror: the query is turned to be like the reference."""
    width = query.shape[1]
    flip = mirroring(width)
    flipped_xy = np.array([width - 1, 0]) + print_xy * np.array([-1, 1])
    turned = np.ascontiguousarray(query[:, ::-1])
    onto, there = transform @ flip, _flipped(box, width)
    seen = look(turned, reference, onto, there, flipped_xy, to_prove=to_prove)
    if seen is None:
        return None
    boxes = tuple(_flipped(place, width) for place in seen.differs[0])
    return replace(seen, differs=(boxes, seen.differs[1]))


def _flipped(box: Box, width: int) -> Box:
    return Box(width - box.x2, box.y1, width - box.x1, box.y2)


def _cuts(query: Pixels, reference: Pixels, transform: Matrix, box: Box) -> tuple[Cut, Cut] | None:
    """The thing cut out of both pictures, with a margin."""
    there = bounds(box, transform)
    if there is None:
        return None
    cuts = cut(query, box, MARGIN), cut(reference, there, MARGIN)
    return None if min(min(part.pixels.shape[:2]) for part in cuts) < LEAST_SIDE else cuts


def _into(part: Cut) -> Matrix:
    """(3, 3) from pixels of a picture to those of what was cut out of it."""
    return inverse(shift(*part.corner_xy))


def _printed(print_xy: Points, to_grid: Matrix, laid: Laid) -> NDArray[np.bool_]:
    """(H, W) where the print lies that agrees: the tone of what is around says nothing of it."""
    there = cv2.perspectiveTransform(np.asarray(print_xy, np.float64)[None], to_grid)[0]
    hull = cv2.convexHull(np.clip(there, -1e4, 1e4).astype(np.float32)).astype(np.int32)
    mask = np.zeros(laid.inside.shape, np.uint8)
    cv2.fillConvexPoly(mask, hull, 1)
    printed = np.asarray(laid.inside & (mask > 0))
    return printed if printed.sum() >= LEAST_PRINT else laid.inside


def _informative(
    places: Places, whole: NDArray[np.bool_], contrast: Literal["strong", "weak"]
) -> NDArray[np.bool_]:
    """(H, W) the places with detail in either picture (strong), or in both (weak)."""
    return np.asarray(whole & (places.feature(contrast) > STRONG))


def _numbers(
    places: Places,
    colours: tuple[Map, Map],
    whole: NDArray[np.bool_],
    registration: Registration,
    n_inliers: int,
) -> NDArray[np.float64]:
    """By `NUMBERS`: how well they lie on each other, then how well places and colours agree."""
    correlation = places.feature("wide correlation")
    either = correlation[_informative(places, whole, "strong")]
    # What is beside a thing on plain ground has detail on one side only.
    both = correlation[_informative(places, whole, "weak")]
    return np.array(
        [
            registration.steady,
            min(registration.residual, 5.0),
            np.log1p(registration.n_corners),
            np.log1p(n_inliers),
            _share_over(AGREES, either),
            _share_over(AGREES, both),
            _share_over(DIFFERS, both),
            _colour_agreement(colours, whole),
            np.log1p(either.size),
        ],
        np.float64,
    )


def _share_over(limit: float, correlation: NDArray[np.float32]) -> float:
    return float((correlation > limit).mean()) if correlation.size else 0.0


def _colour_agreement(colours: tuple[Map, Map], whole: NDArray[np.bool_]) -> float:
    """Correlation of the colours of both, in [-1, 1]; near 0 where there are next to none."""
    n = int(whole.sum())
    if n < LEAST_PLACES:
        return 0.0
    first, second = ((side[whole] - side[whole].mean(axis=0)).ravel() for side in colours)
    norms = float(np.linalg.norm(first)) * float(np.linalg.norm(second))
    return float(first @ second) / (norms + FAINT**2 * n)


def unlike_regions(places: Places, whole: NDArray[np.bool_]) -> list[Box]:
    """Boxes on the grid of regions in which detail disagrees, the largest first."""
    wide = places.feature("wide correlation")
    marked = (_informative(places, whole, "strong") & (wide < DIFFERS)).astype(np.uint8)
    n, _, stats, _ = cv2.connectedComponentsWithStats(marked)
    kept = sorted(
        (stat for stat in stats[1:n].tolist() if stat[4] >= LEAST_PLACES), key=lambda stat: -stat[4]
    )
    return [Box(x, y, x + w, y + h) for x, y, w, h, _ in kept[:MOST_BOXES]]
