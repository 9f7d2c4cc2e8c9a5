"""How far apart the codes of keypoints are; those of regions by what is known of their frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objsearch.types import Descriptor, LocalFeatures

Codes = NDArray[Any]
"""(K, 32) uint8 binary codes, or (K, D) float32 unit vectors."""

BLOCK = 128


class Between:
    """Distances between regions of two images, whose last is the full frame.

    Regions share the keypoints of their frame, and overlap: what is told of the frames' codes is
    counted once and picked from. Real codes are compared a pair at a time, for the last bits of a
    matrix product depend on the shape of the matrices.
    """

    def __init__(self, query: Sequence[Descriptor], reference: Sequence[Descriptor]) -> None:
        self.query = _Side(query)
        self.reference = _Side(reference)
        self._frames: NDArray[Any] | None = None

    def distances(self, q: int, r: int) -> NDArray[Any]:
        """(Q, R) of two regions by number."""
        query, reference = self.query[q].codes, self.reference[r].codes
        rows, columns = self.query.in_frame(q), self.reference.in_frame(r)
        if rows is None or columns is None or query.dtype != np.uint8:
            return distances(query, reference)
        if self._frames is None:
            self._frames = distances(self.query[-1].codes, self.reference[-1].codes)
        return _picked(_picked(self._frames, rows, 0), columns, 1)


class _Side:
    """The regions of an image, and where their keypoints stand among those of its frame."""

    def __init__(self, regions: Sequence[Descriptor]) -> None:
        self.regions = regions
        self.known: dict[int, NDArray[np.intp] | None] = {}

    def __getitem__(self, number: int) -> LocalFeatures:
        features = self.regions[number]
        assert isinstance(features, LocalFeatures)
        return features

    def in_frame(self, number: int) -> NDArray[np.intp] | None:
        if number not in self.known:
            self.known[number] = _numbers(self[number], self[-1])
        return self.known[number]


def _numbers(part: LocalFeatures, frame: LocalFeatures) -> NDArray[np.intp] | None:
    """(K,) which of the frame's keypoints a part has; None where it has others."""
    if part is frame or not len(part):
        return np.arange(len(part))
    points = frame.points_xy
    low, high = part.points_xy.min(axis=0), part.points_xy.max(axis=0)
    [numbers] = np.nonzero(((points >= low) & (points <= high)).all(axis=1))
    is_same = (
        len(numbers) == len(part)
        and np.array_equal(points[numbers], part.points_xy)
        and np.array_equal(frame.codes[numbers], part.codes)
    )
    return numbers if is_same else None


def _picked(apart: NDArray[Any], numbers: NDArray[np.intp], axis: int) -> NDArray[Any]:
    return apart if len(numbers) == apart.shape[axis] else apart.take(numbers, axis)


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
