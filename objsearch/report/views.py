"""A query image with its regions, for drawing: boxes, and captions where there is room for them."""

from __future__ import annotations

from dataclasses import dataclass

from objsearch.report.drawing import Placed
from objsearch.report.pictures import Album, Photo, Picture
from objsearch.report.wording import region_name
from objsearch.types import Box, DescribedImage, Region

_WIDTH, _HEIGHT = 380, 285
_LINE = 14.0
_LETTER = 6.6  # a letter's width in drawing units, with some to spare


@dataclass(frozen=True, slots=True)
class Caption:
    """A region: its box in drawing units, what it is called, and where that is written if it is."""

    box: Box
    text: str
    text_xy: tuple[float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A query image with its regions."""

    image: DescribedImage
    picture: Picture
    placed: Placed
    captions: tuple[Caption, ...]


def viewed(query: DescribedImage, photo: Photo | None, album: Album) -> View:
    """The view of a query; `photo` None when it cannot be read any more."""
    width, height = query.size_wh
    scale = min(_WIDTH / width, _HEIGHT / height)
    placed = Placed(0.0, 0.0, width * scale, height * scale, scale)
    taken: list[Box] = []
    captions = []
    for region in query.regions:
        # The full frame goes without saying; the part that alone was searched does not.
        if not region.is_frame or query.ref.xywh is not None:
            box, text = placed.box(region.box_xyxy), _caption(region)
            captions.append(Caption(box, text, _room(box, text, placed, taken)))
    picture = album.picture(query.ref, query.size_wh, photo, query.content)
    return View(query, picture, placed, tuple(captions))


def _caption(region: Region) -> str:
    if region.is_frame:
        return "the part searched"
    name = region_name(region)
    return f"{name} {region.confidence:.0%}" if region.proposal == "detector" else name


def _room(box: Box, text: str, inside: Placed, taken: list[Box]) -> tuple[float, float] | None:
    """Above the box or just inside it, whichever is free in the picture; None when neither is."""
    width = _LETTER * len(text)
    x = max(2.0, min(box.x1 + 4, inside.width - width - 2))
    for baseline in (box.y1 - 4, box.y1 + _LINE):
        needed = Box(x, baseline - _LINE + 3, x + width, baseline + 3)
        is_inside = needed.y1 >= 0 and needed.y2 <= inside.height and needed.x2 <= inside.width
        if is_inside and not any(needed.intersection(other) for other in taken):
            taken.append(needed)
            return x, baseline
    return None
