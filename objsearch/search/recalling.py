"""A search in memory that takes what it is given from a library, as far as that knows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from objsearch.flow import batches
from objsearch.search.keys import file_of
from objsearch.search.library import open_references, remembering
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.references import PUT_AT_ONCE, References
from objsearch.search.renaming import without_renamed
from objsearch.settings import Settings
from objsearch.sources import Place, expand, key_of
from objsearch.types import Answer, DescribedImage, Hit, Key, Pixels, Unreadable

Described = DescribedImage | Unreadable


class Recalling:
    """Searches few pictures many times: they are described once, and lie in memory for that.

    Only files can be added. What cannot be remembered is described each time, as `told` says.
    """

    def __init__(self, settings: Settings, library: Path) -> None:
        self._search = ObjectSearch(settings)
        self._stored = open_references(remembering(settings, library), lambda _: {})
        self._stored.is_restricted = True
        self.n_remembered = 0

    def add(self, *sources: Any) -> None:
        """Take in pictures of files. Those that could not be read are tried again."""
        places = expand(list(sources), filters=self._search.settings.input.filters)
        describer = self._search.describer
        fresh = without_renamed(self._stored, self._stored.fresh(places), describer)
        broken = {file_of(key_of(unreadable.ref)) for unreadable in self._stored.skipped}
        waiting = {place.ref for place in fresh}
        fresh += [p for p in places if p.ref not in waiting and key_of(p.ref) in broken]
        self._stored.take(describer.describe_places(fresh))
        self.n_remembered += len(places) - len(fresh)
        self._search.references.take(_in_order(self._stored, places))

    @property
    def told(self) -> Sequence[str]:
        """What there is to say of a library that could not be used as it should."""
        return self._stored.told

    @property
    def skipped(self) -> Sequence[Unreadable]:
        """Those that could not be read."""
        return self._search.skipped

    def images(self) -> Iterator[DescribedImage]:
        """Those that could."""
        return self._search.images()

    def find(self, *query: Any, **options: Any) -> Answer:
        """As `ObjectSearch.find`."""
        return self._search.find(*query, **options)

    def is_another(self, picture: Pixels, hit: Hit) -> bool:
        """As `ObjectSearch.is_another`."""
        return self._search.is_another(picture, hit)


def _in_order(stored: References, places: Sequence[Place | Unreadable]) -> Iterator[Described]:
    """What is stored of some places, in their order: of equal hits, that decides on the first."""
    by_file: dict[Key, list[Key]] = {}
    for key in stored.named:
        by_file.setdefault(file_of(key), []).append(key)
    keys = [key for place in places for key in by_file.pop(file_of(key_of(place.ref)), ())]
    unread: Mapping[Key, Unreadable] = {
        key_of(unreadable.ref): unreadable for unreadable in stored.skipped
    }
    for some in batches(keys, PUT_AT_ONCE):
        known = [key for key in some if key not in unread]
        images = dict(zip(known, stored.get(known), strict=True))
        yield from (unread.get(key) or images[key] for key in some)
