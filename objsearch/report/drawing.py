"""Two pictures beside or below each other, with boxes, numbers and lines: numbers for an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from objsearch.images.draw import PALETTE, Colour, ink_on
from objsearch.types import Box, RegionPair

_GAP = 20.0
_WIDE = 1000.0
_WIDE_HEIGHT = 440.0
_TALL = 420.0
_TALL_HEIGHT = 420.0
_MOST_LINES = 60
_CHIP = 22.0


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a picture lies in a drawing, and drawing units a pixel."""

    x: float
    y: float
    width: float
    height: float
    scale: float

    def box(self, box: Box) -> Box:
        """A box of the picture, in drawing units."""
        return Box(
            self.x + box.x1 * self.scale,
            self.y + box.y1 * self.scale,
            self.x + box.x2 * self.scale,
            self.y + box.y2 * self.scale,
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing's size, in CSS pixels at most, and where its pictures lie."""

    name: str
    width: float
    height: float
    query: Placed
    reference: Placed


@dataclass(frozen=True, slots=True)
class Mark:
    """One pair in a drawing: its boxes, where its number stands, lines between the inliers."""

    number: int
    colour: str
    ink: str
    boxes: tuple[Box, Box]
    chips: tuple[tuple[float, float], tuple[float, float]]
    lines: str
    dots: str


def layouts(query_wh: tuple[int, int], reference_wh: tuple[int, int]) -> tuple[Layout, Layout]:
    """Side by side at one height for wide windows; one above the other for narrow ones."""
    return _beside(query_wh, reference_wh), _stacked(query_wh, reference_wh)


def _beside(query_wh: tuple[int, int], reference_wh: tuple[int, int]) -> Layout:
    widths = [w / h for w, h in (query_wh, reference_wh)]  # at height 1
    height = min(_WIDE_HEIGHT, (_WIDE - _GAP) / sum(widths))
    query = Placed(0.0, 0.0, widths[0] * height, height, height / query_wh[1])
    x = query.width + _GAP
    reference = Placed(x, 0.0, widths[1] * height, height, height / reference_wh[1])
    return Layout("wide", x + reference.width, height, query, reference)


def _stacked(query_wh: tuple[int, int], reference_wh: tuple[int, int]) -> Layout:
    placed: list[Placed] = []
    y = 0.0
    for width, height in (query_wh, reference_wh):
        scale = min(_TALL / width, _TALL_HEIGHT / height)
        x = (_TALL - width * scale) / 2
        placed.append(Placed(x, y, width * scale, height * scale, scale))
        y += height * scale + _GAP
    return Layout("tall", _TALL, y - _GAP, placed[0], placed[1])


def marks(layout: Layout, pairs: Sequence[RegionPair]) -> list[Mark]:
    """One mark a pair, in the pair's colour and number on both sides."""
    taken: list[tuple[float, float]] = []
    drawn = []
    for number, pair in enumerate(pairs, 1):
        colour = PALETTE[(number - 1) % len(PALETTE)]
        boxes = (
            layout.query.box(pair.query.box_xyxy),
            layout.reference.box(pair.reference.box_xyxy),
        )
        chips = (_chip(boxes[0], layout.query, taken), _chip(boxes[1], layout.reference, taken))
        lines, dots = _inlier_paths(layout, pair)
        drawn.append(
            Mark(number, hex_colour(colour), hex_colour(ink_on(colour)), boxes, chips, lines, dots)
        )
    return drawn


def _chip(box: Box, inside: Placed, taken: list[tuple[float, float]]) -> tuple[float, float]:
    """The centre of a number at the box's upper left corner, moved right of those already there."""
    half = _CHIP / 2
    x = min(max(box.x1 + half, inside.x + half), inside.x + inside.width - half)
    y = min(max(box.y1 + half, inside.y + half), inside.y + inside.height - half)
    while any(abs(x - u) < _CHIP and abs(y - v) < _CHIP for u, v in taken):
        x += _CHIP
    taken.append((x, y))
    return x, y


def _inlier_paths(layout: Layout, pair: RegionPair) -> tuple[str, str]:
    """SVG paths of lines between agreeing points, and of dots at their ends."""
    verification = pair.verification
    if verification is None or not len(verification.inliers_xyxy):
        return "", ""
    points = thinned(verification.inliers_xyxy)
    ends = [
        (
            f"{layout.query.x + x * layout.query.scale:.1f}",
            f"{layout.query.y + y * layout.query.scale:.1f}",
            f"{layout.reference.x + u * layout.reference.scale:.1f}",
            f"{layout.reference.y + v * layout.reference.scale:.1f}",
        )
        for x, y, u, v in points.tolist()
    ]
    lines = "".join(f"M{x} {y}L{u} {v}" for x, y, u, v in ends)
    return lines, "".join(f"M{x} {y}h0M{u} {v}h0" for x, y, u, v in ends)


def thinned(inliers_xyxy: NDArray[np.float32], most: int = _MOST_LINES) -> NDArray[np.float32]:
    """At most so many of the (N, 4) inliers, spread over the query from left to right."""
    if len(inliers_xyxy) <= most:
        return inliers_xyxy
    order = np.lexsort((inliers_xyxy[:, 1], inliers_xyxy[:, 0]))
    chosen = order[np.linspace(0, len(order) - 1, most).round().astype(int)]
    return np.asarray(inliers_xyxy[chosen], dtype=np.float32)


def hex_colour(colour: Colour) -> str:
    """`#e69f00`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
