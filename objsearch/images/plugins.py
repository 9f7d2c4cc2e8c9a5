"""HEIC and JPEG XL: Pillow with a plug-in package, where it is installed."""

from __future__ import annotations

import importlib
from dataclasses import replace

from objsearch.errors import UnreadableImageError
from objsearch.images import boxes
from objsearch.images.behind import only_first_of
from objsearch.images.decode import Decoded, Limits, decoded_frame, opened_picture

_PLUGINS = {"HEIF": ("pillow_heif", "heic", "HEIC"), "JXL": ("pillow_jxl", "jxl", "JPEG XL")}
"""Kind: module, extra of this package, name for people."""

_NOT_DECODED = "it cannot be decoded: it is damaged, or of a kind of JPEG XL that is not read"


def decode_with_plugin(data: bytes, kind: str, name: str, limits: Limits) -> Decoded:
    """The main picture. Raises UnreadableImageError, also where the plug-in is not installed."""
    module_name, extra, called = _PLUGINS[kind]
    try:
        module = importlib.import_module(module_name)
    except ImportError:
        raise UnreadableImageError(missing(called, extra)) from None
    if kind == "HEIF":
        module.register_heif_opener()
    try:
        with opened_picture(data, limits, formats=(kind,)) as picture:
            decoded = decoded_frame(picture, name, limits)
    except UnreadableImageError as error:
        if "libjxl" in str(error):  # it asks the person to build it anew, whatever is wrong
            raise UnreadableImageError(_NOT_DECODED) from None
        raise
    said = only_first_of(boxes.held_of(data).n_pictures) if kind == "HEIF" else ()
    return replace(decoded, warnings=(*decoded.warnings, *said))


def missing(called: str, extra: str) -> str:
    """What to say of a file whose codec is not installed."""
    return f"{called} files need a codec: pip install 'objsearch[{extra}]'"
