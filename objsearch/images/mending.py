"""Files whose picture is whole, but not what stands around it: read as what they are.

A PNG's text and profile may be large or damaged; a JPEG may lack its end, or stand behind a few
bytes of something else. Nothing here changes a pixel, and no setting of a library.
"""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

import numpy as np
from PIL import Image as PillowImage

from objsearch.images.jpeg_scans import has_all_scans, is_progressive, iter_scans, scan_start

_PNG = b"\x89PNG\r\n\x1a\n"
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_MOST_TEXT = 32 * 1024
_MOST_PROFILE = 900_000
_COUNTS = (b"tRNS", b"eXIf")  # a damaged checksum alone is no reason to do without them

_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_MOST_BEFORE = 64
_TAIL_BYTES = 64 * 1024
_ZEROS, _ONES = b"\0" * 16, b"\xff" * 16  # photos have runs of three at most
_TRIMMED = 8
_MOST_ZEROS = 3
_USUAL_TABLE = bytes.fromhex("0002010303020403050504040000017d")
"""How many codes of each length the usual table for the brightness of a JPEG has."""

# Read as pixels these bits change what is to be seen wherever pixels are lacking.
_FILLERS = (b"", b"\x5a\xa5\x33\xcc\x0f\x69" * 40)

_open = PillowImage.open


def mended(stream: BinaryIO) -> tuple[BinaryIO, tuple[str, ...]]:
    """The stream, or in its stead one that codecs read, and what to say about it.

    What cannot be mended comes back as it is, for the codec to refuse.
    """
    stood_at = stream.tell()
    stream.seek(0)
    head = stream.read(_MOST_BEFORE + len(_JPEG))
    try:
        if head.startswith(_PNG):
            return _png(stream), ()
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
    said: tuple[str, ...] = ()
    if start:
        before = "1 byte stands" if start == 1 else f"{start} bytes stand"
        said = (f"{before} before the picture",)
        stream.seek(start)
        stream = io.BytesIO(stream.read())
    if not _has_end(stream):
        stream.seek(0)
        whole = _ended(stream.read())
        if whole is not None:
            return io.BytesIO(whole), said  # a missing end shows nothing: no word of it
    return stream, said


def _has_end(stream: BinaryIO) -> bool:
    n_bytes = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, n_bytes - _TAIL_BYTES))
    if _JPEG_END in stream.read():
        return True
    stream.seek(0)
    data = stream.read()
    return data.rfind(_JPEG_END) > scan_start(data)


def _ended(data: bytes) -> bytes | None:
    """With an end, if all pixels are there; None if any are lacking.

    Zeros behind are padding, all but the few that the pixels themselves may end in.
    """
    bare = data.rstrip(b"\0")
    if not has_all_scans(bare):
        return None
    for n_zeros in range(min(_MOST_ZEROS, len(data) - len(bare)) + 1):
        whole = bare + b"\0" * n_zeros
        versions = [_tried(whole + filler + _JPEG_END, 1) for filler in _FILLERS]
        if versions[0] is None or versions[1] is None:
            return None
        if np.array_equal(versions[0], versions[1]):
            return whole + _JPEG_END
    return None


def _tried(data: bytes, reduction: int) -> np.ndarray | None:
    try:
        with _open(io.BytesIO(data), formats=("JPEG",)) as picture:
            if picture.width * picture.height > 300e6:
                return None
            width, height = (max(1, side // reduction) for side in picture.size)
            picture.draft(None, (width, height))
            return np.asarray(picture)
    except Exception:  # a codec raises nearly anything on hostile bytes: it is not whole then
        return None


def damage_of(data: bytes) -> tuple[str, ...]:
    """A warning for a JPEG whose middle was overwritten, as by a failing disk; else nothing.

    Only what is cheap is looked at in each file: a run of equal bytes where there are pixels.
    """
    start = scan_start(data)
    if not _has_run(data, start, len(data), _ZEROS) and not _has_run(data, start, len(data), _ONES):
        return ()
    scans = list(iter_scans(data))
    # No code is all ones, and with the usual tables no picture is a run of zeros.
    is_sure = _USUAL_TABLE in data[:start] or b"\xff\xdd\0\4" in data[:start]
    has_zeros = any(_has_run(data, *scan, _ZEROS) for scan in scans)
    has_ones = any(_has_run(data, *scan, _ONES) for scan in scans)
    if has_ones or (has_zeros and (is_sure or is_out_of_step(data, scans[-1]))):
        return ("the file is damaged: part of what is to be seen is not the picture",)
    return ()


def _has_run(data: bytes, start: int, end: int, run: bytes) -> bool:
    return data.find(run, start, end) >= 0


def is_out_of_step(data: bytes, last_scan: tuple[int, int]) -> bool:
    """Whether a JPEG holds fewer or more bits than its pixels take, by the end of its last scan.

    Damage in a stream of codes of unequal length shows there. It costs three decodings, at an
    eighth of the size where all is in one scan.
    """
    start, end = last_scan
    if end - start < 4 * _TRIMMED:
        return False
    reduction = 1 if is_progressive(data) else 8  # the last scans show in the full size alone
    whole = _tried(data[:end] + _JPEG_END, reduction)
    longer = _tried(data[:end] + _FILLERS[1] + _JPEG_END, reduction)
    shorter = _tried(data[: end - _TRIMMED] + _FILLERS[1] + _JPEG_END, reduction)
    if whole is None or longer is None or shorter is None:
        return True
    return not np.array_equal(whole, longer) or np.array_equal(whole, shorter)
