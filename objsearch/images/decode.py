"""Bytes -> upright RGB pixels, with a guard on every door.

What becomes of unusual pixels: EXIF orientation is applied; transparency is laid on a background;
16 bit a channel keeps its upper 8; floating point is stretched from its own least to its greatest
value; CMYK, palette, gray and LAB go through Pillow's conversions.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageFile, ImageOps, UnidentifiedImageError

from objsearch.errors import UnreadableImageError
from objsearch.types import Pixels

# Pillow can open more; these are the ones that decode in its own process from pixels alone (no
# Ghostscript, no half-read metafiles). Content decides which one it is, never the file's name.
FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP"),
    *("AVIF", "JPEG2000", "PPM", "ICO", "QOI"),
)

_EXTENSIONS = {
    "JPEG": {"jpg", "jpeg", "jpe", "jfif", "mpo"},
    "MPO": {"jpg", "jpeg", "jpe", "mpo"},
    "PNG": {"png", "apng"},
    "GIF": {"gif"},
    "BMP": {"bmp", "dib"},
    "DIB": {"bmp", "dib"},
    "TIFF": {"tif", "tiff"},
    "WEBP": {"webp"},
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one image may cost: the guard against decompression bombs."""

    max_megapixels: float = 200.0
    max_bytes: int = 512 * 1024 * 1024
    background: tuple[int, int, int] = (255, 255, 255)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Pixels, and the sentences a reader should see about them."""

    pixels: Pixels
    format: str
    warnings: tuple[str, ...] = ()


def decode(data: bytes, *, name: str = "", limits: Limits = Limits()) -> Decoded:
    """Decode the first picture in `data`.

    `name` is used for one thing: a warning when its extension tells another format than the bytes.
    Raises UnreadableImageError with the reason, whatever a codec does with hostile bytes.
    """
    if not data:
        raise UnreadableImageError("the file is empty")
    if len(data) > limits.max_bytes:
        raise UnreadableImageError(f"larger than {limits.max_bytes:,} bytes")
    _know_formats()
    try:
        with warnings.catch_warnings():
            # Our own limit is stricter and speaks in sentences; codecs' warnings are not for people.
            warnings.simplefilter("ignore")
            return _decode(data, name, limits)
    except UnidentifiedImageError:
        raise UnreadableImageError("not an image in a known format") from None
    except UnreadableImageError:
        raise
    except PillowImage.DecompressionBombError:
        raise UnreadableImageError(f"more than {limits.max_megapixels:g} megapixels") from None
    except MemoryError:
        raise UnreadableImageError("not enough memory to decode it") from None
    except Exception as error:  # codecs raise nearly anything on hostile bytes; the reason is kept
        raise UnreadableImageError(_reason(error)) from error


@cache
def _know_formats() -> None:
    PillowImage.init()  # Pillow loads rarer codecs only on demand, and not by name


def _decode(data: bytes, name: str, limits: Limits) -> Decoded:
    with PillowImage.open(io.BytesIO(data), formats=FORMATS) as opened:
        kind = opened.format or "?"
        width, height = opened.size
        if width < 1 or height < 1:
            raise UnreadableImageError("it has no pixels")
        if width * height > limits.max_megapixels * 1e6:
            megapixels = width * height / 1e6
            raise UnreadableImageError(
                f"{megapixels:,.0f} megapixels, over the limit of {limits.max_megapixels:g}"
            )
        opened.load()
        pixels = pixels_of(ImageOps.exif_transpose(opened), limits.background)
    return Decoded(pixels, kind, _mismatch(name, kind))


def pixels_of(picture: PillowImage.Image, background: tuple[int, int, int]) -> Pixels:
    """(H, W, 3) uint8 RGB of a loaded Pillow image of any mode."""
    if picture.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I"):
        wide = np.asarray(picture).astype(np.int64).clip(0, 65535)
        return np.repeat((wide >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if picture.mode == "F":
        return np.repeat(_stretched(np.asarray(picture))[..., None], 3, axis=2)
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        overlay = picture.convert("RGBA")
        canvas = PillowImage.new("RGBA", overlay.size, (*background, 255))
        picture = PillowImage.alpha_composite(canvas, overlay)
    return np.ascontiguousarray(picture.convert("RGB"), dtype=np.uint8)


def _stretched(values: np.ndarray) -> np.ndarray:
    finite = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    if high <= low:
        return np.zeros(finite.shape, np.uint8)
    return np.round((finite - low) * (255.0 / (high - low))).astype(np.uint8)


def _mismatch(name: str, kind: str) -> tuple[str, ...]:
    extension = PurePath(name).suffix.lower().lstrip(".")
    every = set().union(*_EXTENSIONS.values())
    if extension in every and extension not in _EXTENSIONS.get(kind, every):
        return (f"the name says .{extension} but the content is {kind}",)
    return ()


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    first = text[0] if text else ""
    if "truncated" in first.lower():
        return "the file is cut short"
    return f"it cannot be decoded ({first or type(error).__name__})"


# A truncated file is one `skipped` line, never half a picture passed off as whole.
ImageFile.LOAD_TRUNCATED_IMAGES = False
PillowImage.MAX_IMAGE_PIXELS = None  # `Limits` guards, before any pixel is allocated
