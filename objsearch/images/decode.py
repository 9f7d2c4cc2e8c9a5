"""Bytes -> upright RGB pixels, with a guard on every door.

What becomes of unusual pixels: EXIF orientation is applied; transparency is laid on a background;
16 bit a channel keeps its upper 8; floating point is stretched from its own least to its greatest
value; CMYK, palette, gray and LAB go through Pillow's conversions.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, cast

import numpy as np
from PIL import ExifTags, ImageFile, ImageOps, UnidentifiedImageError
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.kinds import mismatch
from objsearch.types import Pixels

# Ultralytics puts another function in the place of `PIL.Image.open`; this is Pillow's own.
_open = PillowImage.open

# Pillow can open more; these are the ones that decode in its own process from pixels alone (no
# Ghostscript, no half-read metafiles). Content decides which one it is, never the file's name.
FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP"),
    *("AVIF", "JPEG2000", "PPM", "ICO", "QOI"),
)

# Each scan of a progressive JPEG is a pass over all its pixels: real files have about ten, a bomb
# has thousands.
MAX_JPEG_SCANS = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """What one image may cost, the guard against bombs, and how what has no pixels gets some."""

    max_megapixels: float = 200.0
    max_bytes: int = 512 * 1024 * 1024
    background: tuple[int, int, int] = (255, 255, 255)
    dpi: float = 150.0
    timeout_seconds: float = 30.0

    def check_size(self, width: int, height: int) -> None:
        """Raises UnreadableImageError when an image of that size must not be decoded."""
        if width < 1 or height < 1:
            raise UnreadableImageError("it has no pixels")
        if width * height > self.max_megapixels * 1e6:
            raise UnreadableImageError(
                f"{width * height / 1e6:,.1f} megapixels, over the limit of "
                f"{self.max_megapixels:g} (input.max_megapixels)"
            )


@dataclass(frozen=True, slots=True)
class Part:
    """Which picture of a file that holds several; the fields of `ImageRef` of the same names.

    Of a PDF page, `frame` is the embedded image by that number, from 0, in place of the page.
    """

    page: int | None = None
    frame: int | None = None
    seconds: float | None = None

    def __bool__(self) -> bool:
        return self != Part()


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Pixels, and the sentences a reader should see about them."""

    pixels: Pixels
    format: str
    warnings: tuple[str, ...] = ()


def decode(
    data: bytes | BinaryIO,
    *,
    name: str = "",
    limits: Limits = Limits(),
    long_side: int | None = None,
) -> Decoded:
    """Decode the first picture in `data`.

    `name` is used for one thing: a warning when its extension tells another format than the bytes.
    Who is going to reduce it to `long_side` pixels, gets it smaller where that saves time: a codec
    for JPEG can leave out what such a size does not show. It never falls below.
    Raises UnreadableImageError with the reason, whatever a codec does with hostile bytes.
    """
    with opened_picture(data, limits) as picture:
        if long_side is not None:
            scale = long_side / max(picture.size)
            width, height = (max(1, round(side * scale)) for side in picture.size)
            picture.draft(None, (width, height))
        return decoded_frame(picture, name, limits)


@contextmanager
def opened_picture(
    data: bytes | BinaryIO, limits: Limits, formats: tuple[str, ...] = FORMATS
) -> Iterator[PillowImage.Image]:
    """Pillow's image, checked but not decoded; all that goes wrong inside becomes one sentence."""
    if isinstance(data, bytes):
        check_bytes(len(data), limits)
    _know_formats()
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    with told_in_a_sentence(limits), _open(stream, formats=formats) as picture:
        limits.check_size(*picture.size)
        if "progressive" in picture.info:
            _check_scans(stream)
        yield picture


def check_bytes(n_bytes: int, limits: Limits) -> None:
    """Raises UnreadableImageError for an empty file and for one over the limit."""
    if n_bytes == 0:
        raise UnreadableImageError("the file is empty")
    if n_bytes > limits.max_bytes:
        raise UnreadableImageError(
            f"larger than {limits.max_bytes:,} bytes, the limit input.max_bytes"
        )


def decoded_frame(picture: PillowImage.Image, name: str, limits: Limits) -> Decoded:
    """The frame that an opened picture stands at."""
    limits.check_size(*picture.size)
    kind = picture.format or "?"
    picture.load()
    return Decoded(upright_pixels(picture, limits), kind, mismatch(name, kind))


def upright_pixels(picture: PillowImage.Image, limits: Limits) -> Pixels:
    """(H, W, 3) uint8 RGB of a Pillow image, turned as its camera says."""
    # Most pictures stand upright, and Pillow would copy them for nothing.
    is_upright = picture.getexif().get(ExifTags.Base.Orientation, 1) == 1
    upright = picture if is_upright else ImageOps.exif_transpose(picture)
    return pixels_of(upright, limits.background)


@contextmanager
def told_in_a_sentence(limits: Limits) -> Iterator[None]:
    """Whatever a codec raises on hostile bytes leaves as an UnreadableImageError, a sentence."""
    try:
        with _quiet:
            yield
    except (UnidentifiedImageError, ImportError):
        # Where Ultralytics came first, its own `open` looks for a codec that may not be there.
        raise UnreadableImageError("not an image in a known format") from None
    except UnreadableImageError:
        raise
    except PillowImage.DecompressionBombError:
        raise UnreadableImageError(f"more than {limits.max_megapixels:g} megapixels") from None
    except MemoryError:
        raise UnreadableImageError("not enough memory to decode it") from None
    except Exception as error:  # codecs raise nearly anything on hostile bytes; the reason is kept
        raise UnreadableImageError(_reason(error)) from error


class _Quiet:
    """While any thread decodes, Pillow's warnings are kept back: ours are for people.

    `warnings.catch_warnings` restores the filters of whoever leaves last, not of who came first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filter: object = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
                self._filter = warnings.filters[0]
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._filter in warnings.filters:
                cast("list[object]", warnings.filters).remove(self._filter)


_quiet = _Quiet()


@cache
def _know_formats() -> None:
    PillowImage.init()  # Pillow loads rarer codecs only on demand, and not by name


def _check_scans(stream: BinaryIO) -> None:
    """Raises UnreadableImageError for a JPEG whose pixels would be gone over again and again."""
    stood_at = stream.tell()
    stream.seek(0)
    n_scans = 0
    while block := stream.read(1024 * 1024):
        n_scans += block.count(b"\xff\xda")
    stream.seek(stood_at)
    if n_scans > MAX_JPEG_SCANS:
        raise UnreadableImageError(f"{n_scans:,} scans, over the limit of {MAX_JPEG_SCANS}")


def drawing_size(size_wh: tuple[float, float], limits: Limits) -> tuple[int, int]:
    """The pixels that a page or drawing of `size_wh` inches gets: `dpi`, within reason.

    What would be too small to recognise is enlarged, what would break the limit made smaller.
    """
    width, height = (min(max(side, 1e-3), 1e6) * limits.dpi for side in size_wh)
    enlarging = max(1.0, LEAST_DRAWING_SIDE / max(width, height))
    shrinking = min(1.0, math.sqrt(limits.max_megapixels * 1e6 / (width * height)) * 0.999)
    scale = enlarging if enlarging > 1 else shrinking
    return max(1, round(width * scale)), max(1, round(height * scale))


LEAST_DRAWING_SIDE = 512
"""Pixels of the longer side below which a drawing, which has none of its own, is enlarged."""


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
    in_rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    return np.ascontiguousarray(in_rgb, dtype=np.uint8)


def _stretched(values: np.ndarray) -> np.ndarray:
    finite = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    if high <= low:
        return np.zeros(finite.shape, np.uint8)
    return np.round((finite - low) * (255.0 / (high - low))).astype(np.uint8)


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    first = text[0] if text else ""
    if "truncated" in first.lower():
        return "the file is cut short"
    return f"it cannot be decoded ({first or type(error).__name__})"


# A truncated file is one `skipped` line, never half a picture passed off as whole.
ImageFile.LOAD_TRUNCATED_IMAGES = False
PillowImage.MAX_IMAGE_PIXELS = None  # `Limits` guards, before any pixel is allocated
