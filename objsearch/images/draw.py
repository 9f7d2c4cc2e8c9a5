"""Boxes with captions, drawn on pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from objsearch.types import Box, Pixels, Region

Colour = tuple[int, int, int]
"""Red, green, blue."""

PALETTE: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
)
"""Told apart by the colour-blind too (Okabe and Ito, 2008), the ones that show on photos first."""

_CASING: Colour = (20, 20, 20)


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever reads better on a colour."""
    red, green, blue = ((part / 255) ** 2.2 for part in colour)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # Where the contrast to black and to white is equal (WCAG 2.2).
    return (0, 0, 0) if luminance > 0.18 else (255, 255, 255)


def draw_regions(pixels: Pixels, regions: Sequence[Region]) -> Pixels:
    """A copy with every region but the full frame drawn: `cup 87%`, the most confident on top."""
    drawn = [region for region in regions if not region.is_frame]
    captions = [_caption(region) for region in drawn]
    return draw_boxes(pixels, [region.box_xyxy for region in drawn], captions)


def draw_boxes(
    pixels: Pixels,
    boxes: Sequence[Box],
    captions: Sequence[str] = (),
    colours: Sequence[Colour] = PALETTE,
) -> Pixels:
    """A copy of (H, W, 3) RGB with boxes drawn, the first on top; what lies outside is cut off.

    Colours are taken in turn. Lines and letters grow with the image.
    """
    picture = PillowImage.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    size = math.sqrt(picture.width * picture.height)
    font = ImageFont.load_default(max(11.0, size / 45))
    width = max(2, round(size / 250))
    for number in reversed(range(len(boxes))):
        inside = boxes[number].clipped(picture.size)
        if inside.area <= 0:
            continue
        colour = colours[number % len(colours)]
        _draw_box(draw, inside, colour, width)
        if number < len(captions) and captions[number]:
            _draw_caption(draw, (inside.x1, inside.y1), captions[number], colour, font)
    return np.array(picture, dtype=np.uint8)


def _caption(region: Region) -> str:
    if region.proposal != "detector":
        return region.label
    return f"{region.label} {region.confidence:.0%}"


def _draw_box(draw: ImageDraw.ImageDraw, box: Box, colour: Colour, width: int) -> None:
    # Pillow's corners are pixels that are painted; a half-open box ends one before its edge.
    x1, y1 = math.floor(box.x1), math.floor(box.y1)
    x2, y2 = max(x1, math.ceil(box.x2) - 1), max(y1, math.ceil(box.y2) - 1)
    for grown, line, ink in ((1, width + 2, _CASING), (0, width, colour)):
        draw.rectangle((x1 - grown, y1 - grown, x2 + grown, y2 + grown), None, ink, line)


def _draw_caption(
    draw: ImageDraw.ImageDraw,
    corner_xy: tuple[float, float],
    caption: str,
    colour: Colour,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> None:
    """On a plate above the box, or just inside it where there is no room above."""
    text = caption.encode("utf-8", "replace").decode("utf-8")
    left, top, right, bottom = draw.textbbox((0, 0), text, font)
    pad = max(2.0, (bottom - top) / 4)
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x = max(0.0, min(math.floor(corner_xy[0]), draw.im.size[0] - width))
    y = math.floor(corner_xy[1])
    y = max(0, y - round(height)) if y >= height else y
    draw.rectangle((x, y, x + width, y + height), colour)
    draw.text((x + pad - left, y + pad - top), text, ink_on(colour), font)
