"""One loader for everything that a person may name: the same pixels give the same answer."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.errors import UsageError
from objsearch.images.decode import Limits
from objsearch.report.as_json import answer_json
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.sources import Place, expand, read_image
from objsearch.tasks.duplicates import plan_duplicates
from objsearch.types import Image, ImageRef, Pixels, Unreadable
from tests.pictures import drawing, encoded, flat, noise


@pytest.fixture(scope="module")
def png(pixels_of: Callable[[str], Pixels]) -> bytes:
    return encoded(pixels_of("toys.jpg"), "PNG")


class Unseekable(io.RawIOBase):
    """A stream such as a pipe or a socket: read forward, once."""

    def __init__(self, data: bytes) -> None:
        self.inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def readinto(self, buffer: Any) -> int:
        got = self.inner.read(min(len(buffer), 1000))
        buffer[: len(got)] = got
        return len(got)


def ways(png: bytes, pixels: Pixels, folder: Path) -> dict[str, Any]:
    """One picture, given in every way."""
    path = folder / "thing.png"
    path.write_bytes(png)
    started = io.BytesIO(b"not this" + png)
    started.seek(8)
    return {
        "path": str(path),
        "Path": path,
        "glob": str(folder / "th?ng.*"),
        "folder": folder,
        "ref": f"{path}#xywh=0,0,{pixels.shape[1]},{pixels.shape[0]}",
        "ImageRef": ImageRef(str(path)),
        "bytes": png,
        "bytearray": bytearray(png),
        "memoryview": memoryview(png),
        "stream": io.BytesIO(png),
        "stream from where it stands": started,
        "stream that cannot seek": Unseekable(png),
        "array": pixels,
        "PIL image": PillowImage.fromarray(pixels),
    }


NAMES = [
    *("path", "Path", "glob", "folder", "ref", "ImageRef", "bytes", "bytearray"),
    *("memoryview", "stream", "stream from where it stands", "stream that cannot seek"),
    *("array", "PIL image"),
]


READ_AGAIN = {"enabled": True, "candidates": 2, "doubtful": 1}


@pytest.fixture(scope="module")
def expected(png: bytes, quick_search: ObjectSearch) -> dict[str, float]:
    """By reference, the score of a picture that is given as the bytes of a file."""
    answer = quick_search.find(png, threshold=0, second_look=READ_AGAIN)
    return {str(hit.ref): hit.score for hit in answer.hits}


@pytest.mark.parametrize("way", NAMES)
def test_every_way_gives_the_same_answer(
    way: str,
    png: bytes,
    pixels_of: Callable[[str], Pixels],
    quick_search: ObjectSearch,
    expected: dict[str, float],
    tmp_path: Path,
) -> None:
    given = ways(png, pixels_of("toys.jpg"), tmp_path)
    answer = quick_search.find(given[way], threshold=0, second_look=READ_AGAIN)
    assert {str(hit.ref): hit.score for hit in answer.hits} == expected
    assert Path(answer.hits[0].ref.uri).name == "toys.jpg"
    assert answer.warnings == ()


@pytest.mark.parametrize("way", NAMES)
def test_every_way_is_a_reference_too(
    way: str, png: bytes, pixels_of: Callable[[str], Pixels], quick: dict[str, Any], tmp_path: Path
) -> None:
    given = ways(png, pixels_of("toys.jpg"), tmp_path)
    answer = ObjectSearch.open(quick).add(given[way]).find(png)
    assert [hit.verdict for hit in answer.hits] == ["same"]


def test_the_answer_names_what_was_given(
    png: bytes, pixels_of: Callable[[str], Pixels], quick_search: ObjectSearch
) -> None:
    pixels = pixels_of("toys.jpg")
    given = [png, io.BytesIO(png), pixels, PillowImage.fromarray(pixels)]
    answer = quick_search.find(given)
    names = [str(query.ref) for query in answer.queries]
    assert names == ["<bytes:1>", "<stream:2>", "<array:3>", "<image:4>"]
    assert set(answer.hits[0].view_scores) == set(names)
    assert answer_json(answer)["queries"][1]["ref"] == "<stream:2>"


def test_a_stream_is_read_and_left_open(png: bytes, quick_search: ObjectSearch) -> None:
    stream = io.BytesIO(b"before" + png)
    stream.seek(6)
    quick_search.find(stream)
    assert not stream.closed
    assert stream.read() == b""
    with open(os.devnull, "rb") as empty, pytest.raises(UsageError, match=r"stream:1.*empty"):
        quick_search.find(empty)


def test_an_open_file_is_a_stream(png: bytes, quick_search: ObjectSearch, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png)
    with (tmp_path / "a.png").open("rb") as stream:
        answer = quick_search.find(stream)
        assert not stream.closed
    assert str(answer.queries[0].ref) == "<stream:1>"


def read(content: Any, **limits: Any) -> Image | Unreadable:
    return read_image(Place(ImageRef("<given>"), content), Limits(**limits))


def pixels_read(content: Any, **limits: Any) -> Pixels:
    image = read(content, **limits)
    assert isinstance(image, Image), image
    assert image.pixels.dtype == np.uint8
    assert image.pixels.ndim == 3 and image.pixels.shape[2] == 3
    return image.pixels


def test_arrays_of_every_usual_shape() -> None:
    colour = noise(9, 7)
    gray = colour[..., 0]
    assert np.array_equal(pixels_read(colour), colour)
    assert np.array_equal(pixels_read(gray), np.repeat(gray[..., None], 3, axis=2))
    assert np.array_equal(pixels_read(gray[..., None]), np.repeat(gray[..., None], 3, axis=2))
    clear = np.dstack([colour, np.zeros((9, 7), np.uint8)])
    assert (pixels_read(clear) == 255).all()
    assert (pixels_read(clear, background=(1, 2, 3)) == (1, 2, 3)).all()
    assert np.array_equal(pixels_read(colour[::-1, ::2]), colour[::-1, ::2])
    assert np.array_equal(pixels_read(np.asfortranarray(colour)), colour)


def test_arrays_are_copied_or_left_alone() -> None:
    colour = noise(9, 7)
    before = colour.copy()
    image = read(colour)
    assert isinstance(image, Image)
    assert np.array_equal(colour, before)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((4, 4, 3), bool),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 0), np.uint8),
        np.zeros((), np.uint8),
        Image(ImageRef("<given>"), np.zeros((4, 4, 3), np.float32)),  # type: ignore[arg-type]
        Image(ImageRef("<given>"), np.zeros((4, 4), np.uint8)),
        Image(ImageRef("<given>"), np.zeros((0, 4, 3), np.uint8)),
    ],
    ids=lambda array: "{0.dtype}{0.shape}".format(getattr(array, "pixels", array)),
)
def test_arrays_that_are_no_images_are_told(array: np.ndarray | Image) -> None:
    result = read(array)
    assert isinstance(result, Unreadable)
    assert result.reason


NO_IMAGES = [3, 3.5, object(), {"a": 1}, print]


@pytest.mark.parametrize("thing", NO_IMAGES, ids=[type(thing).__name__ for thing in NO_IMAGES])
def test_other_things_are_no_images(thing: Any, quick_search: ObjectSearch) -> None:
    with pytest.raises(UsageError, match="not an image"):
        quick_search.find(thing)


def test_a_text_stream_is_told(quick_search: ObjectSearch) -> None:
    with pytest.raises(UsageError, match=r"stream:1.*open it in binary mode"):
        quick_search.find(io.StringIO("words"))


def test_a_photo_opened_as_text_is_told_so(
    png: bytes, quick_search: ObjectSearch, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(png)
    with (
        (tmp_path / "a.png").open(encoding="utf-8") as stream,
        pytest.raises(UsageError, match=r"stream:1.*open it in binary mode"),
    ):
        quick_search.find(stream)


@pytest.mark.parametrize("way", ["bytes", "stream", "list"])
def test_what_holds_several_pictures_is_told_without_its_bytes(
    way: str, png: bytes, quick_search: ObjectSearch
) -> None:
    first, second = (PillowImage.fromarray(noise(60, 80, seed)) for seed in (1, 2))
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=[second])
    given = {
        "bytes": file.getvalue(),
        "stream": io.BytesIO(file.getvalue()),
        "list": [noise(60, 80), noise(60, 80)],
    }
    with pytest.raises(UsageError, match=r"^what was given holds 2 pictures") as caught:
        quick_search.compare(given[way], png)
    assert len(str(caught.value)) < 250


class Failing(io.RawIOBase):
    """A stream whose far end has gone."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise ConnectionResetError("gone")


def test_a_stream_that_fails_is_told(quick_search: ObjectSearch) -> None:
    with pytest.raises(UsageError, match=r"stream:1.*gone"):
        quick_search.find(Failing())


def test_pillow_images_of_every_mode() -> None:
    colour = PillowImage.fromarray(drawing(9, 7))
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F"):
        if mode == "LAB":
            from PIL import ImageCms

            lab = ImageCms.createProfile("LAB")
            picture = ImageCms.profileToProfile(
                colour, ImageCms.createProfile("sRGB"), lab, outputMode="LAB"
            )
            assert picture is not None
        else:
            picture = colour.convert(mode)
        assert pixels_read(picture).shape == (9, 7, 3), mode


def test_a_pillow_image_is_turned_upright_and_left_as_it_was() -> None:
    picture = PillowImage.fromarray(drawing(9, 7))
    exif = picture.getexif()
    exif[0x0112] = 6
    assert pixels_read(picture).shape == (7, 9, 3)
    assert picture.size == (7, 9)
    assert picture.getexif()[0x0112] == 6


# Places


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.png", "a.png", "sub/c.png", "sub/deep/d.jpg", ".hidden/e.png", "f.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(flat(2, 2), "PNG"))
    return tmp_path


def listed(folder: Path, *inputs: Any, **options: Any) -> list[str]:
    places = expand(list(inputs), **options)
    return [os.path.relpath(place.ref.uri, folder) for place in places]


def test_folders_are_walked_whole_in_order_of_names(tree: Path) -> None:
    every = ["a.png", "b.png", "f.txt", ".hidden/e.png", "sub/c.png", "sub/deep/d.jpg"]
    assert listed(tree, tree) == every
    assert listed(tree, str(tree) + "/") == every


@pytest.mark.parametrize("folder", ["[2021] trip", "a [b]/c[1]", "[x]"])
def test_a_glob_under_a_folder_with_brackets(folder: str, tmp_path: Path) -> None:
    for name in ("one.png", "two.png", "sub/three.png"):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(noise(4, 4), "PNG"))
    for pattern, wanted in (("*.png", 2), ("[ot]*.png", 2), ("**/*.png", 3), ("s*b/*", 1)):
        found = expand(str(tmp_path / folder / pattern))
        assert len(found) == wanted, pattern
    with pytest.raises(UsageError, match=r"no image matches.*\[\[\]"):
        expand(str(tmp_path / folder / "*.gif"))


def test_a_folder_with_brackets_goes_before_one_that_they_match(tmp_path: Path) -> None:
    for folder in ("x", "[x]", "z"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(encoded(noise(4, 4), "PNG"))
    [place] = expand(str(tmp_path / "[x]" / "*.png"))
    assert place.ref.uri == str(tmp_path / "[x]" / "a.png")
    both = expand(str(tmp_path / "[xz]" / "*.png"))  # no folder is called so: a pattern
    assert [os.path.relpath(place.ref.uri, tmp_path) for place in both] == [
        os.path.join("x", "a.png"),
        os.path.join("z", "a.png"),
    ]


LISTS: dict[str, Callable[[list[str]], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": deque,
    "iterator": iter,
    "keys": lambda names: dict.fromkeys(names).keys(),
    "values": lambda names: dict(enumerate(names)).values(),
    "array of names": np.array,
    "column of a table": lambda names: np.array(names, object),
}


@pytest.mark.parametrize("way", LISTS)
def test_names_come_in_lists_of_every_kind(way: str, tree: Path) -> None:
    names = [str(tree / "a.png"), str(tree / "b.png")]
    assert sorted(listed(tree, LISTS[way](names))) == ["a.png", "b.png"]


def test_a_mode_that_there_is_none_of_is_told(tree: Path, quick: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"'filtr' is none of replace, filter"):
        ObjectSearch.open(quick).add(tree / "a.png", roi_mode="filtr")  # type: ignore[arg-type]


def test_globs_and_excludes(tree: Path) -> None:
    assert listed(tree, str(tree / "*.png")) == ["a.png", "b.png"]
    assert listed(tree, str(tree / "**/*.png")) == [
        *(".hidden/e.png", "a.png", "b.png", "sub/c.png")
    ]
    assert listed(tree, tree, exclude=("*.png",)) == ["f.txt", "sub/deep/d.jpg"]
    assert listed(tree, tree, exclude=("sub", "*.txt", ".*")) == ["a.png", "b.png"]
    with pytest.raises(UsageError, match="no image matches"):
        expand(str(tree / "*.gif"))


def test_each_place_once_in_the_order_given(tree: Path) -> None:
    given = [tree / "sub", tree / "b.png", str(tree / "sub" / "c.png"), f"{tree}/./b.png"]
    assert listed(tree, *given) == ["sub/c.png", "sub/deep/d.jpg", "b.png"]
    (tree / "link.png").symlink_to(tree / "b.png")
    assert listed(tree, tree / "b.png", tree / "link.png") == ["b.png"]


def test_names_that_look_like_patterns_or_fragments_are_names_first(tree: Path) -> None:
    for name in ("[a].png", "what?.png", "x#page=2", "100%.png", "новое имя.png", "-dash.png"):
        (tree / name).write_bytes(encoded(flat(2, 2), "PNG"))
        assert listed(tree, str(tree / name)) == [name]
        image = read_image(expand(str(tree / name))[0])  # type: ignore[arg-type]
        assert isinstance(image, Image), image


def test_a_name_that_is_no_text_is_a_name(tree: Path, quick: dict[str, Any]) -> None:
    raw = os.fsencode(tree) + b"/\xff\xfe.png"
    with open(raw, "wb") as stream:
        stream.write(encoded(drawing(90, 70), "PNG"))
    answer = ObjectSearch.open(quick).add(os.fsdecode(raw)).find(drawing(90, 70))
    assert os.fsencode(answer.hits[0].ref.uri) == raw


@pytest.mark.parametrize("name", ["gone.png", "gone/", "gone.png#page=2", "", "gone\0.png"])
def test_a_name_that_leads_nowhere_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="no such"):
        expand(name)


def test_a_fragment_that_is_none_is_told(tree: Path) -> None:
    with pytest.raises(UsageError, match="xywh"):
        expand(f"{tree / 'a.png'}#xywh=1,2,3")
    with pytest.raises(UsageError, match="not a place"):
        expand(f"{tree / 'a.png'}#page=two")


def test_an_iterator_of_places_will_do(tree: Path) -> None:
    assert listed(tree, *(path for path in (tree / "b.png", tree / "a.png"))) == ["b.png", "a.png"]
    assert len(expand(iter([tree / "a.png", drawing(3, 3)]))) == 2


def test_a_link_that_the_system_will_not_read_stops_nothing(
    quick: dict[str, Any], some: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of other people's processes in /proc, or on a disk that no longer answers."""
    shutil.copy(some[0], tmp_path)
    link, read_link = tmp_path / "link.jpg", os.readlink
    link.symlink_to(some[1])

    def refusing(path: Any, **options: Any) -> str:
        if os.path.basename(os.fspath(path)) == link.name:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return read_link(path, **options)

    monkeypatch.setattr(os, "readlink", refusing)
    search = ObjectSearch.open(quick).add(tmp_path)
    assert search.n_references == 2
    assert plan_duplicates([str(tmp_path)], load_settings(quick)).scanned == 2


def test_none_is_told_as_what_it_is() -> None:
    """OpenCV gives None for a file that it cannot read."""
    [told] = expand(None)
    assert isinstance(told, Unreadable) and told.reason == "None is not an image"
