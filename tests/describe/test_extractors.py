"""What each extractor adds to the contracts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from objsearch.describe.base import Crop, crop_of
from objsearch.describe.embedding import Embedding
from objsearch.describe.orb import Orb
from objsearch.describe.perceptual_hash import PerceptualHash
from objsearch.describe.sift import Sift
from objsearch.errors import MissingDependencyError, WeightsError
from objsearch.images.transform import resize, resize_quickly
from objsearch.settings import load_settings
from objsearch.types import (
    BinaryDescriptor,
    Box,
    GlobalDescriptor,
    LocalFeatures,
    Pixels,
    Region,
)
from tests.contracts.made import shared
from tests.pictures import brightened, drawing, flat, image, noise, rotated

WHITENED = "efficientnet-lite0-whitened"
"""A file of two outputs."""


def bits(one: BinaryDescriptor, other: BinaryDescriptor) -> int:
    return int(np.bitwise_count(one.code ^ other.code).sum())


def test_a_frame_is_cut_as_it_is_and_a_region_by_its_box() -> None:
    whole = image(noise(60, 100))
    frame = crop_of(whole, Region(whole.frame, "frame", 0.0, "frame"), margin=0.5)
    assert np.array_equal(frame.pixels, whole.pixels)
    assert frame.is_frame
    part = crop_of(whole, Region(Box(10.5, 20.2, 30, 40), "a", 1.0, "given"))
    assert part.corner_xy == (10.0, 20.0)
    assert np.array_equal(part.pixels, whole.pixels[20:40, 10:30])
    wide = crop_of(whole, Region(Box(10, 20, 30, 40), "a", 1.0, "given"), margin=0.25)
    assert wide.corner_xy == (5.0, 15.0)
    assert wide.pixels.shape == (30, 30, 3)
    edge = crop_of(whole, Region(Box(0, 0, 40, 40), "a", 1.0, "given"), margin=0.25)
    assert edge.corner_xy == (0.0, 0.0)
    assert edge.pixels.shape == (50, 50, 3)


@pytest.mark.parametrize("kind", [Orb, Sift])
@pytest.mark.parametrize("scale", [0.25, 1, 3])
def test_places_of_keypoints_count_from_the_middles_of_pixels(
    kind: type[Orb | Sift], scale: float
) -> None:
    """A picture of another size is brought to the very pixels that this one has."""
    light = np.repeat(drawing(240, 320, 1)[..., :1], 3, axis=2)
    given = resize(light, (round(320 * scale), round(240 * scale)))
    working = resize_quickly(given, (320, 240))
    extractor = kind(long_side=320)
    there, here = extractor.extract(working), extractor.extract(given)
    assert isinstance(there, LocalFeatures) and isinstance(here, LocalFeatures)
    assert len(there) == len(here) > 50
    np.testing.assert_allclose((here.points_xy + 0.5) / scale, there.points_xy + 0.5, atol=1e-3)


@pytest.mark.parametrize("kind", [Orb, Sift])
def test_keypoints_are_limited_and_the_strongest_first(
    kind: type[Orb | Sift], pixels_of: Callable[[str], Pixels]
) -> None:
    photo = pixels_of("old_street.jpg")
    extractor = kind(n_points=100, n_crop_points=40)
    frame, crop = extractor.extract_batch([Crop(photo, is_frame=True), Crop(photo)])
    assert isinstance(frame, LocalFeatures) and isinstance(crop, LocalFeatures)
    assert 50 < len(frame) <= 100
    assert 20 < len(crop) <= 40
    fewer = kind(n_points=50).extract(photo)
    assert isinstance(fewer, LocalFeatures)
    assert len(fewer) <= 50


@pytest.mark.parametrize("kind", [Orb, Sift])
def test_where_nothing_can_be_found_nothing_is_looked_for(
    kind: type[Orb | Sift], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.full((300, 400, 3), 128, np.uint8)
    pixels[100:, 200:] = 131
    faint = kind().extract(pixels)
    assert isinstance(faint, LocalFeatures)

    def found(*_: object) -> None:
        raise AssertionError("a blank picture was looked at")

    monkeypatch.setattr(kind, "_found", found)
    for blank in (pixels[:90], noise(1, 1), flat(700, 900)):
        features = kind().extract(blank)
        assert isinstance(features, LocalFeatures)
        assert len(features) == 0 and features.codes.shape[1:] == faint.codes.shape[1:]
    with pytest.raises(AssertionError, match="was looked at"):
        kind().extract(pixels)


@pytest.mark.parametrize(
    ("preset", "n_points", "long_side"), [("fast", 500, 480), ("whole-image", 800, 640)]
)
def test_half_octaves_show_as_many_corners_in_fewer_points(
    preset: str, n_points: int, long_side: int, pixels_of: Callable[[str], Pixels]
) -> None:
    """Where points lie within four pixels of each other, levels tell of one corner again."""
    orb = next(c.extractor for c in load_settings(preset).descriptors if c.alias == "orb")
    usual = Orb(n_points=n_points, long_side=long_side)
    corners = {"few": 0, "usual": 0}
    for name in ("old_street.jpg", "toys.jpg", "two_books.jpg"):
        for which, extractor in (("few", orb), ("usual", usual)):
            found = extractor.extract(pixels_of(name))
            assert isinstance(found, LocalFeatures)
            working = found.points_xy / found.scale // 4
            corners[which] += len({(x, y) for x, y in working.tolist()})
            assert len(found) > (0.9 * n_points if which == "usual" else 0.65 * n_points)
    assert 0.9 < corners["few"] / corners["usual"] < 1.1


def test_faint_corners_are_looked_for_where_there_are_few_others(
    pixels_of: Callable[[str], Pixels],
) -> None:
    def found(pixels: Pixels, **options: int) -> list[list[float]]:
        features = Orb(n_points=400, **options).extract(pixels)
        assert isinstance(features, LocalFeatures)
        return features.points_xy.tolist()

    photo = pixels_of("old_street.jpg")
    assert found(photo, first_threshold=20) == found(photo, fast_threshold=20)
    faint = (128 + (photo.astype(float) - 128) * 0.12).astype(np.uint8)
    assert len(found(faint, fast_threshold=20)) < 100
    assert found(faint, first_threshold=20) == found(faint)
    assert len(found(faint)) > 150


@pytest.mark.parametrize("kind", [Orb, Sift])
def test_regions_share_the_keypoints_of_the_photo(
    kind: type[Orb | Sift], pixels_of: Callable[[str], Pixels]
) -> None:
    photo = image(pixels_of("old_street.jpg"))
    box = Box(40, 30, 0.6 * photo.size_wh[0], 0.7 * photo.size_wh[1])
    regions = (Region(box, "a", 1.0, "given"), Region(photo.frame, "frame", 0.0, "frame"))
    part, whole = kind(n_points=200).extract_regions(photo, regions)
    assert isinstance(part, LocalFeatures) and isinstance(whole, LocalFeatures)
    x, y = whole.points_xy.T
    inside = (x >= box.x1) & (x < box.x2) & (y >= box.y1) & (y < box.y2)
    assert 20 < inside.sum() < len(whole)
    assert np.array_equal(part.points_xy, whole.points_xy[inside])
    assert np.array_equal(part.codes, whole.codes[inside])
    assert part.scale == whole.scale


def test_crops_can_be_extracted_by_themselves(pixels_of: Callable[[str], Pixels]) -> None:
    photo = image(pixels_of("old_street.jpg"))
    regions = (
        Region(Box(40, 30, 140, 130), "a", 1.0, "given"),
        Region(photo.frame, "frame", 0.0, "frame"),
    )
    alone = Orb(crop_long_side=320)
    part, whole = alone.extract_regions(photo, regions)
    expected = alone.extract_batch([crop_of(photo, one) for one in regions])
    for one, other in zip((part, whole), expected, strict=True):
        assert isinstance(one, LocalFeatures) and isinstance(other, LocalFeatures)
        assert np.array_equal(one.codes, other.codes)
    sharing = Orb().extract_regions(photo, regions)[0]
    assert isinstance(sharing, LocalFeatures) and isinstance(part, LocalFeatures)
    assert len(part) > len(sharing)  # enlarged to 320 pixels, a small crop has more of them


@pytest.mark.parametrize("kind", [Orb, Sift])
@pytest.mark.parametrize("long_side", [160, 333, 1000])
def test_points_are_in_image_pixels_at_any_working_size(
    kind: type[Orb | Sift], long_side: int
) -> None:
    # One bright square on a dark ground: all keypoints lie about its edge.
    pixels = np.full((207, 311, 3), 30, np.uint8)
    pixels[60:120, 100:180] = 220
    found = kind(long_side=long_side).extract(pixels)
    assert isinstance(found, LocalFeatures)
    assert found.scale == pytest.approx(311 / long_side)
    assert len(found)
    x, y = found.points_xy.T
    middle = np.array([(x.min() + x.max()) / 2, (y.min() + y.max()) / 2])
    assert np.abs(middle - (139.5, 89.5)).max() < 0.05 * max(311, 20 * 311 / long_side)


def test_sift_codes_have_unit_length(pixels_of: Callable[[str], Pixels]) -> None:
    found = Sift().extract(pixels_of("toys.jpg"))
    assert isinstance(found, LocalFeatures)
    assert np.allclose(np.linalg.norm(found.codes, axis=1), 1.0, atol=1e-3)
    assert (found.codes >= 0).all()


def test_the_hash_is_blind_to_light_and_size_and_sees_content(
    pixels_of: Callable[[str], Pixels],
) -> None:
    photo = pixels_of("toys.jpg")
    extractor = PerceptualHash()
    pictures = [photo, brightened(photo), photo[::2, ::2], pixels_of("old_street.jpg")]
    one, lighter, smaller, other = (extractor.extract(np.ascontiguousarray(p)) for p in pictures)
    for found in (one, lighter, smaller, other):
        assert isinstance(found, BinaryDescriptor)
        assert len(found.code) == 32
        assert found.quality > 0.5
    assert bits(one, lighter) <= 30  # type: ignore[arg-type]
    assert bits(one, smaller) <= 30  # type: ignore[arg-type]
    assert bits(one, other) > 90  # type: ignore[arg-type]


def cosine(one: object, other: object) -> float:
    assert isinstance(one, GlobalDescriptor) and isinstance(other, GlobalDescriptor)
    return float(one.vector @ other.vector)


def test_the_embedding_is_nearer_to_an_edited_copy_than_to_another_photo(
    pixels_of: Callable[[str], Pixels],
) -> None:
    extractor = shared("describe", "embedding")
    for name, other in (("toys.jpg", "coins.png"), ("old_street.jpg", "palace_copy_cropped.jpg")):
        one = extractor.extract(pixels_of(name))
        alien = extractor.extract(pixels_of(other))
        for edited in (brightened, rotated):
            assert cosine(one, extractor.extract(edited(pixels_of(name)))) > cosine(one, alien)


def test_the_embedding_takes_weights_by_name_or_path_and_tells_what_it_cannot(
    tmp_path: Path, root: Path
) -> None:
    pixels = drawing(61, 83)
    default = Embedding()
    path = str(root / "models" / f"{default.weights}.onnx")
    assert Path(path).is_file()
    facts = Embedding(weights=path, image_size=64)
    assert isinstance(facts.extract(pixels), GlobalDescriptor)
    with pytest.raises(WeightsError, match=f"did you mean '{default.weights}'"):
        Embedding(weights=default.weights + "x").extract(pixels)
    with pytest.raises(WeightsError, match=r"nowhere\.onnx"):
        Embedding(weights="nowhere.onnx").extract(pixels)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"cannot load .*broken\.onnx"):
        Embedding(weights=str(broken)).extract(pixels)


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))  # there, and quick to load
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDependencyError, match="pip install timm"):
        Embedding(weights="timm:resnet18").extract(drawing(61, 83))


def test_flipped_copies_keep_their_vector_when_flips_are_pooled() -> None:
    """A square picture: a photo squeezed into the network's square is flipped the same way."""
    picture = drawing(96, 96)
    pooled = Embedding(weights=WHITENED, flips="all", output="pooled", frame_size=96)
    flipped = [picture[:, ::-1], picture[::-1], picture[::-1, ::-1]]
    crops = [Crop(np.ascontiguousarray(one), is_frame=True) for one in (picture, *flipped)]
    vectors = np.stack([one.vector for one in pooled.extract_batch(crops)])  # type: ignore[union-attr]
    assert np.allclose(vectors @ vectors[0], 1.0, atol=1e-3)
    plain = Embedding(weights=WHITENED, output="pooled", frame_size=96)
    one, _, other, _ = (found.vector for found in plain.extract_batch(crops))  # type: ignore[union-attr]
    assert one @ other < 0.98


def test_an_output_that_a_network_does_not_have_is_told() -> None:
    crop = Crop(drawing(96, 96), is_frame=True)
    with pytest.raises(WeightsError, match="has no output 'poled', it has descriptor, pooled"):
        Embedding(weights=WHITENED, output="poled").extract_batch([crop])
    with pytest.raises(WeightsError, match="leave out 'output'"):
        Embedding(weights="timm:resnet18", output="pooled").extract_batch([crop])


def test_several_frame_sizes_average_the_vectors_of_each() -> None:
    crop = Crop(drawing(96, 128), is_frame=True)

    def vector(*sizes: int) -> NDArray[np.float32]:
        [found] = Embedding(frame_size=sizes).extract_batch([crop])
        return found.vector  # type: ignore[union-attr]

    mean = vector(96) + vector(128)
    assert np.allclose(vector(96, 128), mean / np.linalg.norm(mean), atol=1e-6)
    assert np.array_equal(vector(96), Embedding(frame_size=96).extract_batch([crop])[0].vector)  # type: ignore[union-attr]
    with pytest.raises(ValidationError, match="frame_size"):
        Embedding(frame_size=(96, 8))


@pytest.mark.parametrize("at_once", [3, 8])
def test_in_batches_no_bit_of_the_shipped_network_changes(
    at_once: int, pixels_of: Callable[[str], Pixels]
) -> None:
    photo = pixels_of("toys.jpg")
    crops = [Crop(photo, is_frame=True)]
    crops += [Crop(photo[20 * k : 20 * k + 90, 10 * k : 10 * k + 120]) for k in range(9)]
    extractor = Embedding()
    network = extractor._loaded()
    assert network.at_once == 8
    vectors = []
    for count in (1, at_once):
        extractor._network = replace(network, at_once=count)
        vectors.append([one.vector for one in extractor.extract_batch(crops)])  # type: ignore[union-attr]
    assert np.array_equal(*vectors)


def test_a_network_that_is_not_known_to_be_exact_sees_one_picture_a_call() -> None:
    assert Embedding(weights="efficientnet-lite0-instances")._loaded().at_once == 1


def test_in_8_bits_vectors_are_nearly_those_of_full_precision(
    pixels_of: Callable[[str], Pixels],
) -> None:
    full = Embedding(weights="efficientnet-lite0-instances")
    small = Embedding()
    names = ("toys.jpg", "coins.png", "old_street.jpg", "two_books.jpg")
    photos = [pixels_of(name) for name in names]
    cosines = np.array(
        [[cosine(full.extract(a), small.extract(b)) for b in photos] for a in photos]
    )
    assert cosines.diagonal().min() > 0.95
    assert (cosines.argmax(axis=1) == np.arange(4)).all()


def test_an_embedding_says_where_it_runs() -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("there is a GPU")
    assert Embedding().device_in_use() == "cpu"
    with pytest.raises(MissingDependencyError, match=r"objsearch\[gpu\]"):
        Embedding(device="cuda").device_in_use()
