"""Huge pictures are described at a reduced scale; what is told of them is in their own pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PillowImage

from objsearch.images.transform import reduced_wh, reduction_for
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.sources import Place, Reading, read_image, read_working
from objsearch.types import Image, ImageRef

SIDE = 640


@pytest.mark.parametrize(
    ("long_side", "expected"),
    [(639, 1), (1279, 1), (1280, 2), (2559, 2), (2560, 4), (5120, 8), (99_999, 8)],
)
def test_a_picture_is_halved_while_enough_is_left(long_side: int, expected: int) -> None:
    assert reduction_for((100, long_side), SIDE) == expected
    assert reduction_for((long_side, 100), SIDE) == expected


@pytest.fixture
def huge(photos: Path, tmp_path: Path) -> dict[str, Path]:
    """One picture of 2,701 x 2,025 pixels in several files, one of them on its side."""
    with PillowImage.open(photos / "graffiti_wall.jpg") as picture:
        large = picture.convert("RGB").resize((2701, 2025), PillowImage.Resampling.BICUBIC)
    paths = {name: tmp_path / name for name in ("a.jpg", "b.png", "c.tif", "turned.jpg")}
    large.save(paths["a.jpg"], quality=95)
    large.save(paths["b.png"], compress_level=1)
    large.save(paths["c.tif"])
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    large.transpose(PillowImage.Transpose.ROTATE_90).save(
        paths["turned.jpg"], exif=exif, quality=95
    )
    return paths


def working(path: Path, side: int = SIDE) -> Image:
    image = read_working(Place(ImageRef(str(path))), Reading(), side)
    assert isinstance(image, Image)
    return image


def test_every_format_comes_at_the_same_scale(huge: dict[str, Path]) -> None:
    for path in huge.values():
        image = working(path)
        assert (image.size_wh, image.full_size_wh) == ((676, 507), (2701, 2025)), path.name
        assert image.reduction == 4
        whole = read_image(Place(ImageRef(str(path))))
        assert isinstance(whole, Image) and whole.reduction == 1 and whole.full_size_wh is None
    assert working(huge["a.jpg"], 4096).size_wh == (2701, 2025)
    assert reduced_wh((2701, 2025), 4) == (676, 507)


def test_a_part_is_read_at_the_full_size(huge: dict[str, Path]) -> None:
    place = Place(ImageRef(str(huge["a.jpg"]), xywh=(10, 20, 300, 200)))
    image = read_working(place, Reading(), SIDE)
    assert isinstance(image, Image)
    assert (image.size_wh, image.reduction) == ((300, 200), 1)


@pytest.mark.parametrize("name", ["a.jpg", "b.png", "turned.jpg"])
def test_what_is_found_is_told_in_full_pixels_and_scores_alike(
    name: str, huge: dict[str, Path], photos: Path, quick: dict[str, Any]
) -> None:
    query = photos / "graffiti_wall.jpg"
    hits = []
    for side in (SIDE, None):
        settings = load_settings({**quick, "input": {"working_side": side}})
        [hit] = ObjectSearch(settings).add(huge[name]).find(query, threshold=0).hits
        assert hit.verdict == "same" and hit.size_wh == (2701, 2025)
        hits.append(hit)
    reduced, full = hits
    assert reduced.score == pytest.approx(full.score, abs=0.05)
    found, expected = (hit.pairs[0].reference.box_xyxy for hit in hits)
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) < 30  # of 2,701
    moved = [hit.pairs[0].verification for hit in hits]
    assert moved[0] is not None and moved[1] is not None
    assert moved[0].transform[0, 0] == pytest.approx(moved[1].transform[0, 0], rel=0.05)
