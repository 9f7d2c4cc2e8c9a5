"""Thumbnails of a stored index: in a dataset of their own, so that nothing else rewrites them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from objsearch.index.lance_view import View
from objsearch.types import Key

if TYPE_CHECKING:
    import pyarrow as pa

THUMBNAILS = "thumbnails"


def thumbnails_table(thumbnails: Mapping[int, bytes]) -> pa.Table:
    """The dataset: a JPEG by the number of its picture's row."""
    import pyarrow as pa

    return pa.table(
        {
            "number": pa.array(list(thumbnails), pa.int64()),
            "jpeg": pa.array(list(thumbnails.values()), pa.binary()),
        }
    )


def without_thumbnail(view: View, keys: Iterable[Key]) -> list[Key]:
    """Of some keys, those of described pictures that have none."""
    places = [view.places[key] for key in keys if key in view.places]
    held: set[int] = set()
    if THUMBNAILS in view.record.versions:
        held = set(view.entries(THUMBNAILS).numbers.tolist())
    numbers = view.numbers.tolist()
    lacking = (i for i in places if view.is_described[i] and numbers[i] not in held)
    return [view.keys[i] for i in lacking]


def thumbnail(view: View, key: Key) -> bytes | None:
    """That of a picture."""
    if key not in view.places or THUMBNAILS not in view.record.versions:
        return None
    number = np.array([view.numbers[view.places[key]]])
    _, table = view.entries(THUMBNAILS).of(number, ["jpeg"])
    jpegs: list[bytes] = table["jpeg"].to_pylist()
    return jpegs[-1] if jpegs else None
