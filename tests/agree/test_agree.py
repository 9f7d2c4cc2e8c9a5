"""What is told of true copies, and of pictures that share nearly everything."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from objsearch.agree import Agreement, agree
from objsearch.agree.laying import scaling
from objsearch.types import Pixels
from tests.pictures import grainy


def written(lines: list[str]) -> Pixels:
    """A form with entries."""
    sheet = Image.new("RGB", (500, 600), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    draw.text((30, 20), "Application for a place", (0, 0, 0), ImageFont.load_default(24))
    for row, line in enumerate(lines):
        top = 90 + 70 * row
        draw.text((30, top), f"{row + 1}. entry", (70, 70, 70), ImageFont.load_default(14))
        draw.rectangle((150, top - 6, 470, top + 30), outline=(120, 120, 120))
        draw.text((160, top), line, (0, 0, 0), ImageFont.load_default(20))
    return np.asarray(sheet)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def compared(one: Pixels, other: Pixels) -> Agreement:
    """Whole upon whole, a pixel and a half beside where it should be."""
    transform = scaling((one.shape[1], one.shape[0]), (other.shape[1], other.shape[0]))
    transform[:2, 2] += (1.5, -1.0)
    found = agree(one, other, transform)
    assert found is not None
    return found


def half(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    return cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda one: one,
    "jpeg 20": lambda one: jpeg(one, 20),
    "half": half,
    "blurred": lambda one: cv2.GaussianBlur(one, (0, 0), 1.4),
    "gray": lambda one: np.repeat(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "brighter": lambda one: np.clip(one * 1.25, 0, 255).astype(np.uint8),
    "gamma": lambda one: (255 * (one / 255.0) ** 0.7).astype(np.uint8),
}


@pytest.mark.parametrize("edit", COPIES)
@pytest.mark.parametrize("what", ["scene", "form"])
def test_true_copies_are_the_same_picture(edit: str, what: str) -> None:
    one = (
        grainy(300, 420, 5)
        if what == "scene"
        else written(["Ada Byron", "12 Mill Lane", "40.50", "3 May"])
    )
    found = compared(one, COPIES[edit](one))
    assert found.relation == "same-picture"
    assert found.shown == pytest.approx((1, 1), abs=0.015)


def changed_entry(one: Pixels) -> Pixels:
    return written(["Ada Byron", "12 Mill Lane", "41.90", "3 May"])


def pasted(one: Pixels) -> Pixels:
    made = one.copy()
    made[120:160, 200:250] = grainy(300, 420, 9)[:40, :50]
    return made


def recoloured(one: Pixels) -> Pixels:
    made = one.copy()
    made[80:220, 120:300] = made[80:220, 120:300, ::-1]
    return made


@pytest.mark.parametrize(
    ("one", "edit", "where"),
    [
        (written(["Ada Byron", "12 Mill Lane", "40.50", "3 May"]), changed_entry, (160, 230)),
        (grainy(300, 420, 5), pasted, (225, 140)),
        (grainy(300, 420, 5), recoloured, (210, 150)),
    ],
)
@pytest.mark.parametrize("quality", [95, 40])
def test_what_differs_is_found_and_where(
    one: Pixels, edit: Callable[[Pixels], Pixels], where: tuple[int, int], quality: int
) -> None:
    found = compared(one, jpeg(edit(one), quality))
    assert found.relation == "edited"
    x, y = where
    reach = 60
    assert any(
        box.x1 - reach <= x <= box.x2 + reach and box.y1 - reach <= y <= box.y2 + reach
        for box in found.differs[0]
    )


def test_a_mirror_image_is_an_edited_copy() -> None:
    one = grainy(300, 420, 5)
    flip = np.array([[-1.0, 0, one.shape[1] - 1], [0, 1, 0], [0, 0, 1]])
    found = agree(one, np.ascontiguousarray(one[:, ::-1]), flip)
    assert found is not None and found.mirrored and found.relation == "edited"
    assert not found.differs[0]


def test_a_cut_is_a_part_and_says_how_much() -> None:
    one = grainy(300, 420, 5)
    cut = np.ascontiguousarray(one[60:240, 80:320])
    found = agree(cut, one, np.array([[1.0, 0, 80], [0, 1, 60], [0, 0, 1]]))
    assert found is not None and found.relation == "part"
    assert found.shown[0] == pytest.approx(1, abs=0.01)
    assert found.shown[1] == pytest.approx(180 * 240 / (300 * 420), abs=0.01)


def test_cuts_that_each_show_more_are_no_copies() -> None:
    one = grainy(300, 420, 5)
    shift = np.array([[1.0, 0, -150], [0, 1, 0], [0, 0, 1]])
    found = agree(one[:, :270].copy(), one[:, 150:].copy(), shift)
    assert found is not None and found.relation == "same-scene"


def test_it_is_the_same_from_both_sides() -> None:
    one, other = grainy(300, 420, 5), pasted(grainy(300, 420, 5))
    there, back = compared(one, other), compared(other, one)
    assert there.relation == back.relation == "edited"
    assert there.worst == pytest.approx(back.worst, abs=1.0)


def test_blank_pictures_cannot_be_judged() -> None:
    blank = np.full((90, 120, 3), 250, np.uint8)
    assert compared(blank, blank).relation == "different"
