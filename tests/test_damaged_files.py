"""A hundred files, twenty of them damaged or hostile: every one is accounted for."""

from __future__ import annotations

import os
import socket
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from objsearch.search.pipeline import ObjectSearch
from objsearch.types import Answer
from tests.pictures import drawing, encoded, flat, noise

KINDS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP")


def bomb() -> bytes:
    """A PNG of some hundred bytes that claims 3,600 megapixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def bad_bytes() -> dict[str, bytes]:
    jpeg = encoded(noise(90, 120), "JPEG")
    png = encoded(noise(90, 120), "PNG")
    flipped = bytearray(png)
    flipped[len(png) // 2] ^= 0xFF
    return {
        "empty.jpg": b"",
        "empty.png": b"",
        "words.jpg": b"These are words.\n" * 20,
        "page.png": b"<!DOCTYPE html><html><body>Not found</body></html>",
        "zeros.gif": bytes(5000),
        "noise.bmp": noise(1, 999).tobytes(),
        "half.jpg": jpeg[: len(jpeg) // 2],
        "head.jpg": jpeg[:100],
        "half.png": png[: len(png) // 2],
        "flipped.png": bytes(flipped),
        "half.gif": encoded(noise(90, 120), "GIF")[:900],
        "half.tif": encoded(noise(90, 120), "TIFF")[:900],
        "half.webp": encoded(noise(90, 120), "WEBP")[:900],
        "half.bmp": encoded(noise(90, 120), "BMP")[:900],
        "bomb.png": bomb(),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """80 pictures, some oddly named, and 20 things that are none."""
    top = tmp_path_factory.mktemp("hundred")
    (top / "sub" / "deep").mkdir(parents=True)
    folders = (top, top / "sub", top / "sub" / "deep")
    for number in range(76):
        kind = KINDS[number % 6]
        path = folders[number % 3] / f"{number:02}.{kind.lower()}"
        path.write_bytes(encoded(drawing(60, 80, number), kind))
    (top / "misnamed.jpg").write_bytes(encoded(drawing(60, 80, 101), "PNG"))
    (top / "misnamed.txt").write_bytes(encoded(drawing(60, 80, 102), "JPEG"))
    (top / "no_extension").write_bytes(encoded(drawing(60, 80, 103), "GIF"))
    (top / "flat.png").write_bytes(encoded(flat(60, 80), "PNG"))
    for name, data in bad_bytes().items():
        (top / "sub" / name).write_bytes(data)
    os.mkfifo(top / "pipe.jpg")
    (top / "itself.jpg").symlink_to(top / "itself.jpg")
    (top / "gone.jpg").symlink_to(top / "nowhere.jpg")
    (top / "endless.png").symlink_to("/dev/zero")
    # Loops and second ways to the same place: visited once.
    (top / "sub" / "loop").symlink_to(top)
    (top / "again.bmp").symlink_to(top / "no_extension")
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(top)  # the path of a socket has a greatest length
    server.bind("socket.png")
    os.chdir(here)
    yield top
    server.close()


@pytest.fixture(scope="module")
def answer(folder: Path, quick: dict[str, Any]) -> Answer:
    return ObjectSearch.open(quick).add(folder).find(folder / "00.jpeg", threshold=0)


BAD = {*bad_bytes(), "pipe.jpg", "itself.jpg", "gone.jpg", "endless.png", "socket.png"}


def test_all_hundred_are_accounted_for(answer: Answer) -> None:
    assert len(BAD) == 20
    assert (answer.scanned, answer.compared, len(answer.skipped)) == (100, 80, 20)


def test_each_skipped_file_is_named_once_with_a_reason(answer: Answer) -> None:
    names = [Path(one.ref.uri).name for one in answer.skipped]
    assert sorted(names) == sorted(BAD)
    assert all(one.reason and "\n" not in one.reason for one in answer.skipped)
    reasons = {Path(one.ref.uri).name: one.reason for one in answer.skipped}
    assert reasons["empty.jpg"] == reasons["empty.png"] == "the file is empty"
    assert "megapixels" in reasons["bomb.png"]
    assert "not a regular file" in reasons["pipe.jpg"]
    assert "not a regular file" in reasons["endless.png"]
    assert "No such file" in reasons["gone.jpg"]
    assert "symbolic links" in reasons["itself.jpg"]
    assert reasons["words.jpg"] == reasons["zeros.gif"]
    assert "web page" in reasons["page.png"] or "not an image" in reasons["page.png"]


def test_no_skipped_file_is_a_hit_and_every_other_is(answer: Answer, folder: Path) -> None:
    hits = [Path(hit.ref.uri).name for hit in answer.hits]
    assert not set(hits) & BAD
    assert len(hits) == len(set(hits)) == 79  # all but the query
    walked = [
        path
        for path in folder.rglob("*")
        if "loop" not in path.parts and stat.S_ISREG(os.lstat(path).st_mode)
    ]
    # A link and the file that it leads to are one image, under the name that comes first.
    found = {Path(hit.ref.uri).resolve().name for hit in answer.hits}
    assert {path.name for path in walked} - BAD == {*found, "00.jpeg"}


def test_a_wrong_name_is_a_warning(answer: Answer) -> None:
    [warning] = [one for one in answer.warnings if "misnamed.jpg" in one]
    assert ".jpg" in warning and "PNG" in warning


def test_the_process_is_as_it_was(folder: Path, quick: dict[str, Any]) -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    ObjectSearch.open(quick).add(folder)
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after <= before + 2


def test_a_folder_that_may_not_be_read_is_one_line(tmp_path: Path, quick: dict[str, Any]) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root")
    (tmp_path / "a.png").write_bytes(encoded(drawing(60, 80), "PNG"))
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    search = ObjectSearch.open(quick).add(tmp_path)
    locked.chmod(0o700)
    assert [one.ref.uri for one in search.skipped] == [str(locked)]


def test_files_that_vanish_while_they_are_read_are_skipped(
    tmp_path: Path, quick: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encoded(drawing(60, 80), "PNG"))
    search = ObjectSearch.open(quick)
    describe = search.describer.describe_places

    def vanishing(places: Any) -> Any:
        (tmp_path / "b.png").unlink()
        return describe(places)

    monkeypatch.setattr(search.describer, "describe_places", vanishing)
    search.add(tmp_path)
    assert [Path(one.ref.uri).name for one in search.skipped] == ["b.png"]
    assert len(search.index) == 1
