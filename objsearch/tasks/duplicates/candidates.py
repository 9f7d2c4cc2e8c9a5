"""Which pairs are worth a full comparison: nearest neighbours by whole-picture vectors.

One matrix product a block of pictures; no loop goes over pairs.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from objsearch.flow import ordered_map

BLOCK = 256
"""Pictures, of all workers together, whose products with all others memory holds."""
LEAST_BLOCK = 32

Pair = tuple[int, int]
"""(i, j) with i < j."""


def nearest_pairs(
    versions: NDArray[np.float16],
    n_nearest: int,
    *,
    groups: NDArray[np.int8] | None = None,
    floor: float = -1.0,
    workers: int = 1,
) -> list[list[Pair]]:
    """First every picture with the other that is nearest, then with the second nearest, and so on.

    `versions` (N, V, D), the upright one first: the best of a picture counts. `groups` (N,) of
    bits: only pairs with different bits between them count, such as 1 and 2, or 3 and 3. Products
    below `floor` are chance. A pair is named once.
    """
    n = len(versions)
    count = min(n_nearest, n - 1)
    rounds: list[dict[Pair, None]] = [{} for _ in range(count)]
    among = _Among(versions, versions[:, 0].astype(np.float32).T, groups, count, floor)
    size = max(min(BLOCK, LEAST_BLOCK), BLOCK // max(workers, 1))
    blocks = [
        np.arange(start, min(n, start + size)) for start in range(0, n if count > 0 else 0, size)
    ]
    found = ordered_map(partial(_nearest, among), blocks, workers=workers, ahead=1)
    for rows, (order, is_usable) in zip(blocks, found, strict=True):
        for row, rank in np.argwhere(is_usable):
            i, j = sorted((int(rows[row]), int(order[row, rank])))
            rounds[rank][i, j] = None
    named: set[Pair] = set()
    fresh = []
    for pairs in rounds:
        fresh.append(sorted(pairs.keys() - named))
        named |= pairs.keys()
    return fresh


class _Among(NamedTuple):
    """What a block of pictures is compared with, and how many of it are named."""

    versions: NDArray[np.float16]
    references: NDArray[np.float32]
    groups: NDArray[np.int8] | None
    n_nearest: int
    floor: float


def _nearest(among: _Among, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """(B, count) the nearest of each row, nearest first, and which of them may be named."""
    alike = _best_version(among.versions[rows], among.references)
    alike[np.arange(len(rows)), rows] = -np.inf
    if among.groups is not None:
        alike[~compatible(among.groups[rows][:, None], among.groups[None, :])] = -np.inf
    # The last bits of a product depend on the shape of the matrices; rounding drops them.
    alike = np.round(alike, 4)
    order = _first(alike, among.n_nearest)
    return order, np.take_along_axis(alike, order, axis=1) >= among.floor


def _first(alike: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """(N, count) where the greatest of each row are, greatest first, ties in order.

    To put all of a row in order takes ten times as long, and among ten thousands of pictures as
    long as to compare them.
    """
    falling = -alike
    most = np.partition(falling, count - 1, axis=1)[:, count - 1, None]
    rows, places = np.nonzero(~(falling > most))
    starts = np.searchsorted(rows, np.arange(len(alike) + 1))
    first = np.empty((len(alike), count), np.intp)
    for row, of_row in enumerate(falling):
        near = places[starts[row] : starts[row + 1]]
        first[row] = near[np.argsort(of_row[near], kind="stable")[:count]]
    return first


def _best_version(
    block: NDArray[np.float16], references: NDArray[np.float32]
) -> NDArray[np.float32]:
    best = block[:, 0].astype(np.float32) @ references
    for version in range(1, block.shape[1]):
        np.maximum(best, block[:, version].astype(np.float32) @ references, out=best)
    return best


def compatible(first: NDArray[np.int8], second: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Whether pictures lie on different sides (bits 1 and 2; 3 is both)."""
    return (((first & 1) & ((second >> 1) & 1)) | (((first >> 1) & 1) & (second & 1))).astype(bool)
