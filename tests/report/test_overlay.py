"""The overlay lays the query where the reference shows it: asked back for a known movement."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from objsearch.match.geometry import bounds
from objsearch.report.overlay import Overlay, aligned
from objsearch.report.pictures import Photo
from objsearch.types import Box, Pixels, RegionPair
from tests.report.cases import QUERY_WH, REFERENCE_WH, TRANSFORM, pair, region, verification


def difference(overlay: Overlay) -> float:
    """Mean difference in gray levels inside the region, its rim left out."""
    mask = np.zeros(overlay.query.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, overlay.corners_xy.astype(np.int32), 1)
    mask = cv2.erode(mask, np.ones((9, 9), np.uint8))
    assert mask.mean() > 0.1
    return float(cv2.absdiff(overlay.query, overlay.reference)[mask > 0].mean())


@pytest.fixture
def located() -> RegionPair:
    return pair(found=verification())


def test_both_sides_agree(
    located: RegionPair, query_pixels: Pixels, reference_pixels: Pixels
) -> None:
    overlay = aligned(located, Photo(query_pixels, QUERY_WH), Photo(reference_pixels, REFERENCE_WH))
    assert overlay is not None
    assert overlay.query.shape == overlay.reference.shape
    assert difference(overlay) < 3


@pytest.mark.parametrize("grown", [3, 7])
def test_reduced_photos_are_laid_at_the_same_place(
    located: RegionPair, query_pixels: Pixels, reference_pixels: Pixels, grown: int
) -> None:
    # The pixels at hand are a reduced copy of images `grown` times as large.
    shift = (grown - 1) / 2  # whole numbers are the middles of pixels
    scale = np.array([[grown, 0, shift], [0, grown, shift], [0, 0, 1.0]])
    found = replace(verification(), transform=scale @ TRANSFORM @ np.linalg.inv(scale))
    box = tuple(value * grown for value in located.query.box_xyxy)
    overlay = aligned(
        replace(located, verification=found, query=region(box)),
        Photo(query_pixels, (QUERY_WH[0] * grown, QUERY_WH[1] * grown)),
        Photo(reference_pixels, (REFERENCE_WH[0] * grown, REFERENCE_WH[1] * grown)),
    )
    assert overlay is not None and difference(overlay) < 3


def test_a_mirrored_query_is_laid_back(query_pixels: Pixels, reference_pixels: Pixels) -> None:
    flip = np.array([[-1.0, 0.0, QUERY_WH[0] - 1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = replace(verification(), transform=TRANSFORM @ flip, mirrored=True)
    overlay = aligned(
        pair(found=found),
        Photo(np.ascontiguousarray(query_pixels[:, ::-1]), QUERY_WH),
        Photo(reference_pixels, REFERENCE_WH),
    )
    assert overlay is not None and difference(overlay) < 3


def test_a_box_beyond_infinity_falls_back_to_the_inliers(
    query_pixels: Pixels, reference_pixels: Pixels
) -> None:
    tilted = TRANSFORM.copy()
    tilted[2, 0] = -1 / 145  # the horizon crosses the query right of the last inlier
    whole = region((0, 0, *QUERY_WH))
    found = replace(verification(), transform=tilted)
    one = replace(pair(found=found), query=whole)
    overlay = aligned(one, Photo(query_pixels, QUERY_WH), Photo(reference_pixels, REFERENCE_WH))
    assert overlay is not None and np.isfinite(overlay.corners_xy).all()


@pytest.mark.parametrize(
    "transform",
    [
        np.array([[1.0, 0, 9999], [0, 1, 0], [0, 0, 1]]),  # outside the reference
        np.full((3, 3), np.nan),
        np.zeros((3, 3)),
    ],
)
def test_what_cannot_be_laid_is_not(
    query_pixels: Pixels, reference_pixels: Pixels, transform: np.ndarray
) -> None:
    one = pair(found=replace(verification(), transform=transform))
    photos = Photo(query_pixels, QUERY_WH), Photo(reference_pixels, REFERENCE_WH)
    assert aligned(one, *photos) is None
    assert aligned(pair(), *photos) is None
    assert aligned(pair(found=verification("fundamental")), *photos) is None


def test_what_differs_beside_the_region_is_shown(
    located: RegionPair, query_pixels: Pixels, reference_pixels: Pixels
) -> None:
    whole = Photo(query_pixels, QUERY_WH), Photo(reference_pixels, REFERENCE_WH)
    beside = Box(115, 20, 145, 80)
    there = bounds(beside, TRANSFORM)
    assert there is not None
    thing = replace(located, query=region((5, 5, 105, 95)), differs=((beside,), (there,)))
    overlay = aligned(thing, *whole)
    assert overlay is not None and difference(overlay) < 3
    height, width = overlay.query.shape[:2]
    [place] = overlay.differs
    assert place == place.clipped((width, height))
    middle = np.s_[
        round(place.y1 + place.height / 3) : round(place.y2 - place.height / 3),
        round(place.x1 + place.width / 3) : round(place.x2 - place.width / 3),
    ]
    apart = cv2.absdiff(overlay.query[middle], overlay.reference[middle])
    assert apart.size and apart.mean() < 3, "the query's pixels are there as well"
