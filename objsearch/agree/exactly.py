"""Of two things that lie on each other to a tenth of a pixel: every place that plainly differs.

So exactly lie pictures that were made from one file, and sheets that were drawn from one: forms,
boards, templates, retouched photos. Between photographs of a thing, light, lens and depth leave
more. Where nothing else can explain it, what differs is small and says all: another entry, a piece
that was moved.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.agreement import OTHER_HUE
from objsearch.agree.evidence import STRONG, weigh
from objsearch.agree.model import load_model
from objsearch.agree.places import Map, Places, eroded
from objsearch.agree.registration import Registration, sharpened
from objsearch.agree.shape import bend, stretch
from objsearch.types import Box, Pixels

STEADY, RESIDUAL, CORNERS = 0.5, 0.1, 20
"""Share of corners that follow, their residual in pixels, and how many: of 148 covers photographed
by telephone one lies so exactly (`benchmarks/results/verdicts.md`). Of what differs no corner
follows: of cards that are filled in for somebody else between 51 and 88 % do."""
SCANNED_STEADY, SCANNED_RESIDUAL, SCANNED_CORNERS = 0.95, 0.2, 60
"""The same of what bends nothing: pages that were scanned, and resized or turned copies. Their
pixels were made anew, which leaves more, and no light or lens explains what differs."""
MOST_BEND, MOST_STRETCH = 1.005, 1.01
"""So little a scanner bends and stretches; of covers photographed by telephone that lie so closely
none is bent by less than 1.018."""
PLAINLY = 7.0
"""Logit that a region must reach: filters and uneven light, which are no other picture, have 6."""
STANDS_OUT, ABOVE_REST, REST = 2.5, 4.0, 0.99
"""Less will do, too, where all else agrees: so much above that share of all places with detail, as
a word has in a page. Filters and uneven light raise the others as well."""
WITHOUT_A_DOUBT, UNLIKE = 4.0, 0.2
"""Less will do of places whose detail is unlike: the correlation of it is below the latter."""
LEAST_PLACES = 8
"""Of a region: fewer are an edge that was sharpened."""
RIM = 3
"""Places along the border of what both show that are left out: boxes are not exact."""
AT_RIM = 0.45
"""Of the circumference: what ends there for as much lies beside the thing, or is no picture, as the
corners of a turned one; an entry near the edge of a page has less, whose one side ends there."""
MIDDLE = 0.5
"""Of the middle half of the thing: what fills more of it is the thing's own, wherever it ends."""
MOSTLY = 0.5
"""Of two versions of a picture less than that differs."""

MOST_STEADY, PROVING, MANY_CORNERS = 0.95, 0.25, 60
"""The same for pixels to prove that two things are one: less exactly, as nothing may differ."""
AGREEING, NEARLY_ALL, MANY_PLACES = 0.7, 0.99, 200
"""Correlation of a place that agrees, the share of places with detail that have it, and how many:
of near-strangers that lie so exactly (`benchmarks/results/verdicts.md`) most have less than 0.98,
and those with more have regions that differ."""
SHOWN = 0.5
"""Part of the query's thing that both must show: its box may hold some of the ground."""

Mask = NDArray[np.bool_]


def is_exact(registration: Registration, size_wh: tuple[int, int]) -> bool:
    """Whether two things lie on each other so exactly; the first is of that size."""
    if registration.is_within(STEADY, RESIDUAL, CORNERS):
        return True
    if not registration.is_within(SCANNED_STEADY, SCANNED_RESIDUAL, SCANNED_CORNERS):
        return False
    transform = registration.transform
    return bend(transform, size_wh) < MOST_BEND and stretch(transform, size_wh) < MOST_STRETCH


def exactly_registered(
    first: Pixels, second: Pixels, registration: Registration
) -> Registration | None:
    """A registration of two pictures that lie so exactly, by what lies closest alone if need be."""
    size_wh = first.shape[1], first.shape[0]
    if is_exact(registration, size_wh):
        return registration
    if registration.n_corners < CORNERS:
        return None
    sharp = sharpened(first, second, registration)
    return sharp if is_exact(sharp, size_wh) else None


def may_prove(registration: Registration) -> bool:
    """Whether two things lie on each other well enough for pixels to prove that they are one."""
    return registration.is_within(MOST_STEADY, PROVING, MANY_CORNERS)


def is_proven(places: Places, whole: Mask, box: Mask) -> bool:
    """Whether next to all detail of a thing agrees, of two that lie on each other well.

    `whole` (H, W) are the places of the thing that both show, `box` all of its. Says nothing of
    single regions that differ.
    """
    if whole.sum() < SHOWN * box.sum():
        return False
    is_detailed = eroded(whole, RIM) & (places.feature("strong") > STRONG)
    detailed = places.feature("wide correlation")[is_detailed]
    return detailed.size >= MANY_PLACES and float((detailed > AGREEING).mean()) >= NEARLY_ALL


def differing_regions(places: Places, whole: Mask, registration: Registration) -> list[Box]:
    """Boxes on the grid of places of what plainly differs, the largest first.

    `whole` (H, W) are the places of the thing.
    """
    logits = weigh(places, load_model().differing(places.features), registration).logits
    core = eroded(whole, RIM)
    is_detailed = places.feature("strong") > STRONG
    outstanding = _outstanding(logits[core & is_detailed])
    other_hue = core & (places.hue > OTHER_HUE)
    is_unlike = is_detailed & (places.feature("wide correlation") < UNLIKE)
    unlike = core & is_unlike & (logits > WITHOUT_A_DOUBT)
    boxes = []
    for own, box in _regions((core & (logits > 0)) | other_hue, core):
        sure = max(int((own & other_hue).sum()), int((own & unlike).sum()))
        if sure >= LEAST_PLACES or float(logits[own].max()) >= outstanding:
            boxes.append(box)
    return _largest_first(boxes)


def differing_beyond_doubt(places: Places, registration: Registration) -> list[Box]:
    """The same of whole pictures, where no filter or compression reaches, however it leans hues.

    None where most of the places seem to differ: that is another light, which no tone explained.
    """
    logits = weigh(places, load_model().differing(places.features), registration).logits
    core = eroded(places.inside, RIM)
    mask = core & (logits > 0)
    if mask.sum() > MOSTLY * core.sum():
        return []
    regions = _regions(mask, core)
    plain = logits >= PLAINLY
    return _largest_first([box for own, box in regions if (own & plain).sum() >= LEAST_PLACES])


def _regions(mask: Mask, core: Mask) -> Iterator[tuple[Mask, Box]]:
    """Its connected parts and their boxes, but for small ones and what lies around the thing."""
    rim, inmost = core & ~eroded(core, 1), middle(core)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    for k in range(1, n):
        x, y, w, h, n_places = stats[k].tolist()
        own = np.asarray(labels == k)
        # It lies around the thing where it ends as the box does, and fills no middle.
        is_middle = int((own & inmost).sum()) >= MIDDLE * int(inmost.sum())
        is_around = int((own & rim).sum()) >= AT_RIM * 2 * (w + h) and not is_middle
        if n_places >= LEAST_PLACES and not is_around:
            yield own, Box(x, y, x + w, y + h)


def _largest_first(boxes: list[Box]) -> list[Box]:
    return sorted(boxes, key=lambda box: -box.area)


def _outstanding(logits: NDArray[np.float32]) -> float:
    """The logit that a region must reach, by those of all places with detail (N,)."""
    if logits.size < MANY_PLACES:
        return PLAINLY
    return min(PLAINLY, max(STANDS_OUT, float(np.quantile(logits, REST)) + ABOVE_REST))


def recoloured(first: Map, second: Map, whole: Mask) -> list[Box]:
    """The box of a thing that is in another colour as a whole, which toning would explain away.

    `first` and `second` (H, W, 2) are Cr and Cb of the pictures as they are.
    """
    apart = np.linalg.norm(first[whole] - second[whole], axis=1)
    if not apart.size or float(np.median(apart)) <= OTHER_HUE:
        return []
    x, y, w, h = cv2.boundingRect(whole.astype(np.uint8))
    return [Box(x, y, x + w, y + h)]


def middle(core: Mask) -> Mask:
    """(H, W) the middle half, each way, of what a mask covers."""
    x, y, w, h = cv2.boundingRect(core.astype(np.uint8))
    half = np.zeros_like(core)
    half[y + h // 4 : y + h - h // 4, x + w // 4 : x + w - w // 4] = True
    return half & core
