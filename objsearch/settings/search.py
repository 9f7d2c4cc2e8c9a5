"""The section of a settings file that says what an answer holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, TypedDict

from pydantic import Field

from objsearch.rank.fusion import Fusion
from objsearch.settings.base import Part, Positive, RegionText
from objsearch.sources import Filters, RoiMode, Wanted
from objsearch.types import Hit


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
    candidates: int = Field(
        100,
        ge=1,
        description="hits that are looked at again where they are called *same*, the first",
    )
    doubtful: int = Field(
        5,
        ge=0,
        description="candidates not called *same*, the first, whose keypoints are compared once "
        "more, at full size, and one beyond where any agree: what is small in a photo counts",
    )


FoundVerdict = Literal["same", "uncertain"]


class Search(Part):
    """What an answer holds."""

    threshold: float = Field(0.2, ge=0, le=1, description="least score of a hit, inclusive")
    max_false_alarms: float | None = Field(
        None,
        ge=0,
        description="hits are left out at whose score more wrong ones are to be expected among so "
        "many images; null: none",
    )
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
    list_skipped: int | None = Field(
        100,
        ge=0,
        description="references that cannot be read, and those that are odd, that are listed with "
        "reasons; null: all",
    )
    include_query: bool = Field(False, description="whether a query file may be its own hit")
    second_look: SecondLook = Field(
        SecondLook(), description="the first candidates' files, read again for what differs"
    )

    def wants(self, hit: Hit) -> bool:
        """Whether a hit is good enough by score and false alarms, and of a wanted verdict."""
        is_wanted = not self.verdicts or hit.verdict in self.verdicts
        return is_wanted and hit.score >= self.threshold and self._is_rare(hit.false_alarms)

    def _is_rare(self, false_alarms: float | None) -> bool:
        """Whether so few wrong hits are wanted; where nobody knows how many, it is not."""
        if self.max_false_alarms is None:
            return True
        return false_alarms is not None and false_alarms <= self.max_false_alarms


class SearchOptions(TypedDict, total=False):
    """What `find` takes by keyword, in place of the settings' section `search`."""

    threshold: float
    max_false_alarms: float | None
    top: int | None
    offset: int
    shortlist: int | None
    fusion: Fusion
    weights: Sequence[float] | None
    where: Where | Mapping[str, Any]
    roi_mode: RoiMode
    verdicts: Sequence[FoundVerdict] | None
    include_query: bool
    list_skipped: int | None
    second_look: SecondLook | Mapping[str, Any]
