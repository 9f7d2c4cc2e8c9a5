"""Two of one template: what fills the middle says whether both show the same."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from objsearch.agree.template import other_contents
from objsearch.types import Box, Pixels, Points
from tests.pictures import as_jpeg, drawing

WIDTH, HEIGHT = 420, 560
SHOWN = Box(30, 90, 390, 380)
"""Where a card shows what it is of."""


def card(number: int) -> Pixels:
    """The cards of one game: frame, line and heading are alike, and the picture is not."""
    sheet = Image.new("RGB", (WIDTH, HEIGHT), (210, 190, 140))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((8, 8, WIDTH - 9, HEIGHT - 9), outline=(40, 30, 10), width=5)
    pen.text((30, 30), "The Order of Arcana", (20, 10, 0), ImageFont.load_default(32))
    for row, line in enumerate(("Creature, of the first age.", "Rest it to draw a card,", "once")):
        pen.text((40, 410 + 40 * row), line, (20, 10, 0), ImageFont.load_default(24))
    pixels = np.asarray(sheet).copy()
    left, top, right, lower = map(int, SHOWN)
    pixels[top:lower, left:right] = drawing(lower - top, right - left, number)
    return pixels


def heading(size: float = 1.0) -> Points:
    """Keypoints on what all of them share."""
    columns, rows = np.meshgrid(np.arange(32, 330, 9), np.arange(34, 62, 7))
    return (np.stack([columns.ravel(), rows.ravel()], axis=1) * size).astype(np.float32)


def told(query: Pixels, reference: Pixels) -> tuple[tuple[Box, ...], tuple[Box, ...]]:
    return other_contents(query, reference, heading(), heading(reference.shape[1] / WIDTH))


@pytest.mark.parametrize("quality", [95, 60])
def test_another_card_of_the_game_is_told_by_what_it_shows(quality: int) -> None:
    for boxes in told(card(1), as_jpeg(card(2), quality)):
        assert boxes
        assert boxes[0].iou(SHOWN) > 0.8


def test_what_differs_is_told_in_pixels_of_each() -> None:
    other = np.asarray(cv2.resize(card(2), (630, 840)), np.uint8)
    there, back = told(card(1), other)
    assert np.allclose(back[0], 1.5 * np.array(there[0]), atol=8)


COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG 30": lambda one: as_jpeg(one, 30),
    "half size": lambda one: np.asarray(cv2.resize(one, None, fx=0.5, fy=0.5), np.uint8),
    "gray": lambda one: np.repeat(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "soft": lambda one: np.asarray(cv2.GaussianBlur(one, (0, 0), 1.2), np.uint8),
    "dark": lambda one: np.asarray(ImageEnhance.Brightness(Image.fromarray(one)).enhance(0.4)),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_shows_the_same(copy: str) -> None:
    assert told(card(1), COPIES[copy](card(1))) == ((), ())


def test_a_thing_in_the_middle_is_the_same_on_any_ground() -> None:
    """Somebody put it there twice: it is what the pictures are of."""
    here, there = drawing(HEIGHT, WIDTH, 3), drawing(HEIGHT, WIDTH, 5)
    left, top, right, lower = map(int, SHOWN)
    here[top:lower, left:right] = there[top:lower, left:right] = drawing(290, 360, 7)
    assert told(here, there) == ((), ())


def test_what_lies_elsewhere_is_a_thing_in_two_photos() -> None:
    """A label that two photos show by chance never lies at one place to a pixel."""
    assert other_contents(card(1), card(2), heading(), heading() + 4) == ((), ())
    assert other_contents(card(1), card(2), heading(), heading(1.03)) == ((), ())


def test_a_plain_middle_says_nothing() -> None:
    here, there = card(1), card(2)
    left, top, right, lower = map(int, SHOWN)
    here[top:lower, left:right] = there[top:lower, left:right] = 240
    here[200:212, 200:212] = 0
    assert told(here, there) == ((), ())
