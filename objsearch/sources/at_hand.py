"""What was given in memory and has no name that leads back to it: kept, to be read again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.sources.contents import read_stream
from objsearch.sources.options import Reading
from objsearch.sources.places import Place, is_made_up
from objsearch.types import Image, ImageRef

ROOM_BYTES = 256 * 1024 * 1024
"""What is given beyond is let go of: an index of many pictures must not hold their pixels."""


class AtHand:
    """Copies of bytes, streams, arrays and pictures by their made-up names, to `room_bytes`."""

    def __init__(self, room_bytes: int = ROOM_BYTES) -> None:
        self._room = room_bytes
        self._kept: dict[str, Any] = {}

    def keep(self, place: Place, reading: Reading) -> Place:
        """Remember what a place holds while there is room; gives a place that can still be read.

        A stream is read to its end; what is wrong with it is told to whoever reads the place.
        """
        if not is_made_up(place.ref) or place.content is None or self._room <= 0:
            return place
        try:
            copied = _copied(place.content, reading.limits.max_bytes)
        except UnreadableImageError as error:
            return replace(place, content=error)
        except (OSError, ValueError) as error:
            return replace(place, content=UnreadableImageError(f"it cannot be read ({error})"))
        if copied is None:
            return place
        self._room -= _n_bytes(copied)
        self._kept[place.ref.uri] = copied
        return replace(place, content=copied)

    def place(self, ref: ImageRef) -> Place | None:
        """Where a whole picture can be read again; None for what was in memory and is let go."""
        whole = replace(ref, xywh=None)
        if not is_made_up(whole):
            return Place(whole)
        content = self._kept.get(whole.uri)
        return None if content is None else Place(whole, content)


def _copied(given: Any, max_bytes: int) -> Any:
    """A copy that nobody else can change; None of what is no picture."""
    if isinstance(given, Image):
        return given
    if isinstance(given, np.ndarray | PillowImage.Image):
        return given.copy()
    if isinstance(given, bytes | bytearray | memoryview):
        return bytes(given)
    return read_stream(given, max_bytes) if hasattr(given, "read") else None


def _n_bytes(content: Any) -> int:
    if isinstance(content, bytes):
        return len(content)
    if isinstance(content, Image):
        return int(content.pixels.nbytes)
    if isinstance(content, np.ndarray):
        return int(content.nbytes)
    width, height = content.size
    return int(4 * width * height)
