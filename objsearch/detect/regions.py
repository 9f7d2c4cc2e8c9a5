"""Making, clipping and thinning out regions."""

from __future__ import annotations

from collections.abc import Iterable

from objsearch.types import Box, Region

LARGE = 0.1
"""Of the frame: what is larger is large enough, and goes by confidence alone."""


def frame_region(size_wh: tuple[int, int]) -> Region:
    """The whole image as one region."""
    return Region(Box(0.0, 0.0, float(size_wh[0]), float(size_wh[1])), "frame", 0.0, "frame")


def grid_regions(size_wh: tuple[int, int], n: int, overlap: float = 0.0) -> tuple[Region, ...]:
    """n x n tiles in reading order; each reaches into its neighbours by `overlap` of its size."""
    width, height = size_wh[0] / n, size_wh[1] / n
    tiles = []
    for row in range(n):
        for column in range(n):
            box = Box(
                (column - overlap / 2) * width,
                (row - overlap / 2) * height,
                (column + 1 + overlap / 2) * width,
                (row + 1 + overlap / 2) * height,
            )
            tiles.append(Region(box.clipped(size_wh), "tile", 0.0, "grid"))
    return tuple(tiles)


def thinned(
    regions: Iterable[Region],
    size_wh: tuple[int, int],
    *,
    max_objects: int,
    min_area: float,
    max_iou: float,
    prefer_large: float = 0.0,
) -> tuple[Region, ...]:
    """The best regions, most confident first, without double, nested, tiny and frame-filling ones.

    Best are the most confident; with `prefer_large`, confidence counts times the power that it is
    of a region's area, as a part of `LARGE`: detectors are as sure of a button as of the coat.

    Class-agnostic greedy suppression: a region goes when a more confident one overlaps it by more
    than `max_iou`, or holds nine tenths of it and is less than half as large again (the same thing
    boxed twice). A part, or a thing on a larger one, stays: dropping parts of down to a quarter of
    the size cost a tenth of the objects on VOC photos. `min_area` is a part of the frame.
    """
    frame = Box(0.0, 0.0, float(size_wh[0]), float(size_wh[1]))

    def rank(region: Region) -> tuple[float, Box]:
        part = region.box_xyxy.clipped(size_wh).area / frame.area
        return -region.confidence * min(part / LARGE, 1.0) ** prefer_large, region.box_xyxy

    kept: list[Region] = []
    for region in sorted(regions, key=rank):
        box = region.box_xyxy.clipped(size_wh)
        if box.width < 1 or box.height < 1 or box.area < min_area * frame.area:
            continue
        if box.iou(frame) > 0.95 or any(_doubles(box, k.box_xyxy, max_iou) for k in kept):
            continue
        kept.append(Region(box, region.label, region.confidence, region.proposal))
        if len(kept) == max_objects:
            break
    return tuple(sorted(kept, key=lambda region: (-region.confidence, region.box_xyxy)))


def _doubles(box: Box, better: Box, max_iou: float) -> bool:
    nested = box.intersection(better) >= 0.9 * box.area and better.area < 1.5 * box.area
    return nested or box.iou(better) > max_iou
