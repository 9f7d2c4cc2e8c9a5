"""TIFFs of more than 8 bits a sample, signed or floating, by OpenCV's libtiff at their own depth.

Pillow turns none of the following around, and says nothing: 16 bits where white is 0, planes of 16
bits, whole numbers with a sign, and those of 32 bits.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.errors import UnreadableImageError
from objsearch.images.samples import ROWS
from objsearch.images.tiff_directories import (
    BITS,
    EXTRA_SAMPLES,
    N_SAMPLES,
    ORIENTATION,
    PHOTOMETRIC,
    PLANAR,
    SAMPLE_FORMAT,
    Directory,
    TiffFile,
)
from objsearch.images.upright import turned

_UNSIGNED, _SIGNED, _FLOATING, _UNDEFINED = 1, 2, 3, 4
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK = 0, 1, 2, 5
NO_ALPHA, _MULTIPLIED = 0, 1
"""Kinds of a fourth sample: something else (infrared, say), and alpha that has darkened colours."""
_CHANNELS = {_WHITE_IS_ZERO: (1,), _BLACK_IS_ZERO: (1,), _RGB: (3, 4)}

_BITS, _BITS_OF_FLOATS = (8, 10, 12, 14, 16, 32, 64), (32, 64)
"""A sample that are read; OpenCV puts 10, 12 and 14, packed as cameras for science do it, into the
upper bits of 16."""

# Of a damaged file it would write pages to standard error. Versions differ in where that is set.
if hasattr(cv2, "setLogLevel"):
    cv2.setLogLevel(0)
elif hasattr(cv2.utils, "logging"):
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def is_wide(directory: Directory) -> bool:
    """Whether its samples are anything but whole numbers of at most 8 bits.

    CMYK of 16 bits is not among them: Pillow reads it right, to 8.
    """
    is_plain = directory.value(SAMPLE_FORMAT, _UNSIGNED) in (_UNSIGNED, _UNDEFINED)
    bits = max(directory.values.get(BITS, (1,)), default=1)
    is_cmyk = directory.value(PHOTOMETRIC, _BLACK_IS_ZERO) == _CMYK and is_plain
    if is_cmyk and bits == 16 and directory.value(PLANAR, 1) == 1:
        return False
    return not is_plain or bits > 8


def wide_samples(stream: BinaryIO) -> NDArray[Any]:
    """(H, W) or (H, W, 3 or 4) samples of the first directory, black at the low end, upright.

    Their type is the file's own: uint16, int8 to int64, uint32, float32, ... Raises
    UnreadableImageError for what OpenCV does not read, or reads wrong.
    """
    pages = TiffFile(stream).pages()
    if not pages:
        raise UnreadableImageError("the file is cut short")
    first = pages[0]
    _check_readable(first)
    stream.seek(0)
    data = np.frombuffer(stream.read(), np.uint8)
    if ORIENTATION in first.places:
        # OpenCV follows some of the eight and not others: it is to follow none.
        data = data.copy()
        order = "<u2" if data[0] == ord("I") else ">u2"
        place = first.places[ORIENTATION]
        data[place : place + 2] = np.array([1], order).view(np.uint8)
    read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if read is None or read.shape[:2] != first.size_wh[::-1]:
        raise UnreadableImageError("its samples cannot be decoded: it is damaged or cut short")
    samples = read if read.ndim == 2 else read[..., [2, 1, 0, 3][: read.shape[2]]]
    if first.value(PHOTOMETRIC, _BLACK_IS_ZERO) == _WHITE_IS_ZERO:
        samples = _negative(samples)
    if samples.ndim == 3 and samples.shape[2] == 4:
        samples = _with_plain_alpha(samples, first.values.get(EXTRA_SAMPLES, ()))
    return turned(samples, first.value(ORIENTATION, 1))


def _with_plain_alpha(samples: NDArray[Any], extra: tuple[int, ...]) -> NDArray[Any]:
    """RGB without what is no alpha, or RGBA with the colours as they were before it."""
    if extra[:1] == (NO_ALPHA,):
        return samples[..., :3]
    if extra[:1] != (_MULTIPLIED,):
        return samples
    most = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    for rows in np.array_split(samples, max(1, len(samples) // ROWS)):  # views, and no large copy
        part = rows[..., 3:].astype(np.float64) / most
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = np.where(part > 0, rows[..., :3] / part, 0)
        rows[..., :3] = plain if samples.dtype.kind == "f" else np.round(plain.clip(0, most))
    return samples


def _check_readable(directory: Directory) -> None:
    bits = directory.values.get(BITS, (1,))
    n_samples = directory.value(N_SAMPLES, 1)
    photometric = directory.value(PHOTOMETRIC, _BLACK_IS_ZERO)
    sample_format = directory.value(SAMPLE_FORMAT, _UNSIGNED)
    is_float = sample_format == _FLOATING
    if sample_format > _UNDEFINED:
        raise UnreadableImageError("a TIFF of complex numbers is not read")
    if n_samples > 1 and directory.value(PLANAR, 1) == 2:
        raise UnreadableImageError(
            f"its {bits[0]}-bit samples lie in a plane a colour, which is not read; "
            "save it with interleaved colours"
        )
    if n_samples not in _CHANNELS.get(photometric, ()):
        raise UnreadableImageError(
            f"a TIFF of {n_samples} samples of {bits[0]} bits in this colour model is not read"
        )
    if len(set(bits)) > 1 or bits[0] not in (_BITS_OF_FLOATS if is_float else _BITS):
        kind = "floating-point numbers" if is_float else "numbers"
        raise UnreadableImageError(f"a TIFF of {kind} of {bits[0]} bits is not read")


def _negative(samples: NDArray[Any]) -> NDArray[Any]:
    if samples.dtype.kind == "f":
        return np.asarray(-samples)
    # Of 0..max this is the mirror image, and of signed numbers -1 - x.
    return np.asarray(np.invert(samples))
