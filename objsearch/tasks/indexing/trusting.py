"""How far an index is believed in what it says of itself: it may come from somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from objsearch.errors import UsageError
from objsearch.search.recipe import weights_to_trust
from objsearch.settings import Settings
from objsearch.types import flattened


def trusted(folder: str | Path, settings: Settings, said: Iterable[str] = ()) -> Settings:
    """The settings that an index holds, where they name nothing that could do harm.

    Weights that may run code, or are fetched, have to be in what a person `said`, such as
    `detector.weights=mine.pt`. Raises UsageError.
    """
    values = (yaml.safe_load(text.partition("=")[2]) for text in said)
    named = {word for value in values for word in flattened(value).values()}
    for name, weights in weights_to_trust(settings).items():
        if weights not in named:
            by_set = f", or --set {name}={weights}" if name.startswith("detector.") else ""
            raise UsageError(
                f"the index '{folder}' wants '{weights}' loaded, which may run code or be fetched: "
                f"if you trust that, name the settings that it was made with (--config){by_set}"
            )
    return settings


def without_rights(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings that an index holds, which let nobody into a private network: a person may."""
    reading = data.get("input")
    if not isinstance(reading, dict):
        return data
    return {**data, "input": {**reading, "allow_private": False}}
