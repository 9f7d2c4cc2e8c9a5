"""Two pictures and a transform in, what agrees and what differs between them out."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.base import Agreement, Relation
from objsearch.agree.drawn import CLOSE, has_few_pieces, is_drawn, other_shade
from objsearch.agree.evidence import MOST, Evidence, weigh
from objsearch.agree.hue import other_hue
from objsearch.agree.laying import Laid, Matrix, lay
from objsearch.agree.model import load_model
from objsearch.agree.on_grid import points_back
from objsearch.agree.places import measure
from objsearch.agree.recompressing import compressed_alike
from objsearch.agree.registration import SIDE as FOLLOWED
from objsearch.agree.registration import Registration, register
from objsearch.agree.shape import (
    bend,
    degrees_of,
    farthest_moved,
    is_upright,
    lies_within,
    outline,
    step,
    stretch,
)
from objsearch.agree.tone import bring_together, is_gray
from objsearch.images.mapping import mirroring
from objsearch.match.geometry import inverse
from objsearch.types import Box, Pixels

SIDE = 1024
"""Longer side, in pixels, of the grid that two pictures are compared on."""
ROUGHLY = 288
"""The same where no more is asked than whether one is a part or an edited copy of the other."""

SAME_SHOT = 0.35
"""Probability from which two pictures come from one shot."""
LEAST_AGREEING = 0.15
"""Share of the places with detail that agree in light, below which no copy has been seen: two pages
of text have less, captions and strengthened colours leave more."""
MOST_ODDITY = 1.5
"""Logit that a place of the same picture may reach (the recipe tells what it costs)."""
STEADY, RESIDUAL = 0.9, 0.4
"""Share of corners that have to follow, and how closely, for places to be compared as they are."""
INSIDE, TURNED_INSIDE = 0.9, 0.7
"""The part of a cut that the other must show; a turned one has corners of its own."""
NOT_ALL = 0.999
"""The part of a picture that is shown at most where something is missing."""
ODD_ASPECT = 1.03
"""Squeezed by more is more than resized: sizes are whole pixels, and small ones round."""
MOST_BEND = 1.03
"""So many times longer a side may become than the one opposite."""
OTHER_HUE = 30.0
"""Levels of colour difference (Cr and Cb, ITU-R BT.601) that no compression or tone explains."""
FEW_PLACES = 24
"""With less detail, turns and changes of size are not believed to be copies."""
LITTLE = 600
"""With less, quarter turns are not; of fewer in all, no toning is: 96 x 96 pixels have 576."""
TINY = 144
"""Places below which nothing is proven: icons of 24 pixels, an arrow and a drop, differ by no more
than thumbnails of one photo do. 48 x 48 pixels have as many."""
IN_PLACE = 0.25
"""Pixels by which corners may move where two pictures of one size lie on each other as they are."""


def agree(first: Pixels, second: Pixels, transform: Matrix, side: int = SIDE) -> Agreement | None:
    """Lay the first over the second, look for what differs, and say what one is to the other.

    `transform` (3, 3) leads from pixels of the first to those of the second, to a few pixels in
    500. None where next to nothing of the one lies within the other.
    """
    mirrored = _is_mirroring(transform)
    if mirrored:
        # Corners are not followed through a mirror: the first is turned to be like the second.
        flip = mirroring(first.shape[1])
        agreement = agree(np.ascontiguousarray(first[:, ::-1]), second, transform @ flip, side)
        return None if agreement is None else _mirrored(agreement, flip, first.shape[1])
    agreement = _agree(first, second, transform, side)
    if agreement is None or agreement.relation != "edited":
        return agreement
    if first.shape != second.shape or not _is_in_place(agreement, first):
        return agreement
    # What compression did to one of them is no difference.
    alike = compressed_alike(first, second)
    again = alike and _agree(*alike, agreement.transform, side)
    if again is None or again.relation not in ("same-picture", "edited"):
        return agreement
    is_less = len(again.differs[0]) < len(agreement.differs[0])
    return again if is_less or again.relation == "same-picture" else agreement


def _is_in_place(agreement: Agreement, first: Pixels) -> bool:
    """Whether two pictures lie on each other pixel on pixel."""
    moved = farthest_moved(agreement.transform, (first.shape[1], first.shape[0]))
    return min(agreement.shown) == 1 and moved < IN_PLACE


def _agree(first: Pixels, second: Pixels, transform: Matrix, side: int) -> Agreement | None:
    registration = register(first, second, transform, min(side, FOLLOWED))
    laid = lay(first, second, registration.transform, side)
    if laid is None or not laid.inside.any():
        return None
    places = measure(bring_together(laid.first, laid.second, laid.inside), laid.inside)
    model = load_model()
    logits = model.differing(places.features)
    evidence = weigh(places, logits, registration)
    numbers = evidence.numbers
    # Another colour is a fact, not a vote, however alike grain and light: it says that something
    # differs, and nothing about whether both come from one shot.
    is_other = places.hue > OTHER_HUE
    if is_other.any():
        logits[is_other] = MOST
        evidence = replace(weigh(places, logits, registration), numbers=numbers)
    agreement = _judged(first, second, laid, registration, evidence)
    if agreement.relation != "same-picture":
        return agreement
    if places.inside.size < TINY:
        return replace(agreement, relation="edited")
    # Only what would count as the same is worth the closer look at its colours.
    recoloured = other_hue(laid.first, laid.second, laid.inside)
    drawn = is_drawn(laid.first) or is_drawn(laid.second)
    if drawn:
        recoloured |= other_shade(laid.first, laid.second, laid.inside)
    if places.inside.size < LITTLE:
        recoloured |= other_shade(laid.first, laid.second, laid.inside, CLOSE)
    if not recoloured.any():
        return _doubted_if_turned(agreement, laid, drawn)
    logits[recoloured] = MOST
    evidence = replace(weigh(places, logits, registration), numbers=numbers)
    return _judged(first, second, laid, registration, evidence)


def _doubted_if_turned(agreement: Agreement, laid: Laid, drawn: bool) -> Agreement:
    """What is simple or small may be another picture turned by a quarter or a half: an arrow is."""
    if agreement.degrees <= 45:
        return agreement
    is_simple = agreement.n_judged < LITTLE or (drawn and has_few_pieces(laid.second))
    return replace(agreement, relation="edited") if is_simple else agreement


def _judged(
    first: Pixels, second: Pixels, laid: Laid, registration: Registration, evidence: Evidence
) -> Agreement:
    sizes = ((first.shape[1], first.shape[0]), (second.shape[1], second.shape[0]))
    ways = (laid.transform, inverse(laid.transform))
    shown = tuple(_shown(sizes[k], ways[k], sizes[1 - k]) for k in (0, 1))
    small_step = step(ways[0], sizes[0])
    longer, shorter = np.linalg.svd(small_step, compute_uv=False)
    scale = float(math.sqrt(longer * shorter))
    degrees = degrees_of(small_step)
    is_even = longer <= ODD_ASPECT * shorter and bend(ways[0], sizes[0]) < MOST_BEND
    is_resized = is_even and is_upright(degrees)
    same_shot = load_model().same_shot(evidence.numbers)
    inside = INSIDE if is_upright(degrees, 3.0) else TURNED_INSIDE
    relation = _relation(
        evidence, registration, (shown[0], shown[1]), bool(is_resized), same_shot, inside
    )
    # Of the same picture nothing differs: what is in doubt is told as that.
    differs = () if relation == "same-picture" else evidence.boxes()
    return Agreement(
        relation=relation,
        transform=laid.transform,
        differs=(
            _moved(differs, laid.first_to_grid, sizes[0]),
            _moved(differs, laid.second_to_grid, sizes[1]),
        ),
        shown=(shown[0], shown[1]),
        scale=scale,
        mirrored=False,
        degrees=degrees,
        gray=(_shows_gray(laid.first, laid.inside), _shows_gray(laid.second, laid.inside)),
        same_shot=same_shot,
        worst=evidence.worst,
        agreeing=evidence.agreeing_in_light,
        n_judged=evidence.n_informative,
        doubts=points_back(evidence.doubts(), laid.first_to_grid),
    )


def _shows_gray(picture: Pixels, inside: NDArray[np.bool_]) -> bool:
    """Every second pixel each way will do."""
    return is_gray(np.ascontiguousarray(picture[::2, ::2]), inside[::2, ::2])


def _relation(
    evidence: Evidence,
    registration: Registration,
    shown: tuple[float, float],
    is_resized: bool,
    same_shot: float,
    inside: float,
) -> Relation:
    """What follows, the weaker relation when in doubt."""
    if evidence.n_informative == 0 or evidence.agreeing_in_light < LEAST_AGREEING:
        return "different"
    if same_shot < SAME_SHOT:
        return "same-scene" if evidence.agreeing > 0.3 else "different"
    is_still = registration.n_corners == 0 or (
        registration.steady >= STEADY and registration.residual <= RESIDUAL
    )
    is_clean = evidence.worst <= MOST_ODDITY and is_still
    if min(shown) == 1:
        if is_clean and is_resized and evidence.n_informative >= FEW_PLACES:
            return "same-picture"
        return "edited"
    if max(shown) < inside:
        return "same-scene"
    return "part" if is_clean and is_resized else "edited"


def is_of_another_shot(agreement: Agreement, least: float = SAME_SHOT) -> bool:
    """Whether one shot is less probable than `least`, or next to nothing of two pictures agrees.

    False where too few places hold detail to say so.
    """
    is_another = agreement.same_shot < least or agreement.agreeing < LEAST_AGREEING
    return is_another and agreement.n_judged >= FEW_PLACES


def may_be_same(transform: Matrix, size_wh: tuple[int, int], other_wh: tuple[int, int]) -> bool:
    """Whether a transform that is right to a few pixels may be that of a resized or turned copy."""
    if _is_mirroring(transform):
        return False
    degrees = degrees_of(step(transform, size_wh))
    shown = (
        _part_within(size_wh, transform, other_wh),
        _part_within(other_wh, inverse(transform), size_wh),
    )
    return min(shown) > 0.93 and stretch(transform, size_wh) < 1.1 and is_upright(degrees, 5.0)


def _shown(size_wh: tuple[int, int], transform: Matrix, other_wh: tuple[int, int]) -> float:
    """The part of one picture that the other shows, 1 where that is all but for rounding."""
    if lies_within(size_wh, transform, other_wh):
        return 1.0
    return min(NOT_ALL, _part_within(size_wh, transform, other_wh))


def _part_within(size_wh: tuple[int, int], transform: Matrix, other_wh: tuple[int, int]) -> float:
    """The part of one picture's area, in [0, 1], that lies within the other."""
    corners = outline(size_wh)
    other = cv2.perspectiveTransform(outline(other_wh)[None], inverse(transform))[0]
    shared, _ = cv2.intersectConvexConvex(corners.astype(np.float32), other.astype(np.float32))
    return min(1.0, float(shared) / (size_wh[0] * size_wh[1]))


def _moved(boxes: tuple[Box, ...], to_grid: Matrix, size_wh: tuple[int, int]) -> tuple[Box, ...]:
    """Boxes on the grid as upright boxes in a picture."""
    back = inverse(to_grid)
    made = []
    for box in boxes:
        corners = np.array(
            [[box.x1, box.y1], [box.x2, box.y1], [box.x2, box.y2], [box.x1, box.y2]], float
        )
        there = cv2.perspectiveTransform(corners[None], back)[0]
        (x1, y1), (x2, y2) = there.min(axis=0), there.max(axis=0)
        made.append(Box(float(x1), float(y1), float(x2), float(y2)).clipped(size_wh))
    return tuple(made)


def _is_mirroring(transform: Matrix) -> bool:
    return float(np.linalg.det(transform)) * float(transform[2, 2]) < 0


def _mirrored(agreement: Agreement, flip: Matrix, width: int) -> Agreement:
    """What was found of the first picture's mirror image, told of the picture itself."""
    boxes = tuple(
        Box(width - box.x2, box.y1, width - box.x1, box.y2) for box in agreement.differs[0]
    )
    relation: Relation = "edited" if agreement.relation == "same-picture" else agreement.relation
    return replace(
        agreement,
        relation=relation,
        transform=agreement.transform @ flip,
        differs=(boxes, agreement.differs[1]),
        mirrored=True,
    )
