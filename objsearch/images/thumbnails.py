"""Small copies of pictures as JPEG, to be shown where their files are away."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image as PillowImage

from objsearch.images.transform import shrunk
from objsearch.types import Pixels

SIDE = 256
"""Pixels of the longer side: enough to know a photo by, and about 8 kB."""
QUALITY = 75


def thumbnail_of(pixels: Pixels) -> bytes:
    """A picture as a small JPEG."""
    buffer = io.BytesIO()
    PillowImage.fromarray(shrunk(pixels, SIDE)).save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return buffer.getvalue()


def pixels_of(thumbnail: bytes) -> Pixels | None:
    """A thumbnail's pixels; None where it is none."""
    try:
        with PillowImage.open(io.BytesIO(thumbnail), formats=("JPEG",)) as picture:
            return np.asarray(picture.convert("RGB"), np.uint8)
    except (OSError, ValueError, SyntaxError):
        return None
