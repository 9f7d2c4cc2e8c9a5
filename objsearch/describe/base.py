"""What every extractor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from objsearch.components.registry import Component
from objsearch.images.transform import crop
from objsearch.types import Box, Descriptor, Image, Kind, Pixels, Region


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A region's pixels, and where their corner lies in the image."""

    pixels: Pixels
    corner_xy: tuple[float, float] = (0.0, 0.0)
    is_frame: bool = False


def crop_of(image: Image, region: Region, margin: float = 0.0, as_frame: bool = True) -> Crop:
    """Cut a region out of an image; `margin` widens it by a part of its size on every side.

    With `as_frame` off the full frame is described like any other object.
    """
    box = region.box_xyxy
    if region.is_frame:  # all of the image, or the part of it that counts
        return Crop(crop(image.pixels, box), (float(int(box.x1)), float(int(box.y1))), as_frame)
    wide = Box(
        box.x1 - box.width * margin,
        box.y1 - box.height * margin,
        box.x2 + box.width * margin,
        box.y2 + box.height * margin,
    ).clipped(image.size_wh)
    return Crop(crop(image.pixels, wide), (float(int(wide.x1)), float(int(wide.y1))))


class Extractor(Component, ABC):
    """Describes crops. Subclasses write `extract_batch`; single crops are derived."""

    produces: ClassVar[Kind]
    margin: float = Field(0.0, ge=0, le=1, description="context around a crop, a part of its size")

    @abstractmethod
    def extract_batch(self, crops: Sequence[Crop]) -> list[Descriptor]:
        """One descriptor a crop, in order; it must not depend on the crop's neighbours.

        Any crop of at least 1 x 1 pixels gets a descriptor: one without structure gets an empty
        one (no keypoints, quality 0), never an error.
        """

    def extract_regions(
        self, image: Image, regions: Sequence[Region], as_frame: bool = True
    ) -> list[Descriptor]:
        """One descriptor a region of an image, in order; `as_frame` as of `crop_of`."""
        return self.extract_batch(self.crops_of(image, regions, as_frame))

    def crops_of(
        self, image: Image, regions: Sequence[Region], as_frame: bool = True
    ) -> list[Crop]:
        """What `extract_batch` gets of an image: a crop a region, in order."""
        return [crop_of(image, region, self.margin, as_frame) for region in regions]

    def crops_wanted(self) -> int:
        """How many crops fill what it runs on; 1 where those of one image do as well.

        Where it is more, crops of several images go to `extract_batch` together, and
        `extract_regions` is not asked. What it runs on may be loaded to tell.
        """
        return 1

    def extract(self, pixels: Pixels) -> Descriptor:
        """The descriptor of one picture."""
        return self.extract_batch([Crop(pixels, is_frame=True)])[0]
