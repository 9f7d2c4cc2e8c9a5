"""Keypoint matches by mutual nearest neighbours and Lowe's ratio test (Lowe, IJCV 2004)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from objsearch.match.base import Matcher
from objsearch.match.distances import Between, Codes, distances
from objsearch.types import Descriptor, LocalFeatures, Scores

Matches = NDArray[np.int32]
"""(N, 2) int32: index of a query keypoint and of its reference keypoint, surest match first."""


class RatioTest(Matcher):
    """Counts keypoints that are each other's nearest and clearly nearer than the next best."""

    name = "ratio-test"
    accepts = frozenset({"local-binary", "local-real"})

    ratio: float = Field(
        0.8, gt=0, le=1, description="a match must be this much nearer than the next best"
    )
    half_score: int = Field(
        20, ge=1, description="matches that give a raw score of one half: n / (n + half_score)"
    )
    coarse_points: int = Field(
        500, ge=8, description="keypoints of a frame, strongest first, for choosing candidates"
    )

    def score_pairs(self, query: Sequence[Descriptor], reference: Sequence[Descriptor]) -> Scores:
        counts = [[len(self.matches(q, r)) for r in reference] for q in query]
        return self.saturated(np.asarray(counts).reshape(len(query), len(reference)))

    def coarse(
        self, query: Sequence[Descriptor], stack: Sequence[Sequence[Descriptor]]
    ) -> NDArray[np.float64]:
        """Full frame against full frame; what is small in a photo is left to other descriptors."""
        frame = _codes(query[-1])[: self.coarse_points]
        frames = (_codes(reference[-1])[: self.coarse_points] for reference in stack)
        return self.saturated(np.array([len(self._matches(frame, codes)) for codes in frames]))

    def matches(self, query: Descriptor, reference: Descriptor) -> Matches:
        """The matches of two sets of keypoints; the same pairs whichever side is the query."""
        return self._matches(_codes(query), _codes(reference))

    def matches_of(
        self,
        query: Sequence[Descriptor],
        reference: Sequence[Descriptor],
        pairs: Iterable[tuple[int, int]],
    ) -> dict[tuple[int, int], Matches]:
        """The same for pairs of regions of two images, by number; the last is the full frame."""
        between = Between(query, reference)
        return {(q, r): self._mutual(between.distances(q, r)) for q, r in pairs}

    def saturated(self, counts: NDArray[Any]) -> Scores:
        """Numbers of matches as raw scores in [0, 1)."""
        n = counts.astype(np.float64)
        return n / (n + self.half_score)

    def _matches(self, query: Codes, reference: Codes) -> Matches:
        return self._mutual(distances(query, reference))

    def _mutual(self, apart: NDArray[Any]) -> Matches:
        """The matches by distances (Q, R), which are as they were afterwards."""
        if min(apart.shape) < 2:
            return np.zeros((0, 2), np.int32)
        rows, far = np.arange(len(apart)), FAR[apart.dtype]
        nearest = apart.argmin(axis=1)
        best = apart[rows, nearest]
        # The second nearest is what is left when the nearest is taken out, either way. What is
        # nearer than all that is left the other way is the nearest there: few are asked.
        apart[rows, nearest] = far
        q = np.flatnonzero(best < self.ratio * apart.min(axis=1))
        apart[rows, nearest] = best
        back = apart[:, nearest[q]]
        back[q, np.arange(len(q))] = far
        q = q[best[q] < self.ratio * back.min(axis=0)]
        order = np.lexsort((q, best[q]))
        return np.stack([q[order], nearest[q[order]]], axis=1).astype(np.int32)


FAR = {np.dtype(np.uint8): 255, np.dtype(np.float32): np.inf}


def _codes(descriptor: Descriptor) -> Codes:
    assert isinstance(descriptor, LocalFeatures)
    return descriptor.codes
