"""Cosine similarity of unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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

    def stacked(self, references: Sequence[Sequence[Descriptor]]) -> Stack | None:
        if not references:
            return None
        starts = np.cumsum([0, *(len(reference) for reference in references[:-1])])
        every = _stacked([descriptor for reference in references for descriptor in reference])
        return Stack(every, starts, _stacked([reference[-1] for reference in references]))

    def coarse(self, query: Sequence[Descriptor], stack: Stack | None) -> NDArray[np.float64]:
        """The best pair in which one side is a full frame."""
        if stack is None:
            return np.zeros(0)
        vectors = _stacked(query)
        in_parts = np.maximum.reduceat(_cosines(vectors[-1:], stack.every)[0], stack.starts)
        in_frames = _cosines(vectors, stack.frames).max(axis=0)
        return np.asarray(np.maximum(in_parts, in_frames), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Vectors of many images: `every` (M, D) region, image after image from `starts` (N,), and
    their `frames` (N, D).
    """

    every: NDArray[np.float32]
    starts: NDArray[np.intp]
    frames: NDArray[np.float32]


def _stacked(descriptors: Sequence[Descriptor]) -> NDArray[np.float32]:
    vectors = [
        descriptor.vector for descriptor in descriptors if isinstance(descriptor, GlobalDescriptor)
    ]
    return np.stack(vectors)


def _cosines(query: NDArray[np.float32], reference: NDArray[np.float32]) -> Scores:
    # The last bits of a matrix product depend on the shape of the matrices; rounding drops them.
    return np.clip(np.round((query @ reference.T).astype(np.float64), 6), 0.0, 1.0)
