"""Versions of one picture whose differences are too small for a small query."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.search.pipeline import ObjectSearch
from objsearch.tasks.larger import LargerAnswer, find_larger
from objsearch.types import Pixels
from tests.tasks.duplicates.conftest import put

OWN, OTHERS = "KL 4093", ("XV 7721", "BH 1158")


def with_plate(wall: Pixels, number: str) -> Pixels:
    picture = wall.copy()
    cv2.rectangle(picture, (300, 400), (520, 460), (245, 245, 240), -1)
    cv2.putText(picture, number, (312, 447), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (20, 20, 20), 4)
    return picture


def stored(picture: Pixels, path: Path, side: int, quality: int = 85) -> Path:
    small = PillowImage.fromarray(picture)
    small.thumbnail((side, side), PillowImage.Resampling.LANCZOS)
    path.parent.mkdir(parents=True, exist_ok=True)
    small.save(path, quality=quality)
    return path


@pytest.fixture(scope="module")
def plates(
    tmp_path_factory: pytest.TempPathFactory, pixels_of: Callable[[str], Pixels]
) -> tuple[ObjectSearch, Path]:
    """A photo with three numbers, and a small query of the first."""
    top = tmp_path_factory.mktemp("plates")
    wall = pixels_of("graffiti_wall.jpg")
    own = with_plate(wall, OWN)
    put(top / "in" / "b-own.png", own)
    stored(own, top / "in" / "c-smaller.jpg", 500, 80)
    for letter, number in zip("ad", OTHERS, strict=True):
        put(top / "in" / f"{letter}-other.png", with_plate(wall, number))
    stored(own, top / "query.jpg", 110)
    return ObjectSearch.open("larger", {"run.workers": 1}).add(top / "in"), top


@pytest.fixture(scope="module")
def answer(plates: tuple[ObjectSearch, Path]) -> LargerAnswer:
    search, top = plates
    return find_larger(search, top / "query.jpg")


def test_of_versions_that_differ_in_what_a_small_query_cannot_show_one_is_its_own(
    answer: LargerAnswer,
) -> None:
    clean = [Path(copy.ref.uri).name for copy in answer.copies if not copy.differs[1]]
    assert clean == ["b-own.png", "c-smaller.jpg"]
    told = {Path(copy.ref.uri).name: copy.differs for copy in answer.copies if copy.differs[1]}
    assert set(told) == {"a-other.png", "d-other.png"}
    for in_query, in_reference in told.values():
        assert len(in_query) == len(in_reference) > 0
        assert in_reference[0].x1 > 280 and in_reference[0].x2 < 540


def test_of_equally_large_ones_what_does_not_differ_comes_first(answer: LargerAnswer) -> None:
    assert Path(answer.copies[0].ref.uri).name == "b-own.png", "though a-other.png comes before it"


def test_boxes_in_a_part_of_the_query_are_those_of_the_whole(
    plates: tuple[ObjectSearch, Path], answer: LargerAnswer
) -> None:
    search, top = plates
    with PillowImage.open(top / "query.jpg") as picture:
        wide = np.full((picture.height + 20, picture.width + 40, 3), 90, np.uint8)
        wide[12:-8, 25:-15] = np.asarray(picture)
        region = f"25,12,{picture.width},{picture.height}"
    put(top / "wide.png", wide)
    found = find_larger(search, top / "wide.png", region=region)
    whole, part = (
        {Path(copy.ref.uri).name: copy.differs[0] for copy in one.copies} for one in (answer, found)
    )
    [box, *_], [moved, *_] = whole["a-other.png"], part["a-other.png"]
    assert moved.x1 - box.x1 == pytest.approx(25, abs=3)
    assert moved.y1 - box.y1 == pytest.approx(12, abs=3)


def test_enlargements_of_a_smaller_picture_than_the_query_are_marked_and_come_after(
    tmp_path: Path, pixels_of: Callable[[str], Pixels]
) -> None:
    """They show less than the query, not only no more, whatever their compression adds."""
    photo = pixels_of("graffiti_wall.jpg")
    height, width = photo.shape[:2]
    put(tmp_path / "in" / "b-own.png", photo)
    thumb = PillowImage.fromarray(photo).resize((width // 6, height // 6), 1)
    enlarged = thumb.resize((width, height), PillowImage.Resampling.BICUBIC)
    enlarged.save(tmp_path / "in" / "a-enlarged.jpg", quality=85)
    query = stored(photo, tmp_path / "query.jpg", width // 2)
    search = ObjectSearch.open("larger", {"run.workers": 1}).add(tmp_path / "in")
    copies = find_larger(search, query).copies
    marked = {Path(copy.ref.uri).name: copy.suspected_upscale for copy in copies}
    assert list(marked) == ["b-own.png", "a-enlarged.jpg"]
    assert list(marked.values()) == [False, True]
