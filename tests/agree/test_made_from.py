"""Which of two pictures was made of the other: by JPEG, or by a palette; no other change is one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.agree.made_from import made_of, merged, n_colours
from objsearch.types import Pixels
from tests.pictures import as_jpeg, brightened, drawing, grainy


@pytest.fixture(scope="module")
def photo() -> Pixels:
    return as_jpeg(grainy(240, 320, seed=3), 90)


def which(first: Pixels, second: Pixels) -> int | None:
    made = made_of(first, second)
    back = made_of(second, first)
    assert (made is None) == (back is None)
    assert made is None or back is None or made.which == 1 - back.which
    return made and made.which


@pytest.mark.parametrize("quality", [20, 47, 71])
def test_what_was_compressed_harder_was_made_of_the_other(quality: int, photo: Pixels) -> None:
    made = as_jpeg(photo, quality)
    assert which(photo, made) == 1
    assert which(photo, as_jpeg(made, 97)) == 1, "saved again at a high quality"


def test_what_was_saved_again_finely_was_made_of_the_other(photo: Pixels) -> None:
    again = as_jpeg(photo, 97)
    assert which(photo, again) == 1
    made = made_of(photo, again)
    assert made is not None and made.off < 1
    assert which(photo, photo) is None


def other_shot(photo: Pixels) -> Pixels:
    grain = np.random.default_rng(1).normal(0, 3, photo.shape)
    return as_jpeg(np.clip(photo + grain, 0, 255).astype(np.uint8), 90)


@pytest.mark.parametrize(
    "change",
    [
        brightened,
        other_shot,
        lambda photo: as_jpeg(np.asarray(cv2.medianBlur(photo, 3), np.uint8), 95),
        lambda photo: as_jpeg(np.asarray(cv2.bilateralFilter(photo, 9, 60, 7), np.uint8), 90),
        lambda photo: np.asarray(cv2.addWeighted(photo, 2, cv2.blur(photo, (5, 5)), -1, 0)),
        lambda photo: photo[:, ::-1],
        lambda photo: photo[:200],
    ],
    ids=["brighter", "other shot", "median", "smoothed", "sharpened", "mirrored", "cut"],
)
def test_no_other_change_is_taken_for_it(change: object, photo: Pixels) -> None:
    assert callable(change)
    assert which(photo, np.ascontiguousarray(change(photo))) is None


def with_palette(pixels: Pixels, n: int, dither: int) -> Pixels:
    image = PillowImage.fromarray(pixels).quantize(n, dither=PillowImage.Dither(dither))
    return np.asarray(image.convert("RGB"), np.uint8)


@pytest.mark.parametrize("dither", [0, 3])
def test_a_photo_of_a_palette_was_made_of_the_one_of_all_colours(
    dither: int, photo: Pixels
) -> None:
    few = with_palette(photo, 256, dither)
    assert merged(photo, few) == 1 and merged(few, photo) == 0


def test_a_drawing_of_few_colours_was_there_before_its_jpeg() -> None:
    few = with_palette(drawing(240, 320, seed=2), 64, 0)
    for quality in (60, 92):
        made = as_jpeg(few, quality)
        assert n_colours(made) > 256 >= n_colours(few)
        assert merged(few, made) is None
        assert which(few, made) == 1


def test_gray_has_few_colours_by_itself(photo: Pixels) -> None:
    gray = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert merged(np.asarray(gray, np.uint8), photo) is None


def test_a_picture_of_one_pixel_says_nothing() -> None:
    one = np.zeros((1, 1, 3), np.uint8)
    assert made_of(one, one + 1) is None
    assert n_colours(one) == 1
