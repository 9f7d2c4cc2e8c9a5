"""Files that belong to a picture: sidecars, the film of a live photo, its camera raw.

They carry the picture's name, and go astray when it goes: so it stays.
"""

from __future__ import annotations

import os
from functools import lru_cache

SIDECARS = frozenset((".xmp", ".aae", ".thm", ".pp3", ".dop"))
FILMS = frozenset((".mov", ".mp4"))
RAWS = frozenset(
    (".dng", ".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".srf", ".sr2", ".raf", ".orf", ".rw2")
    + (".pef", ".srw", ".3fr", ".iiq", ".x3f", ".rwl")
)


def companions_of(path: str) -> tuple[str, ...]:
    """Names of the files beside a picture that belong to it, sorted."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0].casefold()
    found = []
    for other, other_stem, suffix in _listing(folder):
        belongs = other_stem == stem and suffix in SIDECARS | FILMS | RAWS
        is_named_after = other_stem == name.casefold() and suffix in SIDECARS
        if (belongs or is_named_after) and other != name:
            found.append(other)
    return tuple(sorted(found))


@lru_cache(64)
def _listing(folder: str) -> list[tuple[str, str, str]]:
    """Names in a folder that may belong to a picture, with stem and suffix in small letters."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    parts = [(name, *os.path.splitext(name.casefold())) for name in names]
    return [part for part in parts if part[2] in SIDECARS | FILMS | RAWS]
