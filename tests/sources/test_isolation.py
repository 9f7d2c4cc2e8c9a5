"""Reader processes: reused, ended when they overrun, crash or grow old; nobody is left behind."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from objsearch.images.decode import Limits
from objsearch.sources import Place, Reading, isolation, read_image, reader_process, unfold
from objsearch.sources.isolation import replies, stop_all
from objsearch.types import Image, ImageRef, Unreadable
from tests.images import files


def readers() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "objsearch.sources.reader_process" in child.cmdline()
    ]


@pytest.fixture
def pdf(tmp_path: Path) -> Place:
    stop_all()
    path = tmp_path / "a.pdf"
    path.write_bytes(files.pdf(files.numbered(3)))
    return Place(ImageRef(str(path)))


def test_one_process_serves_again_and_again(pdf: Place) -> None:
    for _ in range(5):
        assert isinstance(read_image(pdf), Image)
    assert len(readers()) == 1
    stop_all()
    assert readers() == []
    assert isinstance(read_image(pdf), Image)


def test_threads_do_not_get_in_each_others_way(pdf: Place) -> None:
    seen: list[int] = []

    def read(page: int) -> None:
        image = read_image(Place(ImageRef(pdf.ref.uri, page=page)))
        assert isinstance(image, Image)
        seen.append(files.number_of(image.pixels) - page)

    threads = [threading.Thread(target=read, args=(1 + k % 3,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [-1] * 6


def test_a_crash_is_one_sentence_and_the_next_file_is_read(
    pdf: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(read_image(pdf), Image)
    (reader,) = readers()
    monkeypatch.setattr(
        isolation._ReaderProcess, "ask", lambda self, request: reader.send_signal(signal.SIGSEGV)
    )
    result = read_image(pdf)
    assert isinstance(result, Unreadable)
    assert result.reason == "it makes its decoder crash (SIGSEGV)"
    monkeypatch.undo()
    assert isinstance(read_image(pdf), Image)


def test_a_reader_that_died_while_idle_is_replaced(pdf: Place) -> None:
    assert isinstance(read_image(pdf), Image)
    (reader,) = readers()
    reader.kill()
    reader.wait()
    assert isinstance(read_image(pdf), Image)


def test_a_reader_that_overruns_is_ended(pdf: Place) -> None:
    assert isinstance(read_image(pdf), Image)
    (reader,) = readers()
    reader.suspend()
    started = time.monotonic()
    result = read_image(pdf, Reading(Limits(timeout_seconds=0.5)))
    assert isinstance(result, Unreadable)
    assert result.reason == "it takes longer than 0.5 seconds to decode"
    assert time.monotonic() - started < 5
    assert readers() == []


def test_a_film_that_is_left_in_the_middle_leaves_nobody_behind(tmp_path: Path) -> None:
    stop_all()
    path = tmp_path / "a.avi"
    path.write_bytes(files.video(files.numbered(30), "a.avi", "MJPG"))
    request = {
        **{"verb": "all", "kind": "VIDEO", "name": "", "path": str(path), "key": "", "step": 1},
        **{"page": None, "frame": None, "seconds": None},
    }
    frames = replies(request, Limits())
    next(frames)
    assert len(readers()) == 1
    frames.close()
    assert readers() == []


def test_readers_end_with_their_parent(pdf: Place) -> None:
    """Also when it is killed: their input ends."""
    code = (
        "import sys, time\n"
        "from objsearch.sources import Place, read_image\n"
        "from objsearch.types import ImageRef\n"
        f"read_image(Place(ImageRef({pdf.ref.uri!r})))\n"
        "print('read', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"read\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        assert children
        parent.kill()
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert gone and not alive


def test_modules_beside_the_images_are_not_imported(tmp_path: Path) -> None:
    """Whoever can put a file into the folder must not get code run."""
    stop_all()
    for name in ("json.py", "pymupdf.py", "numpy.py", "objsearch.py"):
        (tmp_path / name).write_text("import os; os._exit(7)\n")
    path = tmp_path / "a.pdf"
    path.write_bytes(files.pdf(files.numbered(1)))
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        assert isinstance(read_image(Place(ImageRef("a.pdf"))), Image)
    finally:
        os.chdir(before)
        stop_all()


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes are Linux's")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    for name, data in {
        b"caf\xe9.pdf": files.pdf(files.numbered(1)),
        b"caf\xe9.avi": files.video(files.numbered(2), "a.avi", "MJPG"),
        b"caf\xe9.svg": files.every_format()["shapes.svg"],
    }.items():
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as stream:
            stream.write(data)
        assert isinstance(read_image(Place(ImageRef(os.fsdecode(path)))), Image), name


def full(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("refusing", ["tempfile.mkstemp", "objsearch.sources.contents.os.fdopen"])
def test_no_room_for_a_temporary_copy_is_told(
    refusing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(ImageRef("<bytes:1>"), files.pdf(files.numbered(1)))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(refusing, full)
    for read in (lambda: read_image(place), lambda: next(unfold([place]))):
        result = read()
        assert isinstance(result, Unreadable)
        assert result.reason == (
            "it cannot be read (a temporary copy of it cannot be written: No space left on device; "
            "the variable TMPDIR names another folder for that)"
        )
    assert not list(tmp_path.iterdir())  # not even half of one, that a second try would read


def test_no_room_for_a_link_to_an_odd_name_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkdtemp", full)
    answers = io.BytesIO()
    request = {"kind": "PDF", "verb": "list", "path": "caf\udce9.pdf", "embedded": False}
    part = {"page": None, "frame": None, "seconds": None}
    assert not reader_process._answer({**request, **part}, Limits(), answers)
    answer = json.loads(answers.getvalue())
    assert answer["reason"].startswith("it cannot be read (its name is no UTF-8")


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A JPEG XL or PDF that unpacks without end meets a wall, and the process after it does not."""
    stop_all()
    path = tmp_path / "wide.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><filter id="f" width="9e5" '
        'height="9e5"><feGaussianBlur stdDeviation="99"/></filter>'
        '<rect width="90" height="90" filter="url(#f)"/></svg>'
    )
    result = read_image(Place(ImageRef(str(path))), Reading(Limits(timeout_seconds=10)))
    assert isinstance(result, Image | Unreadable)
    for reader in readers():
        assert reader.memory_info().rss < 4e9
