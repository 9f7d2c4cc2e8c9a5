"""Pictures, the places of objects in them, and where they came from.

Boxes are half-open `(x1, y1, x2, y2)` in pixels of the upright image. Pixels are RGB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from objsearch.types.addresses import without_secrets

Pixels = NDArray[np.uint8]
"""(H, W, 3) uint8, RGB. BGR never leaves a function that calls OpenCV."""

Points = NDArray[np.float32]
"""(K, 2) float32, x and y in pixels of the upright image."""

Proposal = Literal["detector", "given", "grid", "frame", "geometry"]


class Box(NamedTuple):
    """A half-open rectangle in pixels of the upright image."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        return max(0.0, self.x2 - self.x1)

    @property
    def height(self) -> float:
        return max(0.0, self.y2 - self.y1)

    @property
    def area(self) -> float:
        return self.width * self.height

    def intersection(self, other: Box) -> float:
        """Area shared with another box, in square pixels."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: Box) -> float:
        """Intersection over union, in [0, 1]."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def clipped(self, size_wh: tuple[int, int]) -> Box:
        """The part of the box that lies inside an image of the given size."""
        width, height = map(float, size_wh)
        return Box(
            min(max(self.x1, 0.0), width),
            min(max(self.y1, 0.0), height),
            min(max(self.x2, 0.0), width),
            min(max(self.y2, 0.0), height),
        )

    def moved(self, dx: float, dy: float) -> Box:
        return Box(self.x1 + dx, self.y1 + dy, self.x2 + dx, self.y2 + dy)


_FRAGMENT = re.compile(r"#((?:page|frame|t|xywh)=[^#]*)$")


@dataclass(frozen=True, slots=True, order=True)
class ImageRef:
    """Where an image came from; its text form is a URI with a fragment.

    `scan.pdf#page=3`, `a.gif#frame=5`, `film.mp4#t=12.5`, `a.jpg#xywh=10,20,200,100` (pixels, after
    W3C Media Fragments 1.0). Pages and frames count from 1 and 0 as their formats do. `text` reads
    back; what is shown and stored, `str`, does so but for a URL's secrets, which it hides.
    """

    uri: str
    page: int | None = None
    frame: int | None = None
    seconds: float | None = None
    xywh: tuple[int, int, int, int] | None = None

    def __str__(self) -> str:
        return without_secrets(self.uri) + self.fragment

    @property
    def text(self) -> str:
        """All of it, a URL's secrets too."""
        return self.uri + self.fragment

    @property
    def fragment(self) -> str:
        """`#page=3`, or nothing."""
        parts = []
        if self.page is not None:
            parts.append(f"page={self.page}")
        if self.frame is not None:
            parts.append(f"frame={self.frame}")
        if self.seconds is not None:
            parts.append("t=" + repr(float(self.seconds)).removesuffix(".0"))
        if self.xywh is not None:
            parts.append("xywh=" + ",".join(str(v) for v in self.xywh))
        return "#" + "&".join(parts) if parts else ""

    @classmethod
    def parse(cls, text: str) -> ImageRef:
        """Read the text form back; a `#` that starts no known fragment belongs to the name.

        Raises ValueError, in words, when a known fragment has a value that is not a number.
        """
        match = _FRAGMENT.search(text)
        if match is None:
            return cls(text)
        parts = dict(part.partition("=")[::2] for part in match.group(1).split("&"))
        with _told_in_words(text):
            return cls(
                text[: match.start()],
                page=int(parts["page"]) if "page" in parts else None,
                frame=int(parts["frame"]) if "frame" in parts else None,
                seconds=float(parts["t"]) if "t" in parts else None,
                xywh=_four(parts["xywh"]) if "xywh" in parts else None,
            )


def _four(text: str) -> tuple[int, int, int, int]:
    """W3C's `10,20,200,100`, which may begin with `pixel:`. Raises ValueError."""
    x, y, width, height = (int(part) for part in text.removeprefix("pixel:").split(","))
    return x, y, width, height


@contextmanager
def _told_in_words(text: str) -> Iterator[None]:
    """What Python says of a number that is none, as a person would: what may stand there."""
    try:
        yield
    except ValueError:
        raise ValueError(
            f"'{without_secrets(text)}': after '#', page=3 and frame=3 want a whole number, "
            "t=12.5 seconds, "
            "and xywh=10,20,200,100 x,y,w,h in whole pixels or as percent:10,20,50,50"
        ) from None


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded picture and where it came from.

    `offset_xy` is the place of the pixels' corner in the upright image, when they are a part of it;
    `within_xyxy` the part of them that counts, when not all do; `warnings` say what was odd.
    `alpha` (H, W) uint8 tells how opaque each pixel is that was laid on an RGB `ground`; None: all.
    Pixels at a `reduction` of 2 are those of the image, of `full_size_wh`, at a half.
    """

    ref: ImageRef
    pixels: Pixels
    offset_xy: tuple[int, int] = (0, 0)
    full_size_wh: tuple[int, int] | None = None
    warnings: tuple[str, ...] = ()
    within_xyxy: Box | None = None
    alpha: NDArray[np.uint8] | None = None
    ground: tuple[int, int, int] = (255, 255, 255)
    reduction: int = 1

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the pixels at hand."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])

    @property
    def frame(self) -> Box:
        """The box of all the pixels at hand."""
        return Box(0.0, 0.0, *map(float, self.size_wh))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What a source yields in place of an image that could not be read."""

    ref: ImageRef
    reason: str


@dataclass(frozen=True, slots=True)
class Region:
    """An object's place in an image, and who proposed it."""

    box_xyxy: Box
    label: str
    confidence: float
    proposal: Proposal

    @property
    def is_frame(self) -> bool:
        return self.proposal == "frame"
