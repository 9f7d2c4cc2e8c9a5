"""Building an index in a folder, and keeping it up with the photos."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from objsearch.errors import UsageError
from objsearch.files import write_own
from objsearch.flow import Progress, silent
from objsearch.index.lance_info import former_root
from objsearch.index.lance_store import RECORD
from objsearch.search.keys import by_file, file_of, is_away, is_there
from objsearch.search.library import set_aside, stored_at
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.recipe import recipe_of
from objsearch.settings import Settings, load_settings
from objsearch.sources import each_input, is_url, key_of, ref_of
from objsearch.tasks.indexing.informing import info_of
from objsearch.tasks.indexing.trusting import trusted, without_rights
from objsearch.types import Unreadable

ROWS = "rows"
"""The folder of an index that holds its rows."""
SETTINGS = "settings.json"
"""The file of an index that says how its photos were described."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of photos: read and described, remembered as they were, or forgotten.

    `unreadable` are all of the index that cannot be read, with reasons.
    """

    described: int = 0
    remembered: int = 0
    removed: int = 0
    unreadable: tuple[Unreadable, ...] = ()


def build_index(
    folder: str | Path,
    sources: Any,
    settings: Settings | None = None,
    progress: Progress = silent,
    *,
    anew: bool = False,
    root: Path | None = None,
) -> Tally:
    """Describe photos into a new index, or into one of the same recipe; what it holds stays.

    `sources` are one or several, as `ObjectSearch.add` takes them; all are files or addresses.
    A build that was stopped goes on where it was. With `anew`, rows that are there lie beside the
    new ones afterwards, in a folder `rows.damaged-1`. With a `root`, photos are known by their
    places below it, and the index can be moved along with them; all lie in it, then.

    Raises UsageError for a folder that holds something else or cannot be written to, an index that
    is damaged, or one that was made otherwise, naming what differs first.
    """
    path = Path(folder)
    if path.exists() and not _is_index(path) and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(f"'{path}' holds something else than an index: name another folder")
    chosen = settings or trusted(path, load_settings(settings_in(path, anew=anew)))
    if anew and _is_index(path):
        root = root or former_root(path / ROWS)
        _set_rows_aside(path)
    with_index = stored_at(chosen, path / ROWS, root=root)
    search = ObjectSearch(with_index, progress)  # refuses another recipe before anything is written
    _keep_settings(path, chosen, anew)
    tally = _added(search, sources)
    if _has_rows(path):
        _keep_settings(path, chosen, anew=False)
    return tally


def open_index(
    folder: str | Path,
    settings: Settings | None = None,
    progress: Progress = silent,
    root: Path | None = None,
) -> ObjectSearch:
    """A search over all photos of an index, by the settings that it was made with, or others.

    `root` says where the root of an index that has one lies now, where that is not found by itself:
    where it was, or as seen from the index. Raises UsageError where there is no index, the
    settings would have described otherwise, or those in it name weights that have to be trusted.
    """
    if settings is None and _is_index(Path(folder)):
        settings = trusted(folder, _stored_settings(Path(folder)))
    return _opened(folder, settings, progress, root)


def _opened(
    folder: str | Path,
    settings: Settings | None = None,
    progress: Progress = silent,
    root: Path | None = None,
) -> ObjectSearch:
    path = Path(folder)
    if not _is_index(path):
        raise UsageError(
            f"'{path}' is no index: make one by 'objsearch index build --index {path}'"
        )
    with_index = stored_at(settings or _stored_settings(path), path / ROWS, root=root)
    return ObjectSearch(with_index, progress)


def settings_in(folder: str | Path, *, anew: bool = False) -> Mapping[str, Any] | None:
    """How the photos of an index were described, as plain data; None where there is no index.

    Raises UsageError for one that is damaged; None of one that is to be begun `anew`.
    """
    path = Path(folder)
    try:
        return _stored_data(path) if _is_index(path) else None
    except UsageError:
        if anew:
            return None
        raise


def update_index(
    folder: str | Path,
    settings: Settings | None = None,
    progress: Progress = silent,
    root: Path | None = None,
) -> Tally:
    """Read again what has changed since it was described; what is gone stays until it is pruned.

    Raises UsageError where the root of the index is not there.
    """
    search = _with_photos(open_index(folder, settings, progress, root))
    return _added(search, list(_held(search)))


def _held(search: ObjectSearch) -> Iterator[str]:
    """The files of an index that are there; of one that only parts were named of, just these."""
    is_cut = search.settings.input.region is not None  # by the settings, wherever that lies by now
    for file, keys in by_file(search.index.stamps()).items():
        parts = [key for key in keys if not is_cut and ref_of(key).xywh]
        if os.path.lexists(file):
            yield from parts if len(parts) == len(keys) else (file, *parts)


def remove_from_index(folder: str | Path, paths: Any, root: Path | None = None) -> Tally:
    """Forget one or several files, or all in folders; the photos themselves stay where they are.

    Raises UsageError for a path of which the index holds nothing.
    """
    search = _opened(folder, root=root)
    gone: list[str] = []
    for path in map(os.fspath, each_input(paths)):
        key = key_of(ref_of(path))
        own = [
            other
            for other in search.index.stamps()
            if path and (other == key or other.startswith((f"{key}#", os.path.join(key, ""))))
        ]
        if not own:
            raise UsageError(f"the index '{folder}' holds nothing of '{path}'")
        gone += own
    return _tally(search, removed=search.index.remove(gone))


def prune_index(folder: str | Path, root: Path | None = None) -> Tally:
    """Forget the photos whose files are gone.

    Raises UsageError where the root of the index is not there, or empty, as where a disk is not
    mounted: then they are away, not gone.
    """
    search = _with_photos(_opened(folder, root=root))
    keys = search.index.stamps()
    gone = [key for key in keys if not is_url(file_of(key)) and not is_there(key)]
    return _tally(search, removed=search.index.remove(gone) if gone else 0)


def compact_index(folder: str | Path, root: Path | None = None) -> dict[str, Any]:
    """Give back the room of what was forgotten, and bring up to date what is looked up by.

    Returns what the index is like afterwards: see `index_info`.
    """
    index = _opened(folder, root=root).index
    freed = index.compact()
    index.optimize()
    return {"bytes_freed": freed, **index_info(folder, root)}


def index_info(
    folder: str | Path, root: Path | None = None, *, check: bool = False
) -> dict[str, Any]:
    """What an index holds, what cannot be read, and what should be done next: see `info_of`.

    With `check`, all of it is read; raises LostIndexError for a file that is not as it was written.
    """
    index = _opened(folder, root=root).index
    checked = {"checked": asdict(index.check_files())} if check else {}
    return {**info_of(index, str(folder), root), **checked}


def _with_photos(search: ObjectSearch) -> ObjectSearch:
    root = search.index.root
    if root is not None and is_away(root):
        raise UsageError(
            f"the root '{root}' of the index is not there, or empty: say by --root where it lies "
            "now, or name what to forget to 'objsearch index remove'"
        )
    return search


def _added(search: ObjectSearch, sources: Any) -> Tally:
    search.add(sources)
    return _tally(search)


def _tally(search: ObjectSearch, removed: int = 0) -> Tally:
    search.index.close()
    return Tally(search.n_described, search.n_remembered, removed, tuple(search.index.unreadable()))


def _set_rows_aside(path: Path) -> None:
    try:
        if (path / ROWS).exists():
            set_aside(path / ROWS)
    except OSError as error:
        raise UsageError(f"cannot set '{path / ROWS}' aside: {error.strerror}") from None


def _keep_settings(path: Path, chosen: Settings, anew: bool) -> None:
    """Write down how photos are described, where that is new, can be read no more or is not so."""
    data = settings_in(path, anew=True) if _has_rows(path) and not anew else None
    stored = load_settings(data) if data is not None else chosen
    if recipe_of(stored).difference(recipe_of(chosen)):  # of a build that began at the same time
        data, stored = None, chosen
    if data is None or stored.thumbnails != chosen.thumbnails:
        _write_settings(path, stored.model_copy(update={"thumbnails": chosen.thumbnails}))


def _write_settings(path: Path, settings: Settings) -> None:
    data = settings.model_dump(mode="json")
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_own(path / SETTINGS, json.dumps(data, indent=1))
    except OSError as error:
        raise UsageError(f"cannot write to the index '{path}': {error.strerror}") from None


def _has_rows(path: Path) -> bool:
    """Whether anything was described by the settings that are there; else others may be."""
    return _is_index(path) and (path / ROWS / RECORD).is_file()


def _is_index(path: Path) -> bool:
    return (path / SETTINGS).is_file() or (path / ROWS / RECORD).is_file()


def _stored_settings(path: Path) -> Settings:
    return load_settings(_stored_data(path))


def _stored_data(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads((path / SETTINGS).read_text())
        if not isinstance(data, dict):
            raise ValueError("it holds no settings")
        return without_rights(data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"the index '{path}' is damaged ({SETTINGS}: {reason}): name the settings that it was "
            "made with (--preset, --config), or build it anew (index build --anew)"
        ) from None
