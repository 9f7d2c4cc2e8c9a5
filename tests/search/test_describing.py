"""Places -> described images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objsearch.describe.base import Extractor
from objsearch.describe.orb import Orb
from objsearch.describe.perceptual_hash import PerceptualHash
from objsearch.search.describing import Describer, content_hash, enlarged
from objsearch.settings import load_settings
from objsearch.sources import Place, expand
from objsearch.sources.reading import region_of
from objsearch.types import (
    Box,
    DescribedImage,
    GlobalDescriptor,
    Image,
    ImageRef,
    LocalFeatures,
    Pixels,
    Region,
    Unreadable,
)
from tests.pictures import drawing, encoded, flat, image, noise


@pytest.fixture
def describer(quick: dict[str, Any]) -> Describer:
    settings = {**quick, "detector": {"name": "given-boxes", "boxes_xywh": [(10, 20, 40, 30)]}}
    return Describer(load_settings(settings))


def test_descriptors_run_parallel_to_regions(describer: Describer) -> None:
    [one] = describer.describe([image(drawing(90, 120))])
    assert [region.proposal for region in one.regions] == ["given", "frame"]
    assert list(one.descriptors) == ["orb"]
    assert len(one.descriptors["orb"]) == 2
    assert one.size_wh == (120, 90)
    assert describer.describe([]) == []


@pytest.mark.parametrize("frames", [True, False])
def test_where_frames_do_not_match_as_such_a_frame_is_an_object_to_all_but_keypoints(
    frames: bool, quick: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, bool] = {}

    def noted(extractor: Extractor, image: Image, regions: Any, as_frame: bool) -> list[Any]:
        asked[extractor.name] = as_frame
        return [extractor.extract(image.pixels) for _ in regions]

    for kind in (Orb, PerceptualHash):
        monkeypatch.setattr(kind, "extract_regions", noted)
    extractors = [{"extractor": "orb"}, {"extractor": "perceptual-hash"}]
    settings = {**quick, "descriptors": extractors}
    describer = Describer(load_settings(settings, {"assignment.frames": frames}))
    describer.describe([image(drawing(90, 120))])
    assert asked == {"orb": True, "perceptual-hash": frames}


def test_a_part_is_described_in_pixels_of_the_whole(describer: Describer) -> None:
    whole = image(drawing(190, 220))
    [alone] = describer.describe([image(np.ascontiguousarray(whole.pixels[50:150, 70:190]))])
    [part] = describer.describe([region_of(whole, (70, 50, 120, 100))])
    assert part.size_wh == (220, 190)
    assert part.regions[-1].box_xyxy == (70, 50, 190, 150)
    assert part.regions[0].box_xyxy == (80, 70, 120, 100)
    assert part.content == alone.content
    for here, there in zip(alone.descriptors["orb"], part.descriptors["orb"], strict=True):
        assert isinstance(here, LocalFeatures) and isinstance(there, LocalFeatures)
        assert np.array_equal(here.codes, there.codes)
        assert np.allclose(there.points_xy - here.points_xy, (70, 50), atol=1e-3)


def test_a_reduced_picture_is_told_of_from_the_middles_of_its_pixels() -> None:
    """The first and the last pixel of a row of 5 are as far from the rims of a row of 20."""
    box, frame = Box(1, 0, 4, 2), Box(0, 0, 5, 4)
    regions = (Region(box, "cup", 1.0, "detector"), Region(frame, "frame", 0.0, "frame"))
    points = LocalFeatures(np.array([[0, 0], [4, 3]], np.float32), np.zeros((2, 32), np.uint8), 2.0)
    vector = GlobalDescriptor(np.ones(1, np.float32))
    reduced = DescribedImage(
        ImageRef("a.png"), (5, 4), regions, {"orb": (points, points), "v": (vector, vector)}
    )
    whole = enlarged(reduced, (20, 24))
    assert whole.size_wh == (20, 24)
    assert [region.box_xyxy for region in whole.regions] == [(4, 0, 16, 12), (0, 0, 20, 24)]
    for found in whole.descriptors["orb"]:
        assert isinstance(found, LocalFeatures)
        np.testing.assert_allclose(found.points_xy, [[1.5, 2.5], [17.5, 20.5]])
        assert found.scale == 12.0
    assert whole.descriptors["v"] == (vector, vector)


def test_content_tells_pixels_apart_and_nothing_else() -> None:
    one = noise(6, 8)
    assert content_hash(image(one)) == content_hash(image(one.copy(), "other.jpg"))
    assert content_hash(image(one)) == content_hash(image(np.asfortranarray(one)))
    assert content_hash(image(one)) != content_hash(image(one[::-1]))
    assert content_hash(image(one)) != content_hash(image(one.reshape(8, 6, 3)))
    assert len(content_hash(image(one))) == 64


@pytest.mark.parametrize(
    ("pixels", "is_noted"),
    [
        (flat(200, 300), True),
        (flat(1, 1), True),
        (np.clip(flat(200, 300) + np.arange(300)[None, :, None] / 150, 0, 255), True),
        (np.add.outer(np.linspace(20, 110, 200), np.linspace(0, 120, 300))[..., None], True),
        (drawing(200, 300), False),
    ],
    ids=["flat", "one pixel", "hardly a gradient", "gradient", "drawing"],
)
def test_too_little_structure_is_noted(
    describer: Describer, pixels: np.ndarray, is_noted: bool
) -> None:
    colours = np.broadcast_to(pixels, (*pixels.shape[:2], 3)).astype(np.uint8)
    [one] = describer.describe([image(colours)])
    assert one.note == ("too_few_features" if is_noted else "")


def test_a_bare_corner_of_a_picture_says_nothing_of_the_rest() -> None:
    """Of keypoints alone it is those of the frame that count, whatever the first region has."""
    picture = drawing(240, 320).copy()
    picture[:100, :120] = 200
    bare = {"name": "given-boxes", "boxes_xywh": [(5, 5, 90, 80)]}
    describer = Describer(load_settings("orb", {"detector": bare}))
    [one] = describer.describe([image(picture)])
    corner, frame = one.descriptors["orb"]
    assert isinstance(corner, LocalFeatures) and isinstance(frame, LocalFeatures)
    assert len(corner) < 8 < len(frame) and one.note == ""


def test_a_faint_drawing_is_not_flat(pixels_of: Callable[[str], Pixels]) -> None:
    faint = 235 + pixels_of("handwriting.png").astype(float) / 255 * 20
    shade = np.linspace(60, 0, faint.shape[1])[None, :, None]  # the hand that holds the camera
    describer = Describer(load_settings("fast"))
    for sheet in (faint, faint - shade):
        [one] = describer.describe([image(sheet.astype(np.uint8))])
        assert one.note == ""


@pytest.mark.parametrize(("workers", "size"), [(1, 1), (2, 3), (4, 1), (3, 50)])
def test_one_result_a_place_in_order(
    quick: dict[str, Any], tmp_path: Path, workers: int, size: int
) -> None:
    for number in range(11):
        data = encoded(drawing(40, 50, number), "PNG") if number % 4 else b"broken"
        (tmp_path / f"{number:02}.png").write_bytes(data)
    run = {"workers": workers, "batch_size": size}
    describer = Describer(load_settings({**quick, "run": run}))
    results = list(describer.describe_places(expand(tmp_path)))
    assert [Path(one.ref.uri).stem for one in results] == [f"{n:02}" for n in range(11)]
    kinds = [Unreadable if n % 4 == 0 else DescribedImage for n in range(11)]
    assert [type(one) for one in results] == kinds


def test_what_is_unreadable_already_stays_so(describer: Describer) -> None:
    known = Unreadable(ImageRef("folder"), "the folder cannot be read")
    assert list(describer.describe_places([known])) == [known]


def test_limits_come_from_the_settings(quick: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(drawing(40, 50), "PNG"))
    describer = Describer(load_settings({**quick, "input": {"max_megapixels": 0.001}}))
    result = describer.read(Place(ImageRef(str(path))))
    assert isinstance(result, Unreadable)
    assert "0.001" in result.reason


def test_the_default_preset_describes_alike_with_any_workers(photos: Path) -> None:
    """Bit for bit: networks in batches, keypoints and boxes."""
    places = expand([str(photos / name) for name in ("toys.jpg", "coins.png", "two_books.jpg")])
    made = []
    for workers, size in ((1, 1), (2, 1), (2, 4)):
        describer = Describer(
            load_settings("default", {"run.workers": workers, "run.batch_size": size})
        )
        made.append(list(describer.describe_places(places)))
    for others in made[1:]:
        for one, other in zip(made[0], others, strict=True):
            assert isinstance(one, DescribedImage) and isinstance(other, DescribedImage)
            assert one.regions == other.regions and one.content == other.content
            for a, b in zip(
                one.descriptors["embedding"], other.descriptors["embedding"], strict=True
            ):
                assert isinstance(a, GlobalDescriptor) and isinstance(b, GlobalDescriptor)
                assert np.array_equal(a.vector, b.vector)
            for a, b in zip(one.descriptors["orb"], other.descriptors["orb"], strict=True):
                assert isinstance(a, LocalFeatures) and isinstance(b, LocalFeatures)
                assert np.array_equal(a.codes, b.codes)
                assert np.array_equal(a.points_xy, b.points_xy)
