"""What lies around a picture: more of the scene, or a frame?"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from objsearch.agree.framing import is_laid_around
from objsearch.types import Pixels

AT, INNER_WH = (80, 60), (240, 180)
"""Where the inner picture lies, and its size."""
ONTO = np.array([[1.0, 0, AT[0]], [0, 1, AT[1]], [0, 0, 1]])


def texture(seed: int, coarseness: float) -> Pixels:
    """300 x 400 of noise as wild across any line as along it: no border breaks the light."""
    noise = np.random.default_rng(seed).normal(0, 1, (300, 400)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), coarseness)
    light = np.clip(128 + 45 * noise / noise.std(), 0, 255).astype(np.uint8)
    return np.repeat(light[..., None], 3, axis=2)


def laid_into(outer: Pixels, inner: Pixels) -> Pixels:
    made = outer.copy()
    x, y, (w, h) = *AT, INNER_WH
    made[y : y + h, x : x + w] = inner[y : y + h, x : x + w]
    return made


@pytest.mark.parametrize("coarseness", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lines_that_know_nothing_of_each_other_are_a_seam(seed: int, coarseness: float) -> None:
    scene, other = texture(seed, coarseness), texture(seed + 10, coarseness)
    assert not is_laid_around(scene, INNER_WH, ONTO)
    assert is_laid_around(laid_into(scene, other), INNER_WH, ONTO)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_neighbouring_lines_are_never_alike_a_border_says_nothing(seed: int) -> None:
    assert not is_laid_around(texture(seed, 0.6), INNER_WH, ONTO)


@pytest.mark.parametrize(("value", "is_frame"), [(20, True), (128, True), (None, False)])
def test_a_flat_surrounding_is_a_frame(value: int | None, is_frame: bool) -> None:
    scene = texture(4, 3.0)
    outer = scene if value is None else np.full_like(scene, value)
    assert is_laid_around(laid_into(outer, scene), INNER_WH, ONTO) == is_frame


def test_what_fills_the_outer_picture_has_nothing_around_it() -> None:
    scene = texture(4, 3.0)
    assert not is_laid_around(scene, (400, 300), np.eye(3))
