"""The sections of a settings file that say how images are read and what an answer holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypedDict

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from objsearch.errors import UsageError
from objsearch.images.decode import Limits
from objsearch.rank.fusion import Fusion
from objsearch.sources import Filters, Network, Reading, RegionOfInterest, RoiMode, Wanted
from objsearch.types import Hit


class Part(BaseModel):
    """A frozen section of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def _region_text(given: Any) -> Any:
    """A region as text that reads back, whatever way it was given."""
    try:
        return None if given is None else RegionOfInterest.of(given).text
    except UsageError as error:
        raise ValueError(str(error)) from None


RegionText = Annotated[str | None, BeforeValidator(_region_text)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Where(Part):
    """Which indexed images a search looks at; the others are as if they were not there."""

    include: tuple[str, ...] = Field((), description="globs of paths or names; no others count")
    exclude: tuple[str, ...] = Field((), description="globs of paths or names that do not count")
    labels: tuple[str, ...] = Field(
        (), description="images in which the detector saw a thing with one of these labels"
    )
    changed_from: date | None = Field(None, description="first day of the files' last change")
    changed_to: date | None = Field(None, description="last day of the files' last change")
    min_bytes: int = Field(0, ge=0, description="size of the file")
    max_bytes: int | None = Field(None, ge=1, description="size of the file")
    min_pixels: int = Field(0, ge=0, description="width times height of the image")
    max_pixels: int | None = Field(None, ge=1, description="width times height of the image")

    @property
    def wanted(self) -> Wanted:
        """These options as one filter."""
        files = Filters(
            self.include,
            self.exclude,
            self.changed_from,
            self.changed_to,
            self.min_bytes,
            self.max_bytes,
        )
        return Wanted(files, self.labels, self.min_pixels, self.max_pixels)


class SecondLook(Part):
    """The first candidates are read again and compared by their pixels."""

    enabled: bool = Field(
        True, description="whether *same* is said only where the object's places agree"
    )
    candidates: int = Field(10, ge=1, description="hits that are looked at again, the first")
    doubtful: int = Field(
        5,
        ge=0,
        description="candidates not called *same*, the first, whose keypoints are compared once "
        "more, at full size: what is small in a photo counts; of a single query image only",
    )


FoundVerdict = Literal["same", "uncertain"]


class Search(Part):
    """What an answer holds."""

    threshold: float = Field(0.2, ge=0, le=1, description="least score of a hit, inclusive")
    top: int | None = Field(None, ge=1, description="most hits")
    offset: int = Field(0, ge=0, description="hits to pass over first")
    shortlist: int | None = Field(
        40, ge=1, description="images compared in full, chosen by each descriptor; null: all"
    )
    fusion: Fusion = Field("max", description="how several query images become one score")
    weights: tuple[Positive, ...] = Field(
        (), description="how much each query image counts, in their order; none: all alike"
    )
    negatives: tuple[str, ...] = Field(
        (), description="images of what is not wanted: what is more like them is ranked down"
    )
    region: RegionText = Field(
        None,
        description="the part of the query that counts: x,y,w,h or two corners x1,y1:x2,y2, in "
        "pixels, fractions or percent",
    )
    roi_mode: RoiMode = Field(
        "replace",
        description="replace: the region is the picture. filter: the detections inside it",
    )
    where: Where = Field(Where(), description="which indexed images are looked at")
    verdicts: tuple[FoundVerdict, ...] = Field(
        (), description="only hits of these verdicts: same, uncertain; none: of any"
    )
    include_query: bool = Field(False, description="whether a query file may be its own hit")
    second_look: SecondLook = Field(
        SecondLook(), description="the first candidates' files, read again for what differs"
    )

    def wants(self, hit: Hit) -> bool:
        """Whether a hit reaches the threshold, and is of a wanted verdict."""
        is_wanted = not self.verdicts or hit.verdict in self.verdicts
        return is_wanted and hit.score >= self.threshold


class SearchOptions(TypedDict, total=False):
    """What `find` takes by keyword, in place of the settings' section `search`."""

    threshold: float
    top: int | None
    offset: int
    shortlist: int | None
    fusion: Fusion
    weights: Sequence[float] | None
    where: Where | Mapping[str, Any]
    roi_mode: RoiMode
    verdicts: Sequence[FoundVerdict] | None
    include_query: bool
    second_look: SecondLook | Mapping[str, Any]


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
