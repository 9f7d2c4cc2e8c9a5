"""One place -> one image, or the reason why not."""

from __future__ import annotations

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Decoded, Limits, decode, pixels_of
from objsearch.sources.places import Place, read_bytes
from objsearch.types import Box, Image, ImageRef, Pixels, Unreadable


def read_image(place: Place, limits: Limits = Limits()) -> Image | Unreadable:
    """Open one place. Whatever is wrong with it ends in an `Unreadable`, never in an exception."""
    try:
        decoded = _decoded(place, limits)
        image = Image(place.ref, decoded.pixels, warnings=decoded.warnings)
        return region_of(image, place.ref.xywh) if place.ref.xywh else image
    except UnreadableImageError as error:
        return Unreadable(place.ref, str(error))
    except OSError as error:
        return Unreadable(place.ref, f"it cannot be read ({error.strerror or error})")


def _decoded(place: Place, limits: Limits) -> Decoded:
    if place.ref.page or place.ref.frame or place.ref.seconds:
        raise UnreadableImageError("pages and frames after the first cannot be opened yet")
    if place.is_file:
        return decode(
            read_bytes(place.ref.uri, limits.max_bytes), name=place.ref.uri, limits=limits
        )
    content = place.content
    if isinstance(content, Image):
        return Decoded(content.pixels, "pixels")
    if isinstance(content, bytes | bytearray | memoryview):
        return decode(bytes(content), limits=limits)
    if isinstance(content, PillowImage.Image):
        upright = ImageOps.exif_transpose(content)
        return Decoded(pixels_of(upright, limits.background), "pixels")
    if isinstance(content, np.ndarray):
        return Decoded(_checked_array(content), "pixels")
    if hasattr(content, "read"):
        return decode(content.read(limits.max_bytes + 1), limits=limits)
    raise UnreadableImageError(f"a {type(content).__name__} is not an image")


def _checked_array(array: np.ndarray) -> Pixels:
    """An array as pixels: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA, uint8."""
    if array.dtype != np.uint8:
        raise UnreadableImageError(f"an array of {array.dtype} is not an image; give uint8, RGB")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise UnreadableImageError(f"an array of shape {array.shape} is not an image")
    if 0 in array.shape:
        raise UnreadableImageError("it has no pixels")
    return pixels_of(PillowImage.fromarray(array), Limits().background)


def region_of(image: Image, xywh: tuple[int, int, int, int]) -> Image:
    """The part of an image as an image of its own that knows where it lies.

    A region over the edge is clipped, with a warning; raises UnreadableImageError when nothing of
    it lies inside.
    """
    x, y, width, height = xywh
    wanted = Box(x, y, x + width, y + height)
    box = wanted.clipped(image.size_wh)
    if box.width < 1 or box.height < 1:
        raise UnreadableImageError(
            f"the region {x},{y},{width},{height} holds nothing of its "
            f"{image.size_wh[0]} x {image.size_wh[1]} pixels"
        )
    x1, y1, x2, y2 = (int(v) for v in box)
    warnings = image.warnings
    if box != wanted:
        warnings += (f"the region {x},{y},{width},{height} was clipped to the image",)
    ref = ImageRef(
        image.ref.uri,
        image.ref.page,
        image.ref.frame,
        image.ref.seconds,
        (x1, y1, x2 - x1, y2 - y1),
    )
    pixels = np.ascontiguousarray(image.pixels[y1:y2, x1:x2])
    return Image(ref, pixels, (x1, y1), image.size_wh, warnings)
