"""One YAML file -> validated settings and components, with errors that name file, line and key.

A YAML says only what differs from the defaults below, which are the preset `default`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from objsearch.describe.base import Extractor
from objsearch.detect.base import Detector
from objsearch.errors import ConfigError, nearest
from objsearch.flow import default_workers
from objsearch.index.base import Index
from objsearch.match import calibration as calibrations
from objsearch.match.assignment import Rule
from objsearch.match.base import Matcher
from objsearch.match.calibration import Calibration
from objsearch.match.geometry import Geometry
from objsearch.rank.fusion import Fusion
from objsearch.rank.verdicts import Verdicts
from objsearch.registry import Component, build, component, names
from objsearch.types import Kind
from objsearch.yaml_marks import Marks, read_yaml

_PACKAGE = Path(__file__).resolve().parent

DEFAULT_MATCHERS: Mapping[Kind, str] = {
    "global": "cosine",
    "binary": "hamming",
    "local-binary": "ratio-test",
    "local-real": "ratio-test",
}


_ROOM_MARK = "x-room"
"""Stands in generated schemas where `json_schema` puts a reference to a room's components."""


def _built(room: str, value: Any) -> Any:
    return value if isinstance(value, Component) else build(room, value)


def _room(room: str) -> Any:
    """Annotations of a field that holds a component: built from YAML, a `oneOf` in the schema."""
    return BeforeValidator(partial(_built, room)), WithJsonSchema({_ROOM_MARK: room})


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
    floor: float = Field(0.02, ge=0, le=1, description="pairs below this are no candidates")
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


class Input(Part):
    """How images are read."""

    max_megapixels: float = Field(200.0, gt=0, description="larger images are skipped")
    max_bytes: int = Field(512 * 1024 * 1024, gt=0, description="larger files are skipped")
    background: tuple[Gray, Gray, Gray] = Field(
        (255, 255, 255), description="RGB laid under transparent pixels"
    )
    exclude: tuple[str, ...] = Field((), description="globs of paths or names to pass over")


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


def presets_dir() -> Path:
    """The folder of presets: inside an installed package, or beside it in a checkout."""
    inside = _PACKAGE / "configs"
    return inside if inside.is_dir() else _PACKAGE.parent / "configs"


def preset_names() -> tuple[str, ...]:
    """Every preset, `default` first."""
    found = sorted(path.stem for path in presets_dir().glob("*.yaml"))
    return tuple(sorted(found, key=lambda name: name != "default"))


def load_settings(
    preset: str | Path | Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from a preset's name, a YAML file or plain data; then `overrides` by dotted key.

    `load_settings("copies", {"search.top": 5})`. Raises ConfigError: one sentence that names the
    file, the line, the key and the nearest known name.
    """
    data, marks = _read(preset if preset is not None else "default")
    for key, value in (overrides or {}).items():
        _set(data, key.split("."), value, key)
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_sentence(error, data, marks)) from None


def _read(preset: str | Path | Mapping[str, Any]) -> tuple[dict[str, Any], Marks]:
    if isinstance(preset, Mapping):
        return dict(preset), Marks("settings")
    path = Path(preset).expanduser()
    if path.suffix not in (".yaml", ".yml"):
        path = presets_dir() / f"{preset}.yaml"
        if not path.is_file():
            known = preset_names()
            raise ConfigError(
                f"no preset '{preset}'{nearest(str(preset), known)} (known: {', '.join(known)}; "
                "or give a path to a .yaml file)"
            )
    return read_yaml(path)


def _set(data: dict[str, Any], keys: Sequence[str], value: Any, full: str) -> None:
    for key in keys[:-1]:
        inner = data.get(key)
        if isinstance(inner, str) and key in _DEFAULTS:
            inner = {"name": inner}
        if inner is not None and not isinstance(inner, dict):
            raise ConfigError(f"'{full}' cannot be set: '{key}' is not a section")
        data[key] = dict(inner or ({"name": _DEFAULTS[key]} if key in _DEFAULTS else {}))
        data = data[key]
    data[keys[-1]] = value


_ROOM_OF = {"detector": "detect", "extractor": "describe", "matcher": "match", "index": "index"}
_DEFAULTS = {"detector": "yolo", "index": "memory"}


def _sentence(error: ValidationError, data: Mapping[str, Any], marks: Marks) -> str:
    """The first mistake as one sentence with its place; the number of further ones."""
    first, *others = error.errors(include_url=False)
    prefix: tuple[int | str, ...] = ()
    # What holds a mistake is complained of too ("no valid items"): that is the same mistake.
    n_more = sum(other["loc"] != first["loc"][: len(other["loc"])] for other in others)
    inner = first.get("ctx", {}).get("error")
    if isinstance(inner, ValidationError):
        prefix, first = first["loc"], inner.errors(include_url=False)[0]
    path = (*prefix, *first["loc"])
    key = ".".join(str(part) for part in path)
    more = f" (and {n_more} more)" if n_more else ""
    if first["type"] == "extra_forbidden":
        near = nearest(str(path[-1]), _known_keys(data, path[:-1]))
        return f"{marks.place(path)}: unknown key '{key}'{near}{more}"
    message = str(inner) if inner is not None and prefix == () else first["msg"]
    given = "" if isinstance(first["input"], dict | Component) else f", not {first['input']!r}"
    told = message[0].lower() + message[1:] if prefix or inner is None else message + "\0"
    text = told.rstrip("\0") if told.endswith("\0") else f"{told}{given}"
    return f"{marks.place(path)}: {f'{key}: ' if key else ''}{text}{more}"


def _known_keys(data: Any, path: Sequence[Any]) -> list[str]:
    """The keys that would be right at a place of the settings."""
    model: Any = Settings
    for part in path:
        data = data[part] if isinstance(data, list | tuple | dict) else None
        if part in _ROOM_OF:
            name = data if isinstance(data, str) else (data or {}).get("name", "")
            model = component(_ROOM_OF[part], name)
        elif part == "descriptors":
            model = Channel
        elif isinstance(part, str):
            model = model.model_fields[part].annotation
    return list(model.model_fields)


def json_schema() -> dict[str, Any]:
    """JSON Schema of a settings file (draft 2020-12), for editors."""
    schema = _with_rooms(Settings.model_json_schema())
    for room in ("detect", "describe", "match", "index"):
        choices: list[dict[str, Any]] = [{"enum": list(names(room))}]
        for name in names(room):
            one = component(room, name).model_json_schema(mode="validation")
            one["properties"] = {"name": {"const": name}, **one.get("properties", {})}
            one["required"] = ["name"]
            choices.append(one)
        schema.setdefault("$defs", {})[room] = {"oneOf": choices}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _with_rooms(schema: Any) -> Any:
    """The schema with every mark of a room replaced by a reference to its components."""
    if isinstance(schema, list):
        return [_with_rooms(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _with_rooms(value) for key, value in schema.items() if key != _ROOM_MARK}
    return {"$ref": f"#/$defs/{schema[_ROOM_MARK]}", **inner} if _ROOM_MARK in schema else inner


def dump_yaml(settings: Settings) -> str:
    """What is in force, as a YAML that loads back to the same settings."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
