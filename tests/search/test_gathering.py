"""Crops of several images go to an extractor together, and nothing of the answer depends on it."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from objsearch.describe.base import Crop
from objsearch.describe.embedding import GPU_BATCH, Embedding, Network
from objsearch.describe.perceptual_hash import PerceptualHash
from objsearch.search import drafts
from objsearch.search.describing import Describer
from objsearch.settings import load_settings
from objsearch.sources import Place, expand
from objsearch.types import (
    BinaryDescriptor,
    DescribedImage,
    Descriptor,
    Image,
    ImageRef,
    Unreadable,
)
from tests.contracts.test_extractors import equal
from tests.pictures import drawing, encoded, flat

N = 23


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of several sizes; every seventh is broken, one is blank."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(N):
        pixels = flat(60, 60) if number == 9 else drawing(60 + number, 90, number)
        data = b"broken" if number % 7 == 3 else encoded(pixels, "PNG")
        (folder / f"{number:02}.png").write_bytes(data)
    return folder


def settings(workers: int = 1, size: int = 4) -> dict[str, Any]:
    return {
        "detector": "grid",
        "descriptors": [
            {"extractor": "perceptual-hash"},
            {"extractor": {"name": "orb", "n_points": 60}},
            {"extractor": {"name": "perceptual-hash", "long_side": 64}, "alias": "small"},
        ],
        "run": {"workers": workers, "batch_size": size},
    }


def describer(wanted: int, monkeypatch: pytest.MonkeyPatch, **how: Any) -> Describer:
    """One whose hashes want so many crops at a time."""
    monkeypatch.setattr(PerceptualHash, "crops_wanted", lambda self: wanted)
    return Describer(load_settings(settings(**how)))


def same(one: DescribedImage | Unreadable, other: DescribedImage | Unreadable) -> bool:
    if isinstance(one, Unreadable) or isinstance(other, Unreadable):
        return one == other
    told = [(i.ref, i.size_wh, i.regions, i.content, i.warnings, i.note) for i in (one, other)]
    return (
        told[0] == told[1]
        and list(one.descriptors) == list(other.descriptors)
        and all(
            equal(a, b)
            for alias, mine in one.descriptors.items()
            for a, b in zip(mine, other.descriptors[alias], strict=True)
        )
    )


@pytest.fixture(scope="module")
def alone(folder: Path) -> list[DescribedImage | Unreadable]:
    """The pictures described where nothing is gathered."""
    return list(Describer(load_settings(settings())).describe_places(expand(folder)))


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize("wanted", [2, 7, 64])
def test_the_answer_is_the_same_for_any_grouping_and_workers(
    wanted: int,
    size: int,
    workers: int,
    folder: Path,
    alone: list[DescribedImage | Unreadable],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: list[int] = []
    real = PerceptualHash.extract_batch

    def noted(self: PerceptualHash, crops: Sequence[Crop]) -> list[Descriptor]:
        batches.append(len(crops))
        return real(self, crops)

    monkeypatch.setattr(PerceptualHash, "extract_batch", noted)
    how = {"workers": workers, "size": size}
    gathered = list(describer(wanted, monkeypatch, **how).describe_places(expand(folder)))
    assert [type(one) for one in gathered] == [type(one) for one in alone]
    assert sum(isinstance(one, Unreadable) for one in gathered) == 3
    assert all(map(same, alone, gathered))
    n_crops = sum(len(one.regions) for one in alone if isinstance(one, DescribedImage))
    assert sum(batches) == 2 * n_crops
    assert batches.count(wanted) == 2 * (n_crops // wanted)
    assert len(batches) == 2 * -(-n_crops // wanted)


@pytest.mark.parametrize("workers", [1, 2])
def test_networks_in_larger_batches_make_the_same_bits(
    workers: int, some: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for wanted in (1, 3, 16):
        monkeypatch.setattr(Embedding, "crops_wanted", lambda self, n=wanted: n)
        alone = load_settings("default", {"run.workers": workers, "run.batch_size": 2})
        made.append(list(Describer(alone).describe_places(expand(some[:3]))))
    assert sum(len(one.regions) for one in made[0] if isinstance(one, DescribedImage)) > 16
    for others in made[1:]:
        assert all(map(same, made[0], others))


def test_a_mistake_in_a_batch_comes_after_the_images_before_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = PerceptualHash.extract_batch
    calls: list[int] = []

    def fails(self: PerceptualHash, crops: Sequence[Crop]) -> list[Descriptor]:
        calls.append(len(crops))
        if len(calls) == 7:
            raise RuntimeError("the device is gone")
        return real(self, crops)

    monkeypatch.setattr(PerceptualHash, "extract_batch", fails)
    results = describer(6, monkeypatch, workers=2).describe_places(expand(folder))
    got = []
    with pytest.raises(RuntimeError, match="the device is gone"):
        for one in results:
            got.append(Path(one.ref.uri).stem)
    assert 0 < len(got) < N
    assert got == [f"{number:02}" for number in range(len(got))]


@pytest.mark.parametrize("workers", [1, 2])
def test_of_many_images_few_are_held_and_stopping_early_ends_all(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(drawing(60, 90), "PNG"))
    held = most = 0
    made = describer(10**6, monkeypatch, workers=workers, size=3)
    monkeypatch.setattr(drafts, "HELD", 8)
    real, lock = Describer.read_working, threading.RLock()

    def let_go() -> None:
        nonlocal held
        with lock:
            held -= 1

    def counted(self: Describer, place: Place | Unreadable) -> Image | Unreadable:
        nonlocal held, most
        image = real(self, place)
        assert isinstance(image, Image)
        pixels = image.pixels.copy()
        weakref.finalize(pixels, let_go)
        with lock:
            held += 1
            most = max(most, held)
        return Image(image.ref, pixels)

    monkeypatch.setattr(Describer, "read_working", counted)
    results = made.describe_places([Place(ImageRef(str(path)))] * 200)
    for _ in range(60):
        assert isinstance(next(results), DescribedImage)
    # Those that wait for either hash, and those that are read ahead.
    assert most <= 2 * 8 + (2 * workers + 1) * 3
    results.close()  # type: ignore[attr-defined]
    del results
    for _ in range(100):
        gc.collect()
        if not held:
            break
        time.sleep(0.05)
    assert not held


def test_blank_images_are_noted_whoever_describes_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = list(describer(9, monkeypatch).describe_places(expand(folder)))
    noted = [
        Path(one.ref.uri).stem for one in found if isinstance(one, DescribedImage) and one.note
    ]
    assert noted == ["09"]


def test_nothing_is_loaded_to_know_what_is_wanted_before_an_image_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(PerceptualHash, "crops_wanted", lambda self: asked.append("hash") or 5)
    (tmp_path / "a.png").write_bytes(b"broken")
    made = Describer(load_settings(settings()))
    assert list(made.describe_places([])) == []
    [one] = made.describe_places(expand(tmp_path))
    assert isinstance(one, Unreadable) and asked == []


def test_keypoints_are_never_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    made = describer(5, monkeypatch)
    for channel in made.settings.descriptors:
        monkeypatch.setattr(type(channel.extractor), "crops_wanted", lambda self: 5)
    assert made.gathering == {"perceptual-hash": 5, "small": 5}


@pytest.mark.parametrize(
    ("device", "there", "runs_on", "wanted"),
    [
        ("cpu", "cuda", "cpu", 1),
        ("auto", "cpu", "cpu", 1),
        ("auto", "cuda", "cuda", GPU_BATCH),
        ("auto", "cuda", "cpu", 1),  # ONNX Runtime for GPUs, and no GPU
        ("cuda", "cuda", "cuda", GPU_BATCH),
    ],
)
def test_a_gpu_is_filled(
    device: Any, there: str, runs_on: Any, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load(self: Embedding) -> Network:
        loaded.append(True)
        return Network(lambda batch: batch, 1, runs_on)

    monkeypatch.setattr("objsearch.describe.embedding.device_for", lambda device: there)
    monkeypatch.setattr(Embedding, "_load", load)
    assert Embedding(device=device).crops_wanted() == wanted
    assert bool(loaded) == (device != "cpu" and there == "cuda")


def test_descriptors_of_a_gathered_image_are_those_of_its_own_regions(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = describer(4, monkeypatch)
    first, second = islice(made.describe_places(expand(folder)), 2)
    assert isinstance(first, DescribedImage) and isinstance(second, DescribedImage)
    for one in (first, second):
        assert {len(parts) for parts in one.descriptors.values()} == {len(one.regions)}
    mine, its = first.descriptors["small"][-1], second.descriptors["small"][-1]
    assert isinstance(mine, BinaryDescriptor) and not equal(mine, its)
