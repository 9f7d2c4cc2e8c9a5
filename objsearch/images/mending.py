"""Files whose picture is whole, but not what stands around it: read as what they are.

A PNG's text and profile may be large or damaged; a JPEG may lack its end, or stand behind a few
bytes of something else. Nothing here changes a pixel, and no setting of a library.
"""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

import numpy as np

from objsearch.images.bitmaps import odd_masks, with_usual_masks
from objsearch.images.damage import FILLER, JPEG_END, tried
from objsearch.images.jpeg_scans import has_all_scans, scan_start

_PNG = b"\x89PNG\r\n\x1a\n"
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_MOST_TEXT = 32 * 1024
_MOST_PROFILE = 900_000
_COUNTS = (b"tRNS", b"eXIf")  # a damaged checksum alone is no reason to do without them

_JPEG = b"\xff\xd8\xff"
_MOST_BEFORE = 64
_BLANK, _MOST_BLANK = b"\0\r\n \t\xef\xbb\xbf", 64 * 1024
"""What says nothing, and may stand before a picture in any number up to this."""
_TAIL_BYTES = 64 * 1024
_MOST_ZEROS = 3
_FILLERS = (b"", FILLER)


def mended(stream: BinaryIO) -> tuple[BinaryIO, tuple[str, ...]]:
    """The stream, or in its stead one that codecs read, and what to say about it.

    What cannot be mended comes back as it is, for the codec to refuse.
    """
    stood_at = stream.tell()
    stream.seek(0)
    head = stream.read(_MOST_BEFORE + len(_PNG))
    if not head.strip(_BLANK):
        head += stream.read(_MOST_BLANK)
    try:
        if odd_masks(head):
            stream.seek(0)
            return io.BytesIO(with_usual_masks(stream.read())), ()
        if head.lstrip(_BLANK).startswith(_PNG):
            start = head.find(_PNG)
            rest, said = _without(stream, start)
            return _png(rest), said
        start = head.find(_JPEG)
        # Of a JPEG that starts twice, the second start is its own.
        start = 2 if head.startswith(b"\xff\xd8\xff\xd8\xff") else start
        if start < 0 or (start > 0 and not _is_odd_start(head)):
            return stream, ()
        return _jpeg(stream, start)
    finally:
        stream.seek(stood_at)


def _is_odd_start(head: bytes) -> bool:
    """Whether no other format begins like this: their own first bytes may hold a small JPEG."""
    known = (b"FUJI", b"FOVb", b"8BPS", b"II", b"MM", b"RIFF", b"GIF8", b"BM", b"%PDF", b"\0MRM")
    return not head.startswith(known) and head[4:8] != b"ftyp"


def _png(stream: BinaryIO) -> BinaryIO:
    """Without text and profiles that are too large for the codec, or damaged."""
    kept: list[tuple[int, int, bytes]] = []  # place, size, and data if it is to be written anew
    stream.seek(len(_PNG))
    is_changed = False
    while True:
        place = stream.tell()
        head = stream.read(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        is_critical = kind[:1].isupper()
        if len(head) < 8 or not kind.isalpha() or kind == b"IEND":
            break
        if is_critical or kind in (b"fdAT", b"acTL", b"fcTL"):
            stream.seek(size + 4, 1)
            kept.append((place, size + 12, b""))
            continue
        data, check = stream.read(size), stream.read(4)
        is_sound = zlib.crc32(kind + data) == int.from_bytes(check, "big")
        if is_sound and not _is_too_large(kind, data):
            kept.append((place, size + 12, b""))
            continue
        is_changed = True
        if kind in _COUNTS:
            kept.append((place, 0, _chunk(kind, data)))
    return _rewritten(stream, kept, place) if is_changed else stream


def _rewritten(stream: BinaryIO, kept: list[tuple[int, int, bytes]], end: int) -> BinaryIO:
    parts = [_PNG]
    for place, size, data in kept:
        stream.seek(place)
        parts.append(data or stream.read(size))
    stream.seek(end)
    return io.BytesIO(b"".join((*parts, stream.read())))


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + checksum


def _is_too_large(kind: bytes, data: bytes) -> bool:
    if kind == b"iCCP":
        packed = data[data.find(b"\0") + 2 :]
        unpacking = zlib.decompressobj()
        try:
            unpacking.decompress(packed, _MOST_PROFILE)
        except zlib.error:
            return True
        return bool(unpacking.unconsumed_tail)
    if kind not in _TEXT:
        return False
    is_packed = kind == b"zTXt" or (kind == b"iTXt" and data[data.find(b"\0") + 1 :][:1] == b"\1")
    return is_packed or len(data) > _MOST_TEXT


def _jpeg(stream: BinaryIO, start: int) -> tuple[BinaryIO, tuple[str, ...]]:
    stream, said = _without(stream, start)
    if not _has_end(stream):
        stream.seek(0)
        whole = _ended(stream.read())
        if whole is not None:
            return io.BytesIO(whole), said  # a missing end shows nothing: no word of it
    return stream, said


def _without(stream: BinaryIO, start: int) -> tuple[BinaryIO, tuple[str, ...]]:
    """What is left of a stream without its first bytes, and what to say about these."""
    if not start:
        return stream, ()
    before = "1 byte stands" if start == 1 else f"{start:,} bytes stand"
    stream.seek(start)
    return io.BytesIO(stream.read()), (f"{before} before the picture",)


def _has_end(stream: BinaryIO) -> bool:
    n_bytes = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, n_bytes - _TAIL_BYTES))
    if JPEG_END in stream.read():
        return True
    stream.seek(0)
    data = stream.read()
    return data.rfind(JPEG_END) > scan_start(data)


def _ended(data: bytes) -> bytes | None:
    """With an end, if all pixels are there; None if any are lacking.

    Zeros behind are padding, all but the few that the pixels themselves may end in. A last 0xff
    that no zero follows is half of the end.
    """
    bare = data.rstrip(b"\0")
    if not has_all_scans(bare):
        return None
    for n_zeros in range(min(_MOST_ZEROS, len(data) - len(bare)) + 1):
        whole = bare + b"\0" * n_zeros if n_zeros else bare.rstrip(b"\xff")
        versions = [tried(whole + filler + JPEG_END, 1) for filler in _FILLERS]
        if versions[0] is None or versions[1] is None:
            return None
        if np.array_equal(versions[0], versions[1]):
            return whole + JPEG_END
    return None
