"""Visual words of binary keypoint codes: a two-level tree of typical codes, shipped in `models/`.

A keypoint's word is its nearest typical code (Sivic and Zisserman, ICCV 2003; for binary codes
Galvez-Lopez and Tardos, T-RO 2012). Its signature is a choice of its own bits, which tells apart
keypoints of one word (Hamming embedding: Jegou, Douze, Schmid, ECCV 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from objsearch.components import weights
from objsearch.errors import WeightsError

CODE_BYTES = 32
AT_ONCE = 512
"""Codes compared with the tree at a time: what is in between stays small."""
FILED_AT_ONCE = 64
"""The same of codes that get one word each: what is in between stays in a processor's cache."""

Words = NDArray[np.int32]
Signatures = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """`branches` (4, B) and `leaves` (4, B, L): typical codes as 64-bit words; `bits` (S x 64,)
    which bits of a code are its signature."""

    branches: NDArray[np.uint64]
    leaves: NDArray[np.uint64]
    bits: NDArray[np.int64]

    @property
    def n_words(self) -> int:
        return int(self.leaves.shape[1] * self.leaves.shape[2])

    def words(self, codes: NDArray[np.uint8], count: int = 1, n_branches: int = 1) -> Words:
        """(K, count) the nearest words of (K, 32) codes, nearest first; ties to the lower number.

        Only the leaves of each code's `n_branches` nearest branches are looked at.
        """
        is_one = count == n_branches == 1  # as every photo is filed
        size = FILED_AT_ONCE if is_one else AT_ONCE
        parts = [codes[i : i + size] for i in range(0, len(codes), size)]
        find = self._nearest_words if is_one else partial(self._words, count, n_branches)
        words = [find(part) for part in parts]
        return np.concatenate([np.zeros((0, count), np.int32), *words])

    def _nearest_words(self, codes: NDArray[np.uint8]) -> Words:
        """`_words` for one word in one branch, in half the time."""
        whole = np.ascontiguousarray(np.ascontiguousarray(codes).view(np.uint64).T)
        branch = _distances(self.branches[:, :, None], whole[:, None, :]).argmin(axis=0)
        leaf = _distances(self.leaves.take(branch, axis=1), whole[:, :, None]).argmin(axis=1)
        return np.asarray(branch * self.leaves.shape[2] + leaf, np.int32)[:, None]

    def _words(self, count: int, n_branches: int, codes: NDArray[np.uint8]) -> Words:
        whole = np.ascontiguousarray(codes).view(np.uint64).T
        near = _nearest(_distances(whole[:, :, None], self.branches[:, None, :]), n_branches)
        n_leaves = self.leaves.shape[2]
        distances = np.stack(
            [
                _distances(whole[:, :, None], self.leaves[:, near[:, k]])
                for k in range(near.shape[1])
            ],
            axis=1,
        )
        words = near[:, :, None] * n_leaves + np.arange(n_leaves)
        # Ties go by number, so branches in the order of their numbers.
        order = np.argsort(near, axis=1)[:, :, None]
        distances = np.take_along_axis(distances, order, axis=1).reshape(len(codes), -1)
        words = np.take_along_axis(words, order, axis=1).reshape(len(codes), -1)
        chosen = np.take_along_axis(words, _nearest(distances, count), axis=1)
        return np.asarray(chosen, dtype=np.int32)

    def signatures(self, codes: NDArray[np.uint8]) -> Signatures:
        """(K, S) the chosen bits of (K, 32) codes."""
        bits = np.unpackbits(codes, axis=1)[:, self.bits]
        return np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint64)


def _distances(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Numbers of different bits of codes of four 64-bit words, summed over the first axis."""
    counts = [np.bitwise_count(a ^ b) for a, b in zip(first, second, strict=True)]
    # Two words differ in 128 bits at most, which a byte holds; four in one more than it does.
    total = np.add(counts[0] + counts[1], counts[2] + counts[3], dtype=np.uint16)
    return np.asarray(total, np.uint16)


def _nearest(distances: NDArray[np.uint16], count: int) -> NDArray[np.int64]:
    """(K, count) the columns of the smallest distances, in order; ties to the lower column."""
    n_columns = distances.shape[1]
    keys = distances.astype(np.int64) * n_columns + np.arange(n_columns)
    count = min(count, n_columns)
    if count < n_columns:
        keys = np.partition(keys, count - 1, axis=1)[:, :count]
    return np.asarray(np.sort(keys, axis=1) % n_columns)


@cache
def load_vocabulary(name: str) -> Vocabulary:
    """By a name in `models/manifest.yaml` or a path to an `.npz`.

    Raises WeightsError when it is unknown, missing, damaged or no vocabulary.
    """
    is_path = not weights.is_named(name) and Path(name).expanduser().is_file()
    path = Path(name).expanduser() if is_path else weights.card(name).file
    try:
        with np.load(path, allow_pickle=False) as arrays:
            parts = [arrays[key] for key in ("branches", "leaves", "bits")]
    except Exception as error:
        raise WeightsError(
            f"{path}: not a vocabulary of keypoints; take one made by training/vocabulary/train.py"
        ) from error
    branches, leaves, bits = parts
    if not _fits(branches, leaves, bits):
        raise WeightsError(f"{path}: its arrays are not those of a vocabulary of keypoints")
    return Vocabulary(_as_words(branches), _as_words(leaves), bits.astype(np.int64))


def _fits(branches: np.ndarray, leaves: np.ndarray, bits: np.ndarray) -> bool:
    are_codes = branches.dtype == leaves.dtype == np.uint8
    fit = branches.ndim == 2 and leaves.ndim == 3 and len(branches) == len(leaves) > 0
    sizes = branches.shape[-1] == leaves.shape[-1] == CODE_BYTES and leaves.shape[1] > 0
    if not (are_codes and fit and sizes and bits.ndim == 1 and len(bits) and len(bits) % 64 == 0):
        return False
    return bool(bits.dtype.kind in "iu" and bits.min() >= 0 and bits.max() < 8 * CODE_BYTES)


def _as_words(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(..., 32) bytes as (4, ...) 64-bit words."""
    return np.ascontiguousarray(np.moveaxis(np.ascontiguousarray(codes).view(np.uint64), -1, 0))
