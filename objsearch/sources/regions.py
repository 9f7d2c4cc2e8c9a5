"""A part of an image, as people write it, and cut out of the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Literal

import numpy as np

from objsearch.errors import UnreadableImageError, UsageError
from objsearch.types import Box, Image, Region

RoiMode = Literal["replace", "filter"]
"""`replace`: the region is searched as if it had been cut out and saved. `filter`: the whole image
is looked at, and what the detector sees inside the region counts, with the region itself."""

Unit = Literal["pixels", "fraction"]

_FORMS = (
    "x,y,w,h (10,20,200,100) or two corners x1,y1:x2,y2 (10,20:210,120), in pixels, "
    "in fractions of the image (0.1,0.2,0.5,0.5) or in percent (10%,20%,50%,50%)"
)


@dataclass(frozen=True, slots=True)
class RegionOfInterest:
    """The left, upper, right and lower edge, in pixels or as parts of the image; `text` says so."""

    edges_xyxy: tuple[float, float, float, float]
    unit: Unit
    text: str

    @classmethod
    def of(cls, given: RegionOfInterest | Region | str | Sequence[Any]) -> RegionOfInterest:
        """From `x,y,w,h` or from two opposite corners, `x1,y1:x2,y2`, as text or as numbers.

        In pixels (`10,20,200,100`), fractions (`0.1,0.2,0.5,0.5`, told by a decimal point and
        values up to 1) or percent (`10%,20%,50%,50%`); two pairs of numbers are corners:
        `((10, 20), (210, 120))`. A `Box`, or the `Region` of an answer that has one, is its
        corners. Raises UsageError for anything else, and for an empty region.
        """
        if isinstance(given, RegionOfInterest):
            return given
        text = given if isinstance(given, str) else _written(given)
        halves = [[part.strip() for part in half.split(",")] for half in text.split(":")]
        if [len(half) for half in halves] not in ([4], [2, 2]):
            raise UsageError(f"the region '{text}' is not {_FORMS}")
        parts = [part for half in halves for part in half]
        values, unit = _numbers(parts, text)
        x, y, right, lower = values
        if len(halves) == 1:
            right, lower = x + right, y + lower
        else:
            x, right = sorted((x, right))
            y, lower = sorted((y, lower))
        if right <= x or lower <= y:
            raise UsageError(f"the region '{text}' is empty: width and height must be over 0")
        return cls((x, y, right, lower), unit, text)

    def in_pixels(self, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
        """x, y, w, h in whole pixels of an image of the given size, not yet clipped to it."""
        scale_x, scale_y = size_wh if self.unit == "fraction" else (1, 1)
        x1, y1, x2, y2 = self.edges_xyxy
        left, top = round(x1 * scale_x), round(y1 * scale_y)
        return left, top, max(1, round(x2 * scale_x) - left), max(1, round(y2 * scale_y) - top)


def _written(given: Any) -> str:
    """Numbers as text; what holds no numbers keeps its own, which is then refused."""
    if isinstance(given, Region):
        given = given.box_xyxy
    if isinstance(given, Box):  # its numbers are corners; what lies within a pixel is no fraction
        x1, y1, x2, y2 = (round(edge) if isfinite(edge) else edge for edge in given)
        return f"{x1},{y1}:{x2},{y2}"
    if not isinstance(given, Sequence | np.ndarray):
        return str(given)
    if any(isinstance(part, Sequence | np.ndarray) and not isinstance(part, str) for part in given):
        return ":".join(_written(corner) for corner in given)
    return ",".join(str(number) for number in given)


def _numbers(parts: Sequence[str], text: str) -> tuple[list[float], Unit]:
    percent = [part.endswith("%") for part in parts]
    try:
        values = [float(part.removesuffix("%")) for part in parts]
    except ValueError:
        values = [float("nan")]
    if any(percent) != all(percent) or not all(map(isfinite, values)):
        raise UsageError(f"the region '{text}' is not {_FORMS}")
    if all(percent):
        return [value / 100 for value in values], "fraction"
    if any("." in part for part in parts) and max(map(abs, values)) <= 1:
        return values, "fraction"
    if any(0 < abs(value) < 1 for value in values):
        raise UsageError(
            f"the region '{text}' mixes fractions and pixels: fractions go up to 1, "
            "and pixels are whole"
        )
    return values, "pixels"


def region_of(image: Image, xywh: tuple[int, int, int, int], mode: RoiMode = "replace") -> Image:
    """The part of an image as an image of its own that knows where it lies.

    In the mode `filter` all pixels stay, and the image knows which part of it counts. A region over
    the edge is clipped, with a warning; raises UnreadableImageError when nothing of it lies inside.
    """
    x, y, width, height = xywh
    wanted = Box(x, y, x + width, y + height)
    box = wanted.clipped(image.size_wh)
    if box.width < 1 or box.height < 1:
        raise UnreadableImageError(
            f"the region {x},{y},{width},{height} holds nothing of its "
            f"{image.size_wh[0]} x {image.size_wh[1]} pixels"
        )
    x1, y1, x2, y2 = (int(v) for v in box)
    warnings = image.warnings
    if box != wanted:
        warnings += (f"the region {x},{y},{width},{height} was clipped to the image",)
    ref = replace(image.ref, xywh=(x1, y1, x2 - x1, y2 - y1))
    if mode == "filter":
        return replace(image, ref=ref, warnings=warnings, within_xyxy=box)
    pixels = np.ascontiguousarray(image.pixels[y1:y2, x1:x2])
    alpha = None if image.alpha is None else image.alpha[y1:y2, x1:x2]
    part = Image(ref, pixels, (x1, y1), image.size_wh, warnings)
    return replace(part, alpha=alpha, ground=image.ground)
