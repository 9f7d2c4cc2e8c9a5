"""Pillow's codecs that pictures are decoded with, and no others."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import IO

# Pillow can open more; these are the ones that decode in its own process from pixels alone (no
# Ghostscript, no half-read metafiles). Content decides which one it is, never the file's name.
FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP"),
    *("AVIF", "JPEG2000", "PPM", "ICO", "QOI"),
)
_MODULES = (
    *("Jpeg", "Png", "Gif", "Bmp", "Tiff", "WebP"),
    *("Avif", "Jpeg2K", "Ppm", "Ico", "Qoi"),
)


@cache
def know_formats() -> None:
    """Load them: Pillow does so on demand, and then imports all of its fifty."""
    for name in _MODULES:
        import_module(f"PIL.{name}ImagePlugin")


def all_of(stream: IO[bytes]) -> bytes:
    """The bytes of a stream, which stays where it stands."""
    stood_at = stream.tell()
    stream.seek(0)
    whole = stream.read()
    stream.seek(stood_at)
    return whole
