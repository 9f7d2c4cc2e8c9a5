"""Everything that can be set, with its default: the sections of a settings file.

The defaults are the preset `default`. `loading` reads YAML into these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import (
    Field,
    SerializeAsAny,
    model_validator,
)

from objsearch.components.registry import built, of_room
from objsearch.describe.base import Extractor
from objsearch.detect.base import Detector
from objsearch.errors import ConfigError
from objsearch.flow import default_workers
from objsearch.index.base import Index
from objsearch.match import calibration as calibrations
from objsearch.match.assignment import Rule
from objsearch.match.base import Matcher
from objsearch.match.calibration import Calibration
from objsearch.match.geometry import Geometry
from objsearch.rank.verdicts import Verdicts
from objsearch.screening.options import Screening
from objsearch.settings.base import Part
from objsearch.settings.input import Input
from objsearch.settings.search import Search
from objsearch.settings.tasks import Duplicates, Larger, Signing
from objsearch.types import Kind

DEFAULT_MATCHERS: Mapping[Kind, str] = {
    "global": "cosine",
    "binary": "hamming",
    "local-binary": "ratio-test",
    "local-real": "ratio-test",
}


class Channel(Part):
    """One descriptor: how it is made and how it is compared."""

    extractor: Annotated[SerializeAsAny[Extractor], *of_room("describe")]
    matcher: Annotated[SerializeAsAny[Matcher] | None, *of_room("match")] = Field(
        None, description="by default the one that fits the extractor"
    )

    @model_validator(mode="before")
    @classmethod
    def _default_matcher(cls, data: Any) -> Any:
        if isinstance(data, dict) and "extractor" in data and data.get("matcher") is None:
            try:
                extractor = built("describe", data["extractor"])
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


class Run(Part):
    """How the work is spread; changes the time, never the answer."""

    workers: int = Field(0, ge=0, description="threads; 0: as many as there are processors")
    batch_size: int = Field(4, ge=1, le=256, description="images a worker takes at a time")

    @property
    def n_workers(self) -> int:
        return self.workers or default_workers()


def _listed(names: Iterable[str]) -> str:
    return " and ".join(sorted(names)) or "nothing"


class Settings(Part):
    """Everything that makes an answer."""

    description: str = Field("", description="what this preset is for")
    detector: Annotated[SerializeAsAny[Detector], *of_room("detect")] = Field(
        default_factory=lambda: built("detect", "yolo"), validate_default=False
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
    index: Annotated[SerializeAsAny[Index], *of_room("index")] = Field(
        default_factory=lambda: built("index", "visual-words")
    )
    input: Input = Input()
    duplicates: Duplicates = Duplicates()
    larger: Larger = Larger()
    signing: Signing = Signing()
    screening: Screening = Screening()
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
        calibration = calibrations.load(self.calibration_name)
        used = {channel.extractor.name for channel in self.descriptors}
        if set(calibration.coefficients) != used:
            raise ConfigError(
                f"calibration: '{self.calibration}' was made for "
                f"{_listed(calibration.coefficients)}, and these settings describe by "
                f"{_listed(used)}; make one by 'objsearch calibrate' with the same settings"
            )
        return calibration

    def answer_settings(self) -> dict[str, Any]:
        """What an answer says of the settings that made it: not the workers, nor other tasks'."""
        tasks = {"duplicates", "larger", "signing"}
        return self.model_dump(mode="json", exclude={"run", "description", *tasks})
