"""Pixels of any kind -> 8-bit RGB, the way they are shown.

Transparency is laid on a background, or on black or white where nothing would be seen on that; 16
bits keep their upper 8; floating point, numbers with a sign and those of 32 bits are stretched from
their least to their greatest value; CMYK, palette, gray and LAB go through Pillow's conversions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from objsearch.images.samples import (
    Samples,
    eight_bits,
    is_flat_but_for_a_few,
    is_lost_in_8_bits,
    is_lost_on,
    on_ground,
    opacity,
    samples_of_array,
    spread,
)
from objsearch.types import Pixels

_WIDE_GRAY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
_THINNED_SIDE = 512
_LOST = "its values lie so close together that in 8 bits little of it is seen"
_NOTHING = "none of its values is a number: there is nothing to be seen"
_FLAT = "all but a few of its values are equal: next to nothing of it is seen"

Background = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """(H, W, 3) uint8 RGB, and what is to be said of how it came about.

    `alpha` (H, W) uint8 of what was laid on the `ground`; None where all is opaque.
    """

    pixels: Pixels
    said: tuple[str, ...] = ()
    alpha: NDArray[np.uint8] | None = None
    ground: Background = (255, 255, 255)


def pixels_of(picture: PillowImage.Image, background: Background) -> Pixels:
    """(H, W, 3) uint8 RGB of a loaded Pillow image of any mode."""
    return shown(picture, background).pixels


def shown(picture: PillowImage.Image, background: Background) -> Shown:
    """The same, with what is to be said about it."""
    if picture.mode in _WIDE_GRAY:
        values = np.asarray(picture)
        if picture.mode == "I" and values.min() >= 0 and values.max() <= 65535:
            values = values.astype(np.uint16)  # Pillow has no other mode for the 16 bits of a PGM
        clear = picture.info.get("transparency")
        if isinstance(clear, int) and values.dtype == np.uint16:
            alpha = np.where(values == clear, 0, 65535).astype(np.uint16)
            values = np.dstack([values, alpha])
        return pixels_of_values(values, background)
    if "transparency" in picture.info or picture.mode in _WITH_ALPHA:
        return _laid(picture.convert("RGBA"), background)
    in_rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    return Shown(np.ascontiguousarray(in_rgb, dtype=np.uint8))


def pixels_of_values(values: NDArray[Any], background: Background) -> Shown:
    """Of an array (H, W) or (H, W, 2, 3 or 4) of any type."""
    said = (_LOST,) if is_lost_in_8_bits(values) else ()
    said = (_FLAT,) if is_flat_but_for_a_few(values) else said
    if values.dtype.kind == "f" and not np.isfinite(values).any():
        said = (_NOTHING,)
    samples = samples_of_array(values)
    colours = np.repeat(eight_bits(samples.values), 3 // samples.values.shape[2], axis=2)
    if samples.alpha is None:
        return Shown(np.ascontiguousarray(colours), said)
    layers = np.dstack([colours, opacity(samples.alpha)])
    laid = _laid(PillowImage.fromarray(layers, "RGBA"), background)
    return replace(laid, said=(*said, *laid.said))


def _laid(overlay: PillowImage.Image, background: Background) -> Shown:
    alpha = np.array(overlay.getchannel("A"), np.uint8)
    is_opaque = int(alpha.min()) == 255
    ground, said = (background, ()) if is_opaque else _ground_for(overlay, background)
    canvas = PillowImage.new("RGBA", overlay.size, (*ground, 255))
    laid = PillowImage.alpha_composite(canvas, overlay)
    pixels = np.ascontiguousarray(laid.convert("RGB"), dtype=np.uint8)
    return Shown(pixels, said, None if is_opaque else alpha, ground)


def _ground_for(
    overlay: PillowImage.Image, background: Background
) -> tuple[Background, tuple[str, ...]]:
    """The background, or the one of black and white on which something can be seen."""
    step = max(1, max(overlay.size) // _THINNED_SIDE)
    layers = np.asarray(overlay)[::step, ::step]
    samples = Samples(layers[..., :3], layers[..., 3])
    if not is_lost_on(samples, float(np.mean(background))):
        return background, ()
    black, white = (spread(on_ground(samples, ground)) for ground in (0.0, 255.0))
    name, level = ("black", 0) if black >= white else ("white", 255)
    return (level,) * 3, (
        f"it is transparent, and laid on {name}: on the background it is not seen",
    )
