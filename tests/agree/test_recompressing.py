"""Pictures of one size, one of them compressed: what compression did is no difference."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from objsearch.agree import agree
from objsearch.agree.recompressing import compressed_alike, quality_between, quality_of, stored
from objsearch.types import Pixels
from tests.pictures import as_jpeg, flat, grainy


def comic(words: str, seed: int = 3) -> Pixels:
    """A photo in few colours under a balloon with words in it."""
    sheet = Image.fromarray(grainy(250, 640, seed) // 64 * 85)
    pen = ImageDraw.Draw(sheet)
    for left in (40, 360):
        pen.ellipse((left, 24, left + 190, 84), fill=(255, 255, 255), outline=(0, 0, 0), width=2)
        pen.text((left + 40, 44), words, (0, 0, 0), font_size=18)
    return np.asarray(sheet)


@pytest.mark.parametrize("quality", [40, 60, 75])
def test_flat_colours_in_jpeg_are_the_same_picture(quality: int) -> None:
    original = comic("Not again!")
    for pair in ((as_jpeg(original, quality), original), (original, as_jpeg(original, quality))):
        agreement = agree(*pair, np.eye(3))
        assert agreement is not None
        assert agreement.relation == "same-picture", pair


@pytest.mark.parametrize("quality", [40, 60, 75])
def test_other_words_are_still_a_difference_and_alone_told(quality: int) -> None:
    agreement = agree(as_jpeg(comic("Not again!"), quality), comic("I said no."), np.eye(3))
    assert agreement is not None
    assert agreement.relation == "edited"
    balloons = [(x, 24, x + 190, 84) for x in (40, 360)]
    for box in agreement.differs[0]:
        x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
        assert any(x1 < x < x2 and y1 < y < y2 for x1, y1, x2, y2 in balloons), box
    assert agreement.differs[0]


def plan(rooms: int = 6, words: str = "Hall 21.4") -> Pixels:
    """Black lines, coloured areas and words on white: next to every block is clipped in JPEG."""
    sheet = Image.new("RGB", (520, 400), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    for number in range(rooms):
        left, top = 20 + number % 3 * 160, 20 + number // 3 * 180
        fill = [(255, 255, 255), (214, 232, 255), (255, 236, 205)][number % 3]
        pen.rectangle((left, top, left + 150, top + 165), fill, (0, 0, 0), width=3)
        pen.line((left, top + 60, left + 70, top + 60), (0, 0, 0), width=2)
        pen.text((left + 20, top + 90), words if number == 4 else f"Room {number}", (0, 0, 0))
    return np.asarray(sheet)


@pytest.mark.parametrize("quality", [15, 30, 50, 75])
def test_drawings_on_white_are_the_same_however_compressed(quality: int) -> None:
    original = plan()
    small = as_jpeg(original, quality)
    assert quality_between(original, small) == quality
    assert quality_between(original, plan(words="Hall 27.4")) is None
    for pair in ((small, original), (original, small)):
        agreement = agree(*pair, np.eye(3))
        assert agreement is not None and agreement.relation == "same-picture", pair
    agreement = agree(as_jpeg(plan(words="Bath 5.1"), quality), original, np.eye(3))
    assert agreement is not None and agreement.relation == "edited"


def test_the_quality_is_found_whichever_was_compressed() -> None:
    picture = comic("Look at that")
    small = stored(picture, 37)
    for pair in ((picture, small), (small, picture)):
        alike = compressed_alike(*pair)
        assert alike is not None
        np.testing.assert_array_equal(alike[0], small)
        np.testing.assert_array_equal(alike[1], small)


def test_an_enlarged_copy_is_compared_as_it_is() -> None:
    picture = comic("Run, run!")
    large = np.asarray(cv2.resize(picture, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC))
    onto = np.array([[1.5, 0, 0.25], [0, 1.5, 0.25], [0, 0, 1.0]])
    agreement = agree(picture, np.asarray(large, np.uint8), onto)
    assert agreement is not None
    assert agreement.relation in ("same-picture", "edited")


@pytest.mark.parametrize("quality", [15, 50, 70, 90])
def test_a_picture_tells_how_it_was_stored(quality: int) -> None:
    for picture in (comic("Where is it?"), grainy(300, 420, 5)):
        assert quality_of(stored(picture, quality)) == quality
        assert quality_of(picture) is None


@pytest.mark.parametrize(("first", "then"), [(15, 90), (30, 75)])
def test_of_several_times_it_was_stored_the_coarsest_counts(first: int, then: int) -> None:
    assert quality_of(stored(stored(grainy(300, 420, 5), first), then)) == first


def test_what_was_resized_or_cut_since_tells_nothing() -> None:
    once = stored(grainy(300, 420, 5), 60)
    smaller = cv2.resize(once, None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA)
    assert quality_of(np.asarray(smaller, np.uint8)) is None
    assert quality_of(np.ascontiguousarray(once[3:, 5:])) is None


@pytest.mark.parametrize("shape", [(5, 5), (8, 300), (7, 400), (16, 16)])
def test_small_and_blank_pictures_tell_nothing(shape: tuple[int, int]) -> None:
    assert quality_of(flat(*shape)) is None
    assert compressed_alike(flat(*shape), flat(*shape, 90)) is None


def test_two_of_one_quality_are_left_as_they_are() -> None:
    pictures = (stored(comic("Why me?"), 60), stored(comic("I said no."), 60))
    assert compressed_alike(*pictures) is None
