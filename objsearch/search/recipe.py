"""What made the rows of an index: everything that a description depends on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from objsearch.components.plugins import plugins
from objsearch.components.registry import Component, is_brought
from objsearch.components.weights import OF_NUMBERS, fingerprint, is_absent, is_named
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
"""Packages whose versions change pixels or the last bits of vectors, whatever describes them."""


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
        "versions": _versions(settings, made_by),
    }
    return Recipe({name: _hashed(name, text) for name, text in flattened(options).items()})


def weights_not_here(settings: Settings) -> list[str]:
    """Options by dotted name, with the file of weights each names that is not on this machine."""
    options = flattened(described_with(settings))
    return [
        f"{name}: {text}"
        for name, text in options.items()
        if _is_weights(name, text) and is_absent(text)
    ]


def weights_to_trust(settings: Settings) -> dict[str, str]:
    """Weights that have to be trusted, by the dotted names of the options that name them.

    Those of models/ came with this package, and files of numbers alone do nothing. Others may run
    code when they are loaded, or are fetched from elsewhere.
    """
    return {
        name: text
        for name, text in flattened(described_with(settings)).items()
        if _is_weights(name, text) and not is_named(text) and Path(text).suffix not in OF_NUMBERS
    }


def _hashed(name: str, text: str) -> str:
    return f"{text} ({fingerprint(text)[:16]})" if _is_weights(name, text) else text


def _is_weights(name: str, text: str) -> bool:
    return name.rpartition(".")[2] in WEIGHTS and text != "None"


def _versions(settings: Settings, made_by: Mapping[str, Any]) -> dict[str, str]:
    """Versions of packages by name: those of all pictures, then those of the components used."""
    every = {name: _version(name) for name in PARTS}
    if "descriptors" not in made_by:  # a first look, say: no component made it
        return every
    used: list[tuple[str, Component]] = [("detect", settings.detector)]
    used += [("describe", channel.extractor) for channel in settings.descriptors]
    for room, component in used:
        every |= {name: _version(name) for name in component.made_with()}
        if is_brought(room, component.name):  # by another package, which may change it
            plugin = plugins(room)[component.name]
            every[plugin.package] = plugin.version
    return every


@cache
def _version(name: str) -> str:
    """Major and minor: what else changes mends. A process has loaded one, and keeps it."""
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
