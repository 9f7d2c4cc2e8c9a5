"""Which pairs are worth a full comparison: nearest neighbours by whole-picture vectors.

One matrix product a block of pictures and descriptor; no loop goes over pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

BLOCK = 256

Pairs = dict[tuple[int, int], bool]
"""(i, j) with i < j; whether they look more alike when one of them is mirrored."""


def nearest_pairs(
    versions: Mapping[str, NDArray[np.float16]],
    n_nearest: int,
    *,
    with_mirrored: bool,
    groups: NDArray[np.int8] | None = None,
    floors: Mapping[str, float] = MappingProxyType({}),
) -> Pairs:
    """The nearest others of every picture, by each descriptor, upright and mirrored apart.

    `versions[name]` is (N, V, D), the upright version first and the mirrored half last. `groups`
    (N,) of bits: only pairs with different bits between them count, such as 1 and 2, or 3 and 3.
    `floors` name products below which likeness is chance.
    """
    found: Pairs = {}
    for name, vectors in versions.items():
        floor = floors.get(name, -1.0)
        n_versions = vectors.shape[1]
        half = n_versions // 2 if with_mirrored else n_versions
        for is_mirrored, part in ((False, vectors[:, :half]), (True, vectors[:, half:])):
            if part.shape[1]:
                for i, j in _nearest(part, vectors[:, 0], n_nearest, groups, floor):
                    found.setdefault((min(i, j), max(i, j)), is_mirrored)
    return dict(sorted(found.items()))


def _nearest(
    queries: NDArray[np.float16],
    stored: NDArray[np.float16],
    n_nearest: int,
    groups: NDArray[np.int8] | None,
    floor: float,
) -> Sequence[tuple[int, int]]:
    n = len(stored)
    count = min(n_nearest, n - 1)
    if count < 1:
        return []
    references = stored.astype(np.float32).T
    pairs: list[tuple[int, int]] = []
    for start in range(0, n, BLOCK):
        rows = np.arange(start, min(n, start + BLOCK))
        alike = _best_version(queries[rows], references)
        alike[np.arange(len(rows)), rows] = -np.inf
        if groups is not None:
            alike[~compatible(groups[rows][:, None], groups[None, :])] = -np.inf
        # The last bits of a product depend on the shape of the matrices; rounding drops them.
        alike = np.round(alike, 4)
        order = np.argsort(-alike, axis=1, kind="stable")[:, :count]
        usable = np.take_along_axis(alike, order, axis=1) >= floor
        pairs += [(int(rows[row]), int(order[row, column])) for row, column in np.argwhere(usable)]
    return pairs


def _best_version(
    block: NDArray[np.float16], references: NDArray[np.float32]
) -> NDArray[np.float32]:
    best = block[:, 0].astype(np.float32) @ references
    for version in range(1, block.shape[1]):
        np.maximum(best, block[:, version].astype(np.float32) @ references, out=best)
    return best


def compatible(one: NDArray[np.int8], other: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Whether pictures lie on different sides (bits 1 and 2; 3 is both)."""
    return (((one & 1) & ((other >> 1) & 1)) | (((one >> 1) & 1) & (other & 1))).astype(bool)
