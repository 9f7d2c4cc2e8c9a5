"""Crop and resize."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.images.transform import crop, fit, gray, resize
from objsearch.types import Box
from tests.pictures import drawing, flat, noise


def test_a_crop_covers_its_box() -> None:
    pixels = noise(20, 30)
    assert np.array_equal(crop(pixels, Box(3, 4, 10, 9)), pixels[4:9, 3:10])
    assert np.array_equal(crop(pixels, Box(3.9, 4.1, 9.1, 8.9)), pixels[4:9, 3:10])
    assert np.array_equal(crop(pixels, Box(0, 0, 30, 20)), pixels)
    assert np.array_equal(crop(pixels, Box(10, 10, 20, 14), margin=0.5), pixels[8:16, 5:25])


@pytest.mark.parametrize(
    "box", [Box(5, 5, 5, 5), Box(0.2, 0.2, 0.3, 0.3), Box(29.9, 19.9, 30, 20), Box(40, 40, 50, 50)]
)
def test_a_crop_is_never_empty(box: Box) -> None:
    assert crop(noise(20, 30), box).shape == (1, 1, 3)


@pytest.mark.parametrize("size_wh", [(30, 20), (7, 5), (64, 64), (1, 1), (1, 50)])
def test_resizing_gives_the_size(size_wh: tuple[int, int]) -> None:
    resized = resize(noise(20, 30), size_wh)
    assert resized.shape == (size_wh[1], size_wh[0], 3)
    assert resized.dtype == np.uint8
    assert (resize(flat(20, 30, 77), size_wh) == 77).all()


def test_fitting_keeps_the_proportions_and_tells_the_scale() -> None:
    small, scale = fit(drawing(300, 600), 150)
    assert small.shape == (75, 150, 3)
    assert scale == pytest.approx(4.0)
    large, scale = fit(drawing(30, 60), 150)
    assert large.shape == (75, 150, 3)
    assert scale == pytest.approx(0.4)
    assert fit(noise(1, 700), 100)[0].shape == (1, 100, 3)


def test_gray_weighs_red_green_blue() -> None:
    pixels = np.zeros((1, 3, 3), np.uint8)
    pixels[0, range(3), range(3)] = 255
    assert gray(pixels)[0].tolist() == pytest.approx([76, 150, 29], abs=1)
