"""Everything that can be set, with its default: the sections of a settings file.

The defaults are the preset `default`. `loading` reads YAML into these.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    SerializeAsAny,
    field_validator,
    model_validator,
)

from objsearch.components.registry import built, of_room
from objsearch.describe.base import Extractor
from objsearch.detect.base import Detector
from objsearch.errors import ConfigError
from objsearch.flow import default_workers
from objsearch.index.base import IndexOptions
from objsearch.match import calibration as calibrations
from objsearch.match.assignment import Rule
from objsearch.match.base import Matcher
from objsearch.match.calibration import Calibration
from objsearch.match.fallback import fallback
from objsearch.match.geometry import Geometry
from objsearch.match.shipped_tails import with_tail
from objsearch.rank.verdicts import Verdicts
from objsearch.screening.options import Screening
from objsearch.settings.base import Part
from objsearch.settings.input import Input
from objsearch.settings.search import Search
from objsearch.settings.tasks import Duplicates, Larger, Signing
from objsearch.types import Kind
from objsearch.types.addresses import data_without_secrets

DEFAULT_MATCHERS: Mapping[Kind, str] = {
    "global": "cosine",
    "binary": "hamming",
    "local-binary": "ratio-test",
    "local-real": "ratio-test",
}

ALIAS = r"[a-z0-9]+(-[a-z0-9]+)*"


def _checked_alias(alias: str) -> str:
    if not re.fullmatch(ALIAS, alias):
        raise ValueError(
            f"{alias!r} is no alias: take lower-case letters, digits and dashes, such as 'plain'"
        )
    return alias


def _told_in_the_schema(schema: dict[str, Any]) -> None:
    schema["pattern"] = f"^{ALIAS}$"
    del schema["default"]  # it depends on the extractor


class Channel(Part):
    """One descriptor: how it is made, how it is compared, and the name it is kept under."""

    extractor: Annotated[SerializeAsAny[Extractor], *of_room("describe")]
    matcher: Annotated[SerializeAsAny[Matcher] | None, *of_room("match")] = Field(
        None, description="by default the one that fits the extractor"
    )
    alias: Annotated[str, AfterValidator(_checked_alias)] = Field(
        "",
        description="the name that its descriptors are kept and compared under, by default the "
        "extractor's; of two with the same extractor one needs another",
        json_schema_extra=_told_in_the_schema,
    )

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "extractor" not in data:
            return data
        try:
            extractor = built("describe", data["extractor"])
        except ValueError:
            return data  # the field's own validation says what is wrong, and where
        filled = {**data, "extractor": extractor}
        if data.get("matcher") is None:
            filled["matcher"] = DEFAULT_MATCHERS[extractor.produces]
        if data.get("alias") is None:
            filled["alias"] = extractor.name
        return filled

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
        description="a file by 'objsearch calibrate'; auto: the one made for these extractors, or "
        "where there is none a stated fallback, which the answer names",
    )
    search: Search = Search()
    index: Annotated[SerializeAsAny[IndexOptions], *of_room("index")] = Field(
        default_factory=lambda: built("index", "visual-words")
    )
    thumbnails: bool = Field(
        False,
        description="keep small copies of references in the library or index, for pages when their "
        "files are away; it holds no pixels otherwise",
    )
    input: Input = Input()
    duplicates: Duplicates = Duplicates()
    larger: Larger = Larger()
    signing: Signing = Signing()
    screening: Screening = Screening()
    run: Run = Run()

    @field_validator("descriptors")
    @classmethod
    def _distinct_aliases(cls, descriptors: tuple[Channel, ...]) -> tuple[Channel, ...]:
        used: set[str] = set()
        for channel in descriptors:
            if channel.alias in used:
                name = channel.extractor.name
                raise ValueError(
                    f"two descriptors are kept under '{channel.alias}': give one an alias of its "
                    f"own, such as {{extractor: {name}, alias: {channel.alias}-2}}"
                )
            used.add(channel.alias)
        return descriptors

    @property
    def calibration_name(self) -> str:
        """The file that `auto` stands for."""
        if self.calibration != "auto":
            return self.calibration
        return "+".join(sorted(channel.alias for channel in self.descriptors))

    def calibration_of(self, aliases: Collection[str]) -> Calibration:
        """Of comparisons by some of the descriptors: fitted for just these, or the fallback.

        Those that come with the package are for extractors under their own names.
        """
        channels = [channel for channel in self.descriptors if channel.alias in aliases]
        are_own = all(channel.alias == channel.extractor.name for channel in channels)
        fitted = calibrations.fitted_for(aliases) if channels and are_own else None
        if fitted is not None:
            return with_tail(fitted, self.detector.name)
        return fallback({channel.alias: channel.extractor.produces for channel in channels})

    def load_calibration(self) -> Calibration:
        """The calibration in force: that of a file or, by `auto`, as `calibration_of` says.

        Raises ConfigError for a file that is none, or was fitted for other descriptors.
        """
        used = {channel.alias for channel in self.descriptors}
        if self.calibration == "auto":
            return self.calibration_of(used)
        calibration = calibrations.load(self.calibration)
        if set(calibration.coefficients) != used:
            raise ConfigError(
                f"calibration: '{self.calibration}' was made for "
                f"{_listed(calibration.coefficients)}, and these settings describe by "
                f"{_listed(used)}; make one by 'objsearch calibrate' with the same settings"
            )
        return with_tail(calibration, self.detector.name)

    def answer_settings(self) -> dict[str, Any]:
        """What an answer says of the settings that made it: not the workers, nor other tasks'."""
        tasks = {"duplicates", "larger", "signing"}
        unsaid = {"run", "description", "thumbnails", *tasks}
        said: dict[str, Any] = data_without_secrets(self.model_dump(mode="json", exclude=unsaid))
        return said
