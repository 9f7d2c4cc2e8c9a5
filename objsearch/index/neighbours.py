"""The nearest others of every vector, without an index: exact, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from objsearch.types import DescribedImage, GlobalDescriptor

BLOCK = 256


def nearest_others(
    vectors: NDArray[np.float32], count: int
) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.float64]]]:
    """Each row of (N, D) unit vectors, its `count` nearest others, and their cosines in [0, 1].

    Nearest first, ties by number. Cosines are rounded to six digits, as the last ones depend on how
    many are computed at a time.
    """
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        cosines = np.round((block @ vectors.T).astype(np.float64), 6)
        cosines[np.arange(len(block)), start + np.arange(len(block))] = -np.inf
        for i, row in enumerate(cosines):
            near = _largest(row, min(count, len(vectors) - 1))
            yield start + i, near, np.clip(row[near], 0.0, 1.0)


def _largest(scores: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Numbers of the largest, in order; ties by number."""
    if count <= 0:
        return np.zeros(0, np.intp)
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    above = np.flatnonzero(scores > least)
    ties = np.flatnonzero(scores == least)[: count - len(above)]
    chosen = np.concatenate([above, ties])
    return chosen[np.lexsort((chosen, -scores[chosen]))]


def frame_vector(image: DescribedImage, alias: str) -> NDArray[np.float32] | None:
    """The vector of the full frame, which is the last region's; None where there is none."""
    last = (image.descriptors.get(alias) or (None,))[-1]
    return last.vector if isinstance(last, GlobalDescriptor) else None


def stacked(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.stack(vectors) if vectors else np.zeros((0, 1), np.float32)
