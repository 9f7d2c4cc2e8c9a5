"""Colours of more than 8 bits, at their own depth, by OpenCV: Pillow gives 8 bits of them.

Of a PNG those are the upper 8. Of JPEG 2000 they are rounded, and what would be rounded to 256
comes out as 0: white as black, and what is opaque as clear.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.behind import png_chunks
from objsearch.images.codecs import all_of
from objsearch.images.upright import orientation_of, turned

_SIZES = b"\xff\x4f\xff\x51"
"""How a stream of JPEG 2000 begins: with the sizes of its picture (ISO 15444-1, A.5.1: SIZ)."""
_N_COLOURS, _COLOURS = 38, 40
_SPACE, _BY_NUMBER, _RGB = b"colr", 1, 16
"""The box of its colour space, and that it names one by a number: there are Lab, inks, ..."""
_OF_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def deep_jpeg2000(picture: PillowImage.Image) -> NDArray[Any] | None:
    """(H, W, 3 or 4) RGB and alpha of a picture that is opened and not loaded, upright.

    They lie in the upper bits of 16. None of gray, of 8 bits, and of other formats. Raises
    UnreadableImageError for what OpenCV does not read, or reads wrong.
    """
    stream = getattr(picture, "fp", None)
    if picture.format != "JPEG2000" or stream is None:
        return None
    data = all_of(stream)
    n_bits = jpeg2000_bits(data)
    if len(n_bits) < 2 or max(n_bits) <= 8:
        return None
    read = None
    if len(set(n_bits)) == 1 and n_bits[0] <= 16 and _is_rgb(data):
        read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None or read.dtype != np.uint16 or read.shape[2:] != (len(n_bits),):
        raise UnreadableImageError(
            f"its colours of {max(n_bits)} bits are of a kind of JPEG 2000 that is not read"
        )
    samples = read[..., [2, 1, 0, 3][: len(n_bits)]].astype(np.uint16)
    return turned(samples << (16 - n_bits[0]), orientation_of(picture))


def _is_rgb(data: bytes) -> bool:
    """Whether its colours are said to be no others: OpenCV would take those for RGB."""
    at = data.find(_SPACE, 0, max(0, data.find(_SIZES)))
    named = int.from_bytes(data[at + 7 : at + 11], "big")
    return at < 0 or data[at + 4] != _BY_NUMBER or named == _RGB


def jpeg2000_bits(data: bytes) -> list[int]:
    """How many each of its colours has."""
    start = data.find(_SIZES) + 2
    n_colours = int.from_bytes(data[start + _N_COLOURS : start + _COLOURS], "big")
    told = data[start + _COLOURS :][: 3 * n_colours : 3] if start >= 2 else b""
    return [(byte & 0x7F) + 1 for byte in told]


def deep_png(data: bytes, picture: PillowImage.Image) -> NDArray[Any] | None:
    """(H, W, 3 or 4) of a PNG of 16 bits a colour, upright; None where it moves or is not read."""
    if getattr(picture, "n_frames", 1) > 1:
        return None
    picture.load()  # what is damaged ends here
    # Of that, and of a profile that it finds odd, libpng writes to standard error.
    parts = [
        data[start - 8 : start + size + 4]
        for kind, start, size in png_chunks(data)
        if kind in _OF_PIXELS
    ]
    bare = np.frombuffer(b"".join((data[:8], *parts)), np.uint8)
    read = cv2.imdecode(bare, cv2.IMREAD_UNCHANGED)
    if read is None or read.dtype != np.uint16 or read.ndim != 3:
        return None
    return turned(read[..., [2, 1, 0, 3][: read.shape[2]]], orientation_of(picture))
