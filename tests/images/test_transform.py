"""Crop and resize."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.images.transform import crop, fit, gray, resize, resize_quickly
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


@pytest.mark.parametrize("size_wh", [(30, 20), (7, 5), (64, 64), (1, 1), (1, 50), (50, 1)])
def test_resizing_quickly_gives_the_size(size_wh: tuple[int, int]) -> None:
    resized = resize_quickly(noise(20, 30), size_wh)
    assert resized.shape == (size_wh[1], size_wh[0], 3)
    assert resized.dtype == np.uint8
    assert (resize_quickly(flat(20, 30, 77), size_wh) == 77).all()


def test_resizing_quickly_looks_like_resizing() -> None:
    photo = drawing(480, 640)
    for size_wh in ((256, 256), (192, 192), (480, 360), (64, 64)):
        quick, exact = resize_quickly(photo, size_wh), resize(photo, size_wh)
        assert np.abs(quick.astype(int) - exact).mean() < 4
    assert np.array_equal(resize_quickly(photo, (800, 600)), resize(photo, (800, 600)))


def test_every_pixel_counts_in_resizing_quickly() -> None:
    """Of lines a pixel wide, those that fall between what is looked at are not lost."""
    for size_wh in ((256, 256), (192, 192), (100, 75)):
        for axis in (0, 1):
            lines = np.zeros((480, 640, 3), np.uint8)
            for start in range(0, lines.shape[axis], 37):
                lines[(slice(None),) * axis + (start,)] = 255
            seen = resize_quickly(lines, size_wh).max(axis=(1 - axis, 2)) > 10
            assert seen.sum() >= len(range(0, lines.shape[axis], 37))


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
