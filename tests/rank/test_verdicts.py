"""Geometry says "same" where there are keypoints; the score where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from objsearch.rank.verdicts import Verdicts
from objsearch.types import Verification

RULES = Verdicts(same_score=0.9, uncertain_score=0.5)
PLANE = Verification("homography", np.eye(3), np.zeros((40, 4), np.float32))
DEPTH = Verification("fundamental", np.eye(3), np.zeros((40, 4), np.float32))


@pytest.mark.parametrize(
    ("score", "found", "central", "has_local", "verdict"),
    [
        (0.3, PLANE, RULES.same_inliers, True, "same"),
        (0.3, PLANE, RULES.same_inliers - 0.1, True, "different"),
        (0.6, PLANE, RULES.same_inliers - 0.1, True, "uncertain"),
        (0.6, DEPTH, RULES.same_inliers, True, "uncertain"),
        (0.6, DEPTH, RULES.same_inliers_depth, True, "same"),
        # A look-alike: however high the score, without geometry it is not the same object.
        (1.0, None, 0.0, True, "uncertain"),
        (0.5, None, 0.0, True, "uncertain"),
        (0.49, None, 0.0, True, "different"),
        (0.9, None, 0.0, False, "same"),
        (0.89, None, 0.0, False, "uncertain"),
        (0.1, None, 0.0, False, "different"),
    ],
)
def test_verdicts(score: float, found: Any, central: float, has_local: bool, verdict: str) -> None:
    assert RULES.decide(score, found, central, has_local) == verdict


def test_depth_proves_less_than_a_plane() -> None:
    assert Verdicts().same_inliers_depth > Verdicts().same_inliers
