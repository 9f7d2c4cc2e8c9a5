"""The page of larger copies: for each, the same place of the query and of the copy, side by side.

The copy is shown pixel by pixel, the query enlarged to it: where both look alike, the copy has
nothing to add.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from objsearch.files import write_whole
from objsearch.images.mapping import Matrix
from objsearch.match.geometry import inverse
from objsearch.report.blurring import reading_blurred
from objsearch.report.pictures import Album, Read
from objsearch.report.templates import PAGE_BYTES, page_of
from objsearch.tasks.larger.found import LargerAnswer, LargerCopy
from objsearch.tasks.larger.larger_output import mark_text, scale_text, summary
from objsearch.types import Box, Pixels

SIDE = 320
"""Pixels a side of each of the two places shown."""
MOST_SHOWN = 100
DIFFERS = (214, 69, 65)
"""The colour, RGB, that outlines what differs."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A copy, and the two places as data URIs; empty where its pixels could not be read."""

    copy: LargerCopy
    query_uri: str = ""
    reference_uri: str = ""


def write_page(answer: LargerAnswer, path: Path, read: Read) -> None:
    """Write a self-contained page. It appears under its name only when it is complete.

    `read` gives the pixels of a whole image or None. Raises OSError when it cannot be written.
    """
    album = Album(reading_blurred(read, answer.flags), PAGE_BYTES)
    page = page_of(
        Path(__file__).with_name("page.html"),
        path,
        {"scale": scale_text, "mark": mark_text},
        answer=answer,
        rows=_rows(answer, album),
        summary=summary(answer),
    )
    write_whole(path, page)


def _rows(answer: LargerAnswer, album: Album) -> Iterator[_Row]:
    query = album.whole(answer.query.ref, answer.query.size_wh)
    for number, copy in enumerate(answer.copies):
        reference = None
        if query is not None and number < MOST_SHOWN and album.has_room:
            reference = album.whole(copy.ref, copy.size_wh)
        if query is None or reference is None:
            yield _Row(copy)
            continue
        there, here = _places(answer, copy, query, reference)
        yield _Row(copy, album.jpeg(here), album.jpeg(there))


def _places(
    answer: LargerAnswer, copy: LargerCopy, query: Pixels, reference: Pixels
) -> tuple[Pixels, Pixels]:
    """The same place of both, upright as in the query: the reference's pixels and the query's."""
    box = answer.query_box_xyxy
    corner = np.array([[1.0, 0.0, box.x1], [0.0, 1.0, box.y1], [0.0, 0.0, 1.0]])
    differs = [part.moved(-box.x1, -box.y1) for part in copy.differs[0]]
    middle = _centre(differs[0]) if differs else _middle(copy, (box.width, box.height))
    window = np.array(
        [
            [1 / copy.scale, 0.0, middle[0] - SIDE / 2 / copy.scale],
            [0.0, 1 / copy.scale, middle[1] - SIDE / 2 / copy.scale],
            [0.0, 0.0, 1.0],
        ]
    )
    there, here = _seen(reference, copy.transform @ window), _seen(query, corner @ window)
    for part in differs:
        for place in (there, here):
            _outline(place, part, inverse(window))
    return there, here


def _centre(box: Box) -> tuple[float, float]:
    return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2


def _outline(place: Pixels, box: Box, onto: Matrix) -> None:
    corners = np.array([(box.x1, box.y1, 1), (box.x2, box.y2, 1)]) @ onto.T
    first, last = np.rint(corners[:, :2]).astype(int).tolist()
    cv2.rectangle(place, first, last, DIFFERS, 2)


def _middle(copy: LargerCopy, size_wh: tuple[float, float]) -> tuple[float, float]:
    """The middle, in the query's part, of what both hold."""
    width, height = copy.size_wh
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64)
    back = corners @ inverse(copy.transform).T
    points = (back[:, :2] / back[:, 2:]).clip((0.0, 0.0), size_wh)
    x, y = points.min(axis=0) / 2 + points.max(axis=0) / 2
    return float(x), float(y)


def _seen(pixels: Pixels, onto: Matrix) -> Pixels:
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    border = (245, 245, 245)
    return np.asarray(
        cv2.warpPerspective(pixels, onto, (SIDE, SIDE), flags=flags, borderValue=border), np.uint8
    )
