"""Where what was described is remembered: a folder a recipe, in the user's cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from objsearch.components.registry import build, names
from objsearch.errors import LostIndexError, MissingDependencyError, UsageError
from objsearch.index import Index
from objsearch.index.base import IndexOptions, Rankers
from objsearch.search.keys import is_away
from objsearch.search.recipe import recipe_of
from objsearch.search.references import References, not_remembered
from objsearch.settings import Settings
from objsearch.types import Recipe

VARIABLE = "OBJSEARCH_LIBRARY"
"""Environment variable that names another folder."""
STORED = "lance"
REPLACED = frozenset({"memory", "visual-words"})
"""Indexes that end with the process: in their place what was described is remembered."""
UNSEARCHED = {"extractor": "none", "flat_regions": 10**9}
"""Options of an index that is read by key alone."""


def library_dir() -> Path:
    """The folder of the library: `OBJSEARCH_LIBRARY`, or the user's cache folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("objsearch", appauthor=False) / "library"


def remembering(settings: Settings, folder: Path | None = None) -> Settings:
    """The settings with an index that outlives the process, in a folder of its recipe's own.

    It is a cache: a search that cannot use it goes on without, and says so in its warnings.
    Settings that name a folder themselves, or an index of another package, stay as they are.
    """
    is_named = settings.index.name == STORED and settings.index.spec().get("path")
    if is_named or settings.index.name not in {*REPLACED, STORED} or STORED not in names("index"):
        return settings
    path = folder_of(recipe_of(settings), folder or library_dir())
    return stored_at(settings, path, is_cache=True)


def folder_of(recipe: Recipe, folder: Path) -> Path:
    """Where in a library the rows of a recipe lie."""
    return folder / recipe.fingerprint[:16]


def stored_at(
    settings: Settings, path: Path, *, is_cache: bool = False, root: Path | None = None
) -> Settings:
    """The settings with an index in one folder; what theirs looks up by words, that does, too."""
    spec = settings.index.spec() if settings.index.name in {*REPLACED, STORED} else {}
    spec = {**spec, "name": STORED, "path": str(path), "cache": is_cache}
    if root is not None:
        spec["root"] = str(root)
    return settings.model_copy(update={"index": build("index", spec)})


def open_kept(recipe: Recipe, folder: Path) -> tuple[Index | None, list[str]]:
    """Rows of a recipe in a library's folder, to be read by key: nothing is looked for in them.

    None where they cannot be kept, and what there is to say of it.
    """
    # No words, and no index of vectors: both would be made for searches that nobody asks for.
    path = str(folder_of(recipe, folder))
    options: IndexOptions = build(  # type: ignore[assignment]
        "index", {"name": STORED, "path": path, "cache": True, **UNSEARCHED}
    )
    return _open_cache(options, recipe, {})


def open_references(
    settings: Settings, rankers_beside: Callable[[frozenset[str]], Rankers]
) -> References:
    """What a search looks among, in the index of its settings.

    `rankers_beside` gives those of aliases that the index does not rank by itself. A cache that
    cannot be used is done without, one that is damaged is set aside and begun anew; `told` of the
    references says so. Raises what opening raises of an index that is no cache.
    """
    options, recipe = settings.index, recipe_of(settings)
    rankers = rankers_beside(options.covers)
    if not options.is_cache:
        opened = options.open(recipe, rankers)
        return References(opened, {}, options.keeps, told=_lost_root(opened))
    in_memory = partial(_open_in_memory, options, recipe, rankers)
    index, told = _open_cache(options, recipe, rankers)
    if index is None:
        return References(in_memory(), {}, is_shared=True, told=told)
    return References(index, {}, is_shared=True, spare=in_memory, told=told)


def _lost_root(index: Index) -> list[str]:
    """What there is to say where the photos of an index are not at hand."""
    if index.root is None or not is_away(index.root):
        return []
    return [
        f"the root '{index.root}' of the index is not there, or empty: hits are not looked at "
        "again; say by --root where it lies now"
    ]


def _open_in_memory(options: IndexOptions, recipe: Recipe, rankers: Rankers) -> Index:
    return options.in_memory().open(recipe, rankers)


def _open_cache(
    options: IndexOptions, recipe: Recipe, rankers: Rankers
) -> tuple[Index | None, list[str]]:
    try:
        # Twice: another process may have replaced what the first look at the record named.
        with suppress(LostIndexError):
            return options.open(recipe, rankers), []
        return options.open(recipe, rankers), []
    except LostIndexError as error:
        return _begun_anew(options, recipe, rankers, error)
    except (MissingDependencyError, UsageError) as error:
        return None, [not_remembered(error)]


def _begun_anew(
    options: IndexOptions, recipe: Recipe, rankers: Rankers, lost: LostIndexError
) -> tuple[Index | None, list[str]]:
    """An empty cache in the place of one that can be read no more."""
    try:
        aside = set_aside(Path(lost.folder))
        index = options.open(recipe, rankers)
    except (OSError, UsageError):
        return None, [not_remembered(lost)]
    told = f"{lost.reason}: it lies in '{aside}' now, and photos are described anew"
    return index, [told]


def set_aside(folder: Path) -> Path:
    """Give a folder another name, by which it is out of the way; returns that. Raises OSError."""
    number = 1
    while (aside := folder.with_name(f"{folder.name}.damaged-{number}")).exists():
        number += 1
    folder.rename(aside)
    return aside
