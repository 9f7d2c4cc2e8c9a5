"""What every extractor keeps."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from objsearch.components.registry import names
from objsearch.describe.base import Crop, Extractor
from objsearch.types import (
    BinaryDescriptor,
    Descriptor,
    GlobalDescriptor,
    LocalFeatures,
    Pixels,
)
from tests.contracts.made import fresh, shared
from tests.pictures import drawing, flat, noise

TINY = [(1, 1), (1, 2), (1, 57), (57, 1), (1, 700), (2, 2), (5, 3), (8, 8), (16, 16), (16, 640)]


@pytest.fixture(params=names("describe"))
def extractor(request: pytest.FixtureRequest) -> Extractor:
    made: Extractor = shared("describe", request.param)
    return made


@pytest.fixture
def crops(pixels_of: Callable[[str], Pixels]) -> list[Crop]:
    return [
        Crop(pixels_of("toys.jpg"), is_frame=True),
        Crop(drawing(61, 83), (10.0, 20.0)),
        Crop(flat(40, 50)),
        Crop(pixels_of("coins.png")[40:160, 31:190], (31.0, 40.0)),
    ]


def check(descriptor: Descriptor, extractor: Extractor) -> None:
    """The promises on the form of one descriptor."""
    if isinstance(descriptor, GlobalDescriptor):
        assert extractor.produces == "global"
        assert descriptor.vector.dtype == np.float32
        assert descriptor.vector.ndim == 1
        assert np.isfinite(descriptor.vector).all()
        assert np.linalg.norm(descriptor.vector) == pytest.approx(1.0, abs=1e-4)
    elif isinstance(descriptor, BinaryDescriptor):
        assert extractor.produces == "binary"
        assert descriptor.code.dtype == np.uint8
        assert descriptor.code.ndim == 1
        assert 0.0 <= descriptor.quality <= 1.0
    else:
        kinds = {"local-binary": np.uint8, "local-real": np.float32}
        assert descriptor.codes.dtype == kinds[extractor.produces]
        assert descriptor.points_xy.dtype == np.float32
        assert descriptor.points_xy.shape == (len(descriptor), 2)
        assert descriptor.codes.shape[0] == len(descriptor)
        assert descriptor.codes.ndim == 2
        assert np.isfinite(descriptor.points_xy).all()
        assert descriptor.scale > 0


def equal(one: Descriptor, other: Descriptor) -> bool:
    """Whether two descriptors are the same to the last bit."""
    if isinstance(one, GlobalDescriptor) and isinstance(other, GlobalDescriptor):
        return np.array_equal(one.vector, other.vector)
    if isinstance(one, BinaryDescriptor) and isinstance(other, BinaryDescriptor):
        return np.array_equal(one.code, other.code) and one.quality == other.quality
    assert isinstance(one, LocalFeatures) and isinstance(other, LocalFeatures)
    same_points = np.array_equal(one.points_xy, other.points_xy)
    return same_points and np.array_equal(one.codes, other.codes) and one.scale == other.scale


def width(descriptor: Descriptor) -> int:
    if isinstance(descriptor, GlobalDescriptor):
        return len(descriptor.vector)
    if isinstance(descriptor, BinaryDescriptor):
        return len(descriptor.code)
    return descriptor.codes.shape[1]


def test_one_descriptor_a_crop_of_the_promised_kind(
    extractor: Extractor, crops: list[Crop]
) -> None:
    results = extractor.extract_batch(crops)
    assert len(results) == len(crops)
    for one in results:
        check(one, extractor)
    assert len({width(one) for one in results}) == 1


def test_nothing_in_nothing_out(extractor: Extractor) -> None:
    assert extractor.extract_batch([]) == []


def test_neighbours_do_not_matter(extractor: Extractor, crops: list[Crop]) -> None:
    alone = [extractor.extract_batch([crop])[0] for crop in crops]
    together = extractor.extract_batch(crops)
    backwards = extractor.extract_batch(crops[::-1])[::-1]
    crowded = extractor.extract_batch(crops * 3)[len(crops) : 2 * len(crops)]
    for a, b, c, d in zip(alone, together, backwards, crowded, strict=True):
        assert equal(a, b) and equal(a, c) and equal(a, d)


@pytest.mark.parametrize("is_frame", [True, False], ids=["frame", "crop"])
@pytest.mark.parametrize("shape", TINY, ids=str)
def test_tiny_crops_get_a_descriptor(
    extractor: Extractor, shape: tuple[int, int], is_frame: bool
) -> None:
    for pixels in (noise(*shape), flat(*shape, 0), flat(*shape, 255)):
        [one] = extractor.extract_batch([Crop(pixels, is_frame=is_frame)])
        check(one, extractor)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (333, 257)], ids=str)
def test_flat_crops_get_an_empty_descriptor(
    extractor: Extractor, shape: tuple[int, int], value: int
) -> None:
    one = extractor.extract(flat(*shape, value))
    check(one, extractor)
    if isinstance(one, LocalFeatures):
        assert len(one) == 0
    if isinstance(one, BinaryDescriptor):
        assert one.quality == 0


def test_keypoints_lie_in_the_crop_and_move_with_it(extractor: Extractor) -> None:
    pixels = drawing(61, 83)
    [here] = extractor.extract_batch([Crop(pixels)])
    [there] = extractor.extract_batch([Crop(pixels, (100.0, 200.0))])
    if not isinstance(here, LocalFeatures) or not isinstance(there, LocalFeatures):
        assert equal(here, there)
        return
    assert len(here) > 10
    assert (here.points_xy >= -0.5).all()
    assert (here.points_xy < [82.5, 60.5]).all()
    assert np.allclose(there.points_xy - here.points_xy, [100.0, 200.0], atol=1e-3)
    assert np.array_equal(here.codes, there.codes)


def test_pixels_are_left_alone_and_may_be_a_view(extractor: Extractor, crops: list[Crop]) -> None:
    view = crops[3]
    assert not view.pixels.flags.c_contiguous and not view.pixels.flags.writeable
    copied = replace(view, pixels=np.ascontiguousarray(view.pixels).copy())
    before = copied.pixels.copy()
    one, other = extractor.extract_batch([view, copied])
    assert equal(one, other)
    assert np.array_equal(copied.pixels, before)


def test_threads_share_an_extractor(extractor: Extractor, crops: list[Crop]) -> None:
    expected = extractor.extract_batch(crops)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda crop: extractor.extract_batch([crop])[0], crops * 2))
    assert all(equal(a, b) for a, b in zip(results, expected * 2, strict=True))


def test_pickles_after_use_are_small_and_work(extractor: Extractor) -> None:
    pixels = drawing(61, 83)
    expected = extractor.extract(pixels)
    data = pickle.dumps(extractor)
    assert len(data) < 10_000  # weights stay out
    again = pickle.loads(data)
    assert again == extractor
    assert equal(again.extract(pixels), expected)


@pytest.mark.parametrize("name", names("describe"))
def test_a_new_extractor_describes_alike(name: str) -> None:
    pixels = drawing(61, 83)
    assert equal(fresh("describe", name).extract(pixels), shared("describe", name).extract(pixels))
