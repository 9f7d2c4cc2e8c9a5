"""Which of two copies of one size lost something: the one that did, whichever comes first."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from objsearch.agree.wear import worn
from objsearch.types import Pixels
from tests.pictures import as_jpeg, drawing


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """Clouds of light and colour, of all levels, with fine texture on one side."""
    random = np.random.default_rng(5)
    wide = np.linspace(0, 1, 320)[None, :, None] * np.ones((240, 1, 3))
    clouds = [
        cv2.resize(random.random((side, side, 3)), (320, 240), interpolation=cv2.INTER_CUBIC)
        for side in (3, 6)
    ]
    fine = [
        cv2.resize(random.random((side, side, 1)), (320, 240), interpolation=cv2.INTER_LINEAR)
        for side in (60, 120, 200)
    ]
    # The left is in focus, the right is not.
    texture = sum((one - 0.5 for one in fine), np.zeros((240, 320)))[..., None] * (1 - wide) ** 2
    made = wide + sum(clouds) / 2 + texture
    low, high = np.quantile(made, (0.001, 0.999))
    return np.asarray(np.clip((made - low) / (high - low), 0, 1) * 255, np.uint8)


def of_levels(pixels: Pixels, table: np.ndarray) -> Pixels:
    return np.asarray(cv2.LUT(pixels, np.clip(table, 0, 255).astype(np.uint8)), np.uint8)


LEVELS = np.arange(256, dtype=float)


@pytest.mark.parametrize(
    "table",
    [1.3 * LEVELS, (LEVELS - 100) * 255 / 155, 110 + (LEVELS - 128) * 0.15],
    ids=["clipped", "crushed", "flattened"],
)
def test_tones_that_were_merged_are_lost(table: np.ndarray, photo: Pixels) -> None:
    copy = of_levels(photo, table)
    assert worn(photo, copy) == 1
    assert worn(copy, photo) == 0


def test_what_was_softened_or_made_small_and_large_again_is_worn(photo: Pixels) -> None:
    small = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    again = cv2.resize(small, (photo.shape[1], photo.shape[0]), interpolation=cv2.INTER_CUBIC)
    for copy in (cv2.GaussianBlur(photo, (0, 0), 1.2), np.asarray(again, np.uint8)):
        assert worn(photo, np.asarray(copy, np.uint8)) == 1


def test_colours_that_were_drained_are_lost(photo: Pixels) -> None:
    light = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None].astype(float)
    copy = np.asarray(np.clip(light + 0.2 * (photo - light), 0, 255), np.uint8)
    assert worn(photo, copy) == 1


def test_coarse_blocks_are_wear_and_fine_ones_are_not(photo: Pixels) -> None:
    assert worn(photo, as_jpeg(photo, 5)) == 1
    assert worn(photo, as_jpeg(photo, 85)) is None


def test_noise_and_a_drawing_saved_as_jpeg_say_nothing(photo: Pixels) -> None:
    noise = np.random.default_rng(1).normal(0, 14, photo.shape)
    noisy = np.asarray(np.clip(photo + noise, 0, 255), np.uint8)
    assert worn(photo, noisy) is None
    page = drawing(240, 320, seed=1)
    assert worn(page, as_jpeg(page, 80)) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_drawing_that_was_blurred_is_worn(seed: int) -> None:
    page = lettered(seed)
    blurred = as_jpeg(np.asarray(cv2.GaussianBlur(page, (0, 0), 2), np.uint8), 90)
    assert worn(page, blurred) == 1
    assert worn(blurred, page) == 0
    sharpened = np.asarray(cv2.addWeighted(page, 1.5, blurred, -0.5, 0), np.uint8)
    for quality in (15, 50, 92):
        assert worn(page, as_jpeg(page, quality)) != 0
    assert worn(page, sharpened) is None


def lettered(seed: int) -> Pixels:
    """Lines of words on a page of one colour."""
    random = np.random.default_rng(seed)
    page = np.full((480, 400, 3), 250 - 5 * seed, np.uint8)
    for y in range(40, 460, 28):
        words = " ".join(random.choice(["paid", "the", "goods", "notice", "law", "7.90"], 6))
        cv2.putText(page, words, (20, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20,) * 3, 1, cv2.LINE_AA)
    return page
