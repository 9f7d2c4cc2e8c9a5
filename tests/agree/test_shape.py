"""How much of a picture may be missing and be rounding: a line at its rim may not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from objsearch.agree import agree
from objsearch.agree.laying import scaling
from objsearch.agree.shape import lies_within
from objsearch.types import Pixels
from tests.pictures import as_jpeg, grainy

WIDE, HIGH, FOOT = 1240, 1754, 24


def numbered() -> Pixels:
    """A page with its number at the foot, in the last 1.4 % of its height."""
    sheet = Image.fromarray(np.full((HIGH, WIDE, 3), 255, np.uint8))
    draw = ImageDraw.Draw(sheet)
    chosen = np.random.default_rng(1)
    for y in range(80, HIGH - 120, 30):
        words = (chr(97 + chosen.integers(26)) * chosen.integers(2, 8) for _ in range(16))
        draw.text((80, y), " ".join(words), 0, ImageFont.load_default(20))
    draw.text((600, HIGH - 20), "page 37 of 90", 0, ImageFont.load_default(15))
    return np.asarray(sheet)


def resized(pixels: Pixels, wide: int, high: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)


def test_a_page_without_its_foot_is_a_part() -> None:
    whole, cut = numbered(), numbered()[:-FOOT]
    for smaller in (whole, as_jpeg(resized(whole, 1178, 1666), 88)):
        by = smaller.shape[1] / WIDE
        onto = np.array([[1 / by, 0, (1 / by - 1) / 2], [0, 1 / by, (1 / by - 1) / 2], [0, 0, 1]])
        found = agree(smaller, cut, onto)
        assert found is not None and found.relation == "part"
        assert found.shown == (pytest.approx(1 - FOOT / HIGH, abs=0.002), 1)


@pytest.mark.parametrize("size_wh", [(640, 480), (311, 233), (100, 75), (99, 75), (101, 75)])
@pytest.mark.parametrize("quality", [15, 85])
def test_what_is_rounded_is_all_there(size_wh: tuple[int, int], quality: int) -> None:
    one = grainy(480, 640, 4)
    other = as_jpeg(resized(one, *size_wh), quality)
    found = agree(one, other, scaling((640, 480), size_wh))
    assert found is not None and found.shown == (1, 1)


@pytest.mark.parametrize(
    ("moved", "size_wh", "other_wh", "is_within"),
    [
        (1.4, (400, 300), (400, 300), True),
        (1.6, (400, 300), (400, 300), False),
        (5.0, (1792, 1000), (1792, 1000), True),  # a pixel of the grid is four of these
        (7.0, (1792, 1000), (1792, 1000), False),
    ],
)
def test_a_pixel_and_a_half_of_the_coarser_or_the_grid_is_rounding(
    moved: float, size_wh: tuple[int, int], other_wh: tuple[int, int], is_within: bool
) -> None:
    for dx, dy in ((moved, 0), (-moved, 0), (0, moved), (0, -moved)):
        onto = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])
        assert lies_within(size_wh, onto, other_wh) is is_within
    inside = np.array([[0.5, 0, 3], [0, 0.5, 3], [0, 0, 1]])
    assert lies_within(size_wh, inside, other_wh)


def test_pixels_of_the_coarser_count() -> None:
    onto = np.array([[4, 0, 6.5], [0, 4, 0], [0, 0, 1]])  # 1.25 pixels of the first
    assert lies_within((100, 75), onto, (400, 300))
    assert not lies_within((100, 75), onto + np.array([[0, 0, 2.0], [0] * 3, [0] * 3]), (400, 300))
