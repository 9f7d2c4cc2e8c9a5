"""A name in `models/manifest.yaml`, or a path, -> a verified local file. Never the network.

The default weights travel inside the package; a checkout finds them in `models/` beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from objsearch.errors import WeightsError, nearest

FILES = frozenset({".onnx", ".safetensors", ".pt", ".pth", ".engine", ".torchscript"})
"""Endings of files of weights; other text names a model."""
OF_NUMBERS = frozenset({".onnx", ".safetensors"})
"""Of these, the endings of files that hold numbers alone: to load one runs no code of its own."""
_PACKAGE = Path(__file__).resolve().parent.parent


def models_dir() -> Path:
    """The folder of the manifest: inside an installed package, or beside it in a checkout."""
    for folder in (_PACKAGE / "models", _PACKAGE.parent / "models"):
        if (folder / "manifest.yaml").is_file():
            return folder
    raise WeightsError("models/manifest.yaml is missing: this installation of objsearch is damaged")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One entry of the manifest."""

    name: str
    file: Path
    facts: Mapping[str, Any]


@cache
def manifest() -> dict[str, ModelCard]:
    """Every model in the manifest, by name."""
    folder = models_dir()
    entries = yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8"))["models"]
    return {name: ModelCard(name, folder / facts["file"], facts) for name, facts in entries.items()}


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def card(name: str) -> ModelCard:
    """The manifest's entry of that name, its file checked against its hash.

    Raises WeightsError when the name is unknown, the file is missing or its bytes differ.
    """
    known = manifest()
    if name not in known:
        raise WeightsError(
            f"no weights called '{name}'{nearest(name, known)} "
            f"(known: {', '.join(sorted(known))}; or give a path to a file)"
        )
    entry = known[name]
    if not entry.file.is_file():
        raise WeightsError(f"the weights '{name}' are missing: no file {entry.file}")
    if sha256_of(entry.file) != entry.facts["sha256"]:
        raise WeightsError(f"the weights '{name}' are damaged: {entry.file} has another SHA-256")
    return entry


def is_named(weights: str) -> bool:
    """Whether the text is a name of the manifest rather than a path."""
    return weights in manifest()


def is_absent(weights: str) -> bool:
    """Whether the text is a path, by its ending, at which there is nothing."""
    path = Path(weights).expanduser()
    return not is_named(weights) and path.suffix in FILES and not path.exists()


def fingerprint(weights: str) -> str:
    """What identifies the weights in a stored spec: the SHA-256 of the file, or its text."""
    if is_named(weights):
        return str(manifest()[weights].facts["sha256"])
    path = Path(weights).expanduser()
    return sha256_of(path) if path.is_file() else weights
