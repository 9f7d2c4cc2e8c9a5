"""A hit judged by its pixels, as both pictures are at hand again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from objsearch.agree.beside import differs_beside
from objsearch.agree.shape import lies_level
from objsearch.agree.template import other_contents
from objsearch.agree.thing import Seen, look
from objsearch.images.mapping import Matrix, scaling
from objsearch.match.geometry import bounds, inverse
from objsearch.search.comparing import Comparer
from objsearch.types import Box, Hit, Image, Points, RegionPair

SHARED_PRINT = "shared_print"
"""The evidence of a pair, and the note of a hit, of which some agrees and some differs."""
NOT_LAID = "not_laid"
"""The same where a few keypoints agree, and the pixels could not be laid over each other."""
DIFFERS_BESIDE = "differs_beside"
"""The same where the thing agrees, and the pictures, versions of one or two of one template, differ
beside it."""
NOT_READ_AGAIN = "not_read_again"
"""The note of a hit whose file, or whose query, is not there any more, or is another by now."""
REPLACED = "replaced"
"""The note of a hit whose file shows another picture than was described, and does not tell."""

LOOKS_THE_SAME = 0.9
"""Score of what two things look like, keypoints apart, from which they may be too deep to lay."""


def is_planar(hit: Hit) -> bool:
    """Whether a plane says *same*: what has depth, or is told by likeness, cannot be laid over."""
    return hit.verdict == "same" and _says_same(hit.pairs[0])


def may_be_proven(hit: Hit) -> bool:
    """Whether a plane lies there that keypoints say too little of."""
    is_doubtful = hit.verdict == "uncertain" and not hit.note and bool(hit.pairs)
    return is_doubtful and hit.pairs[0].verdict == "uncertain" and _has_plane(hit.pairs[0])


def _says_same(pair: RegionPair) -> bool:
    return pair.verdict == "same" and _has_plane(pair)


def _has_plane(pair: RegionPair) -> bool:
    verification = pair.verification
    return verification is not None and verification.model != "fundamental"


def unread(hit: Hit) -> Hit:
    """The hit of a picture that cannot be read again: what was to be proven stays as it is."""
    if not is_planar(hit):
        return hit
    return replace(hit, verdict="uncertain", note=hit.note or NOT_READ_AGAIN)


def replaced(hit: Hit) -> Hit:
    """The hit of a picture that is another by now: what was described vouches for nothing."""
    return replace(hit, verdict="uncertain", note=hit.note or REPLACED)


def looked_at(comparer: Comparer, hit: Hit, query: Image | None, reference: Image | None) -> Hit:
    """The hit as the pixels of both pictures say."""
    if query is None or reference is None:
        return unread(hit)
    if not is_planar(hit):
        return _proven(hit, query, reference)
    first, *others = (
        _compared(comparer, pair, query, reference) if _says_same(pair) else pair
        for pair in hit.pairs
    )
    pairs = (_beside(first, query, reference), *others)
    verdict = pairs[0].verdict
    note = hit.note or (pairs[0].evidence if verdict != "same" else "")
    return replace(hit, pairs=pairs, verdict=verdict, note=note)


def _compared(comparer: Comparer, pair: RegionPair, query: Image, reference: Image) -> RegionPair:
    """The pair as its pixels say."""
    seen = _seen(pair, query, reference)
    # What shows through a transparent picture is not its own: it says nothing against it.
    is_opaque = query.alpha is None and reference.alpha is None
    if seen is not None and is_opaque and _is_of_one_form(seen, pair, query, reference):
        return _doubted(pair, SHARED_PRINT, seen.differs, query, reference)
    if seen is None or not seen.can_be_judged:
        is_sure = not is_opaque or _is_sure(comparer, pair)
        return pair if is_sure else replace(pair, verdict="uncertain", evidence=NOT_LAID)
    if is_opaque:
        is_other = seen.shares_print_only or seen.is_other_print
    else:  # its corners follow what shows through, too: badly laid, the rest says nothing either
        is_other = seen.is_laid and seen.shares_print_only
    if not is_other:
        return pair
    return _doubted(pair, SHARED_PRINT, seen.differs, query, reference)


def _is_of_one_form(seen: Seen, pair: RegionPair, query: Image, reference: Image) -> bool:
    """Whether two sheets lie as on a scanner, and not corner on corner as one sheet does."""
    if seen.is_followed:
        return False
    return lies_level(_Overlaid.of(pair, query, reference).transform, query.size_wh)


def _beside(pair: RegionPair, query: Image, reference: Image) -> RegionPair:
    """The pair of a thing that agrees, where the pictures are versions of one or of a template.

    Of a part that somebody has cut out, the rest of the picture says nothing.
    """
    is_part = query.within_xyxy is not None or reference.within_xyxy is not None
    has_alpha = query.alpha is not None or reference.alpha is not None
    if not _says_same(pair) or is_part or has_alpha:
        return pair
    laid = _Overlaid.of(pair, query, reference)
    differs = other_contents(query.pixels, reference.pixels, laid.print_xy, laid.there_xy)
    if not differs[0]:
        differs = differs_beside(query.pixels, reference.pixels, laid.transform, laid.box_xyxy)
    return _doubted(pair, DIFFERS_BESIDE, differs, query, reference) if differs[0] else pair


def _doubted(
    pair: RegionPair,
    evidence: str,
    differs: tuple[tuple[Box, ...], tuple[Box, ...]],
    query: Image,
    reference: Image,
) -> RegionPair:
    """The pair as uncertain, with what differs, which is given in pixels at hand."""
    from_query, from_reference = _to_whole(query), _to_whole(reference)
    boxes = (
        tuple(_moved(box, from_query) for box in differs[0]),
        tuple(_moved(box, from_reference) for box in differs[1]),
    )
    return replace(pair, verdict="uncertain", evidence=evidence, differs=boxes)


def _proven(hit: Hit, query: Image, reference: Image) -> Hit:
    """The hit as *same*, where all detail of its first pair agrees; else as it is."""
    if query.alpha is not None or reference.alpha is not None:
        return hit
    first, *others = hit.pairs
    seen = _seen(first, query, reference, to_prove=True)
    if seen is None or not seen.is_proven:
        return hit
    proven = _beside(replace(first, verdict="same"), query, reference)
    if proven.verdict != "same":
        return hit
    return replace(hit, pairs=(proven, *others), verdict="same")


def _seen(
    pair: RegionPair, query: Image, reference: Image, *, to_prove: bool = False
) -> Seen | None:
    """The pictures of a pair laid over each other by its plane."""
    laid = _Overlaid.of(pair, query, reference)
    box = laid.box_xyxy
    if _is_piece(pair) and bounds(query.frame, laid.transform) is not None:
        box = query.frame
    return look(
        query.pixels, reference.pixels, laid.transform, box, laid.print_xy, to_prove=to_prove
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Overlaid:
    """What a pair says in pixels at hand: `transform` (3, 3) from those of the query to those of
    the reference; in the query the thing's box; in each the places (N, 2) that agree."""

    transform: Matrix
    box_xyxy: Box
    print_xy: Points
    there_xy: Points

    @classmethod
    def of(cls, pair: RegionPair, query: Image, reference: Image) -> _Overlaid:
        verification = pair.verification
        assert verification is not None
        from_query = _to_whole(query)
        to_query, to_reference = inverse(from_query), inverse(_to_whole(reference))
        return cls(
            to_reference @ verification.transform @ from_query,
            _moved(pair.query.box_xyxy, to_query),
            moved_points(verification.inliers_xyxy[:, :2], to_query),
            moved_points(verification.inliers_xyxy[:, 2:], to_reference),
        )


def _is_piece(pair: RegionPair) -> bool:
    """Whether a pair is of a tile, which is no thing: the rest of the pictures counts as well."""
    proposals = {pair.query.proposal, pair.reference.proposal}
    return "grid" in proposals and proposals <= {"grid", "geometry", "frame"}


def _is_sure(comparer: Comparer, pair: RegionPair) -> bool:
    """Whether a pair is the same though its pixels cannot say so.

    As many keypoints are asked for as where depth lets no plane fit; or things that also look the
    same: siblings, seen so badly, do not.
    """
    local = {channel.alias for channel in comparer.local}
    proof = max((pair.features.get(name, 0.0) for name in local), default=0.0)
    if np.expm1(proof) >= comparer.settings.verdicts.same_inliers_depth:
        return True
    looks = {name: value for name, value in pair.features.items() if name not in local}
    calibration = comparer.scoring.of(frozenset(pair.features))
    unbounded = calibration.model_copy(update={"most": {}})
    return bool(looks) and unbounded.probability(looks) >= LOOKS_THE_SAME


def _to_whole(image: Image) -> Matrix:
    """(3, 3) from pixels at hand to those of the image in full; it may be reduced, or a part."""
    moved = full_scaling(image)
    moved[:2, 2] += image.offset_xy
    return moved


def full_scaling(image: Image) -> Matrix:
    """(3, 3) from pixels at hand to those of the image in full, the offset of a part left out."""
    size_wh = image.full_size_wh if image.reduction > 1 else None
    sx, sy = (
        (1.0, 1.0)
        if size_wh is None
        else (size / own for size, own in zip(size_wh, image.size_wh, strict=True))
    )
    return scaling(sx, sy)


def moved_points(points_xy: Points, resize: Matrix) -> Points:
    """(N, 2) where a scaling and a shift lead."""
    return np.asarray(points_xy * np.diag(resize)[:2] + resize[:2, 2], np.float32)


def _moved(box: Box, resize: Matrix) -> Box:
    """A box where a scaling and a shift lead: edges lie half a pixel before the centres."""
    x, y = np.diag(resize)[:2]
    dx, dy = resize[:2, 2] + 0.5 - np.array([x, y]) / 2
    edges = x * box.x1 + dx, y * box.y1 + dy, x * box.x2 + dx, y * box.y2 + dy
    return Box(*map(float, edges))
