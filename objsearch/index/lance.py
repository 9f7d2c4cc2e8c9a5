"""An index that lasts: rows in a folder, by Lance."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from objsearch.errors import UsageError
from objsearch.index import lance_thumbnails
from objsearch.index.base import Index, Rankers
from objsearch.index.lance_editing import Editor
from objsearch.index.lance_info import Info, info_of
from objsearch.index.lance_nearest import Limits, Looker
from objsearch.index.lance_store import Store
from objsearch.index.lance_sums import Checked, check_ends, check_files
from objsearch.index.lance_view import View
from objsearch.index.lance_words import WordFinder
from objsearch.index.visual_words import VisualWords
from objsearch.index.where import EVERYTHING, Where
from objsearch.types import Candidate, DescribedImage, Key, Recipe, Row, Stamp, Unreadable


class Lance(VisualWords):
    """As `visual-words`, kept in a folder: a later run finds what this one described.

    Vectors are kept as half floats. Many of them are searched through an index of cells, which may
    miss a candidate; `exact` looks at all of them.
    """

    name = "lance"
    keeps = True

    path: str = Field(
        "",
        description="the folder; it is made when the first row is put in. Without, these are "
        "options of the index or the library that a command names",
    )
    exact: bool = Field(False, description="compare with every vector, however many there are")
    flat_regions: int = Field(
        20_000, ge=1, description="regions up to which every vector is compared with"
    )
    n_probes: int = Field(50, ge=1, description="cells of the index of vectors that are looked at")
    root: str | None = Field(
        None,
        description="the folder that files are known from, where it lies now: an index that is "
        "begun with one can be moved along with it; null: whole paths, or where it was found last",
    )
    wait_seconds: float = Field(
        10.0, ge=0, description="how long to wait for another writer of the same folder"
    )

    cache: bool = Field(
        False,
        description="what cannot be kept may be lost: a search then says so, and goes on in memory",
    )

    @property
    def is_cache(self) -> bool:
        return self.cache

    def in_memory(self) -> VisualWords:
        return VisualWords(**{name: getattr(self, name) for name in VisualWords.model_fields})

    def open(self, recipe: Recipe, rankers: Rankers) -> Stored:  # type: ignore[override]
        """An index in a folder, which need not be there yet.

        Raises MissingDependencyError without Lance, LostIndexError for a folder that is damaged or
        of an older objsearch, and UsageError for one of another recipe, of a newer objsearch, or
        that is no index, and where no folder is named.
        """
        if not self.path:
            raise UsageError("index.path is not given: name the folder that the index lies in")
        stored = Stored(self, recipe, rankers)
        if self.cache:  # now, while it can still be done without
            stored.check()
        return stored


class Stored(Index):
    """An open folder; or one moment of it, for reading."""

    def __init__(
        self, options: Lance, recipe: Recipe, rankers: Rankers, view: View | None = None
    ) -> None:
        self.options, self.recipe, self._rankers = options, recipe, rankers
        self._is_fixed = view is not None
        self._open(view)

    def _open(self, view: View | None = None) -> None:
        options = self.options
        self._store = view.store if view else self._stored()
        self._finder = WordFinder(options)
        self._finder.check_extractor(self._store, self._store.read())
        self._editor = Editor(self._store, self._finder, options.flat_regions, options.wait_seconds)
        self._limits = Limits(options.exact, options.flat_regions, options.n_probes)
        self._looker = self._looking(view) if view else None
        self._lock = threading.Lock()

    def _stored(self) -> Store:
        options = self.options  # what is remembered without asking is nobody else's business
        return Store(options.path, self.recipe, options.root, is_private=options.cache)

    def _looking(self, view: View) -> Looker:
        return Looker(view, self._limits, self._finder, self._rankers)

    def _look(self) -> Looker:
        """What reads the rows as they are now."""
        with self._lock:
            if self._looker is not None and self._is_fixed:
                return self._looker
            record = self._store.read()
            known = self._looker
            if known is None or known.view.record.generation != record.generation:
                self._looker = known = self._looking(View(self._store, record))
            return known

    def put(self, rows: Iterable[Row]) -> None:
        """Raises UsageError where another process writes for too long or the disk refuses."""
        self._editor.put(rows)

    def remove(self, keys: Iterable[Key]) -> int:
        return self._editor.remove(keys)

    def due(self) -> list[str]:
        return self._editor.due()

    def optimize(self) -> list[str]:
        """Bring what is derived from the rows up to date; what was done, in words."""
        return self._editor.optimize()

    def compact(self) -> int:
        """Put small files together and delete versions that nobody reads; returns bytes freed."""
        return self._editor.compact()

    def info(self) -> Info:
        """What the folder holds, and how much of the exact answer the approximate search finds."""
        return info_of(self._look(), self._editor.due())

    def stamps(self) -> Mapping[Key, Stamp]:
        return self._look().view.stamps

    def row(self, key: Key) -> Row | None:
        view = self._look().view
        return view.row(view.places[key]) if key in view.places else None

    def get(self, keys: Sequence[Key]) -> list[DescribedImage]:
        view = self._look().view
        places = [view.places[key] for key in keys]
        for place in places:
            if not view.is_described[place]:
                raise KeyError(view.keys[place])
        return view.described(places) if places else []

    def nearest(
        self, query: DescribedImage, limit: int | None, where: Where = EVERYTHING
    ) -> list[Candidate]:
        return self._look().nearest(query, limit, where)

    def neighbours(self, alias: str, count: int) -> Iterator[tuple[Key, Key, float]]:
        return self._look().neighbours(alias, count)

    def unreadable(self, where: Where = EVERYTHING) -> list[Unreadable]:
        return self._look().view.unreadable(where)

    def keys(self, where: Where = EVERYTHING) -> Sequence[Key]:
        view = self._look().view
        return [view.keys[place] for place in view.kept(where)]

    def count(self, where: Where = EVERYTHING) -> int:
        return len(self._look().view.kept(where))

    def labels(self, where: Where = EVERYTHING) -> frozenset[str]:
        view = self._look().view
        return view.labels(view.kept(where))

    def warnings(self, where: Where = EVERYTHING) -> Mapping[Key, tuple[str, ...]]:
        view = self._look().view
        return view.warnings(view.kept(where))

    @property
    def root(self) -> str | None:
        return self._store.root_of(self._store.read()).folder or None

    def check_keys(self, keys: Iterable[Key]) -> None:
        root = self._store.root_of(self._store.read())
        for key in keys if root.folder else ():
            root.below(key)

    def check(self) -> None:
        """Look whether all files are there to their ends, and read what is kept in memory anyway.

        Raises LostIndexError.
        """
        check_ends(self._store)
        self.stamps()

    def without_thumbnail(self, keys: Iterable[Key]) -> list[Key]:
        return lance_thumbnails.without_thumbnail(self._look().view, keys)

    def keep_thumbnails(self, thumbnails: Sequence[tuple[Key, bytes]]) -> None:
        self._editor.keep_thumbnails(dict(thumbnails))

    def thumbnail(self, key: Key) -> bytes | None:
        return lance_thumbnails.thumbnail(self._look().view, key)

    def check_files(self) -> Checked:
        return check_files(self._store, self._look().view.record)

    def snapshot(self) -> Stored:
        return Stored(self.options, self.recipe, self._rankers, self._look().view)

    def close(self) -> None:
        """Brings what is derived up to date where many rows were put in."""
        if not self._is_fixed:
            self._editor.close()

    def __getstate__(self) -> dict[str, Any]:
        """The rows stay in the folder."""
        record = self._look().view.record if self._is_fixed else None
        kept = {name: self.__dict__[name] for name in ("options", "recipe", "_rankers")}
        return {**kept, "record": record}

    def __setstate__(self, state: dict[str, Any]) -> None:
        record = state.pop("record")
        self.__dict__.update(state, _is_fixed=record is not None)
        self._open(View(self._stored(), record) if record else None)
