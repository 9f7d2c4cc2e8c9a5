"""One place -> one image, or the reason why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Decoded, Limits, Part, decode, decoded_picture
from objsearch.images.frames import decode_part
from objsearch.images.kinds import mismatch
from objsearch.images.transform import reduced_wh, reduction_for, resize
from objsearch.sources.contents import (
    Content,
    FileContent,
    MemoryContent,
    opened,
    read_stream,
)
from objsearch.sources.isolation import ISOLATED_KINDS, replies
from objsearch.sources.options import Reading
from objsearch.sources.places import Place
from objsearch.sources.regions import region_of
from objsearch.sources.urls import fetch, is_url, name_of
from objsearch.types import Image, Unreadable


def read_image(
    place: Place, reading: Reading | Limits = Reading(), *, long_side: int | None = None
) -> Image | Unreadable:
    """Open one place. Whatever is wrong with it ends in an `Unreadable`, never in an exception.

    Of a file that holds several pictures it is the one that the ref names, or the first. With a
    `long_side` it may come smaller than it is, though not smaller than that: see `decode`.
    """
    decoded = _opened(place, reading, long_side)
    if isinstance(decoded, Unreadable):
        return decoded
    image = _image_of(place, decoded)
    try:
        xywh = place.ref.xywh or (place.region and place.region.in_pixels(image.size_wh))
        return region_of(image, xywh, place.roi_mode) if xywh else image
    except UnreadableImageError as error:
        return Unreadable(place.ref, str(error))


def read_working(place: Place, reading: Reading, long_side: int) -> Image | Unreadable:
    """Open one place to describe it: a huge picture at a half, a quarter or an eighth.

    The longer side keeps `long_side` pixels or more; the image knows its `full_size_wh` and
    `reduction`. Of formats whose codec knows no scale the same size comes out, a little later. A
    region is read at the full size.
    """
    if place.region is not None or place.ref.xywh is not None:
        return read_image(place, reading)
    decoded = _opened(place, reading, long_side)
    if isinstance(decoded, Unreadable):
        return decoded
    image = _image_of(place, decoded)
    full_wh = decoded.full_size_wh or image.size_wh
    reduction = reduction_for(full_wh, long_side)
    if reduction == 1:
        return image
    wanted_wh = reduced_wh(full_wh, reduction)
    if image.size_wh != wanted_wh:
        alpha = None if image.alpha is None else resize(image.alpha, wanted_wh)
        image = replace(image, pixels=resize(image.pixels, wanted_wh), alpha=alpha)
    return replace(image, full_size_wh=full_wh, reduction=reduction)


def _image_of(place: Place, decoded: Decoded) -> Image:
    return Image(
        place.ref,
        decoded.pixels,
        warnings=decoded.warnings,
        alpha=decoded.alpha,
        ground=decoded.ground,
    )


def _opened(place: Place, reading: Reading | Limits, long_side: int | None) -> Decoded | Unreadable:
    options = reading if isinstance(reading, Reading) else Reading(reading)
    try:
        return _decoded(place, options, long_side)
    except UnreadableImageError as error:
        return Unreadable(place.ref, str(error))
    except OSError as error:
        return Unreadable(place.ref, f"it cannot be read ({error.strerror or error})")
    except ValueError as error:  # a path with a null byte in it
        return Unreadable(place.ref, f"it cannot be read ({error})")


def content_of(place: Place, reading: Reading) -> Content | None:
    """The bytes behind a place; None when it holds pixels already.

    Raises UnreadableImageError and OSError. A stream is read to its end, and stays open.
    """
    given, limits = place.content, reading.limits
    name = place.ref.uri
    if given is None and is_url(name):
        data = fetch(name, limits, reading.network)
        return MemoryContent(data, name_of(name), limits.max_bytes)
    if given is None:
        return FileContent(name, limits.max_bytes)
    if isinstance(given, FileContent | MemoryContent):
        return given
    if isinstance(given, bytes | bytearray | memoryview):
        return MemoryContent(bytes(given), "", limits.max_bytes)
    if hasattr(given, "read") and not isinstance(given, PillowImage.Image):
        return MemoryContent(read_stream(given, limits.max_bytes), "", limits.max_bytes)
    return None


def _decoded(place: Place, reading: Reading, long_side: int | None) -> Decoded:
    if isinstance(place.content, Decoded):
        return place.content
    if isinstance(place.content, UnreadableImageError):
        raise place.content
    part = Part(place.ref.page, place.ref.frame, place.ref.seconds)
    content = content_of(place, reading)
    if content is None:
        return _at_hand(place.content, reading.limits)
    if content.kind == "WEBPAGE":
        raise UnreadableImageError("it is a web page, not an image")
    if content.kind in ISOLATED_KINDS:
        return _isolated(content, part, reading.limits)
    with opened(content) as stream:
        if part:
            return decode_part(stream, part, content.name, reading.limits)
        return decode(stream, name=content.name, limits=reading.limits, long_side=long_side)


def isolated_request(content: Content, verb: str, part: Part = Part()) -> dict[str, Any]:
    """What to ask a reader process for: `read` a part, `list` the parts, or `all` the frames."""
    return {
        "verb": verb,
        "kind": content.kind,
        "name": content.name,
        "path": content.path,
        "key": content.key,
        "page": part.page,
        "frame": part.frame,
        "seconds": part.seconds,
    }


def _isolated(content: Content, part: Part, limits: Limits) -> Decoded:
    # To the last answer: a process that is left in the middle has to be ended.
    for _, result in list(replies(isolated_request(content, "read", part), limits)):
        if isinstance(result, UnreadableImageError):
            raise result
        if result is not None:
            odd = mismatch(content.name, content.kind) if not part else ()
            return replace(result, warnings=tuple(dict.fromkeys((*odd, *result.warnings))))
    raise UnreadableImageError("its reader has no answer")


def _at_hand(content: Any, limits: Limits) -> Decoded:
    """Pixels that a person has given."""
    if isinstance(content, Image):
        _check_pixels(content.pixels)
        return Decoded(content.pixels, "pixels", content.warnings, content.alpha, content.ground)
    if isinstance(content, PillowImage.Image):
        limits.check_size(*content.size)
        return decoded_picture(content, "pixels", limits)
    if isinstance(content, np.ndarray):
        return decoded_picture(_checked_array(content, limits), "pixels", limits)
    raise UnreadableImageError(f"a value of type {type(content).__name__} is not an image")


def _check_pixels(array: np.ndarray) -> None:
    """Raise UnreadableImageError for what is not (H, W, 3) RGB, uint8."""
    _check_type(array)
    if array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
        raise UnreadableImageError(f"pixels of shape {array.shape} are not (height, width, 3)")


def _check_type(array: np.ndarray) -> None:
    if array.dtype != np.uint8:
        raise UnreadableImageError(f"an array of {array.dtype} is not an image; give uint8, RGB")


def _checked_array(array: np.ndarray, limits: Limits) -> PillowImage.Image:
    """An array as a picture: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA, uint8."""
    _check_type(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise UnreadableImageError(f"an array of shape {array.shape} is not an image")
    limits.check_size(array.shape[1], array.shape[0])
    return PillowImage.fromarray(array)
