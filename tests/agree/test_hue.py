"""A thing in another colour is a difference; a picture toned as a whole is none."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from objsearch.agree import agree
from objsearch.agree.hue import other_hue
from objsearch.agree.laying import scaling
from objsearch.types import Pixels
from tests.pictures import as_jpeg, grainy

Colour = tuple[int, int, int]


def cmyk(pixels: Pixels) -> Pixels:
    stream = io.BytesIO()
    Image.fromarray(pixels).convert("CMYK").save(stream, "JPEG", quality=80)
    return np.asarray(Image.open(stream).convert("RGB"))


def product(colour: Colour) -> Pixels:
    """A flat pot with a label, on light ground."""
    sheet = Image.new("RGB", (420, 420), (245, 245, 245))
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle((105, 84, 315, 364), 28, fill=colour)
    draw.rectangle((140, 154, 280, 224), fill=(255, 255, 255))
    draw.text((150, 172), "CLEANO", (20, 20, 20), ImageFont.load_default(31))
    return np.asarray(sheet)


def lacquer(colour: Colour) -> Pixels:
    """A swatch with a strip of text."""
    sheet = Image.new("RGB", (400, 400), colour)
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((0, 320, 400, 400), fill="white")
    draw.text((20, 335), "Lacquer 1 l", (0, 0, 0), ImageFont.load_default(34))
    return np.asarray(sheet)


def photo() -> Pixels:
    """Grain in several colours, and a few things in strong ones."""
    one = Image.fromarray((40 + 0.7 * grainy(420, 560, 5)).astype(np.uint8))
    draw = ImageDraw.Draw(one)
    for k, colour in enumerate([(200, 60, 50), (60, 120, 190), (70, 150, 80), (220, 190, 70)]):
        draw.ellipse((30 + 130 * k, 90 + 60 * (k % 2), 120 + 130 * k, 210 + 60 * (k % 2)), colour)
    return np.asarray(one.filter(ImageFilter.GaussianBlur(1)))


def relation(one: Pixels, other: Pixels) -> str:
    transform = scaling((one.shape[1], one.shape[0]), (other.shape[1], other.shape[0]))
    found = agree(one, other, transform)
    assert found is not None
    return found.relation


@pytest.mark.parametrize(
    ("make", "colour", "another"),
    [
        (product, (200, 30, 30), (200, 30, 70)),
        (product, (200, 30, 65), (200, 30, 100)),
        (product, (20, 140, 60), (20, 140, 110)),
        (product, (240, 170, 190), (235, 170, 170)),
        (product, (212, 175, 85), (205, 165, 140)),
        (product, (150, 150, 150), (165, 150, 135)),
        (product, (20, 25, 60), (25, 25, 28)),
        (product, (252, 252, 250), (250, 240, 222)),
        (lacquer, (180, 40, 50), (190, 60, 40)),
        (lacquer, (0, 110, 110), (0, 120, 90)),
    ],
)
@pytest.mark.parametrize("quality", [92, 75])
def test_a_product_in_another_colour_is_not_the_same_picture(
    make: Callable[[Colour], Pixels], colour: Colour, another: Colour, quality: int
) -> None:
    one, other = as_jpeg(make(colour), quality), as_jpeg(make(another), quality)
    assert relation(one, other) == "edited"
    if quality > 75:
        assert relation(other, one) == "edited"


def balanced(one: Pixels) -> Pixels:
    return np.clip(one * np.array([1.1, 1.0, 0.88]), 0, 255).astype(np.uint8)


def sepia(one: Pixels) -> Pixels:
    by = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    return np.clip(one @ by.T, 0, 255).astype(np.uint8)


def noisy(one: Pixels) -> Pixels:
    noise = np.random.default_rng(3).normal(0, 12, one.shape)
    return np.clip(one + noise, 0, 255).astype(np.uint8)


def quarter(one: Pixels) -> Pixels:
    small = cv2.resize(one, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (one.shape[1], one.shape[0]), interpolation=cv2.INTER_CUBIC)


def paler(one: Pixels) -> Pixels:
    return np.asarray(ImageEnhance.Color(Image.fromarray(one)).enhance(0.6))


COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "jpeg 15": lambda one: as_jpeg(one, 15),
    "cmyk": cmyk,
    "quarter": quarter,
    "blurred": lambda one: cv2.GaussianBlur(one, (0, 0), 2.0),
    "noisy": noisy,
    "gray": lambda one: np.repeat(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "gamma": lambda one: (255 * (one / 255.0) ** 0.6).astype(np.uint8),
    "dark gamma": lambda one: (255 * (one / 255.0) ** 3.0).astype(np.uint8),
    "brighter": lambda one: np.clip(one * 1.35, 0, 255).astype(np.uint8),
    "lower contrast": lambda one: (80 + 0.5 * one).astype(np.uint8),
    "white balance": balanced,
    "sepia": sepia,
    "paler": paler,
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("is_back", [False, True])
def test_one_toning_of_a_whole_photo_is_no_other_colour(way: str, is_back: bool) -> None:
    one = photo()
    pair = (one, as_jpeg(COPIES[way](one), 90))
    first, second = reversed(pair) if is_back else pair
    assert not other_hue(first, second, np.ones(one.shape[:2], bool)).any()


@pytest.mark.parametrize("way", ["jpeg 15", "quarter", "blurred", "noisy", "gamma", "brighter"])
def test_a_toned_copy_of_a_product_is_the_same_picture(way: str) -> None:
    one = product((200, 30, 30))
    assert not other_hue(one, as_jpeg(COPIES[way](one), 90), np.ones(one.shape[:2], bool)).any()


def test_the_coloured_thing_is_where_it_differs() -> None:
    one, other = product((200, 30, 30)), product((200, 30, 90))
    found = agree(one, other, np.eye(3))
    assert found is not None
    [box, *_] = found.differs[0]
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((105, 84, 315, 364), abs=21)


def test_a_few_words_in_blue_ink_are_no_colour_of_their_own() -> None:
    """Both copies hold next to no colour, and the same."""
    sheet = Image.new("RGB", (500, 600), (245, 245, 245))
    draw = ImageDraw.Draw(sheet)
    for row in range(7):
        draw.text((30, 30 + 80 * row), f"{row}. entry", (40, 40, 40), ImageFont.load_default(22))
    for row in range(3):
        draw.text((200, 30 + 80 * row), "Ada", (20, 40, 150), ImageFont.load_default(22))
    one = np.asarray(sheet)
    for quality in (95, 70, 40):
        assert relation(one, as_jpeg(one, quality)) == "same-picture"


def test_too_little_to_tell_a_toning_is_no_other_colour_by_itself() -> None:
    one = np.full((40, 40, 3), 200, np.uint8)
    assert not other_hue(one, one, np.ones((40, 40), bool)).any()
    assert not other_hue(one, one, np.zeros((40, 40), bool)).any()
