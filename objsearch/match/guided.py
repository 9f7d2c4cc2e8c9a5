"""A second look for matches, where a first transform says that they should lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from objsearch.match.distances import distances
from objsearch.match.ratio_test import Matches
from objsearch.types import LocalFeatures

REACH = 6.0
"""How far from its expected place a match may lie, in working pixels."""
MOST_BITS, MOST_DISTANCE = 80, 0.8
"""Beyond this codes do not look alike: of 256 bits; between unit vectors."""


def guided_matches(
    first: LocalFeatures, second: LocalFeatures, transform: NDArray[np.float64]
) -> Matches:
    """(N, 2) keypoints that are each other's nearest among those near their expected places.

    `transform` (3, 3) maps pixels of `first` to those of `second`. There is no ratio test: what
    repeats elsewhere in a picture, as print and windows do, is told apart by its place.
    """
    homogeneous = np.hstack([first.points_xy, np.ones((len(first), 1))]) @ transform.T
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = homogeneous[:, :2] / homogeneous[:, 2:]
    reach = REACH * second.scale
    near = np.ones((len(first), len(second)), bool)
    for axis in (0, 1):  # a square: cheaper than a circle, and the fit that follows is strict
        with np.errstate(invalid="ignore"):
            near &= np.abs(expected[:, axis, None] - second.points_xy[None, :, axis]) <= reach
    unlike = distances(first.codes, second.codes).astype(np.float32)
    most = MOST_BITS if first.codes.dtype == np.uint8 else MOST_DISTANCE
    unlike[~near | (unlike > most)] = np.inf
    nearest, back = unlike.argmin(axis=1), unlike.argmin(axis=0)
    rows = np.arange(len(first))
    is_match = np.isfinite(unlike[rows, nearest]) & (back[nearest] == rows)
    return np.stack([rows[is_match], nearest[is_match]], axis=1).astype(np.int32)
