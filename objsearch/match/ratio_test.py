"""Keypoint matches by mutual nearest neighbours and Lowe's ratio test (Lowe, IJCV 2004)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from objsearch.match.base import Matcher
from objsearch.types import Descriptor, LocalFeatures, Scores

Matches = NDArray[np.int32]
"""(N, 2) int32: index of a query keypoint and of its reference keypoint, surest match first."""


class RatioTest(Matcher):
    """Counts keypoints that are each other's nearest and clearly nearer than the next best."""

    name = "ratio-test"
    accepts = frozenset({"local-binary", "local-real"})

    ratio: float = Field(
        0.85, gt=0, le=1, description="a match must be this much nearer than the next best"
    )
    half_score: int = Field(
        20, ge=1, description="matches that give a raw score of one half: n / (n + half_score)"
    )

    def score_pairs(self, query: Sequence[Descriptor], reference: Sequence[Descriptor]) -> Scores:
        counts = [[len(self.matches(q, r)) for r in reference] for q in query]
        n = np.asarray(counts, dtype=np.float64).reshape(len(query), len(reference))
        return n / (n + self.half_score)

    def coarse_scores(
        self, query: Sequence[Descriptor], references: Sequence[Sequence[Descriptor]]
    ) -> NDArray[np.float64]:
        """Full frame against full frame: what a photo shows in small is left to other descriptors."""
        return np.array([self.score_pairs(query[-1:], one[-1:]).item() for one in references])

    def matches(self, query: Descriptor, reference: Descriptor) -> Matches:
        """The matches of two sets of keypoints; the same pairs whichever side is the query."""
        assert isinstance(query, LocalFeatures) and isinstance(reference, LocalFeatures)
        if len(query) < 2 or len(reference) < 2:
            return np.zeros((0, 2), np.int32)
        binary = query.codes.dtype == np.uint8
        forward, distances = _nearest(query.codes, reference.codes, self.ratio, binary)
        backward, _ = _nearest(reference.codes, query.codes, self.ratio, binary)
        q = np.flatnonzero(forward >= 0)
        q = q[backward[forward[q]] == q]
        order = np.lexsort((q, distances[q]))
        return np.stack([q[order], forward[q[order]]], axis=1).astype(np.int32)


def _nearest(
    query: NDArray[np.generic], reference: NDArray[np.generic], ratio: float, binary: bool
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(Q,) index of the nearest reference code, -1 where the ratio test fails, and (Q,) distance."""
    norm, kind = (cv2.NORM_HAMMING, cv2.CV_32S) if binary else (cv2.NORM_L2, cv2.CV_32F)
    distances, indices = cv2.batchDistance(query, reference, kind, normType=norm, K=2)
    best, second = distances[:, 0].astype(np.float32), distances[:, 1].astype(np.float32)
    return np.where(best < ratio * second, indices[:, 0], -1).astype(np.int32), best
