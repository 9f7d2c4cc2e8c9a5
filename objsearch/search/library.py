"""Where what was described is remembered: a folder a recipe, in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

from objsearch.components.registry import build, names
from objsearch.search.recipe import recipe_of
from objsearch.settings import Settings

VARIABLE = "OBJSEARCH_LIBRARY"
"""Environment variable that names another folder."""
STORED = "lance"
REPLACED = frozenset({"memory", "visual-words"})
"""Indexes that end with the process: in their place what was described is remembered."""


def library_dir() -> Path:
    """The folder of the library: `OBJSEARCH_LIBRARY`, or the user's cache folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("objsearch", appauthor=False) / "library"


def remembering(settings: Settings, folder: Path | None = None) -> Settings:
    """The settings with an index that outlives the process, in a folder of its recipe's own.

    Settings that name such an index themselves, or one of another package, stay as they are.
    """
    if settings.index.name not in REPLACED or STORED not in names("index"):
        return settings
    path = (folder or library_dir()) / recipe_of(settings).fingerprint[:16]
    return stored_at(settings, path)


def stored_at(settings: Settings, path: Path) -> Settings:
    """The settings with an index in one folder; what theirs looks up by words, that does, too."""
    spec = settings.index.spec() if settings.index.name in {*REPLACED, STORED} else {}
    spec = {**spec, "name": STORED, "path": str(path)}
    return settings.model_copy(update={"index": build("index", spec)})
