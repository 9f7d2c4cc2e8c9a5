"""Layouts and marks: numbers for an SVG."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.report.drawing import layouts, marks, thinned
from objsearch.report.pictures import Album
from objsearch.report.views import viewed
from objsearch.types import Box, DescribedImage, ImageRef
from tests.report.cases import QUERY_WH, REFERENCE_WH, pair, region, verification


@pytest.mark.parametrize(
    ("query_wh", "reference_wh"),
    [((100, 100), (100, 100)), ((5000, 300), (3, 900)), ((1, 1), (7, 2))],
)
def test_pictures_fit_and_do_not_overlap(
    query_wh: tuple[int, int], reference_wh: tuple[int, int]
) -> None:
    for layout in layouts(query_wh, reference_wh):
        one = layout.query.box(Box(0, 0, *query_wh))
        other = layout.reference.box(Box(0, 0, *reference_wh))
        assert one.intersection(other) == 0
        for box in (one, other):
            inside = box.clipped((1_000_000, 1_000_000))
            assert inside.area == pytest.approx(box.area, rel=1e-6)
            assert box.x2 <= layout.width + 1e-6 and box.y2 <= layout.height + 1e-6


def test_boxes_and_lines_lie_where_the_pictures_are() -> None:
    layout = layouts(QUERY_WH, REFERENCE_WH)[0]
    mark = marks(layout, [pair(found=verification())])[0]
    scale = layout.query.height / QUERY_WH[1]
    assert mark.boxes[0] == pytest.approx((20 * scale, 15 * scale, 120 * scale, 90 * scale))
    assert mark.boxes[1].x1 == pytest.approx(layout.reference.x + 60 * layout.reference.scale)
    assert mark.lines.count("L") == 60 and mark.dots.count("h0") == 120


def test_pairs_have_colours_and_numbers_of_their_own() -> None:
    drawn = marks(layouts(QUERY_WH, REFERENCE_WH)[0], [pair()] * 6)
    assert len({mark.colour for mark in drawn}) == 6
    assert [mark.number for mark in drawn] == [1, 2, 3, 4, 5, 6]
    assert len({mark.chips[0] for mark in drawn}) == 6
    assert all(mark.lines == mark.dots == "" for mark in drawn)


def test_thinned_keeps_few_and_spreads_many() -> None:
    inliers = np.arange(400, dtype=np.float32).reshape(100, 4)
    kept = thinned(inliers, 10)
    assert len(kept) == 10 and kept[0, 0] == 0 and kept[-1, 0] == 396
    assert thinned(inliers[:9], 10) is not None and len(thinned(inliers[:9], 10)) == 9


def test_captions_do_not_cover_each_other() -> None:
    boxes = [(0, 0, 50, 50), (2, 2, 50, 50), (4, 1, 60, 60), (3, 3, 70, 70), (90, 60, 99, 70)]
    frame = region((0, 0, 100, 80), "frame", "frame")
    query = DescribedImage(ImageRef("a"), (100, 80), (*map(region, boxes), frame), {})
    view = viewed(query, None, Album(lambda ref: None, 0))
    assert len(view.captions) == 5  # the frame goes without saying
    written = [caption.text_xy for caption in view.captions if caption.text_xy]
    assert 2 <= len(written) < 5  # most of them begin at one corner
    for number, (x, y) in enumerate(written):
        assert 0 <= x <= view.placed.width and 0 <= y <= view.placed.height
        assert all(abs(x - u) > 40 or abs(y - v) > 10 for u, v in written[:number])
