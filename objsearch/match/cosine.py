"""Cosine similarity of unit vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from objsearch.match.base import Matcher
from objsearch.types import Descriptor, GlobalDescriptor, Scores


class Cosine(Matcher):
    """The cosine of the angle, negative ones cut to 0."""

    name = "cosine"
    accepts = frozenset({"global"})

    def score_pairs(self, query: Sequence[Descriptor], reference: Sequence[Descriptor]) -> Scores:
        return _cosines(_stacked(query), _stacked(reference))

    def coarse_scores(
        self, query: Sequence[Descriptor], references: Sequence[Sequence[Descriptor]]
    ) -> NDArray[np.float64]:
        """The best pair in which one side is a full frame."""
        if not references:
            return np.zeros(0)
        starts = np.cumsum([0, *(len(reference) for reference in references[:-1])])
        every = _stacked([one for reference in references for one in reference])
        frames = _stacked([reference[-1] for reference in references])
        vectors = _stacked(query)
        in_parts = np.maximum.reduceat(_cosines(vectors[-1:], every)[0], starts)
        in_frames = _cosines(vectors, frames).max(axis=0)
        return np.asarray(np.maximum(in_parts, in_frames), dtype=np.float64)


def _stacked(descriptors: Sequence[Descriptor]) -> NDArray[np.float32]:
    vectors = [one.vector for one in descriptors if isinstance(one, GlobalDescriptor)]
    return np.stack(vectors)


def _cosines(query: NDArray[np.float32], reference: NDArray[np.float32]) -> Scores:
    # The last bits of a matrix product depend on the shape of the matrices; rounding drops them.
    return np.clip(np.round((query @ reference.T).astype(np.float64), 6), 0.0, 1.0)
