"""The nouns: boxes, refs and their text."""

from __future__ import annotations

import math
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objsearch.types import Box, Image, ImageRef, Region, Unreadable, Verification
from objsearch.types.addresses import data_without_secrets

coordinates = st.floats(-1e4, 1e4, allow_nan=False)
boxes = st.builds(Box, coordinates, coordinates, coordinates, coordinates)


def test_a_box_knows_its_size() -> None:
    box = Box(10, 20, 40, 60)
    assert (box.width, box.height, box.area) == (30, 40, 1200)
    assert Box(5, 5, 1, 1).area == 0
    assert box.moved(-10, 5) == Box(0, 25, 30, 65)


def test_overlap_by_hand() -> None:
    one, other = Box(0, 0, 10, 10), Box(5, 5, 15, 15)
    assert one.intersection(other) == 25
    assert one.iou(other) == pytest.approx(25 / 175)
    assert one.iou(one) == 1.0
    assert one.iou(Box(10, 0, 20, 10)) == 0.0  # half-open boxes that touch share nothing
    assert Box(0, 0, 0, 0).iou(Box(0, 0, 0, 0)) == 0.0


@given(boxes, boxes)
def test_overlap_is_symmetric_and_in_0_to_1(one: Box, other: Box) -> None:
    assert one.iou(other) == other.iou(one)
    assert 0.0 <= one.iou(other) <= 1.0 + 1e-9


@given(boxes, st.integers(1, 500), st.integers(1, 500))
def test_clipping_stays_inside_and_is_done_once(box: Box, width: int, height: int) -> None:
    inside = box.clipped((width, height))
    assert 0 <= inside.x1 <= width and 0 <= inside.x2 <= width
    assert 0 <= inside.y1 <= height and 0 <= inside.y2 <= height
    assert inside.clipped((width, height)) == inside
    assert all(type(value) is float for value in inside)


refs = st.builds(
    ImageRef,
    st.text(st.characters(exclude_characters="#", exclude_categories=["Cs"]), min_size=1),
    page=st.none() | st.integers(0, 10**6),
    frame=st.none() | st.integers(0, 10**6),
    seconds=st.none() | st.floats(0, 1e6, allow_nan=False),
    xywh=st.none() | st.tuples(*[st.integers(0, 10**5)] * 4),
)


@given(refs)
def test_the_text_of_a_ref_reads_back(ref: ImageRef) -> None:
    assert ImageRef.parse(str(ref)) == ref


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("scan.pdf#page=3", ImageRef("scan.pdf", page=3)),
        ("a.gif#frame=5", ImageRef("a.gif", frame=5)),
        ("film.mp4#t=12.5", ImageRef("film.mp4", seconds=12.5)),
        ("a.jpg#xywh=10,20,200,100", ImageRef("a.jpg", xywh=(10, 20, 200, 100))),
        ("a.tif#page=2&xywh=1,2,3,4", ImageRef("a.tif", page=2, xywh=(1, 2, 3, 4))),
        ("photo #1.jpg", ImageRef("photo #1.jpg")),
        ("a#b#page=2", ImageRef("a#b", page=2)),
        ("https://x.org/a.jpg?b=c#top", ImageRef("https://x.org/a.jpg?b=c#top")),
        ("", ImageRef("")),
    ],
)
def test_refs_as_documented(text: str, ref: ImageRef) -> None:
    assert ImageRef.parse(text) == ref
    assert str(ref) == text


@pytest.mark.parametrize(
    "text",
    ["a#page=x", "a#xywh=1,2,3", "a#xywh=1,2,3,4,5", "a#xywh=1.5,2,3,4", "a#t=", "a#frame=-"],
)
def test_a_fragment_that_is_no_number_is_an_error_in_words(text: str) -> None:
    with pytest.raises(ValueError) as error:
        ImageRef.parse(text)
    assert str(error.value).startswith(f"'{text}': after '#', page=3")
    assert "int()" not in str(error.value)


def test_pixels_may_be_called_so_as_by_media_fragments() -> None:
    assert ImageRef.parse("a.jpg#xywh=pixel:1,2,3,4") == ImageRef("a.jpg", xywh=(1, 2, 3, 4))


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://me:word@x.org/a.png", "https://***@x.org/a.png"),
        ("https://ghp_abc@x.org/a.png?b=1&c", "https://***@x.org/a.png?b=1&c"),
        ("http://me:a@b@x.org:80/a@b.png", "http://***@x.org:80/a@b.png"),
        ("https://x.org/a?id=7&access_token=abc&w=9", "https://x.org/a?id=7&access_token=***&w=9"),
        (
            "https://x.org/a?X-Amz-Credential=A%2F1&X-Amz-Signature=00ff&X-Amz-Expires=60",
            "https://x.org/a?X-Amz-Credential=***&X-Amz-Signature=***&X-Amz-Expires=60",
        ),
        ("https://x.org/a?sv=22&sig=a%3D&sr=b", "https://x.org/a?sv=22&sig=***&sr=b"),
        ("https://x.org/?api-key=1;pwd=2&token=", "https://x.org/?api-key=***;pwd=***&token="),
        # What may be what the picture is called is left.
        ("https://x.org/a?key=a.png&design=2&code=3", "https://x.org/a?key=a.png&design=2&code=3"),
        ("https://x.org/user@home/a.png?at=me@x.org", "https://x.org/user@home/a.png?at=me@x.org"),
        ("photos/me:word@home?token=abc.png", "photos/me:word@home?token=abc.png"),
    ],
)
def test_what_is_secret_in_a_url_is_not_shown(uri: str, shown: str) -> None:
    ref = ImageRef(uri, page=3)
    assert str(ref) == f"{shown}#page=3"
    assert str(ImageRef.parse(str(ref))) == str(ref)  # what is stored stays the same
    assert ImageRef.parse(ref.text) == ref
    assert data_without_secrets({"a": [uri, 1, None]}) == {"a": [shown, 1, None]}


def test_refs_sort_and_hash() -> None:
    refs = [ImageRef("b"), ImageRef("a", page=2), ImageRef("a", page=1)]
    assert sorted(refs, key=str) == [refs[2], refs[1], refs[0]]
    assert len({*refs, ImageRef("b")}) == 3


def test_an_image_knows_its_frame() -> None:
    image = Image(ImageRef("a"), np.zeros((3, 5, 3), np.uint8))
    assert image.size_wh == (5, 3)
    assert image.frame == Box(0.0, 0.0, 5.0, 3.0)


def test_values_are_frozen_and_pickle() -> None:
    region = Region(Box(0, 0, 1, 1), "cup", 0.5, "detector")
    for value, key in ((region, "label"), (Unreadable(ImageRef("a"), "why"), "reason")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, key, "other")
        assert pickle.loads(pickle.dumps(value)) == value
    assert not region.is_frame


def test_inliers_are_counted() -> None:
    found = Verification("affine", np.eye(3), np.zeros((7, 4), np.float32))
    assert found.n_inliers == 7
    assert not math.isnan(found.transform.sum())
