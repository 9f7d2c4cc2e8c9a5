from __future__ import annotations

import numpy as np
import pytest

from objsearch.images.transform import resize
from objsearch.search.agreeing import frame_to_frame
from objsearch.tasks.larger.measuring import (
    agreement_of,
    extent,
    local_scale,
    refined,
    snapped,
)
from objsearch.types import Box
from tests.pictures import drawing

FRAME = Box(0, 0, 200, 150)


def moved(dx: float, dy: float) -> np.ndarray:
    return np.array([[1.0, 0.0, dx], [0.0, 1.0, dy], [0.0, 0.0, 1.0]])


def test_the_extent_of_a_whole_copy() -> None:
    found = extent(FRAME, (600, 450), frame_to_frame(FRAME, (600, 450)))
    assert found is not None
    assert found.scale == pytest.approx(3.0, abs=1e-3)
    assert found.coverage == pytest.approx(1.0, abs=1e-3)
    assert found.pixels == pytest.approx(600 * 450, rel=1e-3)


def test_a_crop_counts_by_the_scale_of_what_it_shows() -> None:
    # The right half of a copy of three times the size: fewer pixels, but three for one.
    half = moved(-300, 0) @ frame_to_frame(FRAME, (600, 450))
    found = extent(FRAME, (300, 450), half)
    assert found is not None
    assert found.scale == pytest.approx(3.0, abs=0.01)
    assert found.coverage == pytest.approx(0.5, abs=0.01)


def test_a_squared_copy_counts_by_its_area() -> None:
    found = extent(FRAME, (300, 300), frame_to_frame(FRAME, (300, 300)))
    assert found is not None
    assert found.scale == pytest.approx(np.sqrt(300 * 300 / (200 * 150)), abs=1e-3)


def test_what_lies_outside_has_no_extent() -> None:
    assert extent(FRAME, (600, 450), moved(5000, 0)) is None


@pytest.mark.parametrize("turn", ["none", "quarter", "mirror"])
def test_corners_a_pixel_off_are_the_corners(turn: str) -> None:
    size = (450, 600) if turn == "quarter" else (600, 450)
    exact = {
        "none": frame_to_frame(FRAME, size),
        "quarter": np.array([[0.0, -3.0, 448.0], [3.0, 0.0, 1.0], [0.0, 0.0, 1.0]]),
        "mirror": frame_to_frame(FRAME, size) @ np.array([[-1.0, 0, 199], [0, 1, 0], [0, 0, 1]]),
    }[turn]
    found, by = snapped(FRAME, size, moved(1.2, -0.8) @ exact)
    assert by == "frame"
    assert np.allclose(found, exact, atol=1e-3)


def test_corners_far_off_stay_where_they_are() -> None:
    far = moved(20, 0) @ frame_to_frame(FRAME, (600, 450))
    found, by = snapped(FRAME, (600, 450), far)
    assert by == "transform"
    assert found is far


def test_alignment_by_pixels_mends_a_transform_that_is_off() -> None:
    picture = drawing(300, 400)
    small = resize(picture, (200, 150))
    exact = frame_to_frame(FRAME, (400, 300))
    off = moved(4.0, -3.0) @ exact
    before = agreement_of(small, picture, off)
    found, after = refined(small, picture, off)
    assert after > 0.99 > before
    corner = np.array([0.0, 0.0, 1.0])
    assert np.allclose((found @ corner)[:2], (exact @ corner)[:2], atol=0.3)


def test_other_pictures_do_not_agree() -> None:
    one, other = drawing(150, 200, seed=1), drawing(300, 400, seed=2)
    _, agreement = refined(one, other, frame_to_frame(FRAME, (400, 300)))
    assert agreement < 0.6


def test_scale_at_a_place() -> None:
    tilted = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.001, 0.0, 1.0]])
    assert local_scale(tilted, np.array([0.0, 0.0])) == pytest.approx(2.0)
    assert local_scale(tilted, np.array([100.0, 0.0])) < 2.0
