"""The first candidates again, from their files: is what geometry calls the same the same all over?

An index holds no pixels, so what is called *same* by a plane is read once more and laid over the
query (`objsearch.agree.thing`). Siblings that share print become *uncertain*, with boxes of what
differs; so does what cannot be laid over the query to a pixel, unless more speaks for it than usual
(`_is_sure`); what cannot be read again is *uncertain*, with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from objsearch.agree.thing import look
from objsearch.flow import ordered_map
from objsearch.images.mapping import Matrix, scaling
from objsearch.match.geometry import inverse
from objsearch.search.comparing import Comparer, swapped
from objsearch.search.describing import Describer
from objsearch.search.queries import View
from objsearch.search.second_comparison import Closer, Plane, with_plane
from objsearch.settings import SecondLook as SecondLookOptions
from objsearch.sources import AtHand
from objsearch.types import Box, DescribedImage, Hit, Image, ImageRef, Points, RegionPair

SHARED_PRINT = "shared_print"
"""The evidence of a pair, and the note of a hit, of which some agrees and some differs."""
NOT_LAID = "not_laid"
"""The same where a few keypoints agree, and the pixels could not be laid over each other."""
NOT_READ_AGAIN = "not_read_again"
"""The note of a hit whose file, or whose query, is not there any more, or is another by now."""

LOOKS_THE_SAME = 0.9
"""Score of what two things look like, keypoints apart, from which they may be too deep to lay."""

Known = Callable[[ImageRef], DescribedImage | None]
"""What the index holds of an image whose file has not changed since."""


class SecondLook:
    """Reads hits again and judges them by their pixels."""

    def __init__(
        self, describer: Describer, comparer: Comparer, known: Known, at_hand: AtHand
    ) -> None:
        self.describer = describer
        self.comparer = comparer
        self.known = known
        self.at_hand = at_hand

    def over(
        self, views: Sequence[View], hits: Sequence[Hit], options: SecondLookOptions
    ) -> list[Hit]:
        """The hits, best first: those in doubt compared once more, then the first looked at."""
        if len(views) == 1 and self.comparer.local and not any(h.negative_scores for h in hits):
            hits = self._closer(views[0], hits, options.doubtful)
        return self._looked_over(views, hits, options.candidates)

    def _looked_over(
        self, views: Sequence[View], hits: Sequence[Hit], candidates: int
    ) -> list[Hit]:
        by_ref = {view.image.ref: view for view in views}
        first = [(by_ref[hit.query], hit) for hit in hits[:candidates]]
        pictures = self._pictures([view for view, hit in first if _is_planar(hit)])

        def again(one: tuple[View, Hit]) -> Hit:
            view, hit = one
            if not _is_planar(hit):
                return hit
            known = self.known(hit.ref)
            return self._judged(hit, view, known, pictures[view.image.ref])

        workers = self.describer.settings.run.n_workers
        return [*ordered_map(again, first, workers=workers), *hits[candidates:]]

    def between(self, hit: Hit, query: View, reference: View) -> Hit:
        """The hit of two pictures that were compared by themselves."""
        if _is_same_picture(query.image, reference.image):
            return hit
        pictures = self._picture(query), self._picture(reference)
        if _is_doubtful(hit) and self.comparer.local:
            hit = self._closer_both_ways(hit, (query.image, reference.image), pictures)
        return _looked_at(self.comparer, hit, *pictures) if _is_planar(hit) else hit

    def _closer(self, view: View, hits: Sequence[Hit], n: int) -> list[Hit]:
        """The first `n` hits in doubt compared once more; ordered anew."""
        doubtful = [hit for hit in hits if _is_doubtful(hit)][:n]
        query = self._picture(view) if doubtful else None
        if query is None:
            return list(hits)
        closer = Closer.of(query)

        def again(hit: Hit) -> Hit:
            known = self.known(hit.ref)
            reference = None if known is None else self._read(known)
            if known is None or reference is None:
                return hit
            return _with_plane(self.comparer, hit, (view.image, known), closer, reference)

        workers = self.describer.settings.run.n_workers
        found = {hit.ref: hit for hit in ordered_map(again, doubtful, workers=workers)}
        return sorted((found.get(hit.ref, hit) for hit in hits), key=_rank_key)

    def _closer_both_ways(
        self,
        hit: Hit,
        sides: tuple[DescribedImage, DescribedImage],
        pictures: tuple[Image | None, Image | None],
    ) -> Hit:
        """The better of both directions, so that it does not matter which comes first."""
        query, reference = pictures
        if query is None or reference is None:
            return hit
        one, other = sides
        there = _with_plane(self.comparer, hit, sides, Closer.of(query), reference)
        back = swapped(hit, one.size_wh)
        back = _with_plane(self.comparer, back, (other, one), Closer.of(reference), query)
        return there if there.score >= back.score else swapped(back, other.size_wh)

    def _pictures(self, views: Sequence[View]) -> dict[ImageRef, Image | None]:
        return {
            ref: self._picture(view)
            for ref, view in {view.image.ref: view for view in views}.items()
        }

    def _judged(
        self, hit: Hit, view: View, known: DescribedImage | None, query: Image | None
    ) -> Hit:
        if known is None:
            return _unread(hit)
        if _is_same_picture(view.image, known):
            return hit
        return _looked_at(self.comparer, hit, query, self._read(known))

    def _picture(self, view: View) -> Image | None:
        """The query with all its pixels, where it can be read again; else as it was described."""
        if view.picture is not None and view.picture.reduction == 1:
            return view.picture
        return self._read(view.image) or view.picture

    def _read(self, described: DescribedImage) -> Image | None:
        """All of a picture's pixels; a huge one reduced; None when it is gone or has another
        size."""
        place = self.at_hand.place(described.ref)
        image = None if place is None else self.describer.read_closely(place)
        if not isinstance(image, Image):
            return None
        is_same_size = (image.full_size_wh or image.size_wh) == described.size_wh
        return image if is_same_size else None


def _with_plane(
    comparer: Comparer,
    hit: Hit,
    sides: tuple[DescribedImage, DescribedImage],
    closer: Closer,
    reference: Image,
) -> Hit:
    """The hit with what a second comparison finds, told in pixels of the whole images."""
    for found in closer.planes(reference):
        better = with_plane(comparer, hit, sides, _in_full(found, closer.query, reference))
        if better is not hit:
            return better
    return hit


def _in_full(found: Plane, query: Image, reference: Image) -> Plane:
    """The plane in pixels of the whole images."""
    to_query, to_reference = _scaling(query), _scaling(reference)
    plane = found.verification
    points = np.hstack(
        [
            _points(plane.inliers_xyxy[:, :2], to_query),
            _points(plane.inliers_xyxy[:, 2:], to_reference),
        ]
    )
    transform = to_reference @ plane.transform @ inverse(to_query)
    return replace(found, verification=replace(plane, transform=transform, inliers_xyxy=points))


def _rank_key(hit: Hit) -> tuple[float, str]:
    return -hit.score, str(hit.ref)


def _is_doubtful(hit: Hit) -> bool:
    return hit.verdict != "same" and not hit.note


def _is_same_picture(one: DescribedImage, other: DescribedImage) -> bool:
    return one.content == other.content != ""


def _is_planar(hit: Hit) -> bool:
    """Whether a plane says *same*: what has depth, or is told by likeness, cannot be laid over."""
    return hit.verdict == "same" and _says_same(hit.pairs[0])


def _says_same(pair: RegionPair) -> bool:
    found = pair.verification
    return pair.verdict == "same" and found is not None and found.model != "fundamental"


def _unread(hit: Hit) -> Hit:
    return replace(hit, verdict="uncertain", note=hit.note or NOT_READ_AGAIN)


def _looked_at(comparer: Comparer, hit: Hit, query: Image | None, reference: Image | None) -> Hit:
    if query is None or reference is None:
        return _unread(hit)
    pairs = tuple(
        _compared(comparer, pair, query, reference) if _says_same(pair) else pair
        for pair in hit.pairs
    )
    verdict = pairs[0].verdict
    note = hit.note or (pairs[0].evidence if verdict != "same" else "")
    return replace(hit, pairs=pairs, verdict=verdict, note=note)


def _compared(comparer: Comparer, pair: RegionPair, query: Image, reference: Image) -> RegionPair:
    """The pair as its pixels say."""
    found = pair.verification
    assert found is not None
    from_query, from_reference = _to_whole(query), _to_whole(reference)
    to_query, to_reference = inverse(from_query), inverse(from_reference)
    seen = look(
        query.pixels,
        reference.pixels,
        to_reference @ found.transform @ from_query,
        _moved(pair.query.box_xyxy, to_query),
        _points(found.inliers_xyxy[:, :2], to_query),
    )
    # What shows through a transparent picture is not its own: it says nothing against it.
    is_opaque = query.alpha is None and reference.alpha is None
    if seen is None or not seen.can_be_judged:
        is_sure = not is_opaque or _is_sure(comparer, pair)
        return pair if is_sure else replace(pair, verdict="uncertain", evidence=NOT_LAID)
    if not (seen.shares_print_only or (is_opaque and seen.is_other_print)):
        return pair
    differs = (
        tuple(_moved(box, from_query) for box in seen.differs[0]),
        tuple(_moved(box, from_reference) for box in seen.differs[1]),
    )
    return replace(pair, verdict="uncertain", evidence=SHARED_PRINT, differs=differs)


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
    moved = _scaling(image)
    moved[:2, 2] += image.offset_xy
    return moved


def _scaling(image: Image) -> Matrix:
    """The same, without the offset of a part."""
    size_wh = image.full_size_wh if image.reduction > 1 else None
    sx, sy = (
        (1.0, 1.0)
        if size_wh is None
        else (size / own for size, own in zip(size_wh, image.size_wh, strict=True))
    )
    return scaling(sx, sy)


def _points(points_xy: Points, resize: Matrix) -> Points:
    return np.asarray(points_xy * np.diag(resize)[:2] + resize[:2, 2], np.float32)


def _moved(box: Box, resize: Matrix) -> Box:
    """A box where a scaling and a shift lead: edges lie half a pixel before the centres."""
    x, y = np.diag(resize)[:2]
    dx, dy = resize[:2, 2] + 0.5 - np.array([x, y]) / 2
    edges = x * box.x1 + dx, y * box.y1 + dy, x * box.x2 + dx, y * box.y2 + dy
    return Box(*map(float, edges))
