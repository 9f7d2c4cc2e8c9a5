"""Views against an index -> hits: shortlist, full comparisons, light ones for the rest, fusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from objsearch.flow import ordered_map
from objsearch.index import Where
from objsearch.rank.fusion import fuse, ranked_down
from objsearch.search.comparing import Comparer
from objsearch.search.mirror import compare_mirrored
from objsearch.search.queries import View
from objsearch.search.references import References
from objsearch.settings import Search
from objsearch.types import Candidate, DescribedImage, Hit, Key

LIKE_A_NEGATIVE = "like_a_negative"
"""The note of a hit that is more like an image of what is not wanted than like every query."""

Hits = dict[Key, Hit]


@dataclass(frozen=True)
class Retrieval:
    """Compares views with the references of an index that `where` lets through.

    What is compared in full are the nearest; of the others only those are fetched that look like
    hits by what the index says of them, so that the time does not depend on how many there are.
    """

    references: References
    where: Where
    comparer: Comparer
    search: Search
    n_workers: int

    @cached_property
    def n_references(self) -> int:
        """How many references count, be some of them the query's own."""
        return self.references.index.count(replace(self.where, but=frozenset()))

    def only_queries(self) -> Iterator[str]:
        """What is said where every reference is a query's own, and so none can be a hit."""
        if self.where.but and self.n_references and not self.references.index.count(self.where):
            yield (
                "all that was searched is the query itself, which is no hit of its own; "
                "--include-query (include_query=True) makes it one"
            )

    def hits(self, views: Sequence[View], negatives: Sequence[View] = ()) -> list[Hit]:
        """Every reference that may be a hit, best first, ties by ref."""
        listed = [self._nearest(view) for view in views]
        likely: dict[Key, None] = {}
        for view, (first, others) in zip(views, listed, strict=True):
            light = self._light(view, others, several=len(views) > 1)
            likely |= dict.fromkeys([*first, *light])
        keys = list(likely)
        images = dict(zip(keys, self.references.get(keys), strict=True))
        by_view = [
            self._compared(view, images, first)
            for view, (first, _) in zip(views, listed, strict=True)
        ]
        if len(views) == 1 and not negatives:
            return sorted(by_view[0].values(), key=_rank_key)
        scores = [{key: hit.score for key, hit in hits.items()} for hits in by_view]
        weights = [view.weight for view in views]
        by_fusion = fuse(scores, self.search.fusion, weights)
        best = max(weights)
        by_key = {
            key: fused([hits[key] for hits in by_view], [w / best for w in weights], score)
            for key, score in by_fusion.items()
        }
        if negatives:
            every = {key for first, _ in listed for key in first}
            by_key = self._ranked_down(by_key, negatives, images, every)
        return sorted(by_key.values(), key=_rank_key)

    def _nearest(self, view: View) -> tuple[set[Key], list[Candidate]]:
        """Keys of the shortlist, of all versions of a view, and the candidates beyond it."""
        limit = self.search.shortlist
        first: set[Key] = set()
        every: dict[Key, Candidate] = {}
        for number, version in enumerate((*view.versions, *view.grounds)):
            candidates = self.references.index.nearest(version, limit, self.where)
            first |= {
                candidate.key for candidate in (candidates if limit is None else candidates[:limit])
            }
            if number == 0:  # the others are looked for among the likeliest only
                every = {candidate.key: candidate for candidate in candidates}
        return first, [candidate for key, candidate in every.items() if key not in first]

    def _light(self, view: View, others: Sequence[Candidate], several: bool) -> list[Key]:
        """Of the candidates beyond the shortlist, those that look like hits without keypoints.

        Ranks count from the first to the last: for those of several views, all look so.
        """
        if several and self.search.fusion == "rrf":
            return [candidate.key for candidate in others]
        scores = self.comparer.scoring.light(view.image, [candidate.scores for candidate in others])
        likely = np.flatnonzero(scores >= self.search.threshold).tolist()
        return [others[i].key for i in likely]

    def _compared(
        self, view: View, references: Mapping[Key, DescribedImage], full: Set[Key]
    ) -> Hits:
        """A hit a reference: those in `full` by all that is known, others without keypoints."""
        light = [key for key in references if key not in full]
        heavy = [key for key in references if key in full]
        compare = partial(compare_versions, self.comparer, view)
        compare_light = partial(self.comparer.compare, view.image, keypoints=False)
        workers = self.n_workers
        hits = [
            *ordered_map(compare, (references[key] for key in heavy), workers=workers),
            *ordered_map(compare_light, (references[key] for key in light), workers=workers),
        ]
        return dict(zip([*heavy, *light], hits, strict=True))

    def _ranked_down(
        self,
        hits: Hits,
        negatives: Sequence[View],
        images: Mapping[Key, DescribedImage],
        full: Set[Key],
    ) -> Hits:
        """Hits with what the negatives say of them; the others cannot become any."""
        asked = {
            key: images[key] for key, hit in hits.items() if hit.score >= self.search.threshold
        }
        by_negative = [self._compared(view, asked, full) for view in negatives]
        return {
            key: lowered(hit, [said[key] for said in by_negative]) if key in asked else hit
            for key, hit in hits.items()
        }


def compare_versions(comparer: Comparer, view: View, reference: DescribedImage) -> Hit:
    """The best of the upright comparison, the mirrored one, and those on other grounds."""
    hits = [comparer.compare(image, reference) for image in (view.image, *view.grounds)]
    if len(view.versions) > 1:
        hits.append(compare_mirrored(comparer.compare, view.versions[1], reference))
    return max(hits, key=lambda hit: hit.score)


def _rank_key(hit: Hit) -> tuple[float, str]:
    return -hit.score, str(hit.ref)


def fused(of_views: Sequence[Hit], emphasis: Sequence[float], score: float) -> Hit:
    """The hit of the view with the most say, with the fused score and what each view said."""
    said = zip(of_views, emphasis, strict=True)
    best = min(said, key=lambda pair: (-pair[0].score * pair[1], str(pair[0].query)))[0]
    return replace(best, score=score, view_scores={str(hit.query): hit.score for hit in of_views})


def lowered(hit: Hit, by_negative: Sequence[Hit]) -> Hit:
    """A hit of the query with what hits of negatives say of the same reference."""
    said = {str(negative.query): negative.score for negative in by_negative}
    score = ranked_down(hit.score, list(hit.view_scores.values()), list(said.values()))
    if max(said.values()) <= max(hit.view_scores.values()):
        return replace(hit, negative_scores=said)
    verdict = "uncertain" if hit.verdict == "same" else hit.verdict
    note = hit.note or LIKE_A_NEGATIVE
    return replace(hit, score=score, verdict=verdict, note=note, negative_scores=said)
