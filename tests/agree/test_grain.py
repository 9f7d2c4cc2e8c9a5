"""Shots are told apart by their grain where nothing else differs; copies share it, or have less."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from objsearch.agree.grain import is_other_grain
from objsearch.types import Pixels
from tests.pictures import as_jpeg, brightened, drawing


def shot(seed: int, grain: float = 3.0) -> Pixels:
    """One view, in the grain of one moment."""
    random = np.random.default_rng(seed)
    view = cv2.GaussianBlur(drawing(320, 480, seed=4), (0, 0), 1.0)
    drawn = cv2.GaussianBlur(random.normal(0, 1, view.shape[:2]), (0, 0), 0.6)
    made = view * 0.7 + 30 + grain * drawn[..., None] / drawn.std()
    return np.asarray(np.clip(made, 0, 255), np.uint8)


@pytest.mark.parametrize("quality", [88, 96])
def test_two_shots_of_one_view_share_no_grain(quality: int) -> None:
    first, second = (as_jpeg(shot(seed), quality) for seed in (1, 2))
    assert is_other_grain(first, second) and is_other_grain(second, first)
    assert not is_other_grain(first, first)


@pytest.mark.parametrize("quality", [30, 60, 80, 95])
def test_copies_share_it_however_compressed(quality: int) -> None:
    first = as_jpeg(shot(1), 93)
    assert not is_other_grain(first, as_jpeg(first, quality))
    assert not is_other_grain(first, as_jpeg(brightened(first), quality))
    assert not is_other_grain(as_jpeg(first, 50), as_jpeg(first, quality))


def test_what_has_less_of_it_is_no_other_shot() -> None:
    first, grainier = shot(1), shot(2, grain=8.0)
    smooth = np.asarray(cv2.GaussianBlur(first, (0, 0), 1.5), np.uint8)
    assert not is_other_grain(first, grainier)
    assert not is_other_grain(first, smooth)
    assert not is_other_grain(shot(1, grain=0.5), shot(2, grain=0.5))


def test_where_nothing_is_quiet_or_in_range_nothing_is_said() -> None:
    white = np.full((320, 480, 3), 255, np.uint8)
    assert not is_other_grain(white, white - 1)
    assert not is_other_grain(shot(1)[:10, :10], shot(2)[:10, :10])
    assert not is_other_grain(shot(1), shot(2)[:300])
