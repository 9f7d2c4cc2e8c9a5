"""What every detector keeps."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from objsearch.components.registry import names
from objsearch.detect.base import Detector
from objsearch.types import Box, Image, Pixels, Region
from tests.contracts.made import fresh, shared
from tests.pictures import drawing, flat, image, noise

TINY = [(1, 1), (1, 2), (1, 57), (57, 1), (2, 2), (5, 3), (16, 16), (17, 13)]


@pytest.fixture(params=names("detect"))
def detector(request: pytest.FixtureRequest) -> Detector:
    made: Detector = shared("detect", request.param)
    return made


@pytest.fixture
def batch(pixels_of: Callable[[str], Pixels]) -> list[Image]:
    pictures = [pixels_of("toys.jpg"), drawing(97, 131), flat(60, 80), pixels_of("coins.png")]
    return [image(pixels, f"{number}.png") for number, pixels in enumerate(pictures)]


def check(regions: tuple[Region, ...], one: Image) -> None:
    """The promises on the regions proposed for one image."""
    *found, frame = regions
    assert frame.is_frame
    assert frame.box_xyxy == one.frame
    assert not any(region.is_frame for region in found)
    for region in regions:
        assert isinstance(region.box_xyxy, Box)
        assert region.box_xyxy == region.box_xyxy.clipped(one.size_wh)
        assert region.box_xyxy.area > 0
        assert 0.0 <= region.confidence <= 1.0
        assert region.label
        assert all(type(value) is float for value in region.box_xyxy)
    confidences = [region.confidence for region in found]
    assert confidences == sorted(confidences, reverse=True)


def test_one_result_an_image_with_the_frame_last(detector: Detector, batch: list[Image]) -> None:
    results = detector.propose_batch(batch)
    assert len(results) == len(batch)
    for one, regions in zip(batch, results, strict=True):
        check(regions, one)


def test_nothing_in_nothing_out(detector: Detector) -> None:
    assert detector.detect_batch([]) == []
    assert detector.propose_batch([]) == []


def test_neighbours_do_not_matter(detector: Detector, batch: list[Image]) -> None:
    alone = [detector.propose(one) for one in batch]
    assert detector.propose_batch(batch) == alone
    assert detector.propose_batch(batch[::-1]) == alone[::-1]
    assert detector.propose_batch([batch[0], *batch]) == [alone[0], *alone]


@pytest.mark.parametrize("shape", TINY, ids=str)
def test_tiny_and_flat_pictures_have_regions(detector: Detector, shape: tuple[int, int]) -> None:
    for pixels in (noise(*shape), flat(*shape, 0), flat(*shape, 255)):
        one = image(pixels)
        check(detector.propose(one), one)


def test_pixels_are_left_alone(detector: Detector) -> None:
    pixels = drawing(97, 131)
    before = pixels.copy()
    pixels.flags.writeable = False
    detector.propose(image(pixels))
    # A view into a larger picture, as a region of interest is.
    view = np.concatenate([pixels, pixels], axis=1)[:, 131:]
    assert detector.propose(image(view)) == detector.propose(image(before))
    assert np.array_equal(pixels, before)


def test_threads_share_a_detector(detector: Detector, batch: list[Image]) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(detector.propose, batch * 2))
    assert results == [detector.propose(one) for one in batch] * 2


def test_pickles_after_use_are_small_and_work(detector: Detector) -> None:
    one = image(drawing(97, 131))
    expected = detector.propose(one)
    data = pickle.dumps(detector)
    assert len(data) < 10_000  # weights stay out
    again = pickle.loads(data)
    assert again == detector
    assert again.propose(one) == expected


@pytest.mark.parametrize("name", names("detect"))
def test_a_new_detector_finds_alike(name: str) -> None:
    one = image(drawing(97, 131))
    assert fresh("detect", name).propose(one) == shared("detect", name).propose(one)
