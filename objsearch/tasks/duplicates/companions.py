"""Files that belong to a picture: sidecars, the film of a live photo, its camera raw.

They carry the picture's name, and go astray when it goes: so it stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache

from objsearch.images.kinds import RAW_EXTENSIONS

SIDECARS = frozenset((".xmp", ".aae", ".thm", ".pp3", ".dop"))
FILMS = frozenset((".mov", ".mp4"))
RAWS = frozenset(
    [
        ".dng",
        ".nef",
        ".nrw",
        ".cr2",
        ".cr3",
        ".crw",
        ".arw",
        ".srf",
        ".sr2",
        ".raf",
        ".orf",
        ".rw2",
        ".pef",
        ".srw",
        ".3fr",
        ".iiq",
        ".x3f",
        ".rwl",
    ]
)


RECORD = ".json"
"""What Google Takeout writes beside each picture: `b.jpg.json`, `b.jpg.supplemental-metadata.json`.

Long names are cut, also in the middle of a word; of `b(1).jpg` it is `b.jpg(1).json`.
"""
_RECORD_WORD = "supplemental-metadata"
_LONGEST = 46
_NUMBER = re.compile(r"\(\d+\)$")


def companions_of(path: str) -> tuple[str, ...]:
    """Names of the files beside a picture that belong to it, sorted."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0].casefold()
    names = []
    for other, other_stem, suffix in _listed(folder):
        belongs = other_stem == stem and suffix in SIDECARS | FILMS | RAWS
        is_named_after = other_stem == name.casefold() and suffix in SIDECARS
        if suffix == RECORD:
            belongs = _is_recorded_by(name.casefold(), other_stem)
        if (belongs or is_named_after) and other != name:
            names.append(other)
    return tuple(sorted(names))


def is_called_raw(path: str) -> bool:
    """Whether its name is that of camera raw, whatever is in it."""
    return os.path.splitext(path)[1].casefold().lstrip(".") in RAW_EXTENSIONS


def belonging_to(paths: Iterable[str]) -> set[str]:
    """The files that say something of these pictures, or go with them, and are none to look at."""
    told = (*SIDECARS, *FILMS, RECORD)
    return {
        os.path.join(os.path.dirname(path), name)
        for path in paths
        if os.path.splitext(path)[1].casefold() not in FILMS
        for name in companions_of(path)
        if os.path.splitext(name)[1].casefold() in told
    }


def _is_recorded_by(name: str, record_stem: str) -> bool:
    """Whether a record by that name, without its suffix, is that of a picture."""
    stem, suffix = os.path.splitext(name)
    number = _NUMBER.search(record_stem)
    if number is not None:
        record_stem = record_stem[: number.start()]
        if not stem.endswith(number[0]):
            return False
        name = stem.removesuffix(number[0]) + suffix
    if len(record_stem) == _LONGEST and name.startswith(record_stem):
        return True
    rest = record_stem.removeprefix(name)
    if rest == record_stem:
        return False
    return not rest or (rest[0] == "." and _RECORD_WORD.startswith(rest[1:]))


def _listed(folder: str) -> list[tuple[str, str, str]]:
    try:
        return _listing(folder, os.stat(folder or ".").st_mtime_ns)
    except OSError:
        return []


@lru_cache(64)
def _listing(folder: str, changed_ns: int) -> list[tuple[str, str, str]]:
    """Names in a folder that may belong to a picture, with stem and suffix in small letters."""
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return []
    parts = [(name, *os.path.splitext(name.casefold())) for name in names]
    return [part for part in parts if part[2] in SIDECARS | FILMS | RAWS | {RECORD}]
