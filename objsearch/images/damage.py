"""JPEGs whose middle is damaged: overwritten or missing, as by a failing disk or a broken copy.

Pillow reads these without a word: each code of a JPEG stands where the one before it ends, and what
is lacking at the end is gray. libjpeg-turbo knows, and tells who asks it by `simplejpeg`.
"""

from __future__ import annotations

import io
import re

import numpy as np
import simplejpeg
from PIL import Image as PillowImage

from objsearch.images.jpeg_scans import (
    has_all_restarts,
    holds_all_in_one_scan,
    is_lossless,
    is_progressive,
    iter_scans,
    scan_start,
    with_bare_header,
)
from objsearch.types import Pixels

JPEG_END = b"\xff\xd9"
FILLER = b"\x5a\xa5\x33\xcc\x0f\x69" * 40
"""Read as pixels these bits change what is to be seen wherever pixels are lacking."""

_ZEROS, _ONES = b"\0" * 16, b"\xff" * 16  # photos have runs of three at most
_TRIMMED = 8
_USUAL_TABLE = bytes.fromhex("0002010303020403050504040000017d")
"""How many codes of each length the usual table for the brightness of a JPEG has."""
_RESTARTS = b"\xff\xdd\0\4"
"""Says how often the codes start anew, and that markers stand there (JPEG, B.2.4.4: DRI)."""
_CORRUPT, _OUT_OF_ORDER = "Corrupt JPEG data", "Inconsistent progression sequence"
"""How libjpeg begins what it says of codes, and of scans that build on one that is not there; it
also warns of what is odd and does no harm."""
_PADDING = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
MOST_PADDING = 8
"""Bytes that some writers put before the end; damage leaves more, or next to never so few."""
_NO_MARKER = re.compile(rb"\xff(?![\x00\xff])")
_NO_MARKER_NOR_RESTART = re.compile(rb"\xff(?![\x00\xff\xd0-\xd7])")
_REFUSED = (ValueError, MemoryError, KeyError)
"""What simplejpeg raises; the last for a file whose colours it has no name for."""
_NO_DAMAGE = (b"", b"\xd9", b"\xdc")
"""What may follow: the end of what there is, the end marker, and that of a number of lines."""
DAMAGED = ("the file is damaged: part of what is to be seen is not the picture",)

_open = PillowImage.open


def tried(data: bytes, reduction: int) -> np.ndarray | None:
    """A JPEG as decoded, its sides divided by 1, 2, 4 or 8; None where that fails or is huge."""
    try:
        with _open(io.BytesIO(data), formats=("JPEG",)) as picture:
            if picture.width * picture.height > 300e6:
                return None
            width, height = (max(1, side // reduction) for side in picture.size)
            picture.draft(None, (width, height))
            return np.asarray(picture)
    except Exception:  # a codec raises nearly anything on hostile bytes: it is not whole then
        return None


def strictly_decoded(data: bytes, size_wh: tuple[int, int]) -> Pixels | None:
    """(H, W, 3) a JPEG in Pillow's own pixels, at its size or a half, a quarter or an eighth of it.

    None where libjpeg finds anything odd about it, or it has no colours of that kind. A codec that
    tells what it finds spares the time of asking another one.
    """
    if is_lossless(data):
        return None
    try:
        _, _, colours, _ = simplejpeg.decode_jpeg_header(data, strict=True)
        if colours not in ("YCbCr", "RGB", "Gray"):
            return None
        width, height = size_wh
        pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width)
    except _REFUSED:
        return None
    return pixels if pixels.shape == (height, width, 3) else None


def damage_of(data: bytes, *, is_decoded: bool = False) -> tuple[str, ...]:
    """A warning for a JPEG whose middle was overwritten or is missing; else nothing.

    What the codec finds odd about the codes, unless it `is_decoded` strictly already; and what it
    takes as they come: a run of equal bytes where there are pixels, markers where there should be
    none, or too few.
    """
    if is_lossless(data):  # its codes say nothing, and no codec can be asked for less of it
        return ()
    start = scan_start(data)
    if without_markers(data) is not None:
        return DAMAGED
    if not has_all_restarts(data) or (not is_decoded and _is_odd(data)):
        return DAMAGED
    if not any(_has_run(data, start, len(data), run) for run in (_ZEROS, _ONES)):
        return ()
    # No code is all ones, and with the usual tables no picture is a run of zeros.
    scans = list(iter_scans(data))
    bare = with_bare_header(data)  # metadata may hold a thumbnail with tables of its own
    head = bare[: scan_start(bare)]
    is_sure = _USUAL_TABLE in head or _RESTARTS in head
    has_zeros = any(_has_run(data, *scan, _ZEROS) for scan in scans)
    has_ones = any(_has_run(data, *scan, _ONES) for scan in scans)
    if has_ones or (has_zeros and (is_sure or is_out_of_step(data, scans[-1]))):
        return DAMAGED
    return ()


def _is_odd(data: bytes) -> bool:
    """Whether libjpeg warns of codes that mean nothing, or of too few or too many of them.

    It goes over all codes, and draws an eighth of the size: drawing all of it takes ten times as
    long. What is odd before them, such as a broken colour profile, does no harm to any.
    """
    last = data.rfind(JPEG_END)
    whole = data if last > scan_start(data) else data + JPEG_END  # to lack its end alone is no harm
    whole = with_bare_header(whole)
    try:
        _, _, colours, _ = simplejpeg.decode_jpeg_header(whole, strict=False)
        gray_or_cmyk = "CMYK" if colours in ("CMYK", "YCCK") else "GRAY"
        simplejpeg.decode_jpeg(whole, gray_or_cmyk, min_height=1, min_width=1, strict=True)
    except _REFUSED as error:
        said = str(error)
        padding = _PADDING.search(said)
        is_corrupt = _CORRUPT in said and (padding is None or int(padding[1]) > MOST_PADDING)
        return is_corrupt or _OUT_OF_ORDER in said
    return False


def _has_run(data: bytes, start: int, end: int, run: bytes) -> bool:
    return data.find(run, start, end) >= 0


def is_out_of_step(data: bytes, last_scan: tuple[int, int]) -> bool:
    """Whether a JPEG holds fewer or more bits than its pixels take, by the end of its last scan.

    Damage in a stream of codes of unequal length shows there. It costs three decodings, at an
    eighth of the size where all is in one scan; what makes no difference there may in full.
    """
    start, end = last_scan
    if end - start < 4 * _TRIMMED:
        return False
    # Of a picture in several scans the last ones show in the full size alone.
    reductions = (1,) if is_progressive(data) else (8, 1)
    return all(_is_out_of_step(data, end, reduction) for reduction in reductions)


def _is_out_of_step(data: bytes, end: int, reduction: int) -> bool:
    whole = tried(data[:end] + JPEG_END, reduction)
    longer = tried(data[:end] + FILLER + JPEG_END, reduction)
    shorter = tried(data[: end - _TRIMMED] + FILLER + JPEG_END, reduction)
    if whole is None or longer is None or shorter is None:
        return True
    return not np.array_equal(whole, longer) or np.array_equal(whole, shorter)


def without_markers(data: bytes) -> bytes | None:
    """A JPEG without the markers that damage put among its pixels; None where there are none.

    A codec would take them for its own, and refuse the picture.
    """
    if not holds_all_in_one_scan(data):
        return None
    start, end = scan_start(data), data.rfind(JPEG_END)
    has_restarts = _RESTARTS in data[:start]
    marker = _NO_MARKER_NOR_RESTART if has_restarts else _NO_MARKER
    first = marker.search(data, start)
    if first is None or first.start() == end or data[first.end() : first.end() + 1] in _NO_DAMAGE:
        return None
    return data[:start] + marker.sub(b"\xff\0", data[start:end]) + data[end:]
