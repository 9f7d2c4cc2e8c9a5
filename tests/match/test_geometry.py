"""Known movements asked back, and what no camera does refused."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objsearch.components.registry import build
from objsearch.describe.base import Crop
from objsearch.match.geometry import (
    CENTRE_SIGMA,
    Geometry,
    central_inliers,
    inverse,
    overlap,
    projected,
    verify,
)
from objsearch.match.ratio_test import RatioTest
from objsearch.types import Box, LocalFeatures, Pixels, Verification
from tests.pictures import cropped, warped

Matrix = np.ndarray


def moved(points: Matrix, transform: Matrix) -> Matrix:
    """Points (N, 2) through a homography."""
    homogeneous = np.hstack([points, np.ones((len(points), 1))]) @ transform.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:])


def similarity(degrees: float, scale: float, dx: float, dy: float) -> Matrix:
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[c, -s, dx], [s, c, dy], [0.0, 0.0, 1.0]])


def grid(n: int = 10, size: float = 300.0, jitter: float = 3.0) -> Matrix:
    """Points all over a square, on no straight lines."""
    rng = np.random.default_rng(3)
    places = np.linspace(10, size - 10, n)
    points = np.array([(x, y) for x in places for y in places])
    return points + rng.uniform(-jitter, jitter, points.shape)


def sides(source: Matrix, target: Matrix) -> tuple[LocalFeatures, LocalFeatures, Matrix]:
    """Keypoints at given places, each matching the one of its number."""
    codes = np.zeros((len(source), 32), np.uint8)
    one = LocalFeatures(source.astype(np.float32), codes, 1.0)
    other = LocalFeatures(target.astype(np.float32), codes, 1.0)
    matches = np.repeat(np.arange(len(source), dtype=np.int32)[:, None], 2, axis=1)
    return one, other, matches


def found_between(source: Matrix, target: Matrix, **options: object) -> Verification | None:
    return verify(*sides(source, target), Geometry(**options))  # type: ignore[arg-type]


def described(pixels: Pixels, extractor: str) -> LocalFeatures:
    features = build("describe", extractor).extract_batch(  # type: ignore[attr-defined]
        [Crop(pixels, is_frame=True)]
    )[0]
    assert isinstance(features, LocalFeatures)
    return features


# Sizes that are no multiple of 8, on either side and at every working scale.
MOVEMENTS = {
    "turned": (similarity(25, 0.9, 150, 10), (467, 431)),
    "smaller": (similarity(-8, 0.55, 31, 47), (299, 251)),
    "larger": (similarity(4, 1.7, -60, -50), (563, 517)),
    "upside down": (similarity(180, 1.0, 349, 331), (377, 353)),
    "from the side": (
        np.array([[0.82, 0.11, 21.3], [-0.07, 0.93, 33.7], [-5.1e-4, 2.3e-4, 1.0]]),
        (451, 403),
    ),
}
QUERY_WH = (333, 307)


@pytest.mark.parametrize("extractor", ["orb", "sift"])
@pytest.mark.parametrize("photo", ["graffiti_wall.jpg", "old_street.jpg"])
@pytest.mark.parametrize("name", MOVEMENTS)
def test_a_known_movement_is_asked_back(
    name: str, photo: str, extractor: str, pixels_of: Callable[[str], Pixels]
) -> None:
    truth, size_wh = MOVEMENTS[name]
    width, height = QUERY_WH
    query = np.ascontiguousarray(pixels_of(photo)[101 : 101 + height, 203 : 203 + width])
    reference = warped(query, truth, size_wh)
    one, other = described(query, extractor), described(reference, extractor)
    found = verify(one, other, RatioTest().matches(one, other), Geometry())
    assert found is not None
    assert found.n_inliers >= 15
    inner = np.array([(x, y) for x in (40, 160, 290) for y in (40, 150, 270)], float)
    expected = moved(inner, truth)
    inside = ((expected > 0) & (expected < size_wh)).all(axis=1)
    assert inside.sum() >= 4
    distances = np.linalg.norm(moved(inner, found.transform) - expected, axis=1)[inside]
    # A bend that the model cannot follow is allowed where an affinity was taken.
    assert np.median(distances) < (2.0 if found.model == "homography" else 6.0)
    shifts = found.inliers_xyxy[:, 2:] - moved(found.inliers_xyxy[:, :2], truth)
    assert np.median(np.linalg.norm(shifts, axis=1)) < 2.0


@pytest.mark.parametrize("extractor", ["orb", "sift"])
def test_sides_swapped_give_the_inverse(extractor: str, pixels_of: Callable[[str], Pixels]) -> None:
    query = cropped(pixels_of("graffiti_wall.jpg"), 0.61)
    reference = warped(query, similarity(12, 0.8, 90, 5), (467, 431))
    one, other = described(query, extractor), described(reference, extractor)
    # As a search would: each side asks the matcher for itself.
    forth = verify(one, other, RatioTest().matches(one, other), Geometry())
    back = verify(other, one, RatioTest().matches(other, one), Geometry())
    assert forth is not None and back is not None
    assert forth.n_inliers == back.n_inliers
    assert forth.model == back.model
    turned = back.inliers_xyxy[:, [2, 3, 0, 1]]
    assert np.array_equal(np.unique(forth.inliers_xyxy, axis=0), np.unique(turned, axis=0))
    product = forth.transform @ back.transform
    assert np.allclose(product / product[2, 2], np.eye(3), atol=1e-6)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (100.0, 0.0), (1003.0, 517.0)])
def test_where_a_part_lies_in_its_image_changes_nothing(
    shift: tuple[float, float], pixels_of: Callable[[str], Pixels]
) -> None:
    query = cropped(pixels_of("graffiti_wall.jpg"), 0.61)
    reference = warped(query, similarity(12, 0.8, 90, 5), (467, 431))
    one, other = described(query, "orb"), described(reference, "orb")
    moved_one = LocalFeatures(one.points_xy + np.float32(shift), one.codes, one.scale)
    matches = RatioTest().matches(one, other)
    here, there = (verify(side, other, matches, Geometry()) for side in (one, moved_one))
    assert here is not None and there is not None
    # Places are float32: farther from the origin their last digits differ, and an inlier may too.
    assert there.n_inliers == pytest.approx(here.n_inliers, abs=2)


@settings(max_examples=12)
@given(
    st.floats(-180, 180),
    st.floats(0.3, 3.0),
    st.floats(-200, 200),
    st.floats(-200, 200),
    st.integers(0, 60),
)
def test_any_similarity_is_recovered_among_outliers(
    degrees: float, scale: float, dx: float, dy: float, n_wrong: int
) -> None:
    truth = similarity(degrees, scale, dx, dy)
    source = grid()
    target = moved(source, truth)
    rng = np.random.default_rng(n_wrong)
    target[:n_wrong] = rng.uniform(-300, 300, (n_wrong, 2))
    found = found_between(source, target)
    assert found is not None
    assert found.n_inliers >= 20
    # Between the points of an affinity the allowed error may add up to a little more.
    atol = 2.0 * Geometry().tolerance
    assert np.allclose(moved(source, found.transform), moved(source, truth), atol=atol)


CORNERS = np.array([(10.0, 10.0), (290.0, 10.0), (290.0, 290.0), (10.0, 290.0)])


@pytest.mark.parametrize(
    "target",
    [
        similarity(0, 0.05, 20, 20),  # shrunk to a spot
        np.diag([12.0, 12.0, 1.0]),  # blown up
        np.diag([-1.0, 1.0, 1.0]),  # mirrored
        np.diag([8.0, 0.9, 1.0]),  # stretched to a band
        np.diag([0.9, 0.15, 1.0]),  # a band, also where all is smaller
        np.array([[1.0, 0, 0], [0, 0.01, 0], [0, 0, 1.0]]),  # squeezed to a line
        np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-0.005, 0.0, 1.0]]),  # folded at infinity
    ],
    ids=["spot", "blown up", "mirrored", "band", "small band", "line", "fold"],
)
def test_what_no_camera_does_is_refused(target: Matrix) -> None:
    source = grid()
    homogeneous = np.hstack([source, np.ones((len(source), 1))]) @ target.T
    found = found_between(source, homogeneous[:, :2] / homogeneous[:, 2:])
    assert found is None or found.n_inliers < 60


def test_too_few_matches_prove_nothing() -> None:
    source = grid(3)
    target = moved(source, similarity(10, 1.1, 5, 5))
    assert found_between(source, target, min_inliers=9) is not None
    assert found_between(source[:8], target[:8], min_inliers=9) is None
    one, other, _ = sides(source, target)
    assert verify(one, other, np.zeros((0, 2), np.int32), Geometry()) is None


def test_points_on_a_line_or_in_a_spot_prove_nothing() -> None:
    line = np.array([(x, 50.0 + 0.4 * x) for x in range(0, 300, 6)])
    spot = np.random.default_rng(0).uniform(100, 105, (50, 2))
    for source in (line, spot):
        assert found_between(source, moved(source, similarity(10, 1.1, 5, 5))) is None


def test_a_corner_found_on_many_levels_counts_once() -> None:
    source = np.repeat(grid(5), 8, axis=0)
    target = moved(source, similarity(10, 1.1, 5, 5))
    found = found_between(source, target)
    assert found is not None
    assert found.n_inliers <= 25


def test_unrelated_points_prove_nothing() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        source, target = rng.uniform(0, 300, (2, 40, 2))
        found = found_between(source, target)
        assert found is None or found.n_inliers <= 9


def test_depth_is_explained_by_a_fundamental_matrix_only_when_asked() -> None:
    rng = np.random.default_rng(0)
    places = np.column_stack([rng.uniform(-1, 1, (120, 2)), rng.uniform(2, 5, 120)])
    camera = np.array([[300.0, 0, 150], [0, 300.0, 150], [0, 0, 1]])
    turn = cv2.Rodrigues(np.array([0.05, 0.35, 0.02]))[0]
    one = places @ camera.T
    other = (places @ turn.T + np.array([-1.6, 0.1, 0.2])) @ camera.T
    source, target = one[:, :2] / one[:, 2:], other[:, :2] / other[:, 2:]
    options = {"tolerance": 1.5, "min_inliers": 30}
    assert found_between(source, target, **options) is None
    found = found_between(source, target, models=("homography", "fundamental"), **options)
    assert found is not None
    assert found.model == "fundamental"
    ends = np.hstack([found.inliers_xyxy, np.ones((found.n_inliers, 1))]).astype(float)
    start, end = ends[:, [0, 1, 4]], ends[:, [2, 3, 4]]
    lines = start @ found.transform.T
    distances = np.abs((end * lines).sum(axis=1)) / np.linalg.norm(lines[:, :2], axis=1)
    assert np.median(distances) < 1.5


def test_the_working_scale_is_undone() -> None:
    source, truth = grid(size=300), similarity(10, 0.9, 20, 5)
    one, other, matches = sides(source * 4, moved(source, truth) * 0.5)
    coarse = LocalFeatures(one.points_xy, one.codes, 4.0)
    fine = LocalFeatures(other.points_xy, other.codes, 0.5)
    found = verify(coarse, fine, matches, Geometry())
    assert found is not None
    expected = moved(source, truth) * 0.5
    assert np.allclose(moved(source * 4, found.transform), expected, atol=0.1)


def test_a_box_is_projected_and_its_overlap_measured() -> None:
    box = Box(0, 0, 100, 50)
    quad = projected(box, similarity(90, 1.0, 50, 0))
    assert quad is not None
    assert np.allclose(quad, [(50, 0), (50, 100), (0, 100), (0, 0)], atol=1e-4)
    assert overlap(quad, Box(0, 0, 50, 100)) == (pytest.approx(1.0), Box(0, 0, 50, 100))
    part, inside = overlap(quad, Box(25, 50, 125, 150))
    assert part == pytest.approx(25 * 50 / 10_000)
    assert inside == Box(25, 50, 50, 100)
    assert overlap(quad, Box(60, 0, 70, 10)) == (0.0, None)
    assert overlap(None, box) == (0.0, None)
    assert overlap(quad, Box(5, 5, 5, 9)) == (0.0, None)
    beyond = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-0.02, 0.0, 1.0]])
    assert projected(box, beyond) is None


@given(st.floats(-180, 180), st.floats(0.2, 5), st.floats(-99, 99), st.floats(-99, 99))
def test_the_inverse_leads_back(degrees: float, scale: float, dx: float, dy: float) -> None:
    transform = similarity(degrees, scale, dx, dy)
    assert np.allclose(moved(moved(CORNERS, transform), inverse(transform)), CORNERS, atol=1e-6)


def central(*points: tuple[float, float]) -> float:
    """The weight of inliers at parts of the width and height of a query."""
    xyxy = np.array([(400 * x, 200 * y, 0, 0) for x, y in points], np.float32)
    found = Verification("homography", np.eye(3), xyxy)
    return central_inliers(found, Box(0, 0, 400, 200))


def test_inliers_count_as_much_as_they_are_central() -> None:
    at_the_reach = 0.5 + CENTRE_SIGMA
    weight = float(np.exp(-0.5))
    assert central((0.5, 0.5), (0.5, 0.5)) == pytest.approx(2)
    # What reaches the middle counts point by point.
    assert central((0.5, 0.5), (at_the_reach, 0.5)) == pytest.approx(1 + weight, abs=1e-5)
    around = [(0.5 + x, 0.5 + y) for x in (-0.2, 0.2) for y in (-0.2, 0.2)]
    assert central(*around) == pytest.approx(4 * weight**2, abs=1e-5)


def test_what_stays_away_from_the_middle_counts_less_as_a_whole() -> None:
    weight = float(np.exp(-0.5))
    at_the_reach = 0.5 + CENTRE_SIGMA
    assert central((at_the_reach, 0.5)) == pytest.approx(weight**2, abs=1e-5)
    wall = [(x / 20, 0.3) for x in range(21)]
    floor = [(x / 20, 0.7) for x in range(21)]
    assert central(*wall, *floor) > 3 * central(*wall)  # the thing between them may be meant
