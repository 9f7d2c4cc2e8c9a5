"""Options that several subcommands share, and what they become in the settings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.settings import Settings


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
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as geometry.tolerance=3."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for programs, on stdout alone.")]


def settings_of(
    preset: str | None,
    config: Path | None,
    mode: Mode | None = None,
    workers: int | None = None,
    assignments: list[str] | None = None,
) -> Settings:
    """Settings from the shared options; raises ConfigError and UsageError."""
    from objsearch.config import load_settings

    if preset is not None and config is not None:
        raise UsageError("give either --preset or --config, not both")
    chosen: str | Path = config if config is not None else preset or "default"
    overrides = dict(_assignment(text) for text in assignments or [])
    if workers is not None:
        overrides["run.workers"] = workers
    settings = load_settings(chosen, overrides)
    extra = _mode_overrides(mode, settings)
    return load_settings(chosen, {**extra, **overrides}) if extra else settings


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
    except (yaml.YAMLError, ValueError):
        raise UsageError(f"--set {key}: '{value}' is no value in YAML") from None
