"""One YAML file -> validated settings, with errors that name file, line and key.

A YAML says only what differs from the defaults in `root`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from objsearch.components.registry import Component, component
from objsearch.errors import ConfigError, nearest
from objsearch.settings.root import Channel, Settings
from objsearch.settings.yaml_lines import Marks, read_yaml

_PACKAGE = Path(__file__).resolve().parent.parent


def presets_dir() -> Path:
    """The folder of presets: inside an installed package, or beside it in a checkout."""
    inside = _PACKAGE / "configs"
    return inside if inside.is_dir() else _PACKAGE.parent / "configs"


def preset_names() -> tuple[str, ...]:
    """Every preset, `default` first."""
    presets = sorted(path.stem for path in presets_dir().glob("*.yaml"))
    return tuple(sorted(presets, key=lambda name: name != "default"))


def load_settings(
    preset: str | Path | Mapping[str, Any] | Settings | None = None,
    overrides: Mapping[str, Any] | None = None,
    called: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from a preset's name, a YAML file, plain data or settings, and then `overrides`.

    These go by dotted key. A text names a file by its ending `.yaml` or `.yml`; a `Path` may lead
    to one of any name.
    `load_settings("copies", {"search.top": 5})`. Raises ConfigError: one sentence that names the
    file, the line, the key and the nearest known name; of an override, what it is `called`.
    """
    data, marks = _read(preset if preset is not None else "default")
    for key, value in (overrides or {}).items():
        _set(data, key.split("."), value, key)
        marks.overridden[tuple(key.split("."))] = (called or {}).get(key, f"override '{key}'")
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_sentence(error, data, marks)) from None
    for path, given in _truths_for_numbers(data, settings):
        told = f"{_dotted(path)}: input should be a number, not {str(given).lower()}"
        raise ConfigError(f"{marks.place(path)}: {told}")
    return settings


def _read(preset: str | Path | Mapping[str, Any] | Settings) -> tuple[dict[str, Any], Marks]:
    if isinstance(preset, Settings):
        return preset.model_dump(mode="json"), Marks("settings")
    if isinstance(preset, Mapping):
        return dict(preset), Marks("settings")
    path = Path(preset).expanduser()
    is_named = isinstance(preset, Path) and path.exists() and str(preset) not in preset_names()
    if path.suffix not in (".yaml", ".yml") and not is_named:
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
_DEFAULTS = {"detector": "yolo", "index": "visual-words"}


def _sentence(error: ValidationError, data: Mapping[str, Any], marks: Marks) -> str:
    """The first mistake as one sentence with its place; the number of further ones."""
    first, *others = error.errors(include_url=False)
    prefix: tuple[int | str, ...] = ()
    # What holds a mistake is complained of too ("no valid items"): that is the same mistake.
    n_more = sum(other["loc"] != first["loc"][: len(other["loc"])] for other in others)
    inner = None if first["type"] in _WORDS else first.get("ctx", {}).get("error")
    if isinstance(inner, ValidationError):
        prefix, first = first["loc"], inner.errors(include_url=False)[0]
    path = (*prefix, *first["loc"])
    key = _dotted(path)
    more = f" (and {n_more} more)" if n_more else ""
    if first["type"] == "extra_forbidden":
        near = nearest(str(path[-1]), _known_keys(data, path[:-1]))
        return f"{marks.place(path)}: unknown key '{key}'{near}{more}"
    message = str(inner) if inner is not None and prefix == () else _in_words(first)
    given = "" if isinstance(first["input"], dict | Component) else f", not {first['input']!r}"
    told = message[0].lower() + message[1:] if prefix or inner is None else message + "\0"
    text = told.rstrip("\0") if told.endswith("\0") else f"{told}{given}"
    return f"{marks.place(path)}: {f'{key}: ' if key else ''}{text}{more}"


_WORDS = {
    "tuple_type": "Input should be a list",
    "model_type": "Input should be keys with their values",
    "dict_type": "Input should be keys with their values",
    **dict.fromkeys(
        ("date_from_datetime_parsing", "date_from_datetime_inexact", "date_type"),
        "Input should be a day such as 2024-02-28",
    ),
    "too_short": "Input should have at least {min_length} in its list",
}


def _in_words(mistake: Any) -> str:
    """What pydantic says, without Python's names for what a YAML holds."""
    words = _WORDS.get(mistake["type"])
    return words.format(**mistake.get("ctx", {})) if words else str(mistake["msg"])


def _dotted(path: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in path)


def _truths_for_numbers(
    data: Any, settings: Any, path: tuple[int | str, ...] = ()
) -> Iterator[tuple[tuple[int | str, ...], bool]]:
    """Where `true` was read as 1: a slip, for no number is a truth."""
    if isinstance(data, bool):
        if isinstance(settings, int | float) and not isinstance(settings, bool):
            yield path, data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _truths_for_numbers(value, getattr(settings, str(key), None), (*path, key))
    elif isinstance(data, list | tuple) and isinstance(settings, tuple):
        for number, (value, read) in enumerate(zip(data, settings, strict=False)):
            yield from _truths_for_numbers(value, read, (*path, number))


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
        elif part == "classifiers":
            model = None
        elif model is None:
            model = component("classify", data if isinstance(data, str) else data.get("name", ""))
        elif isinstance(part, str):
            model = model.model_fields[part].annotation
    return list(model.model_fields)


def dump_yaml(settings: Settings) -> str:
    """What is in force, as a YAML that loads back to the same settings."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
