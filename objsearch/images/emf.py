"""Enhanced metafiles (32 bit) put in order, so that a renderer meets nothing that it takes amiss.

Windows has pens in stock that a file may select by number; renderers differ on those numbers, and
then outlines appear where none were meant. The file is given pens of its own instead.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from objsearch.errors import UnreadableImageError

_HEADER_BYTES = 88
_EOF, _SELECTOBJECT, _CREATEPEN = 14, 37, 38
_SOLID, _NULL = 0, 5
_MAX_HANDLES = 0xFFFF

# Stock number: style and colour of the pen.
_STOCK_PENS = {0x80000006: (_SOLID, 0xFFFFFF), 0x80000007: (_SOLID, 0), 0x80000008: (_NULL, 0)}

_HUNDREDTHS_OF_MM_AN_INCH = 2540


def inches_of(data: bytes) -> tuple[float, float] | None:
    """Width and height by the frame in the header; None when it is empty.

    Raises UnreadableImageError for a file that is shorter than its header says.
    """
    if len(data) < _HEADER_BYTES or struct.unpack_from("<I", data, 48)[0] > len(data):
        raise UnreadableImageError("the file is cut short")
    left, top, right, bottom = struct.unpack_from("<4i", data, 24)
    if right == left or bottom == top:
        return None
    width, height = abs(right - left), abs(bottom - top)
    return width / _HUNDREDTHS_OF_MM_AN_INCH, height / _HUNDREDTHS_OF_MM_AN_INCH


def in_order(data: bytes) -> bytes:
    """The same drawing with pens of its own. Raises UnreadableImageError without an end mark."""
    n_handles = struct.unpack_from("<H", data, 56)[0]
    records = list(_records(data))
    used = {data[start + 8 : start + 12] for kind, start, _ in records if kind == _SELECTOBJECT}
    stock = [number for number in _STOCK_PENS if struct.pack("<I", number) in used]
    if not stock or n_handles + len(stock) > _MAX_HANDLES:
        return data
    own = {number: max(n_handles, 1) + place for place, number in enumerate(stock)}
    parts = []
    for kind, start, stop in records:
        parts.append(
            _with_own_pen(data[start:stop], own) if kind == _SELECTOBJECT else data[start:stop]
        )
        if start == 0:
            parts += [_pen(handle, *_STOCK_PENS[number]) for number, handle in own.items()]
    body = bytearray(b"".join(parts))
    struct.pack_into("<IIH", body, 48, len(body), len(records) + len(own), max(own.values()) + 1)
    return bytes(body)


def _records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Kind, start and stop of each record, the end mark last."""
    place = 0
    while place + 8 <= len(data):
        kind, n_bytes = struct.unpack_from("<II", data, place)
        if n_bytes < 8 or n_bytes % 4 or place + n_bytes > len(data):
            break
        yield kind, place, place + n_bytes
        if kind == _EOF:
            return
        place += n_bytes
    raise UnreadableImageError("the file is cut short, or a record lies about its size")


def _with_own_pen(record: bytes, own: dict[int, int]) -> bytes:
    handle = struct.unpack_from("<I", record, 8)[0] if len(record) >= 12 else 0
    return struct.pack("<III", _SELECTOBJECT, 12, own[handle]) if handle in own else record


def _pen(handle: int, style: int, colour: int) -> bytes:
    return struct.pack("<IIIIiiI", _CREATEPEN, 28, handle, style, 0, 0, colour)
