"""Bytes -> upright RGB pixels, with a guard on every door.

What becomes of unusual pixels: EXIF orientation is applied; the rest is in `shown`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageFile, UnidentifiedImageError

from objsearch.errors import UnreadableImageError
from objsearch.images.behind import ONLY_FIRST_FRAME, only_first_of, pictures_in
from objsearch.images.codecs import FORMATS, all_of, know_formats
from objsearch.images.damage import DAMAGED, damage_of, strictly_decoded, without_markers
from objsearch.images.deep import deep_jpeg2000
from objsearch.images.icons import icon_of
from objsearch.images.jpeg_scans import is_lossless
from objsearch.images.kinds import is_tiff, mismatch
from objsearch.images.libtiff import hearing
from objsearch.images.mending import mended
from objsearch.images.quiet import quiet
from objsearch.images.shown import Shown, pixels_of_values, shown
from objsearch.images.tiff_directories import TiffFile, picture_stream
from objsearch.images.tiff_samples import is_wide, wide_samples
from objsearch.images.upright import orientation_of, turned, upright_picture
from objsearch.types import Pixels

JPEGS = "JPEG", "MPO"
"""Formats, as Pillow calls them, whose first picture is a JPEG."""

# Ultralytics puts another function in the place of `PIL.Image.open`; this is Pillow's own.
_open = PillowImage.open

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
    """Pixels, and the sentences a reader should see about them; alpha and ground as of `Image`.

    `full_size_wh` is the upright picture's own size where this is a smaller one."""

    pixels: Pixels
    format: str
    warnings: tuple[str, ...] = ()
    alpha: NDArray[np.uint8] | None = None
    ground: tuple[int, int, int] = (255, 255, 255)
    full_size_wh: tuple[int, int] | None = None


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
    if isinstance(data, bytes):
        check_bytes(len(data), limits)
    with told_in_a_sentence(limits):
        stream, said = mended(io.BytesIO(data) if isinstance(data, bytes) else data)
        if is_tiff(stream):
            return decode_tiff(picture_stream(stream), name, limits)
    try:
        first = _First.of(stream, name, limits, long_side)
    except UnreadableImageError:
        whole = without_markers(all_of(stream))
        if whole is None:
            raise
        first = _First.of(io.BytesIO(whole), name, limits, long_side)
    decoded = first.decoded
    if decoded.format in JPEGS:
        whole = all_of(stream)
        damaged = damage_of(whole, is_decoded=first.is_strict)
        said = (*said, *damaged, *only_first_of(len(pictures_in(whole))))
    return replace(decoded, warnings=(*said, *decoded.warnings))


@dataclass(frozen=True, slots=True)
class _First:
    """The first picture of a file; `is_strict` where the codec found nothing odd in a JPEG."""

    decoded: Decoded
    is_strict: bool

    @classmethod
    def of(cls, stream: BinaryIO, name: str, limits: Limits, long_side: int | None) -> _First:
        with opened_picture(stream, limits) as picture:
            whole = all_of(stream) if picture.format in JPEGS else b""
            full_wh = None
            if long_side is not None and not is_lossless(whole):
                full_wh = _drafted(picture, long_side)
            strict = _strictly(whole, picture) if whole else None
            if strict is None:
                decoded = decoded_frame(picture, name, limits)
            else:
                odd = mismatch(name, picture.format or "?")
                decoded = Decoded(strict, picture.format or "?", odd)
            moves = picture.format not in ("TIFF", "MPO") and getattr(picture, "is_animated", False)
            said = (*decoded.warnings, ONLY_FIRST_FRAME) if moves else decoded.warnings
            first = replace(decoded, warnings=said, full_size_wh=full_wh)
            return cls(first, strict is not None)


def _strictly(whole: bytes, picture: PillowImage.Image) -> Pixels | None:
    """Upright pixels of an opened JPEG, by a codec that finds all sound; None where it does not."""
    pixels = strictly_decoded(whole, picture.size)
    return None if pixels is None else turned(pixels, orientation_of(picture))


def _drafted(picture: PillowImage.Image, long_side: int) -> tuple[int, int] | None:
    """Set the codec to the scale that `long_side` needs; the upright full size where it does."""
    full_wh = picture.size
    scale = long_side / max(full_wh)
    picture.draft(None, (max(1, round(full_wh[0] * scale)), max(1, round(full_wh[1] * scale))))
    is_turned = orientation_of(picture) >= 5
    return None if picture.size == full_wh else full_wh[::-1] if is_turned else full_wh


def decode_tiff(stream: BinaryIO, name: str, limits: Limits) -> Decoded:
    """The first picture of a TIFF. Raises UnreadableImageError.

    Pillow does not read some kinds of samples, and reads others wrong.
    """
    with told_in_a_sentence(limits):
        first = next(iter(TiffFile(stream).pages()), None)
        if first is not None and is_wide(first):
            limits.check_size(*first.size_wh)
            wide = pixels_of_values(wide_samples(stream), limits.background)
            return _decoded(wide, "TIFF", mismatch(name, "TIFF"))
    with opened_picture(stream, limits, formats=("TIFF",)) as picture:
        return decoded_frame(picture, name, limits)


@contextmanager
def opened_picture(
    data: bytes | BinaryIO, limits: Limits, formats: tuple[str, ...] = FORMATS
) -> Iterator[PillowImage.Image]:
    """Pillow's image, checked but not decoded; all that goes wrong inside becomes one sentence."""
    if isinstance(data, bytes):
        check_bytes(len(data), limits)
    know_formats()
    with told_in_a_sentence(limits):
        stream, _ = mended(io.BytesIO(data) if isinstance(data, bytes) else data)
        with _open(stream, formats=formats) as picture:
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
    if (deep := deep_jpeg2000(picture)) is not None:
        return _decoded(pixels_of_values(deep, limits.background), kind, mismatch(name, kind))
    if hasattr(picture, "ico"):
        picture = icon_of(picture, 0)
        limits.check_size(*picture.size)
    with hearing() as is_damaged:
        picture.load()
    odd = (*mismatch(name, kind), *(DAMAGED if is_damaged() else ()))
    return _decoded(shown(upright_picture(picture), limits.background), kind, odd)


def _decoded(picture: Shown, kind: str, said: tuple[str, ...] = ()) -> Decoded:
    return Decoded(picture.pixels, kind, (*said, *picture.said), picture.alpha, picture.ground)


def decoded_picture(picture: PillowImage.Image, kind: str, limits: Limits) -> Decoded:
    """A Pillow image at hand, turned as its camera says."""
    return _decoded(shown(upright_picture(picture), limits.background), kind)


@contextmanager
def told_in_a_sentence(limits: Limits) -> Iterator[None]:
    """Whatever a codec raises on hostile bytes leaves as an UnreadableImageError, a sentence."""
    try:
        with quiet:
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


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error)
    text = (said.decode("utf-8", "replace") if isinstance(said, bytes) else said).strip()
    first = text.splitlines()[0] if text else ""
    if "truncated" in first.lower():
        return "the file is cut short"
    return f"it cannot be decoded ({first or type(error).__name__})"


# A truncated file is one `skipped` line, never half a picture passed off as whole.
ImageFile.LOAD_TRUNCATED_IMAGES = False
PillowImage.MAX_IMAGE_PIXELS = None  # `Limits` guards, before any pixel is allocated
