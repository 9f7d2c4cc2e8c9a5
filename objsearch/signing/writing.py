"""Signed pages -> a file: which formats hold which pages, and how they are written."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage

from objsearch.errors import UsageError, nearest
from objsearch.files import replacing
from objsearch.signing.metadata import metadata_of
from objsearch.signing.pages import carrier_of


@dataclass(frozen=True, slots=True)
class Target:
    """A format: the modes it stores, whether several pages fit, options for `save`."""

    name: str
    modes: tuple[str, ...]
    is_sequence: bool = False
    options: tuple[tuple[str, Any], ...] = ()
    has_quality: bool = False


_PNG = Target("PNG", ("L", "LA", "RGB", "RGBA", "I;16"), True)
_TIFF = Target(
    "TIFF",
    ("L", "LA", "RGB", "RGBA", "CMYK", "I;16"),
    True,
    (("compression", "tiff_adobe_deflate"),),
)
_WEBP = Target("WEBP", ("RGB", "RGBA"), True, (("lossless", True), ("exact", True)), True)
_JPEG = Target("JPEG", ("L", "RGB", "CMYK"), False, (("quality", 92),), True)
_AVIF = Target("AVIF", ("RGB", "RGBA"), True, (("quality", 90),), True)
_JPEG2000 = Target("JPEG2000", ("L", "LA", "RGB", "RGBA", "I;16"))
_PPM = Target("PPM", ("L", "RGB"))

TARGETS = {
    **{".png": _PNG, ".apng": _PNG, ".tif": _TIFF, ".tiff": _TIFF, ".webp": _WEBP},
    **{".jpg": _JPEG, ".jpeg": _JPEG, ".jpe": _JPEG, ".jfif": _JPEG, ".avif": _AVIF},
    **{".jp2": _JPEG2000, ".j2k": _JPEG2000, ".ppm": _PPM, ".pgm": _PPM, ".pnm": _PPM},
    **{".bmp": Target("BMP", ("L", "RGB")), ".gif": Target("GIF", ("L", "RGB", "RGBA"), True)},
    ".qoi": Target("QOI", ("RGB", "RGBA")),
}
"""The formats that can be written, by extension."""


def target_of(path: Path) -> Target:
    """The format that a name's extension asks for. Raises UsageError for one that is not known."""
    extension = path.suffix.lower()
    if extension not in TARGETS:
        raise UsageError(
            f"cannot write '{extension or path.name}' files{nearest(extension, TARGETS)} "
            f"(known: {' '.join(TARGETS)})"
        )
    return TARGETS[extension]


def fitted(page: PillowImage.Image, target: Target) -> tuple[PillowImage.Image, str]:
    """A page in a mode that the target stores, and a sentence where something was lost by it."""
    if page.mode in target.modes:
        return page, ""
    if page.mode == "I;16":
        raise UsageError(f"{target.name} has no 16 bits a sample: write a .png, .tif or .jp2")
    if page.mode == "CMYK":
        return _like(page.convert("RGB"), page), f"CMYK became RGB: {target.name} has no CMYK"
    if page.mode in ("RGBA", "LA"):
        if "RGBA" in target.modes:
            return _like(page.convert("RGBA"), page), ""
        canvas = PillowImage.new("RGBA", page.size, "white")
        opaque = PillowImage.alpha_composite(canvas, page.convert("RGBA")).convert("RGB")
        return _like(opaque, page), f"laid on white: {target.name} has no transparency"
    return _like(page.convert("RGB"), page), ""


def _like(made: PillowImage.Image, page: PillowImage.Image) -> PillowImage.Image:
    made.info = {key: value for key, value in page.info.items() if key != "transparency"}
    made.format = page.format
    return carrier_of(made)


def encoded(
    pages: Sequence[PillowImage.Image], target: Target, quality: int | None, same_colours: bool
) -> bytes:
    """The file's bytes, with what is kept of the first page's metadata."""
    first, *others = pages
    if others and not target.is_sequence:
        raise UsageError(f"{target.name} holds one page, not {len(pages)}: write a .tif")
    options = {**dict(target.options), **metadata_of(first, target.name, same_colours)}
    if quality is not None:
        if not target.has_quality:
            raise UsageError(f"{target.name} has no quality to be set")
        options = {**options, "quality": quality}
        options.pop("lossless", None)
    if others:
        options.update(_timing(pages, target))
    stream = io.BytesIO()
    try:
        first.save(stream, target.name, **options)
    except (OSError, ValueError, KeyError, SyntaxError) as error:  # what Pillow's codecs raise
        raise UsageError(f"cannot be written as {target.name} ({error})") from None
    return stream.getvalue()


def _timing(pages: Sequence[PillowImage.Image], target: Target) -> dict[str, Any]:
    options: dict[str, Any] = {"save_all": True, "append_images": list(pages[1:])}
    if target.name != "TIFF":
        options["duration"] = [int(page.info.get("duration") or 100) for page in pages]
        options["loop"] = pages[0].info.get("loop", 0)
    return options


def write_file(path: Path, data: bytes, is_replaced: bool) -> None:
    """Write a file that appears whole or not at all. Raises UsageError.

    Where none `is_replaced`, one of that name that appears meanwhile is not touched.
    """
    try:
        if not is_replaced:
            _write_new(path, data)
            return
        with replacing(os.path.realpath(path)) as whole:
            whole.write(data)
    except FileExistsError:
        raise UsageError(f"'{path}' has appeared meanwhile; replace it with --force") from None
    except OSError as error:
        raise UsageError(f"cannot write '{path}': {error.strerror or error}") from None


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:
        try:
            stream.write(data)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
