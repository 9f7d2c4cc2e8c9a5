"""Crop and resize."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from objsearch.types import Box, Pixels


class Cut(NamedTuple):
    """A part of a picture, and the corner (x, y) that it was cut at."""

    pixels: Pixels
    corner_xy: tuple[int, int]


def crop(pixels: Pixels, box: Box, margin: float = 0.0) -> Pixels:
    """The pixels inside a box, at least one by one; `margin` widens it by a part of its size."""
    return cut(pixels, box, margin).pixels


def cut(pixels: Pixels, box: Box, margin: float = 0.0) -> Cut:
    """The same, and where its corner lies."""
    height, width = pixels.shape[:2]
    dx, dy = box.width * margin, box.height * margin
    x1 = min(max(math.floor(box.x1 - dx), 0), width - 1)
    y1 = min(max(math.floor(box.y1 - dy), 0), height - 1)
    x2 = max(min(math.ceil(box.x2 + dx), width), x1 + 1)
    y2 = max(min(math.ceil(box.y2 + dy), height), y1 + 1)
    return Cut(pixels[y1:y2, x1:x2], (x1, y1))


def resize(pixels: Pixels, size_wh: tuple[int, int]) -> Pixels:
    """Resize to an exact size: area averaging on the way down, cubic on the way up."""
    height, width = pixels.shape[:2]
    if (width, height) == size_wh:
        return pixels
    shrinking = size_wh[0] * size_wh[1] < width * height
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size_wh, interpolation=method), dtype=np.uint8)


def resize_quickly(pixels: Pixels, size_wh: tuple[int, int]) -> Pixels:
    """As `resize`, in a quarter of the time, for what describes a picture rather than judges it.

    On the way down it is interpolated between neighbours, to a half at most at a time: so every
    pixel counts, as in the averages of areas, which are slow where one pixel is no whole number.
    """
    width, height = pixels.shape[1], pixels.shape[0]
    if size_wh[0] > width or size_wh[1] > height:
        return resize(pixels, size_wh)
    while (width, height) != size_wh:
        width, height = max(size_wh[0], -(-width // 2)), max(size_wh[1], -(-height // 2))
        smaller = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
        pixels = np.asarray(smaller, dtype=np.uint8)
    return pixels


def fit(pixels: Pixels, long_side: int) -> tuple[Pixels, float]:
    """Resize so that the longer side is `long_side`; also the factor back to the given pixels."""
    height, width = pixels.shape[:2]
    return resize(pixels, fitted_wh((width, height), long_side)), max(width, height) / long_side


def fitted_wh(size_wh: tuple[int, int], long_side: int) -> tuple[int, int]:
    """The size of a picture resized so that the longer side is `long_side`."""
    scale = max(size_wh) / long_side
    return max(1, round(size_wh[0] / scale)), max(1, round(size_wh[1] / scale))


def reduction_for(size_wh: tuple[int, int], long_side: int) -> int:
    """1, 2, 4 or 8: how often a picture may be halved and still have `long_side` pixels."""
    reduction = 1
    while reduction < 8 and max(size_wh) >= 2 * reduction * long_side:
        reduction *= 2
    return reduction


def reduced_wh(size_wh: tuple[int, int], reduction: int) -> tuple[int, int]:
    """The size at 1 / reduction, as codecs for JPEG round it: up."""
    return -(-size_wh[0] // reduction), -(-size_wh[1] // reduction)


def shrunk(pixels: Pixels, long_side: int) -> Pixels:
    """Resized so that the longer side is at most `long_side`; a smaller picture as it is."""
    return fit(pixels, long_side)[0] if max(pixels.shape[:2]) > long_side else pixels


def gray(pixels: Pixels) -> np.ndarray:
    """(H, W) uint8 luminance (ITU-R BT.601)."""
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
