"""What the boxes of a HEIF or AVIF file say it holds, without decoding any of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image as PillowImage

from objsearch.images.facts import Facts
from objsearch.images.quiet import quiet
from objsearch.images.tells import of_exif, of_xmp

_PICTURES = {b"hvc1", b"av01", b"grid", b"iovl", b"iden", b"avc1", b"jpeg", b"unci", b"j2k1"}
_FULL = 4  # a version and flags come first in a full box


@dataclass(frozen=True, slots=True)
class Held:
    """Pictures that are neither tiles, thumbnails, masks nor gain maps; bits a sample."""

    n_pictures: int = 1
    has_film: bool = False
    has_alpha: bool = False
    has_gain_map: bool = False
    bits: int = 8


def held_of(data: bytes) -> Held:
    """What is not understood is not counted."""
    top = list(_boxes(data, 0, len(data)))
    names = {name for name, _, _ in top}
    meta = next(((start, end) for name, start, end in top if name == b"meta"), None)
    has_film = bool(names & {b"moov", b"mpvd"})
    if meta is None:
        return Held(has_film=has_film)
    inside = {name: (start, end) for name, start, end in _boxes(data, meta[0] + _FULL, meta[1])}
    items = dict(_items(data, *inside.get(b"iinf", (0, 0))))
    lesser = set(_lesser(data, *inside.get(b"iref", (0, 0))))
    body = data[meta[0] : meta[1]]
    has_map = b"hdrgainmap" in body or b"tmap" in items.values()
    pictures = [item for item, kind in items.items() if kind in _PICTURES and item not in lesser]
    if b"tmap" in items.values():  # it names the picture and the gain map as what it is made of
        pictures = pictures or [0]
    return Held(max(1, len(pictures)), has_film, b":alpha" in body, has_map, _bits(body))


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, and start and end of what is inside, of each box between two places."""
    while start + 8 <= end:
        size, name, head = int.from_bytes(data[start : start + 4], "big"), data[start + 4 :][:4], 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        stop = end if size == 0 else min(end, start + size)
        if stop < start + head:
            return
        yield name, start + head, stop
        start = stop


def _items(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Number and type of each item."""
    wide = data[start : start + 1] not in (b"\0", b"")
    for name, at, stop in _boxes(data, start + _FULL + (4 if wide else 2), end):
        version = data[at] if at < stop else 0
        if name == b"infe" and version >= 2:
            n_bytes = 4 if version > 2 else 2
            number = int.from_bytes(data[at + 4 : at + 4 + n_bytes], "big")
            yield number, data[at + 6 + n_bytes : at + 10 + n_bytes]


def _lesser(data: bytes, start: int, end: int) -> Iterator[int]:
    """Numbers of the items that are a part, a thumbnail or a mask of another."""
    n_bytes = 4 if data[start : start + 1] not in (b"\0", b"") else 2
    for name, at, stop in _boxes(data, start + _FULL, end):
        whose = int.from_bytes(data[at : at + n_bytes], "big")
        if name in (b"thmb", b"auxl"):
            yield whose
        elif name == b"dimg":
            parts = data[at + n_bytes + 2 : stop]
            yield from (
                int.from_bytes(parts[i : i + n_bytes], "big") for i in range(0, len(parts), n_bytes)
            )


def _bits(body: bytes) -> int:
    """The most bits that any property of pixels names; 8 where none does."""
    most, at = 8, body.find(b"pixi")
    while at >= 0:
        n_channels = body[at + 8] if at + 8 < len(body) else 0
        most = max((most, *body[at + 9 : at + 9 + n_channels]))
        at = body.find(b"pixi", at + 4)
    return most if most <= 16 else 8


def facts_of(data: bytes) -> Facts:
    """What the EXIF block tells, and XMP, that lie in the file as they are."""
    at, start = data.find(b"Exif\0\0"), data.find(b"<x:xmpmeta")
    end = data.find(b"</x:xmpmeta>", max(0, start))
    told = of_xmp(data[start:end]) if 0 <= start < end else frozenset()
    if at < 0:
        return told
    exif = PillowImage.Exif()
    with quiet, suppress(Exception):  # metadata of strangers: what is wrong with it says nothing
        exif.load(data[at : at + 65_536])
        return told | of_exif(exif)
    return told
