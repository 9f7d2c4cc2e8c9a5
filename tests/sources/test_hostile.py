"""Files that are cut, that lie, or that unpack without end; places that are none."""

from __future__ import annotations

import io
import os
import socket
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.images.decode import Limits
from objsearch.search.pipeline import ObjectSearch
from objsearch.sources import Filters, Place, Reading, expand, read_image, unfold
from objsearch.types import Image, ImageRef, Unreadable
from tests.images import drawings, files

LIMITS = Limits(max_megapixels=4, timeout_seconds=10)


def outcome(data: bytes, name: str = "<bytes:1>") -> Image | Unreadable:
    """What reading makes of it, in good time."""
    started = time.monotonic()
    result = read_image(Place(ImageRef(name), data), Reading(LIMITS))
    assert time.monotonic() - started < 2 * LIMITS.timeout_seconds
    if isinstance(result, Unreadable):
        assert result.reason and "\n" not in result.reason
    return result


# A picture that lost its last bytes may still hold all its pixels.
WHOLE = 0.97


@pytest.mark.parametrize("name", sorted(files.every_format()))
def test_cut_files_are_no_half_pictures(name: str) -> None:
    """At every few percent: a reason, or the picture as a whole."""
    check_cuts(name, (*range(0, 100, 7), 99))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(files.every_format()))
def test_cut_at_every_percent(name: str) -> None:
    check_cuts(name, range(100))


def check_cuts(name: str, percents: Iterable[int]) -> None:
    data = files.every_format()[name]
    is_video = name.startswith(("mp4v", "mjpeg", "vp9"))
    whole = outcome(data)
    assert isinstance(whole, Image)
    for percent in percents:
        result = outcome(data[: len(data) * percent // 100])
        if isinstance(result, Unreadable) or is_video or percent >= 100 * WHOLE:
            continue  # a film that is cut after its first frame still has a first frame
        difference = np.abs(result.pixels.astype(int) - whole.pixels).mean()
        assert difference < 1, f"{percent} %"


@pytest.mark.parametrize("name", ["drawing.png", "shapes.svg", "drawing.pdf", "shapes.emf"])
def test_a_wrong_name_is_a_warning(name: str, tmp_path: Path) -> None:
    path = tmp_path / "it.gif"
    path.write_bytes(files.every_format()[name])
    image = read_image(Place(ImageRef(str(path))), Reading(LIMITS))
    assert isinstance(image, Image)
    kind = name.rpartition(".")[2].upper()
    assert image.warnings == (f"the name says .gif but the content is {kind}",)


# --- bombs ---------------------------------------------------------------------------------------

HUGE = 60_000


def png_bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", HUGE, HUGE, 1, 0, 0, 0, 0)
    packed = zlib.compress(b"\0" * 10_000_000, 9)
    pixels = chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pixels


def gif_bomb() -> bytes:
    data = bytearray(files.every_format()["drawing.gif"])
    struct.pack_into("<HH", data, 6, HUGE, HUGE)
    return bytes(data)


def jpeg_bomb() -> bytes:
    data = bytearray(files.every_format()["drawing.jpg"])
    place = data.index(b"\xff\xc0") + 5
    struct.pack_into(">HH", data, place, HUGE, HUGE)
    return bytes(data)


def jpeg_of_many_scans() -> bytes:
    data = files.every_format()["progressive.jpg"]
    start = data.rindex(b"\xff\xda")
    scan = data[start:-2]
    return data[:start] + scan * 5000 + data[-2:]


def bmp_bomb() -> bytes:
    data = bytearray(files.every_format()["drawing.bmp"])
    struct.pack_into("<ii", data, 18, HUGE, HUGE)
    return bytes(data)


def tiff_bomb() -> bytes:
    stream = io.BytesIO()
    PillowImage.new("1", (HUGE // 10, HUGE // 10)).save(stream, "TIFF", compression="group4")
    return stream.getvalue()


def webp_bomb() -> bytes:
    return drawings.encoded(np.zeros((3000, 3000, 3), np.uint8), "WEBP", lossless=True)


def avif_bomb() -> bytes:
    return drawings.encoded(np.zeros((2400, 2400, 3), np.uint8), "AVIF", speed=10)


def heic_bomb() -> bytes:
    return drawings.encoded(np.zeros((2050, 2050, 3), np.uint8), "HEIF", quality=10)


def jxl_bomb() -> bytes:
    return drawings.encoded(np.zeros((2050, 2050, 3), np.uint8), "JXL", effort=1)


def jp2_bomb() -> bytes:
    return drawings.encoded(np.zeros((2400, 2400, 3), np.uint8), "JPEG2000")


def ppm_bomb() -> bytes:
    return b"P6 60000 60000 255\n" + b"\0" * 1000


def qoi_bomb() -> bytes:
    return b"qoif" + struct.pack(">IIBB", HUGE, HUGE, 3, 0) + b"\xc0" * 1000


def animated_bomb() -> bytes:
    """A small canvas whose second frame claims a huge one."""
    data = bytearray(files.animation(files.numbered(2, (60, 40)), "GIF"))
    struct.pack_into("<HH", data, 6, HUGE, HUGE)
    return bytes(data)


def video_bomb() -> bytes:
    return files.video(files.numbered(1, (2600, 2600)), "a.avi", "MJPG")


@pytest.mark.parametrize(
    "make",
    [
        *(png_bomb, gif_bomb, jpeg_bomb, bmp_bomb, tiff_bomb, webp_bomb, avif_bomb, heic_bomb),
        *(jxl_bomb, jp2_bomb, ppm_bomb, qoi_bomb, animated_bomb, video_bomb),
    ],
)
def test_bombs_are_refused(make: Callable[[], bytes]) -> None:
    result = outcome(make())
    assert isinstance(result, Unreadable)
    assert "over the limit of 4" in result.reason


def test_a_jpeg_of_many_scans_is_refused() -> None:
    result = outcome(jpeg_of_many_scans())
    assert isinstance(result, Unreadable)
    assert "scans, over the limit" in result.reason


def test_a_large_header_comment_is_no_trouble() -> None:
    """A PNG whose text chunk unpacks to a hundred megabytes."""
    text = b"Comment\0\0" + zlib.compress(b"x" * 100_000_000, 9)
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + text))
    data = files.every_format()["drawing.png"]
    assert isinstance(outcome(data[:33] + chunk + data[33:]), Image | Unreadable)


@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIF", "JXL"]
)
@pytest.mark.parametrize("size", [(1, 1), (1, 16), (16, 1)])
def test_tiny_pictures(kind: str, size: tuple[int, int]) -> None:
    result = outcome(drawings.encoded(np.full((*size, 3), 120, np.uint8), kind))
    assert isinstance(result, Image)
    assert result.pixels.shape == (*size, 3)


@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "JPEG2000", "PPM", "AVIF", "JXL"]
)
def test_a_very_wide_picture(kind: str) -> None:
    result = outcome(drawings.encoded(np.full((20, 30_000, 3), 120, np.uint8), kind))
    assert isinstance(result, Image), result
    assert result.size_wh == (30_000, 20)


def test_a_very_wide_page_and_a_very_wide_drawing() -> None:
    """They are drawn smaller, at the size that a limit leaves them, or refused; never at length."""
    page = files.pdf([np.full((20, 9_000, 3), 120, np.uint8)])
    size = b'xmlns="http://www.w3.org/2000/svg" width="30000" height="20"'
    svg = b"<svg " + size + b'><path d="M0 0h9v9z"/></svg>'
    for data in (page, svg):
        result = outcome(data)
        if isinstance(result, Image):
            assert result.size_wh[0] * result.size_wh[1] <= 4e6 * 1.1


def zeroed(name: str, place: int, form: str) -> bytes:
    """A file whose header says that it is 0 pixels wide and high."""
    data = bytearray(files.every_format()[name])
    struct.pack_into(form, data, place, 0, 0)
    return bytes(data)


def gif_without_pixels() -> bytes:
    """Neither the screen nor the picture on it has any."""
    data = bytearray(zeroed("drawing.gif", 6, "<HH"))
    descriptor = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    assert data[descriptor : descriptor + 1] == b","
    struct.pack_into("<HH", data, descriptor + 5, 0, 0)
    return bytes(data)


NO_PIXELS = {
    "png": lambda: zeroed("drawing.png", 16, ">II"),
    "gif": gif_without_pixels,
    "bmp": lambda: zeroed("drawing.bmp", 18, "<ii"),
    "jpeg": lambda: zeroed(
        "drawing.jpg", files.every_format()["drawing.jpg"].index(b"\xff\xc0") + 5, ">HH"
    ),
    "ppm": lambda: b"P6 0 0 255\n",
    "qoi": lambda: b"qoif" + struct.pack(">IIBB", 0, 0, 3, 0) + b"\0" * 7 + b"\1",
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>',
    "emf": lambda: zeroed("shapes.emf", 32, "<ii")[:108],
    "wmf": lambda: files.every_format()["placeable.wmf"][:40],
}


@pytest.mark.parametrize("kind", NO_PIXELS)
def test_pictures_without_pixels_are_a_reason(kind: str) -> None:
    assert isinstance(outcome(NO_PIXELS[kind]()), Unreadable)


# --- everything at once ---------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="pipes, devices and names as on Unix")
def test_each_is_one_line_of_what_was_skipped(tmp_path: Path, quick: dict[str, object]) -> None:
    """A folder of everything that is hostile: the two pictures in it are found all the same."""
    sound = files.every_format()["drawing.png"]
    top = os.fsencode(tmp_path)
    hostile = {
        b"cut.jpg": files.every_format()["drawing.jpg"][:500],
        b"bomb.png": png_bomb(),
        b"empty.png": b"",
        b"words.tiff": b"II*\0 not really",
        b"not \xff\xfe text.gif": b"GIF89a",
        b"not \xff\xfe text.pdf": b"%PDF-1.7 broken",
    }
    for name, data in {**hostile, b"good.png": sound, b"good \xff.png": sound}.items():
        Path(os.fsdecode(top + b"/" + name)).write_bytes(data)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "self.png").symlink_to("self.png")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "up").symlink_to(tmp_path)
    search = ObjectSearch.open({**quick, "input": {"max_megapixels": 4}}).add(tmp_path)
    skipped = [os.fsencode(os.path.basename(one.ref.uri)) for one in search.skipped]
    odd = [b"pipe.png", b"device.png", b"gone.png", b"self.png"]
    assert sorted(skipped) == sorted([*hostile, *odd])
    assert all(one.reason and "\n" not in one.reason for one in search.skipped)
    answer = search.find(sound, threshold=0)
    assert answer.scanned == answer.compared + len(answer.skipped) == 12
    assert [hit.score for hit in answer.hits] == [1.0, 1.0]


# --- places --------------------------------------------------------------------------------------


def told(path: Path | str) -> str:
    (place,) = expand(path)
    result = place if isinstance(place, Unreadable) else read_image(place, Reading(LIMITS))
    assert isinstance(result, Unreadable)
    return result.reason


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices as files")
def test_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    (tmp_path / "link.png").symlink_to("/dev/zero")
    address = socket.socket(socket.AF_UNIX)
    address.bind(str(tmp_path / "socket.png"))
    for path in (pipe, "/dev/zero", tmp_path / "link.png", tmp_path / "socket.png"):
        assert "not a regular file" in told(path)
    address.close()
    assert len(list(unfold(expand(tmp_path)))) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_that_lead_nowhere_or_in_circles(tmp_path: Path) -> None:
    (tmp_path / "self.png").symlink_to("self.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to(tmp_path)
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    places = expand(tmp_path)
    assert len(places) == 4
    for place in places:
        assert isinstance(place, Place)
        assert isinstance(read_image(place), Unreadable)


def test_deep_folders(tmp_path: Path) -> None:
    """Deeper than a path may be long: what can be reached is, and the rest is one line."""
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(60):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
            Path("a.png").write_bytes(files.every_format()["drawing.png"])
    finally:
        os.chdir(before)
    places = expand(tmp_path)
    assert 20 <= len(places) <= 70
    assert sum(isinstance(place, Unreadable) for place in places) <= 2
    _remove_deep(tmp_path)


def _remove_deep(top: Path) -> None:
    before = os.getcwd()
    os.chdir(top)
    while os.path.isdir("d" * 100):
        os.chdir("d" * 100)
    try:
        while os.path.realpath(".") != os.path.realpath(top):
            os.remove("a.png")
            os.chdir("..")
            os.rmdir("d" * 100)
    finally:
        os.chdir(before)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="nothing is closed to the superuser"
)
def test_closed_folders(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        assert "the folder cannot be read" in told(tmp_path)
    finally:
        closed.chmod(0o700)


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.png").write_bytes(files.every_format()["drawing.png"])
    real = os.scandir

    def guarded(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = expand(tmp_path)
    assert [type(one) for one in found] == [Place, Unreadable]
    assert found[1].reason == "the folder cannot be read (Permission denied)"  # type: ignore


def test_filters(tmp_path: Path) -> None:
    day = 86_400
    for number, name in enumerate(["a.png", "b.jpg", "c.png"]):
        path = tmp_path / name
        path.write_bytes(b"x" * 100 * (number + 1))
        os.utime(path, (number * 10 * day + day / 2, number * 10 * day + day / 2))

    def names(**rules: object) -> Iterator[str]:
        return "".join(
            Path(place.ref.uri).stem for place in expand(tmp_path, filters=Filters(**rules))
        )

    from datetime import date

    assert names() == "abc"
    assert names(include=("*.png",)) == "ac"
    assert names(include=("*.png",), exclude=("c.*",)) == "a"
    assert names(min_bytes=200) == "bc"
    assert names(changed_from=date(1970, 1, 11)) == "bc"
    assert names(changed_to=date(1970, 1, 11)) == "ab"
    assert names(changed_from=date(1970, 1, 2), changed_to=date(1970, 1, 20)) == "b"
    named = expand(tmp_path / "a.png", filters=Filters(include=("*.jpg",), min_bytes=999))
    assert len(named) == 1  # what is named outright is not filtered
