"""Small copies of references, kept where that is asked for: a page shows them with the disk away.

They say nothing to a search, and are no part of a recipe: photos that were described before get
theirs when they are wanted, and are decoded for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from objsearch.errors import UsageError
from objsearch.flow import Progress, batches, counted, ordered_map
from objsearch.images.thumbnails import pixels_of, thumbnail_of
from objsearch.search.describing import Describer
from objsearch.search.references import PUT_AT_ONCE, References
from objsearch.sources import Place, is_url, key_of, ref_of
from objsearch.types import Image, ImageRef, Key, Pixels


def keep_thumbnails(references: References, describer: Describer, progress: Progress) -> None:
    """Make those that the index lacks of what was named, where settings ask for them.

    What is done stays when stopped. None of what an address leads to: it would be fetched again.
    """
    if not describer.settings.thumbnails:
        return
    keys = references.index.without_thumbnail(references.named.keys())
    wanted = [key for key in keys if not is_url(key)]
    workers = describer.settings.run.n_workers
    made = ordered_map(_maker(describer), wanted, workers=workers)
    try:
        for some in batches(counted(made, "thumbnails", progress, len(wanted)), PUT_AT_ONCE):
            references.index.keep_thumbnails(
                [thumbnail for thumbnail in some if thumbnail is not None]
            )
    except UsageError as error:
        references.told.append(f"not all thumbnails are kept: {error}")


def _maker(describer: Describer) -> Callable[[Key], tuple[Key, bytes] | None]:
    def made(key: Key) -> tuple[Key, bytes] | None:
        image = describer.read_working(Place(replace(ref_of(key), xywh=None)))
        return (key, thumbnail_of(image.pixels)) if isinstance(image, Image) else None

    return made


def kept_picture(references: References, ref: ImageRef) -> Pixels | None:
    """The thumbnail of a reference, if there is one: its pixels."""
    thumbnail = references.index.thumbnail(key_of(ref))
    return None if thumbnail is None else pixels_of(thumbnail)
