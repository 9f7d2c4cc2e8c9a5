"""Making, clipping and thinning out regions."""

from __future__ import annotations

from typing import Any

import pytest

from objsearch.detect.given_boxes import GivenBoxes
from objsearch.detect.grid import Grid
from objsearch.detect.regions import frame_region, grid_regions, thinned
from objsearch.detect.whole_image import WholeImage
from objsearch.types import Box, Region
from tests.pictures import image, noise

ONE = image(noise(60, 100))
RULES: dict[str, Any] = {"max_objects": 10, "min_area": 0.0, "max_iou": 0.5}


def found(confidence: float, *box: float, label: str = "thing") -> Region:
    return Region(Box(*box), label, confidence, "detector")


def test_the_frame_is_marked_as_such() -> None:
    assert frame_region((100, 60)) == Region(Box(0, 0, 100, 60), "frame", 0.0, "frame")
    assert frame_region((100, 60)).is_frame


def test_the_whole_image_mode_has_one_region() -> None:
    assert WholeImage().propose(ONE) == (frame_region((100, 60)),)


def test_tiles_cover_the_image() -> None:
    tiles = grid_regions((100, 60), 2)
    assert [tile.box_xyxy for tile in tiles] == [
        Box(0, 0, 50, 30),
        Box(50, 0, 100, 30),
        Box(0, 30, 50, 60),
        Box(50, 30, 100, 60),
    ]
    overlapping = grid_regions((100, 60), 2, 0.2)
    assert overlapping[0].box_xyxy == pytest.approx(Box(0, 0, 55, 33))
    assert overlapping[3].box_xyxy == pytest.approx(Box(45, 27, 100, 60))
    assert {tile.proposal for tile in tiles} == {"grid"}


def test_a_grid_has_every_level() -> None:
    assert len(Grid(levels=3).propose(ONE)) == 4 + 9 + 1
    assert len(Grid(levels=1).propose(ONE)) == 4 + 1  # nothing found falls back to 2 x 2
    assert len(Grid(levels=8).propose(ONE)) == sum(n * n for n in range(2, 9)) + 1


def test_given_boxes_are_clipped_and_those_outside_dropped() -> None:
    detector = GivenBoxes(boxes_xywh=((10, 10, 20, 20), (90, 50, 50, 50), (200, 0, 5, 5)))
    regions = detector.propose(ONE)
    assert [region.box_xyxy for region in regions] == [
        Box(10, 10, 30, 30),
        Box(90, 50, 100, 60),
        Box(0, 0, 100, 60),
    ]
    assert [region.proposal for region in regions] == ["given", "given", "frame"]


def test_no_detection_falls_back_to_tiles_and_the_frame() -> None:
    regions = GivenBoxes(boxes_xywh=((900, 900, 5, 5),)).propose(ONE)
    assert [region.proposal for region in regions] == ["grid"] * 4 + ["frame"]


def test_double_boxes_are_one() -> None:
    kept = thinned([found(0.5, 0, 0, 40, 40), found(0.9, 2, 2, 42, 42)], (100, 60), **RULES)
    assert [region.confidence for region in kept] == [0.9]
    apart = thinned([found(0.5, 0, 0, 40, 40), found(0.9, 30, 0, 70, 40)], (100, 60), **RULES)
    assert [region.confidence for region in apart] == [0.9, 0.5]


def test_labels_do_not_keep_doubles_apart() -> None:
    boxes = [found(0.5, 0, 0, 40, 40, label="cup"), found(0.9, 0, 0, 40, 40, label="vase")]
    assert [region.label for region in thinned(boxes, (100, 60), **RULES)] == ["vase"]


def test_the_same_thing_boxed_twice_goes_its_parts_stay() -> None:
    large = found(0.9, 0, 0, 40, 40)
    twice, part, small = (
        found(0.8, 3, 3, 37, 37),
        found(0.75, 5, 5, 30, 30),
        found(0.7, 10, 10, 20, 20),
    )
    kept = thinned([large, twice, part, small], (100, 60), **{**RULES, "max_iou": 0.9})
    assert kept == (large, part, small)


def test_tiny_empty_and_frame_filling_boxes_go() -> None:
    boxes = [
        found(0.9, 0, 0, 99.5, 60),
        found(0.8, 10, 10, 10.5, 40),
        found(0.7, 50, 50, 40, 40),
        found(0.6, 200, 200, 300, 300),
        found(0.5, 10, 10, 14, 14),
        found(0.4, 80, 40, 140, 90),
    ]
    kept = thinned(boxes, (100, 60), **{**RULES, "min_area": 0.01})
    assert [region.box_xyxy for region in kept] == [Box(80, 40, 100, 60)]


def test_the_most_confident_are_kept_and_order_does_not_matter() -> None:
    boxes = [found(0.1 * n, 10 * n, 0, 10 * n + 8, 8) for n in range(1, 9)]
    rules = {**RULES, "max_objects": 3}
    kept = thinned(boxes, (100, 60), **rules)
    assert [region.confidence for region in kept] == [0.8, 0.1 * 7, 0.1 * 6]
    assert thinned(boxes[::-1], (100, 60), **rules) == kept
    assert thinned([], (100, 60), **rules) == ()
