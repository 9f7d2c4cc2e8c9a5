"""A part of an image, as people write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from objsearch.errors import UsageError


@dataclass(frozen=True, slots=True)
class RegionOfInterest:
    """x, y, width and height in pixels, or as parts of the image in [0, 1]."""

    values: tuple[float, float, float, float]
    unit: Literal["pixels", "fraction"] = "pixels"

    @classmethod
    def of(cls, given: RegionOfInterest | str | Sequence[float]) -> RegionOfInterest:
        """From `10,20,200,100` (pixels), `0.1,0.2,0.5,0.5` (fractions) or `10%,20%,50%,50%`.

        Fractions are told by a decimal point and values up to 1. Raises UsageError otherwise.
        """
        if isinstance(given, RegionOfInterest):
            return given
        parts = given.split(",") if isinstance(given, str) else [str(value) for value in given]
        texts = [part.strip() for part in parts]
        percent = [text.endswith("%") for text in texts]
        try:
            values = [float(text.rstrip("%")) for text in texts]
        except ValueError:
            values = []
        if len(values) != 4 or any(percent) != all(percent) or not all(map(isfinite, values)):
            raise UsageError(
                f"the region '{given}' is not x,y,w,h: four numbers in pixels (10,20,200,100), "
                "fractions (0.1,0.2,0.5,0.5) or percent (10%,20%,50%,50%)"
            )
        if values[2] <= 0 or values[3] <= 0:
            raise UsageError(f"the region '{given}' is empty: width and height must be over 0")
        x, y, width, height = values
        if all(percent):
            return cls((x / 100, y / 100, width / 100, height / 100), "fraction")
        is_fraction = any("." in text for text in texts) and max(values) <= 1
        return cls((x, y, width, height), "fraction" if is_fraction else "pixels")

    def in_pixels(self, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
        """Whole pixels of an image of the given size, not yet clipped to it."""
        x, y, width, height = self.values
        if self.unit == "fraction":
            x, width = x * size_wh[0], width * size_wh[0]
            y, height = y * size_wh[1], height * size_wh[1]
        return round(x), round(y), max(1, round(width)), max(1, round(height))
