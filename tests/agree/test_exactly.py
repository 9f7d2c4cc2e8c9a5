"""Two of a template: what was filled in makes another of it, however small; a copy is none."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from objsearch.agree.exactly import is_exact
from objsearch.agree.registration import Registration
from objsearch.agree.thing import Seen, look
from objsearch.types import Box, Pixels
from tests.pictures import as_jpeg, drawing, warped

TILTED = np.array([[0.96, 0.02, 12.0], [-0.02, 0.95, 15.0], [4e-5, 2e-5, 1.0]])
HALF = np.array([[0.5, 0.0, -0.25], [0.0, 0.5, -0.25], [0.0, 0.0, 1.0]])
SIZE = 480
FONT = ImageFont.load_default(11)


def seen(query: Pixels, reference: Pixels, onto: np.ndarray, box: Box | None = None) -> Seen:
    thing = box or Box(0, 0, SIZE, SIZE)
    rows, columns = np.mgrid[20 : SIZE - 20 : 30, 20 : SIZE - 20 : 30]
    corner_xy = np.array([thing.x1, thing.y1])
    print_xy = corner_xy + np.stack([columns.ravel(), rows.ravel()], axis=1)
    found = look(query, reference, onto, thing, print_xy.astype(np.float32))
    assert found is not None
    return found


def board(moved: bool) -> Pixels:
    """Eight by eight squares with pieces, one of which has moved by one."""
    sheet = Image.new("RGB", (SIZE, SIZE), (240, 217, 181))
    draw = ImageDraw.Draw(sheet)
    for x in range(8):
        for y in range(8):
            if (x + y) % 2:
                draw.rectangle((60 * x, 60 * y, 60 * x + 59, 60 * y + 59), (181, 136, 99))
    pieces = [(x, y) for x in range(8) for y in (0, 1, 6, 7)] + [(2, 4 if moved else 3)]
    for x, y in pieces:
        colour = (25, 25, 25) if y < 4 and (x, y) != (2, 3) else (248, 248, 248)
        draw.ellipse((60 * x + 14, 60 * y + 8, 60 * x + 46, 60 * y + 52), colour, (90, 90, 90))
    return np.asarray(sheet)


def form(entry: str) -> Pixels:
    sheet = Image.new("RGB", (SIZE, SIZE), (252, 252, 250))
    draw = ImageDraw.Draw(sheet)
    for row, label in enumerate(("Name", "Street", "Town", "Date of birth", "Nationality", "Sum")):
        draw.text((30, 40 + 70 * row), label, (30, 30, 30), ImageFont.load_default(22))
        draw.rectangle((200, 34 + 70 * row, 450, 74 + 70 * row), outline=(90, 90, 90))
    draw.text((210, 42), entry, (20, 30, 120), ImageFont.load_default(26))
    return np.asarray(sheet)


def retouched(gone: bool) -> Pixels:
    picture = drawing(SIZE, SIZE, 5).copy()
    if gone:
        picture[200:240, 250:290] = cv2.GaussianBlur(drawing(SIZE, SIZE, 6), (0, 0), 1)[:40, :40]
    return picture


PAIRS: dict[str, tuple[Pixels, Pixels, tuple[int, int]]] = {
    "board": (board(False), board(True), (150, 240)),
    "form": (form("Ada Lindqvist"), form("Bo Okafor"), (290, 55)),
    "photo": (retouched(False), retouched(True), (270, 220)),
}
COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda one: one,
    "JPEG 40": lambda one: as_jpeg(one, 40),
    "darker": lambda one: (one * 0.8).astype(np.uint8),
    "soft": lambda one: np.asarray(cv2.GaussianBlur(one, (0, 0), 0.9)),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", PAIRS)
def test_a_copy_is_the_same_and_another_of_the_template_is_not(kind: str, way: str) -> None:
    one, other, (x, y) = PAIRS[kind]
    assert not seen(one, COPIES[way](one), np.eye(3)).is_other_print
    if way == "soft":
        return  # blur leaves corners too inexact to say more
    found = seen(one, COPIES[way](other), np.eye(3))
    assert found.is_other_print
    for box in found.differs[0]:
        assert box.x1 - 150 <= x <= box.x2 + 150 and box.y1 - 90 <= y <= box.y2 + 90


@pytest.mark.parametrize("kind", PAIRS)
def test_also_when_seen_at_an_angle_or_smaller(kind: str) -> None:
    one, other, _ = PAIRS[kind]
    assert not seen(one, warped(one, TILTED, (520, 520)), TILTED).is_other_print
    assert seen(one, warped(other, TILTED, (520, 520)), TILTED).is_other_print
    small = [cv2.resize(side, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
             for side in (one, other)]  # fmt: skip
    assert not seen(one, small[0], HALF).is_other_print
    assert seen(one, small[1], HALF).is_other_print


def test_what_lies_around_a_thing_is_not_the_thing() -> None:
    """One sheet with round corners on two grounds."""
    sheet = Image.new("L", (SIZE, SIZE), 0)
    ImageDraw.Draw(sheet).rounded_rectangle((0, 0, SIZE - 1, SIZE - 1), 50, fill=255)
    mask = np.asarray(sheet) > 0
    grounds = [np.full((600, 600, 3), one, np.uint8) for one in ((30, 60, 140), (200, 90, 40))]
    for ground in grounds:
        ground[60:540, 60:540][mask] = drawing(SIZE, SIZE, 9)[mask]
    found = seen(grounds[0], grounds[1], np.eye(3), Box(60, 60, 540, 540))
    assert not found.is_other_print


def test_a_thing_in_another_colour_is_another() -> None:
    """Its box ends where it ends, and so does what differs."""
    texture = drawing(SIZE, SIZE, 9).astype(np.float32).mean(axis=2, keepdims=True) / 255
    red, blue = (np.clip(texture * np.array(c, np.float32), 0, 255).astype(np.uint8)
                 for c in ((230, 60, 50), (50, 90, 230)))  # fmt: skip
    assert seen(red, blue, np.eye(3)).is_other_print
    assert not seen(red, as_jpeg(red, 60), np.eye(3)).is_other_print


def page(changed: bool) -> Pixels:
    """A page full of words, one of which is another."""
    sheet = Image.new("RGB", (SIZE, SIZE), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    r = random.Random(11)
    for row in range(22):
        words = ["".join(r.choices("abcdefghiknorstu", k=r.randint(2, 8))) for _ in range(9)]
        if changed and row == 9:
            words[2] = words[2][::-1]
        for column, word in enumerate(words):
            draw.text((16 + 50 * column, 16 + 20 * row), word, (15, 15, 15), font=FONT)
    return np.asarray(sheet)


def on_the_glass(picture: Pixels, degrees: float) -> tuple[Pixels, np.ndarray]:
    """A page scanned: turned a little, smaller, grainy and compressed; and where it leads."""
    turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), degrees, 0.97)
    onto = np.vstack([turn, [0.0, 0.0, 1.0]])
    made = warped(picture, onto, (SIZE, SIZE))
    noise = np.random.default_rng(4).normal(0, 3, made.shape)
    return as_jpeg(np.clip(made * 0.94 + noise, 0, 255).astype(np.uint8), 75), onto


@pytest.mark.parametrize("degrees", [0.3, -1.1])
def test_one_other_word_of_a_scanned_page_stands_out(degrees: float) -> None:
    own, onto = on_the_glass(page(False), degrees)
    other, _ = on_the_glass(page(True), degrees)
    thing = Box(16, 16, SIZE - 16, SIZE - 16)
    assert not seen(page(False), own, onto, thing).is_other_print
    assert seen(page(False), other, onto, thing).is_other_print


def test_what_a_lens_bends_has_to_lie_closer_than_a_scan() -> None:
    lying = Registration(np.eye(3), 0.97, 0.15, 100)
    assert is_exact(lying, (400, 300))
    for bent in (TILTED, np.diag([1.02, 1.0, 1.0])):
        assert not is_exact(replace(lying, transform=bent), (400, 300))
        assert is_exact(replace(lying, transform=bent, residual=0.09), (400, 300))
    assert not is_exact(replace(lying, steady=0.9), (400, 300))
    assert not is_exact(replace(lying, n_corners=50), (400, 300))
