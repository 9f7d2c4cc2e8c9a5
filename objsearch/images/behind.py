"""What a file holds behind the end of its picture: more pictures, a film, or something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from objsearch.images.jpeg_scans import jpeg_end, size_of

_ONLY_FIRST = "only the first"
_PADDING = b"\0\r\n \t"
_FILM_MARKS = (b"MotionPhoto_Data", b"ftypmp4", b"ftypisom", b"ftypqt", b"ftypMSNV", b"ftypavc")
_GAIN_MAP_MARKS = (b"hdr-gain-map", b"hdrgm:", b"urn:iso:std:iso:ts:21496", b"HDRGainMap")
_GAIN_MAP_WORDS = (*_GAIN_MAP_MARKS, b'Semantic="GainMap"')
_SMALLER = 0.9
_HEAD_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Behind:
    """Whole JPEGs behind the first one, and whether there is a film or anything else."""

    jpegs: tuple[bytes, ...] = ()
    has_film: bool = False
    has_more: bool = False


def behind_of(data: bytes, kind: str) -> Behind:
    """What follows the picture in a file of that kind; nothing where the kind has no end."""
    end = {"JPEG": jpeg_end, "PNG": _png_end, "GIF": _gif_end, "WEBP": _riff_end}.get(kind)
    if end is None:
        return Behind()
    rest = data[end(data) :].lstrip(_PADDING)
    jpegs = []
    while rest.startswith(b"\xff\xd8\xff"):
        stop = jpeg_end(rest)
        jpegs.append(rest[:stop])
        rest = rest[stop:].lstrip(_PADDING)
    if not rest.rstrip(_PADDING):
        return Behind(tuple(jpegs))
    is_film = rest[4:8] == b"ftyp" or any(mark in rest for mark in _FILM_MARKS)
    return Behind(tuple(jpegs), is_film, not is_film)


def png_chunks(data: bytes) -> list[tuple[bytes, int, int]]:
    """Type, start of the data and their number of bytes, of every chunk of a PNG up to its end."""
    chunks = []
    position = 8
    while position + 8 <= len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        chunks.append((kind, position + 8, size))
        position += size + 12
        if kind == b"IEND":
            break
    return chunks


def _png_end(data: bytes) -> int:
    chunks = png_chunks(data)
    if not chunks or chunks[-1][0] != b"IEND":
        return len(data)
    _, start, size = chunks[-1]
    return min(len(data), start + size + 4)


def _riff_end(data: bytes) -> int:
    size = int.from_bytes(data[4:8], "little")
    return min(len(data), 8 + size + size % 2)


def _gif_end(data: bytes) -> int:
    """Blocks are gone through, since their bytes may look like an end."""
    position = 13 + _table_bytes(data[10:11])
    while position < len(data):
        block = data[position]
        if block == 0x3B:
            return position + 1
        if block == 0x2C:
            position += 10 + _table_bytes(data[position + 9 : position + 10]) + 1
        elif block == 0x21:
            position += 2
        else:
            return position
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
    return len(data)


def _table_bytes(flags: bytes) -> int:
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def pictures_in(jpeg: bytes) -> list[tuple[int, bytes]]:
    """The JPEGs in a file by their numbers, from 0; the first is the whole file.

    Gain maps are left out, and what is smaller than the first, as previews are.
    """
    others = list(enumerate(behind_of(jpeg, "JPEG").jpegs, 1))
    if others and says_gain_map(jpeg[: jpeg_end(jpeg)]):
        others = others[:-1]
    least = _SMALLER * max(size_of(jpeg))
    return [(0, jpeg)] + [
        (number, other)
        for number, other in others
        if max(size_of(other)) >= least and not is_gain_map(other)
    ]


def only_first_of(n_pictures: int) -> tuple[str, ...]:
    """What to say where one picture of a file was looked at; nothing of a file with one."""
    if n_pictures <= 1:
        return ()
    return (f"{_ONLY_FIRST} of its {n_pictures} pictures was looked at",)


ONLY_FIRST_FRAME = f"{_ONLY_FIRST} frame of the animation was looked at"


def left_out_in(warnings: Sequence[str]) -> str:
    """What of a file was not looked at, by the warnings of its picture; else nothing."""
    return next((warning for warning in warnings if warning.startswith(_ONLY_FIRST)), "")


def says_gain_map(head: bytes) -> bool:
    """Whether a JPEG's metadata name a gain map: brightness beyond white, for screens with more."""
    return any(mark in head[:_HEAD_BYTES] for mark in _GAIN_MAP_WORDS)


def is_gain_map(jpeg: bytes) -> bool:
    """Whether a JPEG says of itself that it is one."""
    return any(mark in jpeg[:_HEAD_BYTES] for mark in _GAIN_MAP_MARKS)
