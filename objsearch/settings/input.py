"""The section of a settings file that says how images are read."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from objsearch.images.decode import Limits
from objsearch.settings.base import Part, RegionText
from objsearch.sources import Filters, Network, Reading, RoiMode

Gray = Annotated[int, Field(ge=0, le=255)]


_WHICH = r"^(first|all|every-[1-9][0-9]*)$"


class Input(Part):
    """How images are read."""

    max_megapixels: float = Field(200.0, gt=0, description="larger images are skipped")
    max_bytes: int = Field(512 * 1024 * 1024, gt=0, description="larger files are skipped")
    working_side: int | None = Field(
        640,
        ge=640,
        description="pictures of twice this side or more are described at a half, a quarter or an "
        "eighth, which saves time and memory; null: as they are",
    )
    background: tuple[Gray, Gray, Gray] = Field(
        (255, 255, 255), description="RGB laid under transparent pixels"
    )
    exclude: tuple[str, ...] = Field((), description="globs of paths or names to pass over")
    include: tuple[str, ...] = Field((), description="globs of paths or names; others are no input")
    changed_from: date | None = Field(None, description="first day of the files' last change")
    changed_to: date | None = Field(None, description="last day of the files' last change")
    min_bytes: int = Field(0, ge=0, description="smaller files are passed over")
    dpi: float = Field(150.0, gt=0, le=2400, description="dots an inch of PDF pages and drawings")
    pages: str = Field("all", pattern=_WHICH, description="of PDF and TIFF: first, all, every-N")
    frames: str = Field(
        "first", pattern=_WHICH, description="of animations and videos: first, all, every-N"
    )
    region: RegionText = Field(None, description="the part of every reference that counts")
    roi_mode: RoiMode = Field("replace", description="as the roi_mode of the section search")
    embedded_images: bool = Field(False, description="also the images inside PDF pages, one by one")
    timeout_seconds: float = Field(
        30.0, gt=0, description="longest wait for a download, a page, a drawing, a video frame"
    )
    offline: bool = Field(False, description="refuse all URLs")
    allow_private: bool = Field(
        False, description="let URLs lead to private addresses, such as this machine's own"
    )

    @property
    def reading(self) -> Reading:
        """These options as the readers take them."""
        limits = Limits(
            self.max_megapixels, self.max_bytes, self.background, self.dpi, self.timeout_seconds
        )
        network = Network(self.offline, self.allow_private)
        return Reading(limits, network, self.pages, self.frames, self.embedded_images)

    @property
    def filters(self) -> Filters:
        """Which files of folders and globs count."""
        return Filters(
            self.include, self.exclude, self.changed_from, self.changed_to, self.min_bytes
        )
