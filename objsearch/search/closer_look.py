"""Hits in doubt compared once more, from their files: with one view of what is wanted, or more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from objsearch.flow import once
from objsearch.match.geometry import inverse
from objsearch.rank.fusion import Fusion, fuse
from objsearch.search.by_pixels import full_scaling, moved_points
from objsearch.search.comparing import Comparer
from objsearch.search.full_size import FullSize
from objsearch.search.queries import View
from objsearch.search.retrieval import compare_versions, fused, lowered
from objsearch.search.second_comparison import Closer, Plane, with_plane
from objsearch.types import DescribedImage, Hit, Image, ImageRef

MOST_VIEWS = 3
"""Of several views those that say most for a hit: each takes as long as one alone."""


class ReadAgain(Protocol):
    """Pictures of queries and of hits, and what is known of these; None of what is gone."""

    def of_query(self, view: View, /) -> Image | None: ...

    def of_hit(self, ref: ImageRef, /) -> Image | None: ...

    def known(self, ref: ImageRef, /) -> DescribedImage | None: ...


class CloserLook:
    """One search's views, compared more closely with what is in doubt.

    What becomes the same is compared with images of what is not wanted as closely.
    """

    def __init__(
        self,
        comparer: Comparer,
        pictures: ReadAgain,
        views: Sequence[View],
        negatives: Sequence[View] = (),
        fusion: Fusion = "max",
        workers: int = 1,
    ) -> None:
        self._comparer, self._pictures, self._fusion = comparer, pictures, fusion
        self._views, self._negatives = views, negatives
        self._closers = [once(partial(self._made, view, workers)) for view in views]
        self._of_negatives = [once(partial(self._made, view, 1)) for view in negatives]

    def _made(self, view: View, workers: int) -> Closer | None:
        query = self._pictures.of_query(view)
        return None if query is None else Closer.of(FullSize(query), workers)

    def prepare(self) -> bool:
        """Take the keypoints of a view before several threads ask; whether any can be read."""
        return any(closer() is not None for closer in self._closers)

    def again(self, hit: Hit) -> Hit:
        """The hit as a second comparison says; itself where that says no more."""
        known, picture = self._pictures.known(hit.ref), self._pictures.of_hit(hit.ref)
        if known is None or picture is None:
            return hit
        reference = FullSize(picture)
        better = self._raised(hit, known, reference)
        if better is hit or not self._negatives:
            return better
        if len(self._views) == 1:
            better = replace(better, view_scores={str(better.query): better.score})
        each = zip(self._negatives, self._of_negatives, strict=True)
        said = [self._as_closely(view, closer(), known, reference) for view, closer in each]
        return lowered(better, said)

    def _raised(self, hit: Hit, known: DescribedImage, reference: FullSize) -> Hit:
        if len(self._views) == 1:
            return self._of_view(hit, 0, known, reference)
        said = [hit.view_scores.get(str(view.image.ref), 0.0) for view in self._views]
        chosen = sorted(range(len(said)), key=lambda i: (-said[i], i))[:MOST_VIEWS]
        before = [compare_versions(self._comparer, self._views[i], known) for i in chosen]
        after = [
            self._of_view(one, i, known, reference) if is_doubtful(one) else one
            for i, one in zip(chosen, before, strict=True)
        ]
        if all(one is other for one, other in zip(before, after, strict=True)):
            return hit
        return self._fused(hit, dict(zip(chosen, after, strict=True)))

    def _fused(self, hit: Hit, by_view: dict[int, Hit]) -> Hit:
        """The hit with what some of the views, by number, say now."""
        said = {**hit.view_scores, **{str(one.query): one.score for one in by_view.values()}}
        weights = [view.weight for view in self._views]
        score = hit.score
        if self._fusion != "rrf":  # ranks are those of the first comparison
            each = [{hit.ref.uri: said.get(str(view.image.ref), 0.0)} for view in self._views]
            score = fuse(each, self._fusion, weights)[hit.ref.uri]
        emphasis = [weights[i] / max(weights) for i in by_view]
        return replace(fused(list(by_view.values()), emphasis, score), view_scores=said)

    def _of_view(self, hit: Hit, number: int, known: DescribedImage, reference: FullSize) -> Hit:
        closer = self._closers[number]()
        if closer is None:
            return hit
        sides = self._views[number].image, known
        return raised_by(self._comparer, hit, sides, closer, reference)

    def _as_closely(
        self, view: View, closer: Closer | None, known: DescribedImage, reference: FullSize
    ) -> Hit:
        """The hit of a negative, compared once more, too, where that is in doubt."""
        hit = compare_versions(self._comparer, view, known)
        if closer is None or not is_doubtful(hit):
            return hit
        return raised_by(self._comparer, hit, (view.image, known), closer, reference)


def is_doubtful(hit: Hit) -> bool:
    """Whether a second comparison may make more of a hit."""
    return hit.verdict != "same" and not hit.note


def raised_by(
    comparer: Comparer,
    hit: Hit,
    sides: tuple[DescribedImage, DescribedImage],
    closer: Closer,
    reference: FullSize,
) -> Hit:
    """The hit with what a second comparison finds, told in pixels of the whole images."""
    for plane in closer.planes(reference):
        better = with_plane(comparer, hit, sides, _in_full(plane, closer.query, reference.image))
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
