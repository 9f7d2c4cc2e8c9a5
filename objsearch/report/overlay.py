"""The aligned overlay: what the query shows, carried onto the reference by the pair's transform."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.images.mapping import Matrix, mapped, scaling, shift
from objsearch.images.transform import crop, resize
from objsearch.report.pictures import Photo
from objsearch.types import Box, Pixels, RegionPair, Verification

_SIDE = 520
_MARGIN = 0.3
"""How much of the surroundings is shown, as a part of the matched place."""
_MOST_ENLARGEMENT = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Two pictures of one size, the corners (4, 2) of the query's region, and what differs."""

    reference: Pixels
    query: Pixels
    corners_xy: NDArray[np.float64]
    differs: tuple[Box, ...] = ()


def aligned(pair: RegionPair, query: Photo, reference: Photo) -> Overlay | None:
    """The matched place of the reference, and the query's region laid onto it.

    None where nothing aligns them: no geometry, depth (a fundamental matrix), or a region that the
    transform carries beyond infinity or outside the reference.
    """
    verification = pair.verification
    if verification is None or verification.model == "fundamental":
        return None
    forward = scaling(*reference.scale_xy) @ verification.transform
    box, corners = _carried(pair.query.box_xyxy, verification, forward)
    if corners is None:
        return None
    # What differs beside the thing is shown as well, from both sides.
    shown = _around((box, *pair.differs[0]))
    around = _projected(shown, forward)
    window = _window(corners if around is None else around, reference)
    if window is None:
        return None
    zoom = min(_SIDE / max(window.width, window.height), _MOST_ENLARGEMENT)
    size_wh = (max(1, round(window.width * zoom)), max(1, round(window.height * zoom)))
    onto = scaling(size_wh[0] / window.width, size_wh[1] / window.height) @ shift(
        -window.x1, -window.y1
    )
    return Overlay(
        resize(crop(reference.pixels, window), size_wh),
        _warped(query, box if around is None else shown, onto @ forward, size_wh),
        _moved(corners, onto),
        tuple(_placed(place, onto @ scaling(*reference.scale_xy)) for place in pair.differs[1]),
    )


def _around(boxes: tuple[Box, ...]) -> Box:
    """The smallest box that holds some."""
    x1, y1, x2, y2 = zip(*boxes, strict=True)
    return Box(min(x1), min(y1), max(x2), max(y2))


def _placed(box: Box, transform: Matrix) -> Box:
    """A box where a scaling and a shift lead."""
    (x1, y1), (x2, y2) = _moved(np.array([(box.x1, box.y1), (box.x2, box.y2)]), transform)
    return Box(float(x1), float(y1), float(x2), float(y2))


def _moved(points: Matrix, transform: Matrix) -> Matrix:
    """Points where a scaling and a shift lead."""
    moved = mapped(points, transform)
    assert moved is not None  # nothing lies beyond infinity
    return moved


def _carried(
    box: Box, verification: Verification, forward: Matrix
) -> tuple[Box, NDArray[np.float64] | None]:
    """The query's box and its corners on the other side; else those of the box of the inliers."""
    points = verification.inliers_xyxy[:, :2]
    inner = box if not len(points) else Box(*map(float, (*points.min(0), *points.max(0))))
    for tried in (box, inner):
        corners = _projected(tried, forward)
        if corners is not None:
            return tried, corners
    return box, None


def _projected(box: Box, transform: Matrix) -> NDArray[np.float64] | None:
    corners = np.array([(box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2)])
    if not np.isfinite(transform).all() or box.area <= 0:
        return None
    return mapped(corners, transform)


def _window(corners: NDArray[np.float64], reference: Photo) -> Box | None:
    """The place with its surroundings, in whole pixels at hand, or None when it lies outside."""
    height, width = reference.pixels.shape[:2]
    (x1, y1), (x2, y2) = corners.min(axis=0), corners.max(axis=0)
    seen = Box(x1, y1, x2, y2).clipped((width, height))
    if seen.width < 2 or seen.height < 2:
        return None
    margin = _MARGIN * max(seen.width, seen.height)
    wider = Box(seen.x1 - margin, seen.y1 - margin, seen.x2 + margin, seen.y2 + margin)
    x1, y1, x2, y2 = wider.clipped((width, height))
    return Box(math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2))


def _warped(query: Photo, box: Box, transform: Matrix, size_wh: tuple[int, int]) -> Pixels:
    """The box's pixels seen through a transform of the query's full pixels to the overlay's."""
    scale_x, scale_y = query.scale_xy
    height, width = query.pixels.shape[:2]
    near = Box(box.x1 * scale_x, box.y1 * scale_y, box.x2 * scale_x, box.y2 * scale_y)
    inside = near.clipped((width, height))
    corner_x, corner_y = math.floor(inside.x1), math.floor(inside.y1)
    part = crop(query.pixels, inside)
    # Shrunk by averaging first: a warp reads single pixels, and would turn fine texture into noise.
    wanted_wh = _reduced((part.shape[1], part.shape[0]), size_wh)
    small = resize(part, wanted_wh)
    back = (
        scaling(1 / scale_x, 1 / scale_y)
        @ shift(corner_x, corner_y)
        @ scaling(part.shape[1] / wanted_wh[0], part.shape[0] / wanted_wh[1])
    )
    return np.asarray(
        cv2.warpPerspective(
            small,
            transform @ back,
            size_wh,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        dtype=np.uint8,
    )


def _reduced(size_wh: tuple[int, int], wanted_wh: tuple[int, int]) -> tuple[int, int]:
    factor = min(1.0, max(wanted_wh) / max(size_wh))
    return max(1, round(size_wh[0] * factor)), max(1, round(size_wh[1] * factor))
