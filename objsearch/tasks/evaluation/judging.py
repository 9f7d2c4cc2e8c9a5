"""Which hits are right? By the photos that a truth names, however they are spelled."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from objsearch.settings import Search, SearchOptions
from objsearch.sources import key_of, place_of
from objsearch.types import Hit, ImageRef


def photo_of(path: str | os.PathLike[str]) -> str:
    """The same text for every way to name a photo, or a page or frame; a part is its photo's.

    Raises UsageError for a fragment that is none.
    """
    text = os.fspath(path)
    return _key(ImageRef(text) if os.path.lexists(text) else place_of(text).ref)


def every_hit(section: Search) -> SearchOptions:
    """What has a search leave out no hit, whatever its settings show to a person.

    Cut off after some, or under a border, a ranking has no measure; the query itself is no hit.
    """
    options: SearchOptions = {
        "threshold": 0.0,
        "top": sys.maxsize,
        "offset": 0,
        "verdicts": (),
        "include_query": False,
    }
    if section.max_false_alarms is not None:
        options["max_false_alarms"] = math.inf
    return options


class Judge:
    """Holds hits against the photos that are right; remembers what photo a hit is of."""

    def __init__(self) -> None:
        self._names: dict[ImageRef, tuple[str, str]] = {}

    def judged(
        self, hits: Iterable[Hit], right: Collection[str]
    ) -> Iterator[tuple[Hit, str | None]]:
        """Hits in their order, each with the right photo (`photo_of`) that it is of, or None.

        A file of pages or frames that is named as a whole is found once, by its first hit: what
        follows of it is passed over, for nobody says whether that page shows the thing.
        """
        found: set[str] = set()
        for hit in hits:
            photo = next((name for name in self._names_of(hit.ref) if name in right), None)
            if photo not in found:
                yield hit, photo
            if photo is not None:
                found.add(photo)

    def _names_of(self, ref: ImageRef) -> tuple[str, str]:
        """The picture itself, and the file that it lies in."""
        if ref not in self._names:
            self._names[ref] = _key(ref), _key(ImageRef(ref.uri))
        return self._names[ref]


def _key(ref: ImageRef) -> str:
    return key_of(replace(ref, xywh=None))
