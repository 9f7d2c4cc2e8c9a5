"""Where what was described is remembered: a folder a recipe, in the user's cache."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from objsearch.components.registry import build, names
from objsearch.index import Index
from objsearch.index.base import IndexOptions
from objsearch.search.recipe import recipe_of
from objsearch.settings import Settings
from objsearch.types import Recipe

VARIABLE = "OBJSEARCH_LIBRARY"
"""Environment variable that names another folder."""
STORED = "lance"
REPLACED = frozenset({"memory", "visual-words"})
"""Indexes that end with the process: in their place what was described is remembered."""
UNSEARCHED = {"extractor": "none", "flat_regions": 10**9}
"""Options of an index that is read by key alone."""


def can_remember() -> bool:
    """Whether the package that keeps rows on disk is installed; some machines have none."""
    return find_spec("lance") is not None


def library_dir() -> Path:
    """The folder of the library: `OBJSEARCH_LIBRARY`, or the user's cache folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("objsearch", appauthor=False) / "library"


def remembering(settings: Settings, folder: Path | None = None) -> Settings:
    """The settings with an index that outlives the process, in a folder of its recipe's own.

    Settings that name such an index themselves, or one of another package, stay as they are, and
    so do all where nothing can be kept.
    """
    is_replaced = settings.index.name in REPLACED and STORED in names("index")
    if not is_replaced or not can_remember():
        return settings
    path = folder_of(recipe_of(settings), folder or library_dir())
    return stored_at(settings, path)


def folder_of(recipe: Recipe, folder: Path) -> Path:
    """Where in a library the rows of a recipe lie."""
    return folder / recipe.fingerprint[:16]


def stored_at(settings: Settings, path: Path) -> Settings:
    """The settings with an index in one folder; what theirs looks up by words, that does, too."""
    spec = settings.index.spec() if settings.index.name in {*REPLACED, STORED} else {}
    spec = {**spec, "name": STORED, "path": str(path)}
    return settings.model_copy(update={"index": build("index", spec)})


def open_kept(recipe: Recipe, folder: Path) -> Index:
    """Rows of a recipe in a library's folder, to be read by key: nothing is looked for in them.

    Raises MissingDependencyError where nothing can be stored, and UsageError.
    """
    # No words, and no index of vectors: both would be made for searches that nobody asks for.
    spec = {"name": STORED, "path": str(folder_of(recipe, folder)), **UNSEARCHED}
    options: IndexOptions = build("index", spec)  # type: ignore[assignment]
    return options.open(recipe, {})
