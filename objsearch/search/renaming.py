"""Files that were renamed, moved, copied or touched: what is known of them goes along."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from objsearch.flow import ordered_map
from objsearch.search.describing import Describer, content_hash
from objsearch.search.keys import by_file, is_there
from objsearch.search.references import References
from objsearch.sources import Place, key_of, stamp_of
from objsearch.types import DescribedImage, Image, ImageRef, Key, Stamp, Unreadable

Found = Place | Unreadable
MOST_TRIED = 8
"""Files of one size and time that another may have been: as many may have come from one archive."""


def without_renamed(
    references: References, places: Sequence[Found], describer: Describer
) -> list[Found]:
    """Those of some fresh places that have to be described; the others are named, and remembered.

    A file that is not known has the size and time of one that is gone: where its pixels are the
    same, too, it was that one. One that is known has another time, as after a copy to another disk:
    where its size and pixels are the same, it is what it was. It is decoded for that, which takes a
    part of describing it. Files of several pictures are described anew.
    """
    if not references.is_shared or not places:
        return list(places)
    former = _former(references, places)
    known = partial(_known_as, references, describer)
    workers = describer.settings.run.n_workers
    renamed = dict(zip(former, ordered_map(known, former.items(), workers=workers), strict=True))
    moved = {place: pair for place, pair in renamed.items() if pair is not None}
    references.take(image for _, image in moved.values())
    if moved:
        references.forget({key for key, image in moved.values() if key != key_of(image.ref)})
    return [place for number, place in enumerate(places) if number not in moved]


def _former(references: References, places: Sequence[Found]) -> dict[int, tuple[Place, list[Key]]]:
    """Places of files that are not known, by number, with the keys of those that they may be."""
    files = by_file(references.index.stamps())
    gone: dict[Stamp, list[Key]] = defaultdict(list)
    for file, parts in files.items():
        if list(parts) == [file]:
            gone[parts[file]].append(file)
    former = {}
    for number, place in enumerate(places):
        if not isinstance(place, Place) or not _is_whole_file(place):
            continue
        stamp = stamp_of(place.ref)
        file = key_of(place.ref)
        own = files.get(file)
        if own is None:
            tried = likeliest(place.ref.uri, gone.get(stamp, ())) if stamp else ()
            keys = [key for key in tried if not is_there(key)]
        else:
            keys = [file] if list(own) == [file] and _may_be(stamp, own[file]) else []
        if keys:
            former[number] = place, keys
    return former


def _may_be(now: Stamp, then: Stamp) -> bool:
    """Whether a file may hold what it held then: of another time, but the same size."""
    return now is not None and then is not None and now[0] == then[0]


def known_still(
    references: References, describer: Describer, ref: ImageRef
) -> DescribedImage | None:
    """What the index holds of a picture, unless its file shows another by now.

    A file of another time and the same size is decoded to tell: copies have times of their own.
    """
    known = references.known(ref)
    row = None if known is not None else references.index.row(key_of(ref))
    if row is None or isinstance(row.image, Unreadable) or not _may_be(stamp_of(ref), row.stamp):
        return known
    image = describer.read_working(Place(ref))
    is_same = isinstance(image, Image) and content_hash(image) == row.image.content
    return references.called(row.key, row.image) if is_same else None


def likeliest(path: str, keys: Sequence[Key]) -> list[Key]:
    """The keys that are worth a try for a file that is not known: those of its own name first."""
    name = os.path.basename(path)
    return sorted(keys, key=lambda key: os.path.basename(key) != name)[:MOST_TRIED]


def _is_whole_file(place: Place) -> bool:
    return place.content is None and not place.region and str(place.ref) == place.ref.uri


def _known_as(
    references: References, describer: Describer, asked: tuple[int, tuple[Place, list[Key]]]
) -> tuple[Key, DescribedImage] | None:
    """What is known of a file under another key, and that key."""
    place, keys = asked[1]
    image = describer.read_working(place)
    if not isinstance(image, Image):
        return None
    content = content_hash(image)
    for key in keys:
        row = references.index.row(key)
        if row is None or isinstance(row.image, Unreadable) or row.image.content != content:
            continue
        return key, replace(row.image, ref=place.ref, warnings=image.warnings)
    return None
