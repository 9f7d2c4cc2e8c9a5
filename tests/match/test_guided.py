"""The second look: more matches where they are expected, none elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.components.registry import build
from objsearch.describe.base import Crop
from objsearch.match.geometry import Geometry, inverse, verify
from objsearch.match.guided import guided_matches
from objsearch.match.ratio_test import RatioTest
from objsearch.types import LocalFeatures
from tests.pictures import drawing, warped

MOVEMENT = np.array([[0.9, -0.2, 60.0], [0.15, 0.85, 20.0], [0.0, 0.0, 1.0]])


def described(extractor: str) -> tuple[LocalFeatures, LocalFeatures]:
    """A drawing whose motif repeats, and the same moved."""
    one = np.tile(drawing(121, 203, seed=4), (2, 2, 1))
    one[121:] = np.maximum(one[121:], 12)
    other = warped(one, MOVEMENT, (467, 331))
    found = build("describe", extractor).extract_batch(  # type: ignore[attr-defined]
        [Crop(one, is_frame=True), Crop(other, is_frame=True)]
    )
    return found[0], found[1]


@pytest.mark.parametrize("extractor", ["orb", "sift"])
def test_guidance_finds_what_repeats_and_stays_exact(extractor: str) -> None:
    one, other = described(extractor)
    matches = RatioTest(ratio=0.9).matches(one, other)
    plain = verify(one, other, matches, Geometry())
    guided = verify(one, other, matches, Geometry(guided=True))
    assert plain is not None and guided is not None
    assert guided.n_inliers > 1.3 * plain.n_inliers
    corners = np.array([[10, 10, 1], [390, 10, 1], [390, 230, 1], [10, 230, 1.0]])
    ours, truth = corners @ guided.transform.T, corners @ MOVEMENT.T
    away = ours[:, :2] / ours[:, 2:] - truth[:, :2]
    assert np.abs(away).max() < 3


def test_guidance_is_the_same_from_the_other_side() -> None:
    one, other = described("orb")
    matches = RatioTest(ratio=0.9).matches(one, other)
    there = verify(one, other, matches, Geometry(guided=True))
    back = verify(other, one, matches[:, ::-1], Geometry(guided=True))
    assert there is not None and back is not None
    assert sorted(map(tuple, there.inliers_xyxy)) == sorted(
        map(tuple, back.inliers_xyxy[:, [2, 3, 0, 1]])
    )
    undone = inverse(back.transform)
    np.testing.assert_allclose(undone / undone[2, 2], there.transform, rtol=1e-6, atol=1e-9)


def test_guided_matches_lie_where_expected_and_look_alike() -> None:
    one, other = described("orb")
    matches = guided_matches(one, other, MOVEMENT)
    assert len(matches) > 100
    assert len(set(matches[:, 0])) == len(set(matches[:, 1])) == len(matches)
    ones = np.ones((len(one), 1))
    expected = (np.hstack([one.points_xy, ones]) @ MOVEMENT.T)[matches[:, 0], :2]
    assert np.abs(expected - other.points_xy[matches[:, 1]]).max() <= 6.0 * other.scale
    bits = np.bitwise_count(one.codes[matches[:, 0]] ^ other.codes[matches[:, 1]])
    assert bits.sum(axis=1, dtype=int).max() <= 81


def test_a_transform_to_infinity_finds_nothing() -> None:
    one, other = described("orb")
    assert len(guided_matches(one, other, np.zeros((3, 3)))) == 0
    beyond = np.array([[1.0, 0, 9000], [0, 1, 9000], [0, 0, 1]])
    assert len(guided_matches(one, other, beyond)) == 0
