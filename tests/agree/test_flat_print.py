"""Flat packages of one brand: another name and another colour are seen; light and blur are not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from objsearch.agree.thing import Seen, look
from objsearch.types import Box, Pixels
from tests.pictures import drawing, warped

TILTED = np.array([[0.96, 0.02, 12.0], [-0.02, 0.95, 15.0], [4e-5, 2e-5, 1.0]])
Colour = tuple[int, int, int]


def package(name: str, colour: Colour) -> Pixels:
    sheet = Image.new("RGB", (400, 600), (235, 235, 230))
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((0, 0, 400, 150), fill=(30, 60, 120))
    draw.text((30, 30), "BERGHOF", (255, 255, 255), ImageFont.load_default(72))
    draw.text((40, 160), "Fine chocolate since 1898", (60, 40, 30), ImageFont.load_default(24))
    sheet.paste(Image.fromarray(drawing(220, 340, 3)), (30, 210))
    draw.rectangle((0, 450, 400, 600), fill=colour)
    draw.text((30, 470), name, (255, 255, 255), ImageFont.load_default(56))
    draw.text((30, 550), "100 g  e", (255, 255, 255), ImageFont.load_default(26))
    return np.asarray(sheet)


def seen(query: Pixels, reference: Pixels, transform: Pixels | None = None) -> Seen:
    onto = np.eye(3) if transform is None else transform
    rows, columns = np.mgrid[20:440:30, 20:380:30]
    print_xy = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
    found = look(query, reference, onto, Box(0, 0, 400, 600), print_xy)
    assert found is not None
    return found


WAYS: dict[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda one: one,
    "darker": lambda one: (one * 0.8).astype(np.uint8),
    "soft": lambda one: np.asarray(cv2.GaussianBlur(one, (0, 0), 0.9)),
    "warm": lambda one: np.clip(one * np.array([1.06, 1.0, 0.9]), 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_package_shows_no_other_print(way: str) -> None:
    one = package("Vollmilch", (150, 40, 40))
    assert not seen(one, WAYS[way](one)).is_other_print
    other = warped(WAYS[way](one), TILTED, (440, 640))
    assert not seen(one, other, TILTED).is_other_print


@pytest.mark.parametrize("way", ["as it is", "darker", "soft"])
@pytest.mark.parametrize(
    ("name", "colour"),
    [("Nuss", (40, 110, 50)), ("Nugat", (150, 40, 40)), ("Vollmilch", (40, 110, 50))],
)
def test_another_name_or_colour_is_other_print(name: str, colour: Colour, way: str) -> None:
    one, other = package("Vollmilch", (150, 40, 40)), WAYS[way](package(name, colour))
    found = seen(one, other)
    assert found.is_other_print
    for boxes in found.differs:
        assert all(box.y1 > 430 for box in boxes), "what both share does not differ"
    assert seen(one, warped(other, TILTED, (440, 640)), TILTED).is_other_print


def test_what_a_thing_lies_on_is_no_print_of_its_own() -> None:
    one = package("Vollmilch", (150, 40, 40))
    on_white, on_green = (
        np.full((760, 560, 3), ground, np.uint8) for ground in (250, (60, 120, 70))
    )
    for ground in (on_white, on_green):
        ground[80:680, 80:480] = one
    rows, columns = np.mgrid[100:660:30, 100:460:30]
    print_xy = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
    found = look(on_white, on_green, np.eye(3), Box(0, 0, 560, 760), print_xy)
    assert found is not None and not found.is_other_print


def meme(words: str, seed: int) -> Pixels:
    """A picture with words below it, which fill a tenth of it."""
    sheet = Image.new("RGB", (400, 600), (250, 250, 250))
    sheet.paste(Image.fromarray(drawing(520, 400, seed)), (0, 0))
    ImageDraw.Draw(sheet).text((20, 535), words, (10, 10, 10), ImageFont.load_default(40))
    return np.asarray(sheet)


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_other_words_below_a_picture_seen_at_an_angle(seed: int) -> None:
    """Corners of letters are followed to other letters: fewer lie where they should."""
    one = meme("MONDAYS, AGAIN", seed)
    tilted = np.array([[0.93, 0.05, 14.0], [-0.04, 0.91, 25.0], [8e-5, 5e-5, 1.0]])
    for words, is_other in (("MONDAYS, AGAIN", False), ("NOBODY SAW IT", True)):
        photo = warped(cv2.GaussianBlur(meme(words, seed), (0, 0), 0.8), tilted, (440, 640))
        found = seen(one, photo, tilted)
        assert found.is_other_print == is_other
        assert all(box.y1 > 470 for box in found.differs[0]) or not is_other
