"""Boxes on pixels."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.images.draw import PALETTE, draw_boxes, draw_regions, ink_on
from objsearch.types import Box, Region


def test_a_box_is_drawn_where_it_is_and_the_input_is_kept() -> None:
    pixels = np.full((100, 200, 3), 128, np.uint8)
    drawn = draw_boxes(pixels, [Box(40, 30, 120, 80)])
    assert drawn.shape == pixels.shape and drawn.dtype == np.uint8
    assert (pixels == 128).all()
    for x, y in ((40, 50), (119, 50), (80, 30), (80, 79)):
        assert tuple(drawn[y, x]) == PALETTE[0]
    assert tuple(drawn[50, 80]) == (128, 128, 128)
    assert (drawn[:, 125:] == 128).all()


@pytest.mark.parametrize("size_wh", [(1, 1), (2, 300), (33, 7), (640, 481)])
@pytest.mark.parametrize(
    "box", [Box(0, 0, 1, 1), Box(-50, -50, 9999, 9999), Box(5, 5, 5, 5), Box(-9, -9, -1, -1)]
)
def test_any_size_and_any_box(size_wh: tuple[int, int], box: Box) -> None:
    pixels = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    assert draw_boxes(pixels, [box], ["a caption"]).shape == pixels.shape


def test_the_frame_is_not_drawn_and_captions_are() -> None:
    pixels = np.full((120, 160, 3), 255, np.uint8)
    frame = Region(Box(0, 0, 160, 120), "frame", 0.0, "frame")
    assert (draw_regions(pixels, [frame]) == pixels).all()
    named = Region(Box(40, 60, 100, 110), "\udce9 写", 0.5, "detector")
    above = draw_regions(pixels, [named, frame])[45:58, 42:60]
    assert (above != 255).any()


def test_lines_grow_with_the_image() -> None:
    def share(side: int) -> float:
        pixels = np.zeros((side, side, 3), np.uint8)
        box = Box(side * 0.3, side * 0.3, side * 0.7, side * 0.7)
        return float((draw_boxes(pixels, [box]) == PALETTE[0]).all(axis=2).mean())

    assert share(2000) == pytest.approx(share(1000), rel=0.1)


def test_ink_reads_on_every_colour() -> None:
    def luminance(colour: tuple[int, int, int]) -> float:
        return float(np.dot([0.2126, 0.7152, 0.0722], (np.array(colour) / 255) ** 2.2))

    for colour in PALETTE:
        low, high = sorted((luminance(colour), luminance(ink_on(colour))))
        assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG 2.2, AA
