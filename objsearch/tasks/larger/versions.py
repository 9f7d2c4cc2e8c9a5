"""Several larger pictures that a small query agrees with: are they one picture, or versions of one?

Words that are two pixels high in a query differ in nothing that can be judged there. In the larger
pictures they can be read, and where these differ from each other, only one of them can be what the
query was made from: the one that comes nearer to it in just those places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from objsearch.agree import Agreement, agree
from objsearch.agree.agreement import MOST_ODDITY
from objsearch.agree.laying import lay
from objsearch.agree.tone import bring_together
from objsearch.images.mapping import Matrix
from objsearch.match.geometry import bounds, inverse
from objsearch.tasks.larger.found import LargerCopy
from objsearch.types import Box, Pixels

Boxes = tuple[Box, ...]
Read = Callable[[LargerCopy], Pixels | None]

SMALL = 200
"""Longer side, in pixels, of a query that may be too small to tell by itself: of 96 near-strangers
of 24 kinds it takes 17 at 64 pixels, 7 at 100, and none at 160 and at 320."""
NEARER = 1.4
"""So many times as far as the one must the other be from the query where the two differ. Of the
same pictures true copies that are compressed or resized reach 1.2; 15 of 21 versions have more."""
AS_MUCH = 0.5
"""Of the other's detail: an enlargement comes near to a small query for being as soft."""
MOST = 12
"""Pictures that are held against the best one: they are read again."""


class Apart(NamedTuple):
    """How many times as far from the query as the best one the other is where both differ."""

    times: float
    in_query: Boxes
    in_best: Boxes
    in_other: Boxes


def versions_told(
    query: Pixels, corner_xy: tuple[float, float], copies: Sequence[LargerCopy], read: Read
) -> list[LargerCopy]:
    """The copies, those with boxes in `differs` that others prove to be versions of the picture.

    `query` (H, W, 3) is the part that was looked for, which begins at `corner_xy`. `read` gives a
    copy's pixels again, None where they cannot be had.
    """
    asked = [copy for copy in copies if _is_asked(copy)]
    if max(query.shape[:2]) > SMALL or len(asked) < 2:
        return list(copies)
    asked.sort(key=lambda copy: -(copy.agreement or 0.0))
    told: dict[int, LargerCopy] = {}
    while len(asked) > 1:
        best, *others = asked
        nearer = _hold_against(query, corner_xy, best, others[:MOST], read, told)
        if nearer is None:
            break
        asked = [nearer, *(c for c in others if c is not nearer and id(c) not in told)]
    return [told.get(id(copy), copy) for copy in copies]


def _is_asked(copy: LargerCopy) -> bool:
    return not (copy.suspected_upscale or copy.differs[1] or copy.agreement is None)


def _hold_against(
    query: Pixels,
    corner_xy: tuple[float, float],
    best: LargerCopy,
    others: Sequence[LargerCopy],
    read: Read,
    told: dict[int, LargerCopy],
) -> LargerCopy | None:
    """Tell which others are versions of the best one; the first of them that is nearer, if any."""
    pixels = read(best)
    if pixels is None:
        return None
    for other in others:
        there = read(other)
        apart = None if there is None else _apart(query, best, pixels, other, there)
        if apart is None:
            continue
        in_query = tuple(box.moved(*corner_xy) for box in apart.in_query)
        if apart.times >= NEARER:
            told[id(other)] = replace(other, differs=(in_query, apart.in_other))
        elif apart.times <= 1 / NEARER and _shows_as_much(other, best):
            told[id(best)] = replace(best, differs=(in_query, apart.in_best))
            return other
    return None


def _shows_as_much(other: LargerCopy, best: LargerCopy) -> bool:
    return (other.detail or 0.0) >= AS_MUCH * (best.detail or 0.0)


def _apart(
    query: Pixels, best: LargerCopy, pixels: Pixels, other: LargerCopy, there: Pixels
) -> Apart | None:
    """None where the two do not differ, or one shows what the other leaves out."""
    agreed = agree(pixels, there, other.transform @ inverse(best.transform))
    if agreed is None or not _is_version(agreed):
        return None
    back = inverse(best.transform)
    size_wh = query.shape[1], query.shape[0]
    found = (bounds(box, back) for box in agreed.differs[0])
    boxes = tuple(box.clipped(size_wh) for box in found if box is not None)
    # Both by one transform: that one was laid more exactly is not to count.
    mine = _left(query, pixels, best.transform)
    its = _left(query, there, agreed.transform @ best.transform)
    if mine is None or its is None:
        return None
    where = _covered(boxes, query) & np.isfinite(mine) & np.isfinite(its)
    if not where.any():
        return None
    away, its_away = (float(np.sqrt(np.square(side[where]).mean())) for side in (mine, its))
    return Apart((its_away + 0.5) / (away + 0.5), boxes, *agreed.differs)


def _is_version(agreed: Agreement) -> bool:
    return agreed.worst > MOST_ODDITY and bool(agreed.differs[0]) and min(agreed.shown) == 1


def _left(query: Pixels, picture: Pixels, transform: Matrix) -> NDArray[np.float32] | None:
    """(H, W) levels by which a picture is off the query in one tone and blur; NaN beyond it."""
    laid = lay(query, picture, transform, max(query.shape[:2]))
    if laid is None or laid.inside.shape != query.shape[:2]:
        return None
    together = bring_together(laid.first, laid.second, laid.inside)
    left = np.linalg.norm(together.first - together.second, axis=2) / np.sqrt(3)
    return np.where(laid.inside, left, np.nan).astype(np.float32)


def _covered(boxes: Boxes, query: Pixels) -> NDArray[np.bool_]:
    """(H, W) pixels that any of some boxes touches."""
    mask = np.zeros(query.shape[:2], bool)
    for box in boxes:
        rows = slice(int(box.y1), int(np.ceil(box.y2)) + 1)
        mask[rows, int(box.x1) : int(np.ceil(box.x2)) + 1] = True
    return mask
