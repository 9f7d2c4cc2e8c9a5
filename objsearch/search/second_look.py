"""The first candidates again, from their files: is what geometry calls the same the same all over?

An index holds no pixels, so what is called *same* by a plane is read once more and laid over the
query (`objsearch.agree.thing`), and so are the first few that a plane says too little of: where all
of their detail agrees, pixels prove what few keypoints could not. Siblings that share print become
*uncertain*, with boxes of what differs; so does what cannot be laid over the query to a pixel,
unless more speaks for it than usual; what cannot be read again is *uncertain*, with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np

from objsearch.flow import once, ordered_map
from objsearch.match.geometry import inverse
from objsearch.search.by_pixels import (
    full_scaling,
    is_planar,
    looked_at,
    may_be_proven,
    moved_points,
    replaced,
    unread,
)
from objsearch.search.comparing import Comparer, swapped
from objsearch.search.describing import Describer
from objsearch.search.queries import View
from objsearch.search.retrieval import compare_versions, lowered
from objsearch.search.second_comparison import Closer, Plane, with_plane
from objsearch.settings import SecondLook as SecondLookOptions
from objsearch.sources import AtHand, Place
from objsearch.types import DescribedImage, Hit, Image, ImageRef

Known = Callable[[ImageRef], DescribedImage | None]
"""What the index holds of an image whose file has not changed since."""


MOST_KEPT = 6
"""Pictures of hits that are kept for a further look, up to 40 MB each: those in doubt are compared
first, and some of them laid over the query then."""


class Pictures:
    """What was read again for one search: queries, and hits as they are asked for."""

    def __init__(self, look: SecondLook) -> None:
        self._look = look
        self.of_query = cache(look._picture)
        self.known = cache(look.known)
        self.of_hit = lru_cache(MOST_KEPT)(self._read)
        self.is_replaced = cache(look.is_replaced)

    def _read(self, ref: ImageRef) -> Image | None:
        known = self.known(ref)
        return None if known is None else self._look._read(known)


class SecondLook:
    """Reads hits again and judges them by their pixels."""

    def __init__(
        self,
        describer: Describer,
        comparer: Comparer,
        known: Known,
        at_hand: AtHand,
        is_replaced: Callable[[ImageRef], bool] = lambda _: False,
    ) -> None:
        self.describer = describer
        self.comparer = comparer
        self.known = known
        self.at_hand = at_hand
        self.is_replaced = is_replaced

    def over(
        self,
        views: Sequence[View],
        hits: Sequence[Hit],
        options: SecondLookOptions,
        negatives: Sequence[View] = (),
    ) -> list[Hit]:
        """The hits, best first: those in doubt compared once more, then the first looked at."""
        pictures = Pictures(self)
        if len(views) == 1 and self.comparer.local:
            hits = self._closer((views[0], *negatives), hits, options.doubtful, pictures)
        return self._looked_over(views, hits, options, pictures)

    def _looked_over(
        self,
        views: Sequence[View],
        hits: Sequence[Hit],
        options: SecondLookOptions,
        pictures: Pictures,
    ) -> list[Hit]:
        by_ref = {view.image.ref: view for view in views}
        first = [(by_ref[hit.query], hit) for hit in hits[: options.candidates]]
        planar = [hit.ref for _, hit in first if is_planar(hit)]
        promising = [hit.ref for _, hit in first if may_be_proven(hit)]
        chosen = {*planar, *promising[: options.doubtful]}
        for view, hit in first:
            if hit.ref in chosen:
                pictures.of_query(view)  # once, before several threads ask for it

        def again(pair: tuple[View, Hit]) -> Hit:
            view, hit = pair
            if hit.verdict == "same" and pictures.is_replaced(hit.ref):
                return replaced(hit)
            return self._judged(hit, view, pictures) if hit.ref in chosen else hit

        workers = self.describer.settings.run.n_workers
        return [*ordered_map(again, first, workers=workers), *hits[options.candidates :]]

    def between(self, hit: Hit, query: View, reference: View) -> Hit:
        """The hit of two pictures that were compared by themselves."""
        if _is_same_picture(query.image, reference.image):
            return hit
        pictures = self._picture(query), self._picture(reference)
        if _is_doubtful(hit) and self.comparer.local:
            hit = self._closer_both_ways(hit, (query.image, reference.image), pictures)
        is_looked_at = is_planar(hit) or may_be_proven(hit)
        return looked_at(self.comparer, hit, *pictures) if is_looked_at else hit

    def _closer(
        self, views: Sequence[View], hits: Sequence[Hit], n: int, pictures: Pictures
    ) -> list[Hit]:
        """The first `n` hits in doubt compared once more; ordered anew.

        The first of the views is the query. The others are negatives, and a hit that has become
        the same is compared with these as closely.
        """
        view, *negatives = views
        doubtful = [hit for hit in hits if _is_doubtful(hit)][:n]
        query = pictures.of_query(view) if doubtful else None
        if query is None:
            return list(hits)
        workers = self.describer.settings.run.n_workers
        closer = Closer.of(query, workers)
        of_negative = once(lambda: [self._closer_of(view, pictures) for view in negatives])

        def again(hit: Hit) -> Hit:
            known, reference = pictures.known(hit.ref), pictures.of_hit(hit.ref)
            if known is None or reference is None:
                return hit
            better = _with_plane(self.comparer, hit, (view.image, known), closer, reference)
            if better is hit or not negatives:
                return better
            better = replace(better, view_scores={str(better.query): better.score})
            each = zip(negatives, of_negative(), strict=True)
            return lowered(
                better, [self._as_closely(n, nearer, known, reference) for n, nearer in each]
            )

        by_ref = {hit.ref: hit for hit in ordered_map(again, doubtful, workers=workers)}
        return sorted((by_ref.get(hit.ref, hit) for hit in hits), key=_rank_key)

    def _as_closely(
        self, view: View, closer: Closer | None, known: DescribedImage, reference: Image
    ) -> Hit:
        """The hit of a negative, compared once more, too, where that is in doubt."""
        hit = compare_versions(self.comparer, view, known)
        if closer is None or not _is_doubtful(hit):
            return hit
        return _with_plane(self.comparer, hit, (view.image, known), closer, reference)

    def _closer_of(self, view: View, pictures: Pictures) -> Closer | None:
        query = pictures.of_query(view)
        return None if query is None else Closer.of(query)

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
        first, second = sides
        there = _with_plane(self.comparer, hit, sides, Closer.of(query), reference)
        back = swapped(hit, first.size_wh)
        back = _with_plane(self.comparer, back, (second, first), Closer.of(reference), query)
        return there if there.score >= back.score else swapped(back, second.size_wh)

    def _judged(self, hit: Hit, view: View, pictures: Pictures) -> Hit:
        known = pictures.known(hit.ref)
        if known is None:
            return unread(hit)
        if _is_same_picture(view.image, known):
            return hit
        return looked_at(self.comparer, hit, pictures.of_query(view), pictures.of_hit(hit.ref))

    def _picture(self, view: View) -> Image | None:
        """The query with all its pixels, where it can be read again; else as it was described."""
        if view.picture is not None and view.picture.reduction == 1:
            return view.picture
        return self._read(view.image, view.place) or view.picture

    def _read(self, described: DescribedImage, at_hand: Place | None = None) -> Image | None:
        """All of a picture's pixels; a huge one reduced; None when it is gone or has another
        size."""
        place = at_hand or self.at_hand.place(described.ref)
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
    for plane in closer.planes(reference):
        better = with_plane(comparer, hit, sides, _in_full(plane, closer.query, reference))
        if better is not hit:
            return better
    return hit


def _in_full(plane: Plane, query: Image, reference: Image) -> Plane:
    """The plane in pixels of the whole images."""
    to_query, to_reference = full_scaling(query), full_scaling(reference)
    verification = plane.verification
    points = np.hstack(
        [
            moved_points(verification.inliers_xyxy[:, :2], to_query),
            moved_points(verification.inliers_xyxy[:, 2:], to_reference),
        ]
    )
    transform = to_reference @ verification.transform @ inverse(to_query)
    return replace(
        plane, verification=replace(verification, transform=transform, inliers_xyxy=points)
    )


def _rank_key(hit: Hit) -> tuple[float, str]:
    return -hit.score, str(hit.ref)


def _is_doubtful(hit: Hit) -> bool:
    return hit.verdict != "same" and not hit.note


def _is_same_picture(first: DescribedImage, second: DescribedImage) -> bool:
    return first.content == second.content != ""
