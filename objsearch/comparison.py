"""Two described images -> one hit with its evidence: score, assign, verify, judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from objsearch.config import Channel, Settings
from objsearch.index.base import Ranker
from objsearch.match.assignment import assign
from objsearch.match.calibration import evidence
from objsearch.match.geometry import inverse, overlap, projected, verify
from objsearch.match.ratio_test import RatioTest
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


class Comparer:
    """Compares described images the way some settings say."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.calibration = settings.load_calibration()
        local = [c for c in settings.descriptors if c.extractor.produces.startswith("local")]
        self.local = tuple(local)
        self.whole = tuple(c for c in settings.descriptors if c not in local)

    def rankers(self) -> list[Ranker]:
        """One cheap ranking of many images a descriptor, for choosing candidates."""
        return [_ranker(channel) for channel in self.settings.descriptors]

    def compare(self, query: DescribedImage, reference: DescribedImage) -> Hit:
        """The full comparison. Pixel-equal images score 1; flat ones are said to be so."""
        is_same_picture = query.content == reference.content != ""
        note = query.note or reference.note
        if note and not is_same_picture:
            return self._hit(query, reference, (), note)
        similarities = self._similarities(query, reference)
        provisional = self._provisional(similarities, query, reference)
        chosen = assign(provisional, self.settings.assignment.floor, self.settings.assignment.rule)
        pairs = [self._pair(query, reference, q, r, similarities) for q, r in chosen]
        if not self.settings.assignment.frames:
            pairs = [pair for pair in pairs if not _is_frames(pair)]
        if is_same_picture:
            pairs = [_certain(pair) if _is_frames(pair) else pair for pair in pairs]
        return self._hit(query, reference, tuple(sorted(pairs, key=_best_first)), note)

    def _hit(
        self,
        query: DescribedImage,
        reference: DescribedImage,
        pairs: tuple[RegionPair, ...],
        note: str,
    ) -> Hit:
        best = pairs[0] if pairs else None
        return Hit(
            ref=reference.ref,
            score=best.score if best else 0.0,
            verdict=best.verdict if best else ("uncertain" if note else "different"),
            size_wh=reference.size_wh,
            pairs=pairs,
            query=query.ref,
            note=note,
        )

    def _similarities(self, query: DescribedImage, reference: DescribedImage) -> dict[str, Scores]:
        """Raw (Q, R) scores an extractor; keypoints only for the likeliest pairs and the frames."""
        found = {c.extractor.name: self._whole_scores(c, query, reference) for c in self.whole}
        likely = self._likely(list(found.values()), len(query.regions), len(reference.regions))
        for channel in self.local:
            name = channel.extractor.name
            scores = np.zeros((len(query.regions), len(reference.regions)))
            for q, r in likely:
                one, other = query.descriptors[name][q], reference.descriptors[name][r]
                scores[q, r] = _matcher(channel).score_pairs([one], [other]).item()
            found[name] = scores
        return found

    def _whole_scores(
        self, channel: Channel, query: DescribedImage, reference: DescribedImage
    ) -> Scores:
        name, rules = channel.extractor.name, self.settings.assignment
        raw = _matcher(channel).score_pairs(query.descriptors[name], reference.descriptors[name])
        scores = raw.copy()
        parts = np.outer(
            [not region.is_frame for region in query.regions],
            [not region.is_frame for region in reference.regions],
        )
        scores[parts] = np.maximum(raw[parts] - rules.parts_discount, 0.0)
        if not rules.frames:
            scores[-1, -1] = 0.0
        return scores

    def _likely(self, whole: list[Scores], n_query: int, n_reference: int) -> list[tuple[int, int]]:
        every = [(q, r) for q in range(n_query) for r in range(n_reference)]
        limit = self.settings.assignment.local_pairs
        if not whole or len(every) <= limit:
            return every
        total = np.sum(whole, axis=0)
        order = sorted(every, key=lambda pair: (-total[pair], pair))[:limit]
        frames = (n_query - 1, n_reference - 1)
        return order if frames in order else [*order, frames]

    def _provisional(
        self, similarities: Mapping[str, Scores], query: DescribedImage, reference: DescribedImage
    ) -> Scores:
        """(Q, R) what the pair's score would be if geometry confirmed every match."""
        features = dict(similarities)
        for channel in self.local:
            raw = similarities[channel.extractor.name]
            half = _matcher(channel).half_score if isinstance(channel.matcher, RatioTest) else 1
            features[channel.extractor.name] = np.log1p(half * raw / np.maximum(1 - raw, 1e-9))
        scores = np.zeros((len(query.regions), len(reference.regions)))
        for q, r in np.ndindex(scores.shape):
            if self._may_pair(query.regions[q], reference.regions[r]):
                scores[q, r] = self.calibration.probability(
                    {name: float(values[q, r]) for name, values in features.items()}
                )
        return scores

    def _may_pair(self, query: Region, reference: Region) -> bool:
        return not self.settings.assignment.same_class or query.label == reference.label

    def _pair(
        self,
        query: DescribedImage,
        reference: DescribedImage,
        q: int,
        r: int,
        similarities: Mapping[str, Scores],
    ) -> RegionPair:
        values = {name: float(scores[q, r]) for name, scores in similarities.items()}
        features = {c.extractor.name: values[c.extractor.name] for c in self.whole}
        best: Verification | None = None
        for channel in self.local:
            found = self._verified(channel, query, reference, q, r)
            features[channel.extractor.name] = evidence(found.n_inliers if found else 0)
            if found and (best is None or found.n_inliers > best.n_inliers):
                best = found
        score = self.calibration.probability(features)
        verdict = self.settings.verdicts.decide(score, best, bool(self.local))
        one, other = query.regions[q], reference.regions[r]
        return _located(RegionPair(one, other, score, verdict, values, features, best))

    def _verified(
        self, channel: Channel, query: DescribedImage, reference: DescribedImage, q: int, r: int
    ) -> Verification | None:
        name = channel.extractor.name
        one, other = query.descriptors[name][q], reference.descriptors[name][r]
        if not isinstance(channel.matcher, RatioTest):
            return None
        assert isinstance(one, LocalFeatures) and isinstance(other, LocalFeatures)
        matches = channel.matcher.matches(one, other)
        return verify(one, other, matches, self.settings.geometry)


def _matcher(channel: Channel) -> RatioTest:
    assert channel.matcher is not None  # Channel's validators see to it
    return channel.matcher  # type: ignore[return-value]


def _ranker(channel: Channel) -> Ranker:
    name, matcher = channel.extractor.name, channel.matcher
    assert matcher is not None

    def rank(query: DescribedImage, stored: object) -> NDArray[np.float64]:
        return matcher.coarse_scores(
            query.descriptors[name],
            [one.descriptors[name] for one in stored],  # type: ignore[attr-defined]
        )

    return rank


def _is_frames(pair: RegionPair) -> bool:
    return pair.query.is_frame and pair.reference.is_frame


def _certain(pair: RegionPair) -> RegionPair:
    return replace(pair, score=1.0, verdict="same", overlap_query=1.0, overlap_reference=1.0)


def _best_first(pair: RegionPair) -> tuple[float, int, float, Box, Box]:
    """By score, then by evidence, then the tightest boxes."""
    area = pair.query.box_xyxy.area + pair.reference.box_xyxy.area
    return -pair.score, -pair.inliers, area, pair.query.box_xyxy, pair.reference.box_xyxy


def _located(pair: RegionPair) -> RegionPair:
    """Overlaps both ways; and where a side is only known as the full frame, the part that matched."""
    found = pair.verification
    if found is None or found.model == "fundamental":
        return pair
    on_reference = projected(pair.query.box_xyxy, found.transform)
    on_query = projected(pair.reference.box_xyxy, inverse(found.transform))
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
