"""Windows metafiles (16 bit) put in order, so that a renderer meets them as Windows would.

Windows plays them into a window that the calling program has set up: the file's box fills the
output. Here the file itself is made to say so. Headers that lie about sizes are made right, and
bitmaps are moved to the one record that renderers know.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from objsearch.errors import UnreadableImageError

PLACEABLE = 0x9AC6CDD7
_PLACEABLE_BYTES, _HEADER_BYTES = 22, 18

_EOF = 0x0000
_SETMAPMODE = 0x0103
_SETWINDOWORG, _SETWINDOWEXT = 0x020B, 0x020C
_SETVIEWPORTORG, _SETVIEWPORTEXT = 0x020D, 0x020E
_DIBBITBLT, _DIBSTRETCHBLT, _STRETCHDIB = 0x0940, 0x0B41, 0x0F43
_ANISOTROPIC = 8

# Palettes, pattern brushes and regions: renderers that skip them would miscount the objects after
# them, so a plain gray brush takes their number.
_CREATEBRUSH = 0x02FC
_OTHER_OBJECTS = {0x00F7, 0x01F9, 0x0142, 0x06FF}
_GRAY_BRUSH = struct.pack("<HIH", 0, 0x808080, 0)

# Whoever plays the file has said these: the map mode and the output's place.
_OF_THE_PLAYER = {_SETMAPMODE, _SETVIEWPORTORG, _SETVIEWPORTEXT}

# A file that does not say how large it is: the longer side, in inches.
_ASSUMED_INCHES = 7.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the picture lies: corner and signed size in the file's units, and units an inch."""

    corner_xy: tuple[int, int]
    extent_xy: tuple[int, int]
    units: float

    @property
    def inches_wh(self) -> tuple[float, float]:
        return abs(self.extent_xy[0]) / self.units, abs(self.extent_xy[1]) / self.units


def frame_of(data: bytes) -> Frame | None:
    """By the placeable header, or by the first window that the file sets; None: it does not say."""
    if data.startswith(struct.pack("<I", PLACEABLE)) and len(data) >= _PLACEABLE_BYTES:
        left, top, right, bottom, units = struct.unpack_from("<hhhhH", data, 6)
        if right != left and bottom != top and units > 0:
            return Frame((left, top), (right - left, bottom - top), units)
    corner, extent = (0, 0), None
    for function, payload in _records(data):
        if function == _SETWINDOWORG and len(payload) >= 4 and extent is None:
            corner = _xy(payload)
        if function == _SETWINDOWEXT and len(payload) >= 4 and extent is None:
            extent = _xy(payload)
    if extent is None or 0 in extent:
        return None
    return Frame(corner, extent, max(abs(extent[0]), abs(extent[1])) / _ASSUMED_INCHES)


def in_order(data: bytes, frame: Frame | None, size_wh: tuple[int, int]) -> bytes:
    """The same drawing as a placeable file whose box is `size_wh`, whatever its units were.

    Raises UnreadableImageError for a file that ends in the middle.
    """
    records = [_record(_EOF, b"")]
    if frame is not None:
        records = [*_player(frame, size_wh), *_kept(data, _OF_THE_PLAYER), *records]
    else:
        records = [*_kept(data, set()), *records]
    body = b"".join(records)
    n_words = (_HEADER_BYTES + len(body)) // 2
    n_objects = struct.unpack_from("<H", data, _start(data) + 10)[0]
    largest = max(len(record) for record in records) // 2
    header = struct.pack("<HHHIHIH", 1, 9, 0x0300, n_words, n_objects, largest, 0)
    return (_placeable(size_wh) if frame is not None else b"") + header + body


def _start(data: bytes) -> int:
    start = _PLACEABLE_BYTES if data.startswith(struct.pack("<I", PLACEABLE)) else 0
    if len(data) < start + _HEADER_BYTES:
        raise UnreadableImageError("the file is cut short")
    return start


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Function and payload of each record up to the end mark, which must be there."""
    place = _start(data) + _HEADER_BYTES
    while place + 6 <= len(data):
        n_words, function = struct.unpack_from("<IH", data, place)
        if n_words < 3:
            raise UnreadableImageError("it cannot be decoded (a record without a size)")
        if function == _EOF:
            return
        stop = place + 2 * n_words
        if stop > len(data):
            break
        yield function, data[place + 6 : stop]
        place = stop
    raise UnreadableImageError("the file is cut short")


def _kept(data: bytes, dropped: set[int]) -> Iterator[bytes]:
    for function, payload in _records(data):
        if function in dropped:
            continue
        if function in _OTHER_OBJECTS:
            yield _record(_CREATEBRUSH, _GRAY_BRUSH)
        elif function == _DIBSTRETCHBLT and _has_bitmap(payload, 20):
            yield _record(_STRETCHDIB, payload[:4] + b"\0\0" + payload[4:])
        elif function == _DIBBITBLT and _has_bitmap(payload, 16):
            rop, source, size, place = payload[:4], payload[4:8], payload[8:12], payload[12:16]
            stretched = rop + b"\0\0" + size + source + size + place + payload[16:]
            yield _record(_STRETCHDIB, stretched)
        else:
            yield _record(function, payload)


def _has_bitmap(payload: bytes, place: int) -> bool:
    """Whether a bitmap's header stands there: these records may also just fill a rectangle."""
    return len(payload) > place + 40 and payload[place : place + 4] in (b"(\0\0\0", b"|\0\0\0")


def _player(frame: Frame, size_wh: tuple[int, int]) -> Iterator[bytes]:
    yield _record(_SETMAPMODE, struct.pack("<H", _ANISOTROPIC))
    yield _record(_SETVIEWPORTORG, struct.pack("<hh", 0, 0))
    yield _record(_SETVIEWPORTEXT, struct.pack("<hh", size_wh[1], size_wh[0]))
    yield _record(_SETWINDOWORG, _yx(frame.corner_xy))
    yield _record(_SETWINDOWEXT, _yx(frame.extent_xy))


def _record(function: int, payload: bytes) -> bytes:
    padded = payload + b"\0" * (len(payload) % 2)
    return struct.pack("<IH", 3 + len(padded) // 2, function) + padded


def _placeable(size_wh: tuple[int, int]) -> bytes:
    head = struct.pack("<IHhhhhHI", PLACEABLE, 0, 0, 0, *size_wh, 96, 0)
    checksum = 0
    for (word,) in struct.iter_unpack("<H", head):
        checksum ^= word
    return head + struct.pack("<H", checksum)


def _xy(payload: bytes) -> tuple[int, int]:
    y, x = struct.unpack_from("<hh", payload)
    return x, y


def _yx(xy: tuple[int, int]) -> bytes:
    clipped = [min(max(value, -32768), 32767) for value in xy]
    return struct.pack("<hh", clipped[1], clipped[0])
