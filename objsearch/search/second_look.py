"""The first candidates again, from their files: is what geometry calls the same the same all over?

An index holds no pixels, so what is called *same* by a plane is read once more and laid over the
query (`objsearch.agree.thing`), and so are the first few that a plane says too little of: where all
of their detail agrees, pixels prove what few keypoints could not. Siblings that share print become
*uncertain*, with boxes of what differs; so does what cannot be laid over the query to a pixel,
unless more speaks for it than usual; what cannot be read again is *uncertain*, with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from objsearch.flow import ordered_map
from objsearch.search.by_pixels import is_planar, looked_at, may_be_proven, replaced, unread
from objsearch.search.closer_look import CloserLook, is_doubtful, raised_by
from objsearch.search.comparing import Comparer, swapped
from objsearch.search.describing import Describer
from objsearch.search.full_size import FullSize
from objsearch.search.queries import View
from objsearch.search.second_comparison import Closer
from objsearch.settings import Search
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
        search: Search,
        negatives: Sequence[View] = (),
    ) -> list[Hit]:
        """The hits, best first: those in doubt compared once more, then the first looked at."""
        pictures, options = Pictures(self), search.second_look
        unlikely: Hit | None = None
        if self.comparer.local:
            workers = self.describer.settings.run.n_workers
            look = CloserLook(self.comparer, pictures, views, negatives, search.fusion, workers)
            unlikely = _agreeing_beyond(hits, options.doubtful)
            hits = self._closer(look, hits, options.doubtful, unlikely)
        looked = self._looked_over(views, hits, options, pictures)
        return looked if unlikely is None else _taken_back(looked, unlikely)

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
        if is_doubtful(hit) and self.comparer.local:
            hit = self._closer_both_ways(hit, (query.image, reference.image), pictures)
        is_looked_at = is_planar(hit) or may_be_proven(hit)
        return looked_at(self.comparer, hit, *pictures) if is_looked_at else hit

    def _closer(
        self, look: CloserLook, hits: Sequence[Hit], n: int, unlikely: Hit | None
    ) -> list[Hit]:
        """The first `n` hits in doubt compared once more, and one that is; ordered anew."""
        doubtful = [hit for hit in hits if is_doubtful(hit)][:n]
        doubtful += [] if unlikely is None else [unlikely]
        if not doubtful or not look.prepare():
            return list(hits)
        workers = self.describer.settings.run.n_workers
        by_ref = {hit.ref: hit for hit in ordered_map(look.again, doubtful, workers=workers)}
        return sorted((by_ref.get(hit.ref, hit) for hit in hits), key=_rank_key)

    def _closer_both_ways(
        self,
        hit: Hit,
        sides: tuple[DescribedImage, DescribedImage],
        pictures: tuple[Image | None, Image | None],
    ) -> Hit:
        """The better of both directions, so that it does not matter which comes first."""
        if pictures[0] is None or pictures[1] is None:
            return hit
        query, reference = FullSize(pictures[0]), FullSize(pictures[1])
        first, second = sides
        there = raised_by(self.comparer, hit, sides, Closer.of(query), reference)
        back = swapped(hit, first.size_wh)
        back = raised_by(self.comparer, back, (second, first), Closer.of(reference), query)
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


def _agreeing_beyond(hits: Sequence[Hit], n: int) -> Hit | None:
    """Of the hits in doubt beyond the first `n`, the one whose keypoints agree most, if any do.

    Where a plane agrees on a few, and what is seen there looks alike to nothing, the score is low.
    """
    beyond = [hit for hit in hits if is_doubtful(hit)][n:] if n else []
    agreeing = max(beyond, key=_inliers, default=None)
    return agreeing if agreeing is not None and _inliers(agreeing) else None


def _taken_back(hits: Sequence[Hit], unlikely: Hit) -> list[Hit]:
    """The hits, ordered anew with the unlikely one as it was, unless pixels left it *same*.

    One table on which two things lie agrees as well, and no likeness speaks against it.
    """
    is_proven = any(hit.ref == unlikely.ref and hit.verdict == "same" for hit in hits)
    if is_proven:
        return list(hits)
    return sorted((unlikely if hit.ref == unlikely.ref else hit for hit in hits), key=_rank_key)


def _inliers(hit: Hit) -> int:
    return max((pair.inliers for pair in hit.pairs), default=0)


def _rank_key(hit: Hit) -> tuple[float, str]:
    return -hit.score, str(hit.ref)


def _is_same_picture(first: DescribedImage, second: DescribedImage) -> bool:
    return first.content == second.content != ""
