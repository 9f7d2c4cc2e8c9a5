"""A copy in gray, in sepia or paler is the same thing; one in another colour is another."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from objsearch.agree.hue import other_hue
from objsearch.agree.thing import Seen, look
from objsearch.types import Box, Pixels
from tests.pictures import as_jpeg, drawing

SIDE = 480


def photo() -> Pixels:
    """Many hues, some of them strong."""
    return np.asarray(cv2.GaussianBlur(drawing(SIDE, SIDE, 5), (0, 0), 0.8), np.uint8)


def lacquered(colour: tuple[int, int, int]) -> Pixels:
    """A thing of one hue, light and dark."""
    light = cv2.cvtColor(photo(), cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None] / 255
    return (light * np.array(colour, np.float32)).astype(np.uint8)


def seen(query: Pixels, reference: Pixels) -> Seen:
    rows, columns = np.mgrid[20 : SIDE - 20 : 30, 20 : SIDE - 20 : 30]
    print_xy = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
    found = look(query, reference, np.eye(3), Box(0, 0, SIDE, SIDE), print_xy)
    assert found is not None
    return found


def sepia(one: Pixels) -> Pixels:
    by = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    return np.clip(one @ by.T, 0, 255).astype(np.uint8)


TONED: dict[str, Callable[[Pixels], Pixels]] = {
    "gray": lambda one: np.repeat(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "sepia": sepia,
    "paler": lambda one: np.asarray(ImageEnhance.Color(Image.fromarray(one)).enhance(0.3)),
}


@pytest.mark.parametrize("way", TONED)
@pytest.mark.parametrize("is_back", [False, True])
def test_a_toned_copy_is_the_same(way: str, is_back: bool) -> None:
    pair = (photo(), as_jpeg(TONED[way](photo()), 90))
    assert not seen(*(pair[::-1] if is_back else pair)).is_other_print


def test_of_a_toned_copy_what_differs_is_told() -> None:
    other = photo()
    other[200:260, 180:300] = drawing(60, 120, 8)
    assert seen(photo(), as_jpeg(sepia(other), 90)).is_other_print


def test_another_colour_in_one_place_is_another() -> None:
    other = photo()
    other[180:260, 180:300, 0] = 255 - other[180:260, 180:300, 0]
    assert seen(photo(), other).is_other_print


def test_a_thing_of_one_hue_in_another_colour_is_another() -> None:
    """A toning explains that, as it does a copy in sepia: nothing can tell, and it is doubted."""
    red, blue = lacquered((240, 80, 60)), lacquered((70, 110, 250))
    assert not other_hue(red, blue, np.ones(red.shape[:2], bool)).any()
    assert seen(red, blue).is_other_print
