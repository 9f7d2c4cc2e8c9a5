"""An inverted file written as it is sorted: what it takes is memory for some images at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objsearch.index.postings import Postings, weight_of

IMAGES_AT_ONCE = 1_024

Makes = Callable[[str, tuple[int, ...], Any], NDArray[Any]]
"""Makes an array of `Postings` by its name, for a shape and a type; it may lie on the disk."""


def file_postings(
    words: NDArray[Any],
    signatures_of: Callable[[slice], NDArray[np.uint64]],
    n_points: NDArray[np.int32],
    n_words: int,
    make: Makes,
) -> Postings:
    """The same as `build_postings`, image after image, with the signatures of some at a time.

    `signatures_of` gives those of a run of images.
    """
    bounds = np.concatenate([[0], np.cumsum(n_points, dtype=np.int64)])
    runs = [slice(i, i + IMAGES_AT_ONCE) for i in range(0, len(n_points), IMAGES_AT_ONCE)]
    counted = np.zeros(n_words, np.int64)
    for run in runs:
        counted += np.bincount(_own(words, bounds, run), minlength=n_words)
    starts = make("starts", (n_words + 1,), np.int64)
    starts[:] = np.concatenate([[0], np.cumsum(counted)])
    free, holding = np.array(starts[:-1]), np.zeros(n_words, np.int64)
    images, signatures = make("images", (len(words),), np.int32), None
    for run in runs:
        own, said = _own(words, bounds, run), signatures_of(run)
        if signatures is None:
            signatures = make("signatures", (len(words), said.shape[1]), np.uint64)
        order = np.argsort(own, kind="stable")
        own = own[order]
        of = np.arange(len(n_points), dtype=np.int32)[run].repeat(n_points[run])[order]
        first = np.searchsorted(own, own)  # where the run of the same word begins
        places = free[own] + np.arange(len(own)) - first
        images[places], signatures[places] = of, said[order]
        free += np.bincount(own, minlength=n_words)
        is_new = np.ones(len(own), bool)
        is_new[1:] = (own[1:] != own[:-1]) | (of[1:] != of[:-1])
        holding += np.bincount(own[is_new], minlength=n_words)
    assert signatures is not None
    rarity, kept = make("rarity", (n_words,), np.float32), make("n_points", n_points.shape, "i4")
    rarity[:], kept[:] = weight_of(holding, len(n_points)), n_points
    return Postings(starts, images, signatures, rarity, kept)


def _own(words: NDArray[Any], bounds: NDArray[np.int64], run: slice) -> NDArray[np.int64]:
    """The words of a run of images."""
    stop = min(run.stop, len(bounds) - 1)
    return words[bounds[run.start] : bounds[stop]].astype(np.int64)
