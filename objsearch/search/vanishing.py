"""Photos that lay in folders and do not any more: which are gone, and which are but away."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from objsearch.search.keys import file_of, is_empty, is_there
from objsearch.sources import each_input
from objsearch.types import Key


def folders_in(sources: Iterable[Any]) -> tuple[str, ...]:
    """Those of some sources that are folders, by their real paths."""
    every = each_input(list(sources))
    named = [str(source) for source in every if isinstance(source, str | os.PathLike)]
    return tuple(os.path.realpath(name) for name in named if os.path.isdir(name))


def vanished(keys: Iterable[Key], folders: Sequence[str]) -> tuple[list[Key], dict[str, str]]:
    """Which of some keys lay in folders and are gone; and, by folder, what is said of the others.

    What lay in a folder that is empty now is taken for away, as on a disk that is not mounted.
    Gone is, too, that a folder could not be read, where now it can.
    """
    tops = tuple(os.path.join(folder, "") for folder in folders)
    within = (key for key in keys if key.startswith(tops) or os.path.join(key, "") in tops)
    gone: list[Key] = []
    away: dict[str, set[Key]] = defaultdict(set)
    empty_around = cache(_empty_around)
    for key in within:
        if os.path.isdir(key):
            gone.append(key)
        elif not is_there(key):
            file = file_of(key)
            folder = empty_around(os.path.dirname(file))
            if folder:
                away[folder].add(file)
            else:
                gone.append(key)
    told = {folder: _told(folder, len(of), folder in folders) for folder, of in away.items()}
    return gone, told


def _empty_around(folder: str) -> str:
    """The first folder that is there, from one upwards, if that is empty; else nothing."""
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder if is_empty(folder) else ""


def _told(folder: str, n: int, is_named: bool) -> str:
    photos = "1 photo that is" if n == 1 else f"{n} photos that are"
    how = "put any file into it and search it again" if is_named else "delete that folder"
    return (
        f"'{folder}' is empty, as where a disk is not mounted: {photos} remembered there "
        f"{'stays' if n == 1 else 'stay'} so; to have {'it' if n == 1 else 'them'} forgotten, {how}"
    )
