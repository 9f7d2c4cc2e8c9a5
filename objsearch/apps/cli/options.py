"""Options that several subcommands share, and what they become in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.settings import Settings

_DAYS = ["%Y-%m-%d"]


class Mode(StrEnum):
    """The two recognition modes, and both at once."""

    whole = "whole"
    object = "object"
    auto = "auto"


class Fusion(StrEnum):
    """How several query images become one score."""

    max = "max"
    mean = "mean"
    rrf = "rrf"
    min = "min"


class FoundVerdict(StrEnum):
    """The verdicts of what counts as found."""

    same = "same"
    uncertain = "uncertain"


class RoiMode(StrEnum):
    """What becomes of a region of interest."""

    as_picture = "replace"
    detections_inside = "filter"


PresetOption = Annotated[
    str | None,
    typer.Option("--preset", help="A preset by name; `objsearch config presets` lists them."),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="A YAML file with settings, in place of a preset.")
]
ModeOption = Annotated[
    Mode | None,
    typer.Option(
        "--mode",
        help="whole: the full frame is the one object. object: objects that a detector finds. "
        "auto: both, as the preset says.",
    ),
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="Threads; changes the time, not the answer.")
]
IndexOption = Annotated[
    Path | None,
    typer.Option("--index", metavar="DIR", help="Search an index made by `objsearch index build`."),
]
RootOption = Annotated[
    Path | None,
    typer.Option(
        "--root",
        metavar="DIR",
        help="Where the root of the index lies now, if it is not found by itself.",
    ),
]
LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="DIR",
        help="Where descriptions are remembered; without: in your cache folder.",
    ),
]
ForgetOption = Annotated[
    bool, typer.Option("--forget", help="Neither use what is remembered nor remember anything.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as geometry.tolerance=3."),
]
DecisionsOption = Annotated[
    Path | None,
    typer.Option(
        "--decisions",
        metavar="FILE.json",
        help="Where it is remembered which photos are no duplicates; without: in your data folder.",
    ),
]
ForceOption = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Replace a file that is no earlier output of objsearch; never one of the inputs.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for programs, on stdout alone.")]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.html", help="A page with the evidence."),
]
CsvOption = Annotated[bool, typer.Option("--csv", help="CSV for programs, on stdout alone.")]

RegionOption = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="The part of the query that counts: x,y,w,h or two corners x1,y1:x2,y2, in pixels, "
        "fractions (0.1,0.2,0.5,0.5) or percent (10%,20%:60%,70%).",
    ),
]
InRegionOption = Annotated[
    str | None,
    typer.Option(
        "--in-region", metavar="REGION", help="The part of every photo searched that counts."
    ),
]
RoiModeOption = Annotated[
    RoiMode | None,
    typer.Option(
        "--roi-mode",
        help="replace: a region is the picture, as if cut out. filter: the whole photo is looked "
        "at, and the detections inside the region count.",
    ),
]
WeightOption = Annotated[
    list[float] | None,
    typer.Option(
        "--weight", metavar="W", help="How much a query photo counts; once for each, in order."
    ),
]
VerdictOption = Annotated[
    list[FoundVerdict] | None,
    typer.Option(
        "--verdict",
        help="Only hits of this verdict; repeat for both. Decides on the exit code, too.",
    ),
]
NotOption = Annotated[
    list[str] | None,
    typer.Option(
        "--not",
        metavar="IMAGE",
        help="A photo of what is not wanted; what is more like it is ranked down. Repeat.",
    ),
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="GLOB", help="Look only at files that match. Repeat."),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="GLOB", help="Pass over files that match. Repeat."),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label", help="Search only photos where the detector sees a thing so called. Repeat."
    ),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option("--since", formats=_DAYS, help="Search only files changed on that day or later."),
]
UntilOption = Annotated[
    datetime | None,
    typer.Option("--until", formats=_DAYS, help="Search only files changed up to that day."),
]
MinBytesOption = Annotated[
    int | None, typer.Option("--min-bytes", min=0, help="Search only files of that size or larger.")
]
MaxBytesOption = Annotated[
    int | None, typer.Option("--max-bytes", min=1, help="Search only files up to that size.")
]
MinPixelsOption = Annotated[
    int | None,
    typer.Option("--min-pixels", min=0, help="Search only photos of that many pixels or more."),
]
MaxPixelsOption = Annotated[
    int | None, typer.Option("--max-pixels", min=1, help="Search only photos up to that.")
]


def filters_of(**given: Any) -> dict[str, Any]:
    """The settings, by dotted key, that the filter options stand for; those not given are left out.

    What can be known before a photo is opened keeps it from being opened at all.
    """
    told = {key: value for key, value in given.items() if value is not None}
    days = {key: value.date() for key, value in told.items() if isinstance(value, datetime)}
    told |= days
    filters = {f"search.where.{key}": value for key, value in told.items()}
    unopened = ("include", "exclude", "changed_from", "changed_to", "min_bytes")
    return filters | {f"input.{key}": told[key] for key in unopened if key in told}


def files_filters(include: list[str] | None, exclude: list[str] | None) -> dict[str, Any]:
    """The settings for which files of folders and globs are looked at."""
    given = {"input.include": include, "input.exclude": exclude}
    return {key: value for key, value in given.items() if value is not None}


def settings_of(
    preset: str | Mapping[str, Any] | None,
    config: Path | None,
    mode: Mode | None = None,
    workers: int | None = None,
    assignments: list[str] | None = None,
    more: dict[str, Any] | None = None,
) -> Settings:
    """Settings from the shared options, on top of a preset, a file or plain settings.

    Raises ConfigError and UsageError.
    """
    from objsearch.settings import load_settings

    if preset is not None and config is not None:
        raise UsageError("give either --preset or --config, not both")
    chosen: str | Path | Mapping[str, Any] = config if config is not None else preset or "default"
    assigned = dict(_assignment(text) for text in assignments or [])
    overrides = assigned | (more or {})
    if workers is not None:
        overrides["run.workers"] = workers
    called = _called(overrides, assigned)
    settings = load_settings(chosen, overrides, called)
    extra = _mode_overrides(mode, settings)
    return load_settings(chosen, {**extra, **overrides}, called) if extra else settings


def _called(overrides: Mapping[str, Any], assigned: Mapping[str, Any]) -> dict[str, str]:
    """What a person has written for a setting, for messages about mistakes."""
    return {key: f"--set {key}" if key in assigned else "command line" for key in overrides}


def settings_with(
    wanted: Mapping[str, Any],
    preset: str | None,
    config: Path | None,
    workers: int | None,
    assignments: list[str] | None,
    default: str,
) -> Settings:
    """Like `settings_of`, with what a command's own options want, and its own default preset."""
    from objsearch.settings import load_settings

    settings_of(preset, config)  # says when both are given
    chosen: str | Path = config if config is not None else preset or default
    overrides = {key: value for key, value in wanted.items() if value is not None}
    assigned = dict(_assignment(text) for text in assignments or [])
    overrides |= assigned
    if workers is not None:
        overrides["run.workers"] = workers
    return load_settings(chosen, overrides, _called(overrides, assigned))


def _mode_overrides(mode: Mode | None, settings: Settings) -> dict[str, Any]:
    if mode == Mode.whole:
        return {"detector": {"name": "whole-image"}}
    if mode is None:
        return {}
    # A preset without a detector gets the default one; a preset's own choice of detector stays.
    extra: dict[str, Any] = {}
    if settings.detector.name == "whole-image":
        extra["detector"] = {"name": "yolo"}
    if mode == Mode.object:
        extra["assignment.frames"] = False
    return extra


def _assignment(text: str) -> tuple[str, Any]:
    import yaml

    key, separator, value = text.partition("=")
    if not separator or not key:
        raise UsageError(f"--set wants KEY=VALUE, such as search.top=5, not '{text}'")
    try:
        return key, yaml.safe_load(value)
    except ValueError as error:  # a date that there is not
        raise UsageError(f"--set {key}: '{value}' is no value ({error})") from None
    except (yaml.YAMLError, RecursionError):
        told = f"'{value}' is no value in YAML, where text with signs in it stands in quotes"
        raise UsageError(f"--set {key}: {told}") from None
