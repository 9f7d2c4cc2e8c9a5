"""Two described images -> one hit with its evidence: score, assign, verify, judge."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np

from objsearch.match.assignment import assign
from objsearch.match.calibration import Calibration, evidence
from objsearch.match.geometry import central_inliers, inverse, overlap, projected, verify
from objsearch.match.ratio_test import Matches, RatioTest
from objsearch.search.ranking import ChannelRanker, matcher_of
from objsearch.search.scoring import NOTHING_IN_COMMON, Scoring
from objsearch.settings import Channel, Settings
from objsearch.types import (
    Box,
    DescribedImage,
    Hit,
    LocalFeatures,
    Region,
    RegionPair,
    Scores,
    Verification,
)


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Two images and what the descriptors that both have say of each other, before geometry.

    `similarities[alias]` (Q, R) raw scores; `matches[alias, q, r]` of the region pairs whose
    keypoints were compared.
    """

    query: DescribedImage
    reference: DescribedImage
    whole: tuple[Channel, ...]
    local: tuple[Channel, ...]
    calibration: Calibration
    similarities: dict[str, Scores] = field(default_factory=dict)
    matches: dict[tuple[str, int, int], Matches] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.query.regions), len(self.reference.regions)

    @property
    def aliases(self) -> tuple[str, ...]:
        return tuple(channel.alias for channel in (*self.whole, *self.local))

    @property
    def is_same_picture(self) -> bool:
        return self.query.content == self.reference.content != ""


class Comparer:
    """Compares described images the way some settings say, by the descriptors that both have."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.scoring = Scoring(settings)
        self.local, self.whole = self.scoring.local, self.scoring.whole

    def rankers(self, besides: Collection[str] = ()) -> dict[str, ChannelRanker]:
        """One cheap ranking of many images a descriptor, for choosing candidates.

        None for the aliases `besides`, which the index ranks by itself.
        """
        n_workers = self.settings.run.n_workers
        made = ((c.alias, ChannelRanker(c, n_workers)) for c in self.settings.descriptors)
        return {alias: ranker for alias, ranker in made if alias not in besides}

    def _sides(self, query: DescribedImage, reference: DescribedImage) -> _Sides:
        common = self.scoring.common(query, reference)
        whole, local = (
            tuple(channel for channel in channels if channel.alias in common)
            for channels in (self.whole, self.local)
        )
        return _Sides(query, reference, whole, local, self.scoring.of(common))

    def compare(
        self, query: DescribedImage, reference: DescribedImage, *, keypoints: bool = True
    ) -> Hit:
        """Compare all regions; without `keypoints` by whole-crop descriptors alone.

        Pixel-equal images score 1; those with too little structure, or without a descriptor in
        common, score 0 and say so.
        """
        sides = self._sides(query, reference)
        note = query.note or reference.note
        lacks = note or ("" if sides.aliases else NOTHING_IN_COMMON)
        if lacks and not sides.is_same_picture:
            return _hit(sides, (), lacks)
        self._fill(sides, keypoints)
        provisional = self._provisional(sides)
        rules = self.settings.assignment
        chosen = assign(provisional, rules.floor, rules.rule)
        if sides.is_same_picture:
            last = len(query.regions) - 1, len(reference.regions) - 1
            chosen = [last, *((q, r) for q, r in chosen if q != last[0] and r != last[1])]
        pairs = [self._pair(sides, q, r) for q, r in chosen]
        if sides.is_same_picture:
            pairs[0] = _certain(pairs[0], query.regions[-1], reference.regions[-1])
        elif not rules.frames:
            pairs = [pair for pair in pairs if not _is_frames(pair)]
        return _hit(sides, tuple(sorted(pairs, key=_best_first)), note)

    def looks(
        self, query: DescribedImage, reference: DescribedImage, boxes: tuple[Box, Box]
    ) -> dict[str, float]:
        """How like what lies in two boxes looks, by alias: the regions that fill each best."""
        sides = self._sides(query, reference)
        place = tuple(
            max(range(len(side.regions)), key=lambda i: side.regions[i].box_xyxy.iou(box))
            for side, box in zip((query, reference), boxes, strict=True)
        )
        return {c.alias: float(self._whole_scores(c, sides)[place]) for c in sides.whole}

    def _fill(self, sides: _Sides, keypoints: bool) -> None:
        """Whole-crop similarities of all pairs; keypoints of the likeliest and the frames."""
        for channel in sides.whole:
            sides.similarities[channel.alias] = self._whole_scores(channel, sides)
        likely = self._likely(sides) if keypoints else []
        for channel in sides.local:
            name, matcher = channel.alias, channel.matcher
            assert isinstance(matcher, RatioTest)
            counts = np.zeros(sides.shape)
            both = sides.query.descriptors[name], sides.reference.descriptors[name]
            for (q, r), matches in matcher.matches_of(*both, likely).items():
                sides.matches[name, q, r] = matches
                counts[q, r] = len(matches)
            sides.similarities[name] = matcher.saturated(counts)

    def _whole_scores(self, channel: Channel, sides: _Sides) -> Scores:
        name, rules = channel.alias, self.settings.assignment
        query, reference = sides.query, sides.reference
        scores = matcher_of(channel).score_pairs(
            query.descriptors[name], reference.descriptors[name]
        )
        parts = np.outer(
            [not region.is_frame for region in query.regions],
            [not region.is_frame for region in reference.regions],
        )
        scores = np.where(parts, np.maximum(scores - rules.parts_discount, 0.0), scores)
        if not rules.frames:
            scores[-1, -1] = 0.0
        return scores

    def _likely(self, sides: _Sides) -> list[tuple[int, int]]:
        every = list(np.ndindex(*sides.shape))
        limit = self.settings.assignment.local_pairs
        if not sides.whole or len(every) <= limit:
            return every
        total = np.sum([sides.similarities[c.alias] for c in sides.whole], axis=0)
        order = sorted(every, key=lambda pair: (-total[pair], pair))[:limit]
        return list(dict.fromkeys([*order, every[-1]]))

    def _provisional(self, sides: _Sides) -> Scores:
        """(Q, R) what a pair's score would be if geometry confirmed all but the chance matches."""
        features = {c.alias: sides.similarities[c.alias] for c in sides.whole}
        for channel in sides.local:
            counts = np.zeros(sides.shape)
            for (name, q, r), matches in sides.matches.items():
                if name == channel.alias:
                    counts[q, r] = len(matches)
            by_chance = self.settings.geometry.min_inliers
            features[channel.alias] = np.log1p(np.maximum(counts - by_chance, 0.0))
        # Matches are no proof yet: nothing excuses an unlike look, and nothing speaks against a
        # like one, before geometry has spoken.
        straight = sides.calibration.model_copy(update={"least": {}, "most": {}})
        scores = np.array(np.broadcast_to(straight.probabilities(features), sides.shape))
        if self.settings.assignment.same_class:
            labels = [region.label for region in sides.reference.regions]
            for q, region in enumerate(sides.query.regions):
                scores[q, [label != region.label for label in labels]] = 0.0
        return scores

    def _pair(self, sides: _Sides, q: int, r: int) -> RegionPair:
        whole = {c.alias: float(sides.similarities[c.alias][q, r]) for c in sides.whole}
        seen = {
            name: float(sides.similarities[name][q, r])
            for name, *place in sides.matches
            if place == [q, r]
        }
        frame = sides.query.regions[-1].box_xyxy
        features = dict(whole)
        best: Verification | None = None
        most = 0.0
        for channel in sides.local:
            verification = self._verified(channel.alias, sides, q, r)
            central = central_inliers(verification, frame) if verification else 0.0
            features[channel.alias] = evidence(central)
            if verification and central > most:
                best, most = verification, central
        score = sides.calibration.probability(features)
        verdict = self.settings.verdicts.decide(score, best, most, bool(sides.local))
        query, reference = sides.query.regions[q], sides.reference.regions[r]
        return located(
            RegionPair(query, reference, score, verdict, {**whole, **seen}, features, best)
        )

    def _verified(self, name: str, sides: _Sides, q: int, r: int) -> Verification | None:
        matches = sides.matches.get((name, q, r))
        if matches is None:
            return None
        query, reference = sides.query.descriptors[name][q], sides.reference.descriptors[name][r]
        assert isinstance(query, LocalFeatures) and isinstance(reference, LocalFeatures)
        return verify(query, reference, matches, self.settings.geometry)


def _hit(sides: _Sides, pairs: tuple[RegionPair, ...], note: str) -> Hit:
    best = pairs[0] if pairs else None
    return Hit(
        ref=sides.reference.ref,
        score=best.score if best else 0.0,
        verdict=best.verdict if best else ("uncertain" if note else "different"),
        size_wh=sides.reference.size_wh,
        pairs=pairs,
        query=sides.query.ref,
        note=note,
        aliases=sides.aliases,
    )


def swapped(hit: Hit, size_wh: tuple[int, int]) -> Hit:
    """The same hit told from the other side; `size_wh` is the size of what was the query."""
    pairs = tuple(
        replace(
            pair,
            query=pair.reference,
            reference=pair.query,
            verification=_swapped_verification(pair.verification),
            overlap_query=pair.overlap_reference,
            overlap_reference=pair.overlap_query,
            differs=pair.differs[::-1],
        )
        for pair in hit.pairs
    )
    return replace(hit, ref=hit.query, query=hit.ref, size_wh=size_wh, pairs=pairs)


def _swapped_verification(verification: Verification | None) -> Verification | None:
    if verification is None:
        return None
    is_lines = verification.model == "fundamental"
    transform = verification.transform.T if is_lines else inverse(verification.transform)
    return replace(
        verification, transform=transform, inliers_xyxy=verification.inliers_xyxy[:, [2, 3, 0, 1]]
    )


def _is_frames(pair: RegionPair) -> bool:
    return pair.query.is_frame and pair.reference.is_frame


def _certain(pair: RegionPair, query: Region, reference: Region) -> RegionPair:
    """The frames of one and the same picture: no geometry is needed to believe them."""
    return replace(
        pair,
        query=query,
        reference=reference,
        score=1.0,
        verdict="same",
        overlap_query=1.0,
        overlap_reference=1.0,
    )


def _best_first(pair: RegionPair) -> tuple[float, int, float, Box, Box]:
    """By score, then by evidence, then the tightest boxes."""
    area = pair.query.box_xyxy.area + pair.reference.box_xyxy.area
    return -pair.score, -pair.inliers, area, pair.query.box_xyxy, pair.reference.box_xyxy


def located(pair: RegionPair) -> RegionPair:
    """Overlaps both ways; and the part that matched, where a side is only known as its frame."""
    verification = pair.verification
    if verification is None or verification.model == "fundamental":
        return pair
    on_reference = projected(pair.query.box_xyxy, verification.transform)
    on_query = projected(pair.reference.box_xyxy, inverse(verification.transform))
    part_reference, box_reference = overlap(on_reference, pair.reference.box_xyxy)
    part_query, box_query = overlap(on_query, pair.query.box_xyxy)
    return replace(
        pair,
        query=_narrowed(pair.query, box_query),
        reference=_narrowed(pair.reference, box_reference),
        overlap_query=part_query,
        overlap_reference=part_reference,
    )


def _narrowed(region: Region, box: Box | None) -> Region:
    if box is None or not region.is_frame or box.area > 0.95 * region.box_xyxy.area:
        return region
    return Region(box, "located", region.confidence, "geometry")
