"""A file's pages with their samples as they are: nothing laid on white, no depth lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageOps

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits, opened_picture
from objsearch.signing.metadata import exif_of
from objsearch.types import ImageRef

CARRIERS = {"L": 1, "LA": 1, "RGB": 3, "RGBA": 3, "CMYK": 4, "I;16": 1}
"""Pillow's modes that a signature is made for, and how many of their planes are colours."""

REDUCED = "objsearch reduced"
"""Key of a page's `info`: whether its file has more bits a sample than were read."""

_SEQUENCES = ("TIFF", "GIF", "PNG", "WEBP", "AVIF")  # a JPEG's further pictures are previews
_SUBFILE_TYPE = 254  # TIFF tag; its lowest bit marks a smaller version of another page


def pages_of(data: bytes | BinaryIO, limits: Limits) -> Iterator[PillowImage.Image]:
    """Every page or frame, upright and in one of the modes of `CARRIERS`, one at a time.

    Raises UnreadableImageError. `format` and `info` are those of the file; of the first page also
    the tags that are worth keeping, as `exif`.
    """
    with opened_picture(data, limits) as picture:
        deadline = time.monotonic() + limits.timeout_seconds
        number = 0
        while _is_at(picture, number):
            number += 1
            if time.monotonic() > deadline:
                raise UnreadableImageError("it takes too long to go through its pages")
            if not int(getattr(picture, "tag_v2", {}).get(_SUBFILE_TYPE, 0)) & 1:
                limits.check_size(*picture.size)
                is_reduced = _is_reduced(picture)
                picture.load()
                page = carrier_of(ImageOps.exif_transpose(picture))
                page.format = picture.format
                page.info[REDUCED] = is_reduced
                page.info["exif"] = exif_of(picture) if number == 1 else None
                started = time.monotonic()
                yield page
                deadline += time.monotonic() - started  # what the caller does with it


def chosen_pages(
    pages: Iterator[PillowImage.Image], ref: ImageRef | None
) -> Iterator[PillowImage.Image]:
    """Of the pages of a file the one that a ref names, or all. Raises UnreadableImageError."""
    number = ref and _number(ref)
    if number is None:
        yield from pages
        return
    n_pages = 0
    for n_pages, page in enumerate(pages, 1):
        if n_pages == number:
            yield page
            return
    raise UnreadableImageError(f"it has {n_pages} pages, and no page {number}")


def _number(ref: ImageRef) -> int | None:
    """Counted from 1, as pages are; frames count from 0."""
    return ref.page if ref.frame is None else ref.frame + 1


def _is_at(picture: PillowImage.Image, number: int) -> bool:
    if number == 0:
        return True
    if picture.format not in _SEQUENCES:
        return False
    try:
        picture.seek(number)
    except EOFError:
        return False
    return True


def _is_reduced(picture: PillowImage.Image) -> bool:
    """Whether Pillow is about to make 8 bits a sample of 16: it has no colours of 16."""
    tiles = getattr(picture, "tile", None) or [()]
    return picture.mode in ("RGB", "RGBA", "LA") and ";16" in str(tiles[0])


def carrier_of(picture: PillowImage.Image) -> PillowImage.Image:
    """The picture in a mode of `CARRIERS`, with the same samples where it has any such."""
    mode = picture.mode
    if mode.startswith("I") or mode == "F":
        return _of_wide_samples(picture)
    if mode in ("PA", "RGBa") or ("transparency" in picture.info and mode in ("P", "RGB")):
        converted = picture.convert("RGBA")
    elif mode == "La" or ("transparency" in picture.info and mode in ("1", "L")):
        converted = picture.convert("LA")
    elif mode in CARRIERS:
        return picture
    else:
        converted = picture.convert("L" if mode == "1" else "RGB")
    converted.info.pop("transparency", None)
    return converted


def _of_wide_samples(picture: PillowImage.Image) -> PillowImage.Image:
    values = np.asarray(picture)
    if picture.mode == "F" or values.min() < 0 or values.max() > 0xFFFF:
        raise UnreadableImageError("its samples have 32 bits, which carry no signature")
    wide = PillowImage.fromarray(values.astype(np.uint16))
    return _noted(wide, picture)


def samples_of(page: PillowImage.Image) -> NDArray[Any]:
    """(H, W, C): all planes of a page."""
    samples = np.asarray(page)
    return samples[..., None] if samples.ndim == 2 else samples


def colours_of(page: PillowImage.Image) -> NDArray[Any]:
    """(H, W, C): the planes of a page without its transparency."""
    return samples_of(page)[..., : CARRIERS[page.mode]]


def with_samples(page: PillowImage.Image, samples: NDArray[Any]) -> PillowImage.Image:
    """A page of the same mode, with its notes (`info`), that holds other samples."""
    flat = samples[..., 0] if samples.shape[2] == 1 else samples
    if page.mode in ("CMYK", "LA"):
        made = PillowImage.frombytes(page.mode, page.size, np.ascontiguousarray(flat).tobytes())
    else:
        made = PillowImage.fromarray(np.ascontiguousarray(flat))
    return _noted(made, page)


def eight_bit(page: PillowImage.Image) -> PillowImage.Image:
    """A page in one of the modes that the robust signature works in: L, LA, RGB, RGBA."""
    if page.mode == "I;16":
        wide = np.asarray(page) >> 8
        return _noted(PillowImage.fromarray(wide.astype(np.uint8)), page)
    return _noted(page.convert("RGB"), page) if page.mode == "CMYK" else page


def _noted(made: PillowImage.Image, page: PillowImage.Image) -> PillowImage.Image:
    made.info = {**page.info, **made.info}
    made.format = page.format
    return made
