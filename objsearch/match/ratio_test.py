"""Keypoint matches by mutual nearest neighbours and Lowe's ratio test (Lowe, IJCV 2004)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from objsearch.match.base import Matcher
from objsearch.types import Descriptor, LocalFeatures, Scores

Codes = NDArray[Any]
"""(K, 32) uint8 binary codes, or (K, D) float32 unit vectors."""
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

    def saturated(self, counts: NDArray[Any]) -> Scores:
        """Numbers of matches as raw scores in [0, 1)."""
        n = counts.astype(np.float64)
        return n / (n + self.half_score)

    def _matches(self, query: Codes, reference: Codes) -> Matches:
        if len(query) < 2 or len(reference) < 2:
            return np.zeros((0, 2), np.int32)
        apart = distances(query, reference)
        rows, columns = np.arange(len(query)), np.arange(len(reference))
        nearest, back = apart.argmin(axis=1), apart.argmin(axis=0)
        best, best_back = apart[rows, nearest], apart[back, columns]
        # The second nearest is what is left when the nearest is taken out, either way.
        apart[rows, nearest] = FAR[apart.dtype]
        second = apart.min(axis=1)
        apart[rows, nearest] = best
        apart[back, columns] = FAR[apart.dtype]
        second_back = apart.min(axis=0)
        passes = best < self.ratio * second
        passes_back = best_back < self.ratio * second_back
        q = np.flatnonzero(passes)
        q = q[(back[nearest[q]] == q) & passes_back[nearest[q]]]
        order = np.lexsort((q, best[q]))
        return np.stack([q[order], nearest[q[order]]], axis=1).astype(np.int32)


FAR = {np.dtype(np.uint8): 255, np.dtype(np.float32): np.inf}

BLOCK = 128


def _codes(descriptor: Descriptor) -> Codes:
    assert isinstance(descriptor, LocalFeatures)
    return descriptor.codes


def distances(query: Codes, reference: Codes) -> NDArray[Any]:
    """(Q, R) different bits, of all but the last, as uint8; or Euclidean distances as float32."""
    is_binary = query.dtype == np.uint8
    apart: NDArray[Any] = (_hamming if is_binary else _l2)(query, reference)
    return apart


def _hamming(query: NDArray[np.uint8], reference: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(Q, R) numbers of different bits, counted word by word, in blocks that stay in the cache."""
    a, b = _words(query), np.ascontiguousarray(_words(reference).T)
    distances = np.empty((len(a), b.shape[1]), np.uint8)
    different = np.empty((BLOCK, b.shape[1]), np.uint64)
    counted = np.empty((BLOCK, b.shape[1]), np.uint8)
    for start in range(0, len(a), BLOCK):
        block = a[start : start + BLOCK]
        n, out = len(block), distances[start : start + BLOCK]
        np.bitwise_xor(block[:, 0, None], b[0], out=different[:n])
        np.bitwise_count(different[:n], out=out)
        for k in range(1, len(b)):
            np.bitwise_xor(block[:, k, None], b[k], out=different[:n])
            np.bitwise_count(different[:n], out=counted[:n])
            out += counted[:n]
    return distances


def _words(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(K, 4) 256-bit codes as words, without their last bit: a byte can count to 255."""
    words = np.ascontiguousarray(codes).view(np.uint64).copy()
    words[:, -1] &= ~np.uint64(1)
    return words


def _l2(query: NDArray[np.float32], reference: NDArray[np.float32]) -> NDArray[np.float32]:
    """(Q, R) Euclidean distances of unit vectors."""
    product = np.asarray(query @ reference.T, dtype=np.float32)
    return np.asarray(np.sqrt(np.maximum(2.0 - 2.0 * product, 0.0)), dtype=np.float32)
