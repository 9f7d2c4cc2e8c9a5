"""Which references show the query's content with more pixels, and which were only enlarged?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from objsearch.agree import Agreement, agree
from objsearch.agree.agreement import MOST_ODDITY, is_of_another_shot
from objsearch.agree.detail import detail_gain
from objsearch.agree.reducing import agree_reduced
from objsearch.errors import UsageError
from objsearch.flow import counted, ordered_map
from objsearch.images.mapping import Matrix
from objsearch.images.transform import crop
from objsearch.search.agreeing import ways
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import SecondLook
from objsearch.sources import Place, expand, is_made_up
from objsearch.tasks.larger.found import LargerAnswer, LargerCopy
from objsearch.tasks.larger.measuring import (
    Extent,
    MeasuredBy,
    agreement_of,
    extent,
    refined,
    snapped,
)
from objsearch.tasks.larger.ordering import PRECISION, largest_first
from objsearch.tasks.larger.versions import versions_told
from objsearch.types import Answer, Box, Hit, Image, Pixels, Unreadable

SURE_AGREEMENT = 0.9
"""Correlation that proves a copy where keypoints do not."""
LEAST_AGREEMENT = 0.6
"""Below it the two are different photos of one thing, whatever keypoints agree on."""


@dataclass(frozen=True, slots=True, eq=False)
class _Query:
    """The part of the query that counts: its pixels, and where they lie in the image."""

    pixels: Pixels
    box_xyxy: Box

    @property
    def frame(self) -> Box:
        return Box(0.0, 0.0, float(self.pixels.shape[1]), float(self.pixels.shape[0]))


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """The query's content, placed in a reference."""

    transform: Matrix
    measured_by: MeasuredBy
    extent: Extent
    agreement: float | None


def find_larger(search: ObjectSearch, query: Any, **options: Any) -> LargerAnswer:
    """The references of a search that hold the query's content with more pixels, largest first.

    `query` is one image; `options` are those of `ObjectSearch.find`: threshold, region, where.
    Scale is measured through the transform, so that a reference which holds only a part of the
    query counts by the scale of that part. Raises UsageError as `find` does, and for a file that
    holds several pictures.
    """
    started = time.perf_counter()
    place, image = _read_query(search, query)
    answer = _found(search, place, options)
    seen = answer.queries[0]
    box = seen.regions[-1].box_xyxy
    asked = _Query(np.ascontiguousarray(crop(image.pixels, box)), box)
    measure = partial(_measured, search, asked)
    workers = search.settings.run.n_workers
    results = counted(
        ordered_map(measure, answer.hits, workers=workers), "measure", search.progress
    )
    copies = [copy for copy in results if copy is not None]
    of_one_shot = [copy for copy in copies if not copy.is_other_shot]
    larger = _in_order(search, asked, [copy for copy in of_one_shot if _is_larger(copy)])
    return LargerAnswer(
        query=seen,
        query_box_xyxy=box,
        copies=tuple(larger),
        not_larger=len(of_one_shot) - len(larger),
        other_shots=len(copies) - len(of_one_shot),
        scanned=answer.scanned,
        compared=answer.compared,
        skipped=answer.skipped,
        settings={**answer.settings, "larger": search.settings.larger.model_dump(mode="json")},
        elapsed_seconds=time.perf_counter() - started,
        warnings=answer.warnings,
        flags=answer.flags,
        remembered=answer.remembered,
        screened_out=answer.screened_out,
    )


def _read_query(search: ObjectSearch, query: Any) -> tuple[Place, Image]:
    """The query's place and its whole image; what is in memory is read once."""
    [*places] = search.describer.unfold(expand([query], kind="query"))
    if len(places) != 1:
        raise UsageError(
            f"larger copies are looked for of one picture, not of {len(places)}; "
            "name a page or a frame, such as scan.pdf#page=1"
        )
    place = places[0]
    if isinstance(place, Unreadable):
        raise UsageError(f"no query can be read: {place.ref}: {place.reason}")
    image = search.describer.read(replace(place, ref=replace(place.ref, xywh=None)))
    if isinstance(image, Unreadable):
        raise UsageError(f"no query can be read: {image.ref}: {image.reason}")
    return replace(place, content=image) if is_made_up(place.ref) else place, image


def _found(search: ObjectSearch, place: Place, options: dict[str, Any]) -> Answer:
    """The copies. Where more look alike than the shortlist holds, all are compared in full."""
    # Whether it is a copy is measured by its pixels further on.
    options = {**options, "top": None, "offset": 0, "second_look": SecondLook(enabled=False)}
    answer = search.find(place, **options)
    shortlist = search.settings.search.shortlist
    # A library holds photos of other folders, too, which nobody asked for.
    is_short = shortlist is not None and search.n_references > shortlist
    if is_short and any(not (hit.pairs and hit.pairs[0].verification) for hit in answer.hits):
        return search.find(place, **{**options, "shortlist": search.n_references})
    return answer


def _measured(search: ObjectSearch, query: _Query, hit: Hit) -> LargerCopy | None:
    """A hit as a copy with its size; None where it is no copy of the same picture."""
    pixels = _pixels_of(search, hit)
    placed = _placed(query, hit, pixels)
    if placed is None:
        return None
    detail = agreed = None
    if pixels is not None:
        detail = detail_gain(query.pixels, pixels, placed.transform)
        agreed = _agreed(query.pixels, pixels, placed.transform)
    return LargerCopy(
        hit=hit,
        scale=placed.extent.scale,
        coverage=placed.extent.coverage,
        pixels=placed.extent.pixels,
        measured_by=placed.measured_by,
        agreement=placed.agreement,
        detail=detail,
        suspected_upscale=detail is not None and detail < search.settings.larger.least_detail,
        transform=placed.transform,
        note="" if pixels is not None else "its pixels could not be read again",
        differs=_differing(agreed, query.box_xyxy),
        is_other_shot=agreed is not None and is_of_another_shot(agreed),
    )


def _agreed(query: Pixels, reference: Pixels, transform: Matrix) -> Agreement | None:
    agreed = agree(query, reference, transform)
    if agreed is None or not _is_doubtful(agreed):
        return agreed
    return agree_reduced(query, reference, transform) or agreed


def _is_doubtful(agreed: Agreement) -> bool:
    return agreed.worst > MOST_ODDITY and bool(agreed.differs[1])


def _pixels_of(search: ObjectSearch, hit: Hit) -> Pixels | None:
    """The whole picture of a hit; None where it is not there any more as it was described."""
    image = search.describer.read(Place(replace(hit.ref, xywh=None)))
    has_pixels = isinstance(image, Image) and image.size_wh == hit.size_wh
    return image.pixels if isinstance(image, Image) and has_pixels else None


def _in_order(
    search: ObjectSearch, query: _Query, copies: Sequence[LargerCopy]
) -> list[LargerCopy]:
    """Larger copies, largest first, once they were held against each other."""
    corner_xy = query.box_xyxy.x1, query.box_xyxy.y1
    told = versions_told(query.pixels, corner_xy, copies, lambda copy: _pixels_of(search, copy.hit))
    return largest_first(told)


def _differing(agreed: Agreement | None, box_xyxy: Box) -> tuple[tuple[Box, ...], tuple[Box, ...]]:
    """Places that plainly differ, in pixels of the whole query and of the reference."""
    if agreed is None or not _is_doubtful(agreed):
        return (), ()
    in_query, in_reference = agreed.differs
    return tuple(box.moved(box_xyxy.x1, box_xyxy.y1) for box in in_query), in_reference


def _placed(query: _Query, hit: Hit, pixels: Pixels | None) -> _Placed | None:
    """The first transform that the pixels prove, or else the best that geometry proves."""
    best: _Placed | None = None
    corner_xy = query.box_xyxy.x1, query.box_xyxy.y1
    for transform, is_proven in ways(query.frame, hit, corner_xy):
        placed = _placed_by(query, hit, pixels, transform)
        if placed is None:
            continue
        if placed.agreement is None:
            return placed if is_proven else None
        if placed.agreement >= SURE_AGREEMENT:
            return placed
        is_enough = is_proven and placed.agreement >= LEAST_AGREEMENT
        if is_enough and (best is None or placed.agreement > (best.agreement or 0.0)):
            best = placed
    return best


def _placed_by(query: _Query, hit: Hit, pixels: Pixels | None, transform: Matrix) -> _Placed | None:
    known, by = snapped(query.frame, hit.size_wh, transform)
    agreement = None
    if pixels is not None and by == "frame":
        agreement = agreement_of(query.pixels, pixels, known)
    elif pixels is not None:
        known, agreement = refined(query.pixels, pixels, known)
    size = extent(query.frame, hit.size_wh, known)
    return None if size is None else _Placed(known, by, size, agreement)


def _is_larger(copy: LargerCopy) -> bool:
    return copy.scale > (1.0 if copy.measured_by == "frame" else 1.0 + PRECISION)
