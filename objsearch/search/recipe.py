"""What made the rows of an index: everything that a description depends on."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from objsearch.components.plugins import plugins
from objsearch.components.registry import is_brought
from objsearch.components.weights import fingerprint
from objsearch.settings import Settings
from objsearch.types import Recipe, flattened

DESCRIBING = "2"
"""Goes up whenever the same options come to describe a picture otherwise."""
WEIGHTS = frozenset({"weights", "checkpoint"})
"""Options that name a file: its bytes count, not where it lies."""
BESIDES = {
    "exclude", "include", "changed_from", "changed_to", "min_bytes",
    "offline", "allow_private", "timeout_seconds",
}  # fmt: skip
"""Options that say which files are read, and not how."""
PARTS = ("numpy", "opencv-python-headless", "onnxruntime", "pillow", "pymupdf")
"""Packages whose versions change pixels or the last bits of vectors."""


def recipe_of(settings: Settings) -> Recipe:
    """The recipe of what some settings describe: detector, extractors, reading, versions."""
    return recipe_with(settings, described_with(settings))


def described_with(settings: Settings) -> dict[str, Any]:
    """The options by which settings describe what was read."""
    return {
        "detector": settings.detector.spec(),
        "descriptors": {
            channel.alias: channel.extractor.spec() for channel in settings.descriptors
        },
        "frames": settings.assignment.frames,
    }


def recipe_with(settings: Settings, made_by: Mapping[str, Any]) -> Recipe:
    """The recipe of what is made of pictures by some options, read as settings say."""
    options = {
        "describing": DESCRIBING,
        **made_by,
        "input": settings.input.model_dump(mode="json", exclude=BESIDES),
        "versions": {name: _version(name) for name in PARTS} | _packages(settings),
    }
    return Recipe({name: _hashed(name, text) for name, text in flattened(options).items()})


def _hashed(name: str, text: str) -> str:
    is_weights = name.rpartition(".")[2] in WEIGHTS and text != "None"
    return f"{text} ({fingerprint(text)[:16]})" if is_weights else text


def _packages(settings: Settings) -> dict[str, str]:
    """Versions of other packages whose detector or extractors are used: they may change theirs."""
    used = [("detect", settings.detector.name)]
    used += [("describe", channel.extractor.name) for channel in settings.descriptors]
    brought = (plugins(room)[name] for room, name in used if is_brought(room, name))
    return {plugin.package: plugin.version for plugin in brought}


def _version(name: str) -> str:
    """Major and minor: what else changes mends."""
    try:
        return ".".join(version(name).split(".")[:2])
    except PackageNotFoundError:
        return "none"


def described_by(recipe: Recipe) -> Mapping[str, str]:
    """The options of a recipe that name its detector and extractors, for people."""
    return {
        name: text
        for name, text in recipe.options.items()
        if name.startswith(("detector.", "descriptors."))
    }
