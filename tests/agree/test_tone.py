"""Tone and blur of two pictures are brought together."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from objsearch.agree.tone import bring_together
from objsearch.types import Pixels
from tests.pictures import grainy

PHOTO = grainy(300, 420, 5)
INSIDE = np.ones(PHOTO.shape[:2], bool)


def softened(sigma: float) -> Pixels:
    return cv2.GaussianBlur(PHOTO, (0, 0), sigma)


@pytest.mark.parametrize("is_swapped", [False, True])
def test_a_soft_and_dimmed_copy_is_met_in_blur_and_tone(is_swapped: bool) -> None:
    dimmed = np.clip(softened(1.5) * 0.6 + 60, 0, 255).astype(np.uint8)
    pair = (dimmed, PHOTO) if is_swapped else (PHOTO, dimmed)
    found = bring_together(*pair, INSIDE)
    blurs = (found.blur_first, found.blur_second)
    assert blurs == ((0.0, 1.5) if is_swapped else (1.5, 0.0))
    assert np.abs(found.first - found.second).mean() < 0.5


def test_where_tone_hides_the_blur_both_are_fitted_again() -> None:
    """Much of it is cut off at black and white: the tone of the sharp one misleads at first."""
    harsh = np.clip(softened(2.2) * 1.9 - 80, 0, 255).astype(np.uint8)
    found = bring_together(PHOTO, harsh, INSIDE)
    assert (found.blur_first, found.blur_second) == (2.2, 0.0)
    assert np.abs(found.first - found.second).mean() < 2.0
