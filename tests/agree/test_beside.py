"""A thing that agrees, in two versions of one picture: what was put beside it is told."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from objsearch.agree.beside import differs_beside
from objsearch.types import Box, Pixels
from tests.pictures import as_jpeg, drawing, warped

WIDTH, HEIGHT = 640, 440
THING = Box(40, 40, 300, 280)
AS_IT_IS = np.eye(3)
WORDS = (330, 330, 590, 390)


def photo(ground: int = 3) -> Pixels:
    """A thing on some ground."""
    picture = np.asarray(cv2.GaussianBlur(drawing(HEIGHT, WIDTH, ground), (0, 0), 0.8)).copy()
    picture[40:280, 40:300] = drawing(240, 260, 9)
    return picture


def with_words(picture: Pixels, words: str) -> Pixels:
    sheet = Image.fromarray(picture)
    pen = ImageDraw.Draw(sheet)
    pen.rectangle(WORDS, (250, 250, 250), (20, 20, 20))
    pen.text((345, 335), words, (10, 10, 10), ImageFont.load_default(40))
    return np.asarray(sheet)


def filtered(picture: Pixels) -> Pixels:
    """As telephones do it: warmer, more contrast, stronger colours; hues lean where one is full."""
    warm = (picture.astype(np.float32) - 128) * 1.3 + 128
    warm = np.clip(warm * np.array([1.15, 1, 0.85], np.float32), 0, 255)
    return np.asarray(ImageEnhance.Color(Image.fromarray(warm.astype(np.uint8))).enhance(1.6))


@pytest.mark.parametrize("quality", [95, 60])
def test_other_words_beside_a_thing_are_told_on_both_sides(quality: int) -> None:
    first = with_words(photo(), "GR 4711 K")
    second = as_jpeg(with_words(photo(), "HX 2806 B"), quality)
    for boxes in differs_beside(first, second, AS_IT_IS, THING):
        assert boxes
        for box in boxes:
            assert box.x1 > WORDS[0] - 60 and box.y1 > WORDS[1] - 60


@pytest.mark.parametrize("size", [0.5, 2.0])
def test_what_differs_is_told_in_pixels_of_each(size: float) -> None:
    first = with_words(photo(), "GR 4711 K")
    other = cv2.resize(with_words(photo(), "HX 2806 B"), None, fx=size, fy=size)
    onto = np.array([[size, 0, (size - 1) / 2], [0, size, (size - 1) / 2], [0, 0, 1.0]])
    there, back = differs_beside(first, np.asarray(other, np.uint8), onto, THING)
    assert np.allclose(back[0], size * np.array(there[0]), atol=8)


COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG 40": lambda one: as_jpeg(one, 40),
    "darker": lambda one: (one * 0.8).astype(np.uint8),
    "soft": lambda one: np.asarray(cv2.GaussianBlur(one, (0, 0), 0.9)),
    "filtered": filtered,
}


@pytest.mark.parametrize("copy", COPIES)
def test_of_a_copy_nothing_differs(copy: str) -> None:
    picture = with_words(photo(), "GR 4711 K")
    assert differs_beside(picture, COPIES[copy](picture), AS_IT_IS, THING) == ((), ())


def test_another_ground_says_nothing_against_a_thing() -> None:
    here, there = photo(3), photo(5)
    here[300:], there[300:] = 255, 255  # most of all that follows is the thing
    assert differs_beside(here, there, AS_IT_IS, THING) == ((), ())


def test_a_thing_that_fills_its_pictures_has_been_judged() -> None:
    """Of two photos of a cover all is the thing: nothing tells that one was made from the other."""
    first, second = with_words(photo(), "GR 4711 K"), with_words(photo(), "HX 2806 B")
    filling = Box(5, 5, WIDTH - 5, HEIGHT - 5)
    assert differs_beside(first, second, AS_IT_IS, filling) == ((), ())


def test_another_light_all_over_is_no_other_version() -> None:
    """Of a photo of a print light says that every place differs, and means none."""
    picture = with_words(photo(), "GR 4711 K")
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    spots = 1 + 0.45 * np.sin(columns / 23) * np.sin(rows / 19)
    lit = np.clip(picture * spots[..., None], 0, 255).astype(np.uint8)
    assert differs_beside(picture, lit, AS_IT_IS, THING) == ((), ())


def test_corners_that_a_turn_filled_are_no_difference() -> None:
    turn = np.vstack([cv2.getRotationMatrix2D((320, 220), 4, 1), [0, 0, 1]])
    turned = warped(photo(), turn, (WIDTH, HEIGHT))
    assert differs_beside(photo(), turned, turn, THING) == ((), ())


def test_photos_that_lie_less_exactly_are_left_to_their_things() -> None:
    """Between two shots light, lens and depth leave more than two versions of one have."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    waves = 1.2 * np.sin(columns / 25), 1.2 * np.sin(rows / 25)
    bent = cv2.remap(
        with_words(photo(), "HX 2806 B"), columns + waves[1], rows + waves[0], cv2.INTER_LINEAR
    )
    first = with_words(photo(), "GR 4711 K")
    assert differs_beside(first, np.asarray(bent, np.uint8), AS_IT_IS, THING) == ((), ())


def table(last: str) -> Pixels:
    """Numbers, of which one ends otherwise, on a sheet of which the grid shows a third."""
    numbers = np.random.default_rng(6).integers(10_000, 99_999, (45, 30))
    sheet = Image.new("RGB", (3000, 1800), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    for row, line in enumerate(numbers):
        for column, number in enumerate(line):
            text = f"{number // 10}{last}" if (row, column) == (31, 17) else str(number)
            pen.text(
                (column * 100 + 8, row * 40 + 6), text, (20, 20, 20), ImageFont.load_default(22)
            )
    return np.asarray(sheet)


@pytest.mark.parametrize("quality", [90, 75])
def test_one_digit_of_a_large_table_is_told(quality: int) -> None:
    """Of two files of one picture what differs may be too small for the grid, and lie anywhere."""
    first, thing = table("3"), Box(20, 20, 2900, 900)
    there, back = differs_beside(first, as_jpeg(table("8"), quality), AS_IT_IS, thing)
    assert there and back
    for box in (*there, *back):
        assert box.intersection(Box(1700, 1240, 1800, 1280)) > 0.5 * box.area
    assert differs_beside(first, as_jpeg(first, quality), AS_IT_IS, thing) == ((), ())


def test_one_odd_pixel_of_a_small_picture_is_no_other_version() -> None:
    """A camera's dead pixel, or a value that is no number."""
    picture = photo()
    odd = picture.copy()
    odd[0, 400] = 255 - odd[0, 400]
    odd[350, 500] = 255 - odd[350, 500]
    assert differs_beside(picture, odd, AS_IT_IS, THING) == ((), ())
