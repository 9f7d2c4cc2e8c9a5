"""Drawings of a few colours: another shade is another drawing, and so may be a turned one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from objsearch.agree import agree
from objsearch.agree.drawn import has_few_pieces, is_drawn
from objsearch.agree.laying import scaling
from objsearch.types import Pixels
from tests.pictures import as_jpeg, grainy

Colour = tuple[int, int, int]
AS_IT_IS = np.eye(3)
RED, DARK_RED, GRAY, SILVER = (200, 20, 20), (140, 0, 0), (90, 90, 90), (150, 150, 150)


def shirt(colour: Colour, size: int = 240) -> Pixels:
    """With a word on it, on white ground."""
    sheet = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(sheet)
    outline = (
        30,
        20,
        39,
        14,
        61,
        14,
        70,
        20,
        90,
        36,
        80,
        48,
        71,
        41,
        71,
        86,
        29,
        86,
        29,
        41,
        20,
        48,
    )
    draw.polygon([size * part / 100 for part in outline], fill=colour)
    draw.text((0.34 * size, 0.5 * size), "HELLO", "white", ImageFont.load_default(size // 9))
    return np.asarray(sheet)


def arrow(size: int = 96) -> Pixels:
    sheet = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(sheet)
    outline = (50, 10, 85, 50, 62, 50, 62, 90, 38, 90, 38, 50, 15, 50)
    draw.polygon([size * part / 100 for part in outline], fill=(30, 90, 200))
    return np.asarray(sheet)


def page() -> Pixels:
    sheet = Image.new("RGB", (420, 560), "white")
    draw = ImageDraw.Draw(sheet)
    chosen = np.random.default_rng(4)
    for y in range(20, 530, 22):
        words = " ".join(str(chosen.integers(10, 99999)) for _ in range(8))
        draw.text((20, y), words, "black", ImageFont.load_default(14))
    return np.asarray(sheet)


def turned(picture: Pixels) -> tuple[Pixels, np.ndarray]:
    """Upside down, and the transform that leads there."""
    height, width = picture.shape[:2]
    back = np.array([[-1.0, 0, width - 1], [0, -1, height - 1], [0, 0, 1]])
    return np.ascontiguousarray(picture[::-1, ::-1]), back


@pytest.mark.parametrize(("one", "other"), [(RED, DARK_RED), (SILVER, GRAY), (RED, GRAY)])
def test_another_shade_is_no_copy(one: Colour, other: Colour) -> None:
    found = agree(shirt(one), as_jpeg(shirt(other), 90), AS_IT_IS)
    assert found is not None and found.relation == "edited"


@pytest.mark.parametrize("way", ["jpeg", "half", "16 colours"])
def test_a_copy_of_a_drawing_is_the_same(way: str) -> None:
    one = shirt(RED)
    copies = {
        "jpeg": lambda: as_jpeg(one, 80),
        "half": lambda: cv2.resize(one, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        "16 colours": lambda: np.asarray(Image.fromarray(one).quantize(16).convert("RGB")),
    }
    copy = copies[way]()
    sizes = [(each.shape[1], each.shape[0]) for each in (one, copy)]
    found = agree(one, copy, scaling(*sizes))
    assert found is not None and found.relation == "same-picture"


def test_what_a_curve_cuts_off_is_not_explained_away() -> None:
    """White here is white, green and blue there."""
    quarters = np.full((64, 64, 3), 255, np.uint8)
    quarters[:32, :32] = 255, 0, 0
    four = quarters.copy()
    four[:32, 32:], four[32:, :32] = (127, 255, 127), (191, 191, 255)
    for sides in ((quarters, four), (four, quarters)):
        found = agree(*sides, AS_IT_IS)
        assert found is not None and found.relation == "edited"


def test_an_arrow_turned_is_another_and_a_page_is_not() -> None:
    for picture, relation in ((arrow(), "edited"), (page(), "same-picture")):
        assert is_drawn(picture)
        assert has_few_pieces(picture) == (relation == "edited")
        found = agree(picture, *turned(picture))
        assert found is not None and found.relation == relation


@pytest.mark.parametrize("quality", [60, 80, 90])
@pytest.mark.parametrize("size", [128, 300, 600])
def test_an_arrow_turned_is_another_in_jpeg_too(size: int, quality: int) -> None:
    """What compression leaves along edges, and between two colours, makes no pieces."""
    one = arrow(size)
    other, onto = turned(one)
    found = agree(as_jpeg(one, quality), as_jpeg(other, quality), onto)
    assert found is not None and found.relation == "edited"


def test_small_pictures_turned_may_be_others() -> None:
    """A shaded icon of a hand that points down, and one that points up."""
    for side, relation in ((80, "edited"), (240, "same-picture")):
        picture = cv2.resize(grainy(60, 60, 5), (side, side), interpolation=cv2.INTER_CUBIC)
        assert not is_drawn(picture)
        found = agree(picture, *turned(picture))
        assert found is not None and found.relation == relation


def battery(part: float, shade: int = 40) -> Pixels:
    """48 pixels, shaded, full by a part."""
    sheet = np.full((48, 48, 3), 255, np.uint8)
    light = np.linspace(0, 40, 20, dtype=np.uint8)[:, None, None]
    sheet[14:34, 4:44] = shade + light
    sheet[17:31, 7:41] = 235 - light[:14]
    sheet[17:31, 7 : 7 + round(34 * part)] = shade + 60 + light[:14]
    return sheet


def test_little_pictures_are_told_apart_without_toning() -> None:
    """An icon of a battery half full, and one that is switched off."""
    half = battery(0.5)
    for other in (battery(0.7), battery(0.5, 120)):
        found = agree(half, other, AS_IT_IS)
        assert found is not None and found.relation == "edited"
    large = cv2.resize(half, (192, 192), interpolation=cv2.INTER_CUBIC)
    for one, copy in ((half, as_jpeg(half, 75)), (large, half)):
        found = agree(one, copy, scaling((one.shape[1], one.shape[0]), (48, 48)))
        assert found is not None and found.relation == "same-picture"


def test_of_tiny_pictures_nothing_is_proven() -> None:
    for side, relation in ((32, "edited"), (48, "same-picture")):
        one = cv2.resize(grainy(200, 200, 9), (side, side), interpolation=cv2.INTER_AREA)
        found = agree(one, as_jpeg(one, 90), AS_IT_IS)
        assert found is not None and found.relation == relation


def test_photos_are_not_drawn_nor_are_fog_and_faint_gray() -> None:
    photo = grainy(180, 240, 7)
    soft = cv2.GaussianBlur(photo, (0, 0), 2)
    fog = (0.3 * soft + 120).astype(np.uint8)
    gray = np.repeat(fog.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    for picture in (photo, soft, fog, gray):
        assert not is_drawn(picture)
    brighter = np.clip(fog * 1.15, 0, 255).astype(np.uint8)
    found = agree(fog, brighter, AS_IT_IS)
    assert found is not None and found.relation == "same-picture"
