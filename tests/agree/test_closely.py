"""What is too small for the grid is seen at the pictures' own size."""

from __future__ import annotations

from functools import cache
from typing import cast

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from objsearch.agree import Agreement, agree
from objsearch.agree.laying import scaling
from objsearch.agree.standing_out import standing_out
from objsearch.tasks.duplicates.agreeing import Agreements
from objsearch.tasks.duplicates.likeness import Likeness
from objsearch.tasks.duplicates.network import Network
from objsearch.types import Image as Read
from objsearch.types import Pixels, Unreadable
from tests.pictures import as_jpeg, grainy, image

WIDE, HIGH = 2600, 1800
PLATE_XY = (1250, 600)


@cache
def street(digits: str) -> Pixels:
    """A large soft picture with a small plate in it."""
    ground = cv2.resize(grainy(180, 260, 7), (WIDE, HIGH), interpolation=cv2.INTER_CUBIC)
    sheet = Image.fromarray(ground)
    draw = ImageDraw.Draw(sheet)
    x, y = PLATE_XY
    draw.rectangle((x, y, x + 90, y + 20), fill=(240, 240, 240))
    draw.text((x + 4, y + 1), digits, (10, 10, 10), ImageFont.load_default(14))
    return np.asarray(sheet)


def reduced(pixels: Pixels, to: float) -> Pixels:
    return cv2.resize(pixels, None, fx=to, fy=to, interpolation=cv2.INTER_AREA)


class Linked:
    def __init__(self, sizes: list[tuple[int, int]]) -> None:
        self.transform = scaling(*sizes)

    def alike(self, *_: int) -> Likeness:
        return Likeness(0.99, transform=self.transform, detail=0.99)


def compared(*pictures: Pixels) -> tuple[Agreement, list[int | None]]:
    """As `duplicates` compares files; and how long a side was read of each."""
    asked: list[int | None] = []

    def read(number: int, side: int | None) -> Read | Unreadable:
        asked.append(side)
        one = pictures[number]
        return image(one if side is None else reduced(one, min(1.0, side / max(one.shape))))

    sizes = [(one.shape[1], one.shape[0]) for one in pictures]
    found = Agreements(read, sizes, cast(Network, Linked(sizes)), 1).of(0, 1)
    assert found is not None
    return found, asked


@pytest.mark.parametrize("to", [1.0, 0.8])
def test_a_digit_in_a_large_picture_is_a_difference(to: float) -> None:
    one, other = as_jpeg(street("AB 1234"), 92), as_jpeg(reduced(street("AB 1284"), to), 92)
    on_grid = agree(one, other, scaling((WIDE, HIGH), (other.shape[1], other.shape[0])))
    assert on_grid is not None and on_grid.relation == "same-picture" and on_grid.doubts
    for sides, scales in (((one, other), (1.0, to)), ((other, one), (to, 1.0))):
        found, asked = compared(*sides)
        assert found.relation == "edited"
        assert None in asked
        for boxes, scale in zip(found.differs, scales, strict=True):
            [box] = boxes
            middle = (box.x1 + box.x2) / 2 / scale, (box.y1 + box.y2) / 2 / scale
            assert middle == pytest.approx((PLATE_XY[0] + 40, PLATE_XY[1] + 10), abs=35)


@pytest.mark.parametrize("way", ["jpeg 40", "jpeg 80", "smaller", "blurred", "gamma"])
def test_a_copy_of_a_large_picture_stays_the_same(way: str) -> None:
    one = street("AB 1234")
    copies = {
        "jpeg 40": lambda: as_jpeg(one, 40),
        "jpeg 80": lambda: as_jpeg(one, 80),
        "smaller": lambda: as_jpeg(reduced(one, 0.5), 85),
        "blurred": lambda: np.asarray(Image.fromarray(one).filter(ImageFilter.GaussianBlur(2))),
        "gamma": lambda: (255 * (one / 255.0) ** 0.8).astype(np.uint8),
    }
    found, _ = compared(as_jpeg(one, 95), copies[way]())
    assert found.relation == "same-picture"
    assert found.differs == ((), ())


def test_only_what_the_files_show_larger_is_read_in_full() -> None:
    one = as_jpeg(reduced(street("AB 1234"), 0.38), 92)
    _, asked = compared(one, as_jpeg(one, 60))
    assert asked == [None, None]  # as they are, and once each


@cache
def table(cell: str, wide: int = 3000, high: int = 1600) -> Pixels:
    """A page full of small numbers, one of which is given."""
    chosen = np.random.default_rng(3)
    sheet = Image.new("RGB", (wide, high), "white")
    draw = ImageDraw.Draw(sheet)
    for row, y in enumerate(range(6, high - 20, 26)):
        draw.line((0, y - 6, wide, y - 6), fill=(208, 208, 208))
        for column, x in enumerate(range(20, wide - 80, 110)):
            text = str(chosen.integers(10000, 99999))
            is_given = (column, row) == (6, 31)
            draw.text((x, y), cell if is_given else text, (20, 20, 20), ImageFont.load_default(15))
    return np.asarray(sheet)


def film(spot: float, size: int = 700) -> Pixels:
    """Soft bands with grain, as an X-ray has, and a faint spot."""
    y, x = np.mgrid[:size, :size]
    grain = np.random.default_rng(5).normal(0, 25, (size, size))
    light = 60 + 40 * np.sin(y / 24 + x / 90) + 40 * np.exp(-(((x - 350) / 60) ** 2))
    light += cv2.GaussianBlur(grain, (0, 0), 2)
    light += spot * np.exp(-((x - 220) ** 2 + (y - 410) ** 2) / (2 * 7.0**2))
    return np.repeat(np.clip(light, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(("to", "quality"), [(1.0, 60), (1.0, 92), (0.8, 92)])
def test_one_digit_among_thousands_stands_out(to: float, quality: int) -> None:
    one, other = as_jpeg(table("41278"), 93), as_jpeg(reduced(table("41273"), to), quality)
    for sides in ((one, other), (other, one))[: 1 if quality < 75 else 2]:
        found, _ = compared(*sides)
        assert found.relation == "edited"
        assert len(found.differs[0]) == 1
    same, _ = compared(one, as_jpeg(reduced(table("41278"), to), quality))
    assert same.relation == "same-picture"


def test_a_faint_spot_of_a_small_picture_stands_out() -> None:
    one, other = film(0), as_jpeg(reduced(film(22), 0.5), 75)
    found, _ = compared(one, other)
    assert found.relation == "edited"
    [box] = found.differs[0]
    assert ((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2) == pytest.approx((220, 410), abs=20)
    for to, quality in ((1.0, 40), (0.5, 75), (0.25, 85)):
        same, _ = compared(one, as_jpeg(reduced(film(0), to), quality))
        assert same.relation == "same-picture"


def test_what_is_apart_in_as_many_places_does_not_stand_out() -> None:
    one = np.repeat(grainy(400, 560, 3)[..., :1], 3, axis=2)
    spots = one.copy()
    for x in (60, 160, 260, 360, 460):
        cv2.circle(spots, (x, 200), 1, (0, 0, 0), -1)
    assert not standing_out(one, spots, np.eye(3)).places
    cv2.circle(spots, (160, 80), 9, (0, 0, 0), -1)
    [place] = standing_out(one, spots, np.eye(3)).places
    assert place == pytest.approx((160, 80), abs=10)
    assert standing_out(one, one, np.eye(3)) == ((), ())


def test_what_stands_out_is_the_same_however_tall_a_picture_is() -> None:
    one = np.tile(grainy(256, 64, 3), (5, 1, 1))  # in bands of 512 rows
    for y in (300, 505, 520, 1030, 1200):
        other = one.copy()
        cv2.circle(other, (30, y), 5, (0, 0, 0), -1)
        place, *_ = standing_out(one, other, np.eye(3)).places
        assert place == pytest.approx((30, y), abs=6)


def lit(colour: tuple[int, int, int], is_gray: bool) -> Pixels:
    """A street with a lamp as light as what is around it."""
    ground = cv2.GaussianBlur(grainy(336, 448, 2), (0, 0), 1.5)
    made = np.repeat(ground.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    made = made if is_gray else np.clip(made * (1.1, 1.0, 0.8), 0, 255).astype(np.uint8)
    made = (0.4 * made + 60).astype(np.uint8)
    cv2.circle(made, (180, 120), 4, colour, -1, cv2.LINE_AA)
    return made


@pytest.mark.parametrize("is_gray", [True, False])
@pytest.mark.parametrize(("to", "quality"), [(1.0, 60), (0.5, 85)])
def test_a_lamp_of_another_colour_stands_out(to: float, quality: int, is_gray: bool) -> None:
    red, green = lit((200, 60, 60), is_gray), lit((40, 130, 60), is_gray)
    found, _ = compared(red, as_jpeg(reduced(green, to), quality))
    assert found.relation == "edited"
    box = found.differs[0][0]
    assert ((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2) == pytest.approx((180, 120), abs=16)
    as_gray = np.repeat(cv2.cvtColor(red, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    brighter = np.clip(red * 1.15, 0, 255).astype(np.uint8)
    # Of colour in one place alone nobody can tell whether it was taken away.
    for copy in (red, brighter) if is_gray else (red, brighter, as_gray):
        same, _ = compared(red, as_jpeg(reduced(copy, to), quality))
        assert same.relation == "same-picture"
