"""Pages and frames in the place of files that hold several, as they are asked for."""

from __future__ import annotations

import gc
import io
import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.images.decode import Limits
from objsearch.sources import Network, Place, Reading, expand, read_image, unfold
from objsearch.types import Image, ImageRef, Unreadable
from tests.images import drawings, files
from tests.pictures import drawing


def refs(source: object, reading: Reading) -> list[str]:
    return [str(place.ref) for place in unfold(expand(source), reading)]


def numbers(source: object, reading: Reading) -> list[int]:
    found = []
    for place in unfold(expand(source), reading):
        assert isinstance(place, Place), place
        image = read_image(place, reading)
        assert isinstance(image, Image), image
        found.append(files.number_of(image.pixels))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = {
        "a.gif": files.animation(files.numbered(6), "GIF"),
        "b.pdf": files.pdf(files.numbered(5)),
        "c.png": drawings.encoded(files.numbered(1)[0], "PNG"),
        "d.tiff": _tiff(5),
        "e.avi": files.video(files.numbered(6), "e.avi", "MJPG"),
        "f.jpg": b"\xff\xd8\xff damaged",
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def _tiff(count: int) -> bytes:
    pages = [PillowImage.fromarray(one) for one in files.numbered(count)]
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    return stream.getvalue()


def names(folder: Path, reading: Reading) -> list[str]:
    return [ref.removeprefix(f"{folder}/") for ref in refs(folder, reading)]


def test_first_ones_keep_the_name(folder: Path) -> None:
    reading = Reading(pages="first", frames="first")
    assert names(folder, reading) == ["a.gif", "b.pdf", "c.png", "d.tiff", "e.avi", "f.jpg"]
    assert numbers([folder / name for name in ("a.gif", "b.pdf", "d.tiff", "e.avi")], reading) == [
        *(0, 0, 0, 0)
    ]


def test_by_default_pages_are_all_and_frames_the_first(folder: Path) -> None:
    pages = [f"b.pdf#page={k}" for k in range(1, 6)], [f"d.tiff#page={k}" for k in range(1, 6)]
    wanted = ["a.gif", *pages[0], "c.png", *pages[1], "e.avi", "f.jpg"]
    assert names(folder, Reading()) == wanted


def test_every_picture_of_an_icon(tmp_path: Path) -> None:
    large, small = (drawing(64, 64, seed) for seed in (1, 2))
    stream = io.BytesIO()
    PillowImage.fromarray(large).save(
        stream,
        "ICO",
        sizes=[(64, 64), (32, 32)],
        append_images=[PillowImage.fromarray(small[::2, ::2]).convert("RGBA")],
    )
    path = tmp_path / "a.ico"
    path.write_bytes(stream.getvalue())
    assert refs(path, Reading()) == [str(path)]
    places = [p for p in unfold(expand(path), Reading(frames="all")) if isinstance(p, Place)]
    assert [str(place.ref) for place in places] == [f"{path}#frame=0", f"{path}#frame=1"]
    for place, wanted in zip(places, (large, small[::2, ::2]), strict=True):
        [again] = expand(str(place.ref))
        assert isinstance(again, Place)
        for one in (place, again):
            image = read_image(one, Reading())
            assert isinstance(image, Image) and np.array_equal(image.pixels, wanted)
    missing = read_image(Place(ImageRef(str(path), frame=2)), Reading())
    assert isinstance(missing, Unreadable) and "it has 2 frames" in missing.reason


def test_every_so_many(folder: Path) -> None:
    reading = Reading(pages="every-2", frames="every-3")
    assert names(folder, reading) == [
        *("a.gif#frame=0", "a.gif#frame=3"),
        *("b.pdf#page=1", "b.pdf#page=3", "b.pdf#page=5"),
        "c.png",
        *("d.tiff#page=1", "d.tiff#page=3", "d.tiff#page=5"),
        *("e.avi#t=0", "e.avi#t=0.24"),
        "f.jpg",
    ]


@pytest.mark.parametrize("name", ["a.gif", "b.pdf", "d.tiff", "e.avi"])
def test_every_ref_opens_again_by_its_text(folder: Path, name: str) -> None:
    reading = Reading(frames="all")
    for place in unfold(expand(folder / name), reading):
        assert isinstance(place, Place)
        first = read_image(place, reading)
        (again,) = expand(str(place.ref))
        assert isinstance(again, Place) and again.ref == place.ref
        (only,) = unfold([again], reading)  # a page has no pages
        assert isinstance(only, Place) and only.ref == place.ref
        second = read_image(again, reading)
        assert isinstance(first, Image) and isinstance(second, Image)
        assert np.abs(first.pixels.astype(int) - second.pixels).max() <= 2


@pytest.mark.parametrize("name", ["a.gif", "b.pdf", "d.tiff", "e.avi"])
def test_bytes_and_streams_unfold_as_files_do(folder: Path, name: str) -> None:
    reading = Reading(frames="all")
    data = (folder / name).read_bytes()
    of_file = numbers(folder / name, reading)
    assert of_file == list(range(len(of_file)))
    assert numbers(data, reading) == of_file
    assert numbers(io.BytesIO(data), reading) == of_file
    first, second = itertools.islice(refs(data, reading), 2)
    assert first.startswith("<bytes:1>#") and first != second


def test_a_url_is_fetched_once_for_all_its_pages(base: str, server: object) -> None:
    reading = Reading(Limits(timeout_seconds=20), Network(allow_private=True), embedded_images=True)
    places = list(unfold(expand(f"{base}/file/drawing.pdf"), reading, workers=2))
    assert [str(p.ref) for p in places] == [
        f"{base}/file/drawing.pdf#page=1",
        f"{base}/file/drawing.pdf#page=1&frame=0",
    ]
    images = [read_image(place, reading) for place in places if isinstance(place, Place)]
    assert all(isinstance(image, Image) for image in images)
    assert len(server.asked) == 1  # type: ignore[attr-defined]


def test_a_region_of_every_page(folder: Path) -> None:
    place = Place(ImageRef(str(folder / "b.pdf"), xywh=(1, 2, 30, 40)))
    images = [read_image(one) for one in unfold([place]) if isinstance(one, Place)]
    assert [image.size_wh for image in images if isinstance(image, Image)] == [(30, 40)] * 5


def test_damaged_containers_are_one_line_each(tmp_path: Path) -> None:
    sound = files.pdf(files.numbered(2))
    made = {
        "cut.pdf": sound[:200],
        "locked.pdf": files.pdf(files.numbered(1), password="x"),
        "cut.avi": files.video(files.numbered(3), "a.avi", "MJPG")[:300],
        "cut.gif": files.animation(files.numbered(3), "GIF")[:20],
        "cut.tiff": _tiff(2)[:60],
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    reading = Reading(frames="all")
    ended = []
    for place in unfold(expand(tmp_path), reading):
        image = place if isinstance(place, Unreadable) else read_image(place, reading)
        assert isinstance(image, Unreadable), place
        ended.append(Path(image.ref.uri).name)
    assert ended == sorted(made)


def test_memory_stays_bounded_however_long_a_film_is(tmp_path: Path) -> None:
    """Frames of 0.9 MB are passed on one by one."""
    path = tmp_path / "long.avi"
    frames = files.numbered(30, (640, 480))
    path.write_bytes(files.video([frames[k % 30] for k in range(150)], "long.avi", "MJPG"))
    gc.collect()
    tracemalloc.start()
    try:
        count = 0
        for place in unfold(expand(path), Reading(frames="all")):
            assert isinstance(place, Place)
            count += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 150
    assert peak < 12e6


def test_nothing_is_decoded_before_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(files.pdf(files.numbered(20) * 15))  # 300 pages
    places = unfold(expand(path))
    first = next(places)
    assert str(first.ref).endswith("#page=1")
    assert sum(1 for _ in places) == 299
