"""Parts of an image: every way to write one, and what is cut out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objsearch.errors import UnreadableImageError, UsageError
from objsearch.sources import Place, RegionOfInterest, expand, read_image, region_of
from objsearch.types import Box, Image, Region, Unreadable
from tests.pictures import encoded, image, noise

SIZE_WH = (400, 200)
BOX = Box(40, 50, 140, 110)


@pytest.mark.parametrize(
    "way",
    [
        *("40,50,100,60", " 40 , 50,100 ,60", "40,50:140,110", "140,110:40,50", "40,110:140,50"),
        *("0.1,0.25,0.25,0.3", "0.1,0.25:0.35,0.55", "10%,25%,25%,30%", "10%,25%:35%,55%"),
        *((40, 50, 100, 60), (0.1, 0.25, 0.25, 0.3), ((40, 50), (140, 110))),
        *(BOX, Region(BOX, "thing", 0.9, "detector"), Box(39.6, 50.2, 140.4, 109.9)),
        *([[0.1, 0.25], [0.35, 0.55]], np.array([40, 50, 100, 60]), ("10%", "25%", "25%", "30%")),
    ],
    ids=str,
)
def test_every_way_to_write_a_region(way: Any) -> None:
    region = RegionOfInterest.of(way)
    assert region.in_pixels(SIZE_WH) == (40, 50, 100, 60)
    assert RegionOfInterest.of(region.text) == region  # what an answer says reads back
    assert RegionOfInterest.of(region) is region


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        *(("1,2,3", "x,y,w,h"), ("1,2,3:4", "two corners"), ("1,2:3,4:5,6", "two corners")),
        *(("", "x,y,w,h"), ("a,b,c,d", "x,y,w,h"), ("1;2;3;4", "x,y,w,h"), (7, "x,y,w,h")),
        *(("nan,0,1,1", "x,y,w,h"), ("0,0,inf,1", "x,y,w,h"), ("10%,10,5,5", "x,y,w,h")),
        *(
            ("5,5,0,9", "empty"),
            ("5,5:5,9", "empty"),
            ("5,5,-3,9", "empty"),
            ("0%,0%:0%,9%", "emp"),
        ),
        *((Box(5, 5, 5, 9), "empty"), (Box(float("nan"), 0, 1, 1), "x,y,w,h")),
        *((("0.1", 2, 300, 4), "mixes"), ("0.5,0.5,1.5,1", "mixes"), ((1, 2, 3), "x,y,w,h")),
    ],
    ids=str,
)
def test_what_is_no_region_is_told(way: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        RegionOfInterest.of(way)
    assert "region" in str(caught.value)


edges = st.tuples(st.integers(-50, 450), st.integers(-50, 250))


@given(edges, edges)
def test_a_region_is_its_pixels_or_nothing(one: tuple[int, int], other: tuple[int, int]) -> None:
    picture = image(noise(200, 400))
    if one[0] == other[0] or one[1] == other[1]:
        with pytest.raises(UsageError):
            RegionOfInterest.of((one, other))
        return
    xywh = RegionOfInterest.of((one, other)).in_pixels(picture.size_wh)
    x1, y1 = max(0, min(one[0], other[0])), max(0, min(one[1], other[1]))
    x2, y2 = min(400, max(one[0], other[0])), min(200, max(one[1], other[1]))
    if x1 >= x2 or y1 >= y2:
        with pytest.raises(UnreadableImageError, match="holds nothing"):
            region_of(picture, xywh)
        return
    part = region_of(picture, xywh)
    assert np.array_equal(part.pixels, picture.pixels[y1:y2, x1:x2])
    assert part.ref.xywh == (x1, y1, x2 - x1, y2 - y1)
    assert (part.offset_xy, part.full_size_wh) == ((x1, y1), (400, 200))
    was_clipped = xywh != part.ref.xywh
    assert bool(part.warnings) == was_clipped
    whole = region_of(picture, xywh, "filter")
    assert whole.pixels is picture.pixels
    assert (whole.within_xyxy, whole.ref) == ((x1, y1, x2, y2), part.ref)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "a.png"
    made.write_bytes(encoded(noise(200, 400), "PNG"))
    return made


@pytest.mark.parametrize(
    "fragment", ["xywh=40,50,100,60", "xywh=pixel:40,50,100,60", "xywh=percent:10,25,25,30"]
)
def test_fragments_in_pixels_and_percent(path: Path, fragment: str) -> None:
    [place] = expand(f"{path}#{fragment}")
    assert isinstance(place, Place)
    part = read_image(place)
    assert isinstance(part, Image)
    assert str(part.ref) == f"{path}#xywh=40,50,100,60"
    assert np.array_equal(part.pixels, noise(200, 400)[50:110, 40:140])
    # What names its own part keeps it.
    other = read_image(place.within(RegionOfInterest.of("0,0,5,5"), "replace"))
    assert isinstance(other, Image) and other.ref == part.ref


def test_a_fragment_that_is_no_region_is_told(path: Path) -> None:
    with pytest.raises(UsageError, match="region"):
        expand(f"{path}#xywh=percent:1,2,3")
    [place] = expand(f"{path}#xywh=percent:200,200,5,5")
    assert isinstance(place, Place)
    result = read_image(place)
    assert isinstance(result, Unreadable) and "holds nothing" in result.reason


def test_two_parts_of_one_file_are_two_places(path: Path) -> None:
    parts = [f"{path}#xywh=percent:0,0,50,50", f"{path}#xywh=percent:50,50,50,50", str(path)]
    assert len(expand([*parts, *parts])) == 3


def test_a_box_near_the_corner_is_in_pixels() -> None:
    """Boxes of an answer are no whole numbers: 0.4 pixels are no fraction of the picture."""
    assert RegionOfInterest.of(Box(0.4, 0.2, 0.9 * 400, 0.9)).in_pixels(SIZE_WH) == (0, 0, 360, 1)
