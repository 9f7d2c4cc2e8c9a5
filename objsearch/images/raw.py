"""Camera raw: told by content first and the name second, read by `rawpy` where it is installed.

A raw file holds what the sensor saw, and mostly a small JPEG to look at: to judge the one by the
other would be to compare previews.
"""

from __future__ import annotations

import importlib
from pathlib import PurePath
from typing import Any, BinaryIO

import numpy as np

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Decoded, Limits, told_in_a_sentence
from objsearch.images.kinds import RAW_EXTENSIONS
from objsearch.images.tiff_directories import PHOTOMETRIC, SUB_DIRECTORIES, Directory, TiffFile

_SIGNATURES = (
    b"FUJIFILMCCD-RAW",
    b"FOVb",
    b"\0MRM",
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\0",
    b"II\x1a\0\0\0HEAPCCDR",
)
_DNG_VERSION = 50706
_SENSOR = (32803, 34892)
"""Photometric interpretations of TIFF: a colour filter array, and linear raw."""


def is_raw(stream: BinaryIO, kind: str, name: str) -> bool:
    """Whether a file whose first bytes are of that kind is camera raw.

    The name counts where the content alone could be either: a TIFF, or nothing that is known.
    """
    stream.seek(0)
    head = stream.read(16)
    if head.startswith(_SIGNATURES) or head[4:12] == b"ftypcrx ":
        return True
    is_called_raw = PurePath(name).suffix.lower().lstrip(".") in RAW_EXTENSIONS
    if kind == "":
        return is_called_raw
    if kind != "TIFF":
        return False
    return is_called_raw or head[8:10] == b"CR" or _has_sensor_data(stream)


def _has_sensor_data(stream: BinaryIO) -> bool:
    tiff = TiffFile(stream)
    pages = tiff.pages()
    if any(_DNG_VERSION in page.places for page in pages):
        return True
    below = [
        directory
        for page in pages
        if SUB_DIRECTORIES in page.places
        for directory in tiff.subs(page)
    ]
    return any(_is_sensor(directory) for directory in (*pages, *below))


def _is_sensor(directory: Directory) -> bool:
    return directory.value(PHOTOMETRIC, 0) in _SENSOR


def decode_raw(path: str, limits: Limits) -> Decoded:
    """The sensor's picture, developed with the camera's white balance, in 8 bits.

    Raises UnreadableImageError, also where `rawpy` is not installed.
    """
    try:
        rawpy: Any = importlib.import_module("rawpy")
    except ImportError:
        raise UnreadableImageError(missing()) from None
    with told_in_a_sentence(limits), rawpy.imread(path) as opened:
        limits.check_size(opened.sizes.iwidth, opened.sizes.iheight)
        pixels = opened.postprocess(use_camera_wb=True, output_bps=8)
    return Decoded(np.ascontiguousarray(pixels, np.uint8), "RAW")


def missing() -> str:
    """What to say of camera raw where nothing is there to read it."""
    return (
        "it is camera raw, and was not looked at: to read it, pip install 'objsearch[raw]' "
        "(its preview is not the picture)"
    )


def refined_kind(stream: BinaryIO, kind: str, name: str) -> str:
    """`RAW` for camera raw, else the kind that the first bytes told."""
    try:
        return "RAW" if is_raw(stream, kind, name) else kind
    except UnreadableImageError:  # reading it will say what is wrong
        return kind
