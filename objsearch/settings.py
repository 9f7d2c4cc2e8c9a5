"""Everything that can be set, with its default: the sections of a settings file.

The defaults are the preset `default`. `objsearch.config` reads YAML into these.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    WithJsonSchema,
    model_validator,
)

from objsearch.describe.base import Extractor
from objsearch.detect.base import Detector
from objsearch.flow import default_workers
from objsearch.images.decode import Limits
from objsearch.index.base import Index
from objsearch.match import calibration as calibrations
from objsearch.match.assignment import Rule
from objsearch.match.base import Matcher
from objsearch.match.calibration import Calibration
from objsearch.match.geometry import Geometry
from objsearch.rank.fusion import Fusion
from objsearch.rank.verdicts import Verdicts
from objsearch.registry import Component, build
from objsearch.sources import Filters, Network, Reading
from objsearch.types import Kind

DEFAULT_MATCHERS: Mapping[Kind, str] = {
    "global": "cosine",
    "binary": "hamming",
    "local-binary": "ratio-test",
    "local-real": "ratio-test",
}


ROOM_MARK = "x-room"
"""Stands in generated schemas where `json_schema` puts a reference to a room's components."""


def _built(room: str, value: Any) -> Any:
    return value if isinstance(value, Component) else build(room, value)


def _room(room: str) -> Any:
    """Annotations of a field that holds a component: built from YAML, a `oneOf` in the schema."""
    return BeforeValidator(partial(_built, room)), WithJsonSchema({ROOM_MARK: room})


class Part(BaseModel):
    """A frozen section of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Channel(Part):
    """One descriptor: how it is made and how it is compared."""

    extractor: Annotated[SerializeAsAny[Extractor], *_room("describe")]
    matcher: Annotated[SerializeAsAny[Matcher] | None, *_room("match")] = Field(
        None, description="by default the one that fits the extractor"
    )

    @model_validator(mode="before")
    @classmethod
    def _default_matcher(cls, data: Any) -> Any:
        if isinstance(data, dict) and "extractor" in data and data.get("matcher") is None:
            try:
                extractor = _built("describe", data["extractor"])
            except ValueError:
                return data  # the field's own validation says what is wrong, and where
            matcher = DEFAULT_MATCHERS[extractor.produces]
            return {**data, "extractor": extractor, "matcher": matcher}
        return data

    @model_validator(mode="after")
    def _fits(self) -> Channel:
        assert self.matcher is not None
        if self.extractor.produces not in self.matcher.accepts:
            raise ValueError(
                f"the matcher '{self.matcher.name}' does not fit the extractor "
                f"'{self.extractor.name}', which makes {self.extractor.produces} descriptors; "
                f"take '{DEFAULT_MATCHERS[self.extractor.produces]}'"
            )
        return self


class Assignment(Part):
    """Which region pairs are looked at and kept."""

    rule: Rule = Field("one-to-one", description="one-to-many for several copies in one photo")
    floor: float = Field(0.001, ge=0, le=1, description="pairs below this are no candidates")
    local_pairs: int = Field(
        5, ge=1, description="region pairs whose keypoints are compared, likeliest first"
    )
    frames: bool = Field(
        True, description="whether full frames may match as such, or only objects located in them"
    )
    parts_discount: float = Field(
        0.5,
        ge=0,
        le=1,
        description="taken off the similarity of two regions neither of which is a full frame: "
        "grass is like grass, and there are many pairs of parts",
    )
    same_class: bool = Field(False, description="pair only regions with the same label")


class Search(Part):
    """What an answer holds."""

    threshold: float = Field(0.2, ge=0, le=1, description="least score of a hit, inclusive")
    top: int | None = Field(None, ge=1, description="most hits")
    offset: int = Field(0, ge=0, description="hits to pass over first")
    shortlist: int | None = Field(
        40, ge=1, description="images compared in full, chosen by each descriptor; null: all"
    )
    fusion: Fusion = Field("max", description="how several query images become one score")
    include_query: bool = Field(False, description="whether a query file may be its own hit")


Gray = Annotated[int, Field(ge=0, le=255)]


_WHICH = r"^(first|all|every-[1-9][0-9]*)$"


class Input(Part):
    """How images are read."""

    max_megapixels: float = Field(200.0, gt=0, description="larger images are skipped")
    max_bytes: int = Field(512 * 1024 * 1024, gt=0, description="larger files are skipped")
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


class Run(Part):
    """How the work is spread; changes the time, never the answer."""

    workers: int = Field(0, ge=0, description="threads; 0: as many as there are processors")
    batch_size: int = Field(4, ge=1, le=256, description="images a worker takes at a time")

    @property
    def n_workers(self) -> int:
        return self.workers or default_workers()


class Settings(Part):
    """Everything that makes an answer."""

    description: str = Field("", description="what this preset is for")
    detector: Annotated[SerializeAsAny[Detector], *_room("detect")] = Field(
        default_factory=lambda: _built("detect", "yolo"), validate_default=False
    )
    descriptors: tuple[Channel, ...] = Field(
        default_factory=lambda: (
            Channel.model_validate({"extractor": "embedding"}),
            Channel.model_validate({"extractor": "orb"}),
        ),
        min_length=1,
        description="how crops are described and compared; several are fused",
    )
    assignment: Assignment = Assignment()
    geometry: Geometry = Geometry()
    verdicts: Verdicts = Verdicts()
    calibration: str = Field(
        "auto",
        description="a file by 'objsearch calibrate'; auto: the one made for these extractors",
    )
    search: Search = Search()
    index: Annotated[SerializeAsAny[Index], *_room("index")] = Field(
        default_factory=lambda: _built("index", "memory")
    )
    input: Input = Input()
    run: Run = Run()

    @model_validator(mode="after")
    def _distinct_extractors(self) -> Settings:
        used = [channel.extractor.name for channel in self.descriptors]
        if len(set(used)) < len(used):
            raise ValueError(f"each extractor may be used once, not {', '.join(used)}")
        return self

    @property
    def calibration_name(self) -> str:
        """The file that `auto` stands for."""
        if self.calibration != "auto":
            return self.calibration
        return "+".join(sorted(channel.extractor.name for channel in self.descriptors))

    def load_calibration(self) -> Calibration:
        """The calibration in force; raises ConfigError when there is none for these extractors."""
        return calibrations.load(self.calibration_name)

    def answer_settings(self) -> dict[str, Any]:
        """What an answer says of the settings that made it: all but how the work was spread."""
        return self.model_dump(mode="json", exclude={"run", "description"})
