"""Views against an index -> hits: shortlist, full comparisons, light ones for the rest, fusion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from objsearch.flow import batches, ordered_map
from objsearch.index.base import Index, Ranker
from objsearch.rank.fusion import fuse, ranked_down
from objsearch.search.comparing import Comparer
from objsearch.search.mirror import compare_mirrored
from objsearch.search.queries import View
from objsearch.settings import Search
from objsearch.types import DescribedImage, Hit, ImageRef

RANKED_AT_ONCE = 64

LIKE_A_NEGATIVE = "like_a_negative"
"""The note of a hit that is more like an image of what is not wanted than like every query."""

Hits = dict[str, Hit]
"""By the text of the reference's ref."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Compares views with the images of an index that `keeps` lets through."""

    index: Index
    comparer: Comparer
    search: Search
    n_workers: int
    keeps: Callable[[DescribedImage], bool]

    def hits(self, views: Sequence[View], negatives: Sequence[View] = ()) -> list[Hit]:
        """Every reference that may be a hit, best first, ties by ref."""
        stored = {one.ref: one for one in self.index if self.keeps(one)}
        listed = [self._shortlist(view, stored) for view in views]
        likely: dict[ImageRef, DescribedImage] = {}
        for view, shortlist in zip(views, listed, strict=True):
            rest = [one for ref, one in stored.items() if ref not in shortlist]
            likely |= shortlist | self._light(view, rest, several=len(views) > 1)
        by_view = [
            self._compared(view, likely, full) for view, full in zip(views, listed, strict=True)
        ]
        if len(views) == 1 and not negatives:
            return sorted(by_view[0].values(), key=_rank_key)
        scores = [{ref: hit.score for ref, hit in hits.items()} for hits in by_view]
        weights = [view.weight for view in views]
        fused = fuse(scores, self.search.fusion, weights)
        best = max(weights)
        hits = [
            _fused([hits[ref] for hits in by_view], [w / best for w in weights], score)
            for ref, score in fused.items()
        ]
        if negatives:
            every = {ref: None for shortlist in listed for ref in shortlist}
            hits = self._ranked_down(hits, negatives, stored, every)
        return sorted(hits, key=_rank_key)

    def _light(
        self, view: View, rest: Sequence[DescribedImage], several: bool
    ) -> dict[ImageRef, DescribedImage]:
        """Of the images beyond the shortlist, those that look like hits even without keypoints.

        Ranks count from the first to the last: for those of several views, all look so.
        """
        if several and self.search.fusion == "rrf":
            return {one.ref: one for one in rest}
        scores = self.comparer.light_scores(view.image, rest)
        return {
            one.ref: one
            for one, score in zip(rest, scores, strict=True)
            if score >= self.search.threshold
        }

    def _compared(
        self,
        view: View,
        references: Mapping[ImageRef, DescribedImage],
        full: Mapping[ImageRef, object],
    ) -> Hits:
        """A hit a reference: those in `full` by all that is known, others without keypoints."""
        light = [one for ref, one in references.items() if ref not in full]
        heavy = [one for ref, one in references.items() if ref in full]
        compare = partial(compare_versions, self.comparer, view)
        compare_light = partial(self.comparer.compare, view.image, keypoints=False)
        found = [
            *ordered_map(compare, heavy, workers=self.n_workers),
            *ordered_map(compare_light, light, workers=self.n_workers),
        ]
        return {str(hit.ref): hit for hit in found}

    def _shortlist(
        self, view: View, stored: Mapping[ImageRef, DescribedImage]
    ) -> dict[ImageRef, DescribedImage]:
        # More than asked for: what is not looked at may be among them.
        n_left_out = len(self.index) - len(stored)
        limit = None if self.search.shortlist is None else self.search.shortlist + n_left_out
        chosen: dict[ImageRef, DescribedImage] = {}
        for version in (*view.versions, *view.grounds):
            found = self.index.candidates(version, limit, self._rankers())
            kept = [one for one in found if one.ref in stored]
            chosen |= {one.ref: one for one in kept[: self.search.shortlist]}
        return chosen

    def _rankers(self) -> list[Ranker]:
        """The comparer's rankers, each spread over the workers."""

        def spread(ranker: Ranker) -> Ranker:
            def rank(
                query: DescribedImage, stored: Sequence[DescribedImage]
            ) -> NDArray[np.float64]:
                parts = batches(stored, RANKED_AT_ONCE)
                ranked = ordered_map(partial(ranker, query), parts, workers=self.n_workers)
                return np.concatenate([*ranked, np.zeros(0)])

            return rank

        return [spread(ranker) for ranker in self.comparer.rankers(self.index.covers)]

    def _ranked_down(
        self,
        hits: Sequence[Hit],
        negatives: Sequence[View],
        stored: Mapping[ImageRef, DescribedImage],
        full: Mapping[ImageRef, object],
    ) -> list[Hit]:
        """Hits with what the negatives say of them; the others cannot become any."""
        asked = {hit.ref: stored[hit.ref] for hit in hits if hit.score >= self.search.threshold}
        by_negative = [self._compared(view, asked, full) for view in negatives]
        return [_lowered(hit, by_negative) if hit.ref in asked else hit for hit in hits]


def compare_versions(comparer: Comparer, view: View, reference: DescribedImage) -> Hit:
    """The best of the upright comparison, the mirrored one, and those on other grounds."""
    hits = [comparer.compare(one, reference) for one in (view.image, *view.grounds)]
    if len(view.versions) > 1:
        hits.append(compare_mirrored(comparer.compare, view.versions[1], reference))
    return max(hits, key=lambda hit: hit.score)


def _rank_key(hit: Hit) -> tuple[float, str]:
    return -hit.score, str(hit.ref)


def _fused(of_views: Sequence[Hit], emphasis: Sequence[float], score: float) -> Hit:
    """The hit of the view with the most say, with the fused score and what each view said."""
    said = zip(of_views, emphasis, strict=True)
    best = min(said, key=lambda one: (-one[0].score * one[1], str(one[0].query)))[0]
    return replace(best, score=score, view_scores={str(hit.query): hit.score for hit in of_views})


def _lowered(hit: Hit, by_negative: Sequence[Hits]) -> Hit:
    said = {str(one.query): one.score for hits in by_negative for one in (hits[str(hit.ref)],)}
    score = ranked_down(hit.score, list(hit.view_scores.values()), list(said.values()))
    if max(said.values()) <= max(hit.view_scores.values()):
        return replace(hit, negative_scores=said)
    verdict = "uncertain" if hit.verdict == "same" else hit.verdict
    note = hit.note or LIKE_A_NEGATIVE
    return replace(hit, score=score, verdict=verdict, note=note, negative_scores=said)
