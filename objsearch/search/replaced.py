"""Files that were replaced by others of the same size and time: only what they show tells.

Every file is not read each time for that, but those that an answer would vouch for are: what is
asked about, and hits that are called *same*. A search in memory believes what it described.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from objsearch.errors import UsageError
from objsearch.search.describing import Describer, content_hash
from objsearch.search.references import DOUBTED, References, is_passing
from objsearch.search.renaming import known_still
from objsearch.sources import Place, key_of, stamp_of
from objsearch.types import DescribedImage, ImageRef, Row, Unreadable


def proven(references: References, describer: Describer, ref: ImageRef) -> DescribedImage | None:
    """What the index holds of a picture, if its file, read again, shows just that."""
    known = known_still(references, describer, ref)
    return None if known is None or is_replaced(references, describer, ref) else known


def is_replaced(references: References, describer: Describer, ref: ImageRef) -> bool:
    """Whether the file of a picture shows another than was described; the next run reads it again.

    False of what is away or lies behind a URL.
    """
    now = stamp_of(ref) if references.is_shared else None
    row = None if now is None else references.index.row(key_of(ref))
    if row is None or isinstance(row.image, Unreadable):
        return False
    image = describer.read_working(Place(ref))
    if isinstance(image, Unreadable):
        is_other = not is_passing(image)
    else:
        is_other = content_hash(image) != row.image.content
    if is_other and row.stamp == now:
        _doubt(references, row)
    return is_other


def _doubt(references: References, row: Row) -> None:
    """Have the stamp of a row say nothing any more."""
    assert row.stamp is not None
    with suppress(UsageError):  # where it cannot be written down, it is found out again
        references.index.put([replace(row, stamp=(row.stamp[0], DOUBTED))])
