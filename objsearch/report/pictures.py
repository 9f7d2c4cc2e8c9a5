"""Pictures of a page: read when needed, bounded in size, each embedded once."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image as PillowImage

from objsearch.images.transform import reduced_wh, shrunk
from objsearch.types import ImageRef, Pixels

Read = Callable[[ImageRef], Pixels | None]
"""The pixels of a whole image, or None when it cannot be read any more."""

PREVIEW_SIDE = 640
WORKING_SIDE = 1600
"""Longest side of the copy that overlays are cut from: bounds memory, and shows enough."""

_QUALITY = 82
GONE = "the file is gone or has changed"


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """Pixels, perhaps reduced, and the size in which boxes and points are told."""

    pixels: Pixels
    size_wh: tuple[int, int]

    @property
    def scale_xy(self) -> tuple[float, float]:
        """Pixels at hand a pixel of the image."""
        height, width = self.pixels.shape[:2]
        return width / self.size_wh[0], height / self.size_wh[1]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One embedded preview; without `uri` only its frame can be drawn, and `remark` says why.

    With both, it is a thumbnail that was kept.
    """

    id: str
    size_wh: tuple[int, int]
    uri: str = ""
    remark: str = ""


class Album:
    """The pictures of one page; embeds no more once `room_bytes` are used up.

    `side` is the longer side of a preview, in pixels. Where a picture cannot be read, `kept` gives
    a small copy of what was described, if there is one.
    """

    def __init__(
        self,
        read: Read,
        room_bytes: int,
        side: int = PREVIEW_SIDE,
        kept: Read = lambda _: None,
    ) -> None:
        self._read = read
        self._kept = kept
        self._side = side
        self._room = room_bytes
        self._pictures: dict[tuple[ImageRef, tuple[int, int], str], Picture] = {}
        self._fresh: list[Picture] = []

    @property
    def has_room(self) -> bool:
        return self._room > 0

    def photo(self, ref: ImageRef, size_wh: tuple[int, int]) -> Photo | None:
        """The whole image that a ref lies in; None when it cannot be read, or is another by now."""
        pixels = self.whole(ref, size_wh)
        return None if pixels is None else Photo(shrunk(pixels, WORKING_SIDE), size_wh)

    def whole(self, ref: ImageRef, size_wh: tuple[int, int]) -> Pixels | None:
        """All its pixels, as `photo` finds them; a huge picture may come reduced."""
        pixels = self._read(replace(ref, xywh=None))
        sizes = [reduced_wh(size_wh, reduction) for reduction in (1, 2, 4, 8)]
        if pixels is None or (pixels.shape[1], pixels.shape[0]) not in sizes:
            return None
        return pixels

    def picture(
        self, ref: ImageRef, size_wh: tuple[int, int], photo: Photo | None, content: str = ""
    ) -> Picture:
        """The preview of a photo, embedded at its first use.

        `content` tells apart pictures under the same made-up name (`<bytes:1>`).
        """
        key = (replace(ref, xywh=None), size_wh, content)
        known = self._pictures.get(key)
        if known is None:
            known = self._embedded(f"p{len(self._pictures) + 1}", ref, size_wh, photo)
            self._pictures[key] = known
            self._fresh.append(known)
        return known

    def _embedded(
        self, name: str, ref: ImageRef, size_wh: tuple[int, int], photo: Photo | None
    ) -> Picture:
        pixels = self._kept(replace(ref, xywh=None)) if photo is None else photo.pixels
        if pixels is None:
            return Picture(name, size_wh, remark=GONE)
        if not self.has_room:
            return Picture(name, size_wh, remark="left out to keep the page small")
        remark = f"A kept thumbnail: {GONE}" if photo is None else ""
        return Picture(name, size_wh, self.jpeg(shrunk(pixels, self._side)), remark)

    def jpeg(self, pixels: Pixels) -> str:
        """Pixels as a data URI, counted."""
        buffer = io.BytesIO()
        PillowImage.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
        uri = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
        self._room -= len(uri)
        return uri

    def fresh(self) -> list[Picture]:
        """The pictures embedded since the last call."""
        fresh, self._fresh = self._fresh, []
        return fresh
