"""Pictures turned as their camera was held."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, ImageOps
from PIL import Image as PillowImage


def upright_picture(picture: PillowImage.Image) -> PillowImage.Image:
    """A Pillow image turned as its camera says."""
    # Most pictures stand upright, and Pillow would copy them for nothing.
    return picture if orientation_of(picture) == 1 else ImageOps.exif_transpose(picture)


def orientation_of(picture: PillowImage.Image) -> int:
    """By EXIF, 1 to 8; upright where the block is damaged, and where a codec has turned it."""
    if picture.format == "JXL" and not getattr(picture, "jpeg", False):
        return 1  # it says so beside its pixels, and the same in EXIF; not so a JPEG packed in it
    if picture.format == "PNG":
        picture.load()  # it looks behind the pixels for EXIF: what is wrong with these is told here
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # of some formats Pillow raises nearly anything on hostile bytes
        return 1
    return orientation if orientation in range(1, 9) else 1


def turned(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(H, W, ...) samples turned upright by EXIF's orientation, 1 to 8; others are 1."""
    if orientation in (5, 6, 7, 8):
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return np.ascontiguousarray(samples)
