"""What a larger copy shows: more, no more, or nobody can tell."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from objsearch.agree.enlarging import larger_shows
from objsearch.agree.laying import scaling
from objsearch.types import Pixels
from tests.pictures import as_jpeg, flat, grainy


def resized(pixels: Pixels, times: float, how: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, None, fx=times, fy=times, interpolation=how), np.uint8)


def shown(small: Pixels, large: Pixels) -> str:
    sizes = [(side.shape[1], side.shape[0]) for side in (small, large)]
    return larger_shows(small, large, scaling(sizes[0], sizes[1]))


@pytest.mark.parametrize("times", [2.0, 3.0, 4.0])
def test_a_larger_original_shows_more(times: float) -> None:
    original = np.asarray(cv2.resize(grainy(480, 640, 3), (1280, 960)), np.uint8)
    lively = np.random.default_rng(2).integers(-30, 30, (960, 1280, 1))
    original = np.asarray(np.clip(original.astype(int) + lively, 0, 255), np.uint8)
    assert shown(resized(original, 1 / times, cv2.INTER_AREA), original) == "more"


@pytest.mark.parametrize("name", ["galaxies", "retina", "tissue_slide"])
def test_a_photo_of_little_fine_detail_shows_more_than_its_half(photos: Path, name: str) -> None:
    original = np.asarray(Image.open(photos / f"{name}.jpg").convert("RGB"))
    half = Image.fromarray(original).resize(
        (original.shape[1] // 2, original.shape[0] // 2), Image.Resampling.LANCZOS
    )
    assert shown(as_jpeg(np.asarray(half), 90), original) == "more"


@pytest.mark.parametrize("how", [cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4])
@pytest.mark.parametrize("times", [1.5, 2.0, 3.0, 4.0])
def test_an_enlargement_never_shows_more(times: float, how: int) -> None:
    small = grainy(240, 320, 3)
    found = shown(small, resized(small, times, how))
    assert found == "no more" if times >= 3 else found != "more"


def test_where_nothing_can_be_measured_the_larger_is_taken_to_show_more() -> None:
    assert shown(flat(60, 80), flat(120, 160)) == "more"


@pytest.mark.parametrize("by", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("quality", [85, 92])
def test_repeated_pixels_are_no_more_to_see_however_sharp_their_edges(
    by: float, quality: int
) -> None:
    small = grainy(300, 420, 8)
    assert shown(small, as_jpeg(resized(small, by, cv2.INTER_NEAREST), quality)) != "more"


@pytest.mark.parametrize("name", ["cell", "retina"])
@pytest.mark.parametrize("quality", [50, 75])
@pytest.mark.parametrize("by", [1.2, 1.5])
def test_what_compression_adds_to_an_enlargement_is_no_more_to_see(
    photos: Path, name: str, by: float, quality: int
) -> None:
    photo = Image.open(photos / f"{name}.jpg").convert("RGB")
    photo.thumbnail((400, 400))
    small = np.asarray(photo)
    assert shown(small, as_jpeg(resized(small, by, cv2.INTER_CUBIC), quality)) != "more"


def test_what_was_enlarged_from_less_than_the_smaller_one_shows_no_more() -> None:
    small = grainy(240, 320, 3)
    thumb = resized(small, 1 / 3, cv2.INTER_AREA)
    assert shown(small, as_jpeg(resized(thumb, 4.5, cv2.INTER_CUBIC), 85)) == "no more"
