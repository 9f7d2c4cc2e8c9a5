"""A rough transform becomes good to a fraction of a pixel."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from objsearch.agree import registration
from objsearch.agree.laying import Laid, Matrix
from objsearch.agree.registration import register
from objsearch.types import Pixels
from tests.pictures import grainy

PHOTO = grainy(300, 420, 5)
PLACES = np.array([[[60.0, 60], [360, 60], [360, 240], [60, 240]]])


def beside(pixels: float, degrees: float, bend: float = 0.0, scale: float = 1.0) -> Matrix:
    """Of the photo onto itself: moved, turned about the middle, and bent."""
    turn = math.radians(degrees)
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    middle = np.array([[1.0, 0, 210], [0, 1, 150], [0, 0, 1]])
    moved = np.array([[c, -s, pixels], [s, c, -pixels], [bend, -bend / 2, 1.0]])
    made = middle @ moved @ np.linalg.inv(middle)
    return np.asarray(made / made[2, 2])


def error(transform: Matrix) -> float:
    """By how many pixels the worst of four places is missed."""
    there = cv2.perspectiveTransform(PLACES, transform)
    return float(np.linalg.norm(there - PLACES, axis=2).max())


@pytest.mark.parametrize(
    "start", [beside(8, 5, 3e-4, 1.1), beside(9, 6, 0, 1.08), beside(6, 8)], ids=str
)
def test_what_the_first_round_leaves_the_second_takes(start: Matrix) -> None:
    assert error(start) > 10
    found = register(PHOTO, PHOTO, start)
    assert error(found.transform) < 0.1
    assert found.steady > 0.99 and found.residual < 0.1


def test_what_is_still_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[Matrix] = []
    real = registration.lay

    def counting(one: Pixels, other: Pixels, transform: Matrix, side: int) -> Laid | None:
        rounds.append(transform)
        return real(one, other, transform, side)

    monkeypatch.setattr(registration, "lay", counting)
    found = register(PHOTO, PHOTO, beside(1.5, 0))
    assert len(rounds) == 1 and error(found.transform) < 0.1
    register(PHOTO, PHOTO, beside(6, 8))
    assert len(rounds) == 3
