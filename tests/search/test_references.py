"""What a search remembers of files, and when that is not believed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objsearch.errors import UsageError
from objsearch.flow import silent
from objsearch.index import Index
from objsearch.index.lance import Lance
from objsearch.index.memory import Memory
from objsearch.search.references import PUT_AT_ONCE, References
from objsearch.sources import Place, key_of
from objsearch.types import DescribedImage, ImageRef, Row, Stamp, Unreadable
from tests.contracts.rows import RECIPE, described, row

LONG_AGO = 1_700_000_000


@pytest.fixture
def index() -> Index:
    return Memory().open(RECIPE, {})


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A file, some minutes old."""
    path = tmp_path / "a.png"
    path.write_bytes(b"pixels")
    return aged(path)


def aged(path: Path, seconds: float = LONG_AGO) -> Path:
    os.utime(path, (seconds, seconds))
    return path


def shared(index: Index) -> References:
    """A search of its own, over an index that outlives it."""
    return References(index, {}, is_shared=True)


def image_of(path: Path) -> DescribedImage:
    return replace(described("x.png"), ref=ImageRef(str(path)))


def place(path: Path) -> Place:
    return Place(ImageRef(str(path)))


def read_again(references: References, path: Path) -> bool:
    return len(references.fresh([place(path)])) == 1


def stamp(index: Index) -> Stamp:
    [found] = index.stamps().values()
    return found


def test_what_stayed_as_it_was_is_not_read_again(index: Index, photo: Path) -> None:
    shared(index).take([image_of(photo)])
    again = shared(index)
    assert not read_again(again, photo)
    assert list(again.named) == [key_of(ImageRef(str(photo)))]
    aged(photo, LONG_AGO + 1)
    assert read_again(shared(index), photo)


@pytest.mark.parametrize(
    ("age", "is_believed"), [(0.0, False), (1.5, False), (-1.5, False), (9.0, True), (-9.0, True)]
)
def test_what_was_written_just_now_may_be_written_again_at_the_same_time(
    age: float, is_believed: bool, index: Index, photo: Path
) -> None:
    """FAT counts in twos, and a file may be written twice within a tick of any clock."""
    aged(photo, time.time() - age)
    shared(index).take([image_of(photo)])
    assert read_again(shared(index), photo) != is_believed
    own = References(index, {})
    own.take([image_of(photo)])
    assert stamp(index) == (6, photo.stat().st_mtime_ns)  # nothing of a process outlives it


def test_a_doubted_file_is_known_to_the_search_that_read_it(index: Index, photo: Path) -> None:
    aged(photo, time.time())
    mine, other = shared(index), shared(index)
    mine.take([image_of(photo)])
    ref = ImageRef(str(photo))
    assert mine.known(ref) is not None
    assert other.known(ref) is None


def test_a_file_that_changed_is_not_known(index: Index, photo: Path) -> None:
    mine = shared(index)
    mine.take([image_of(photo)])
    ref = ImageRef(str(photo))
    assert mine.known(ref) is not None and shared(index).known(ref) is not None
    aged(photo, LONG_AGO + 1)
    assert mine.known(ref) is None
    photo.unlink()  # of what is gone, what was seen last is all there is
    assert mine.known(ref) is not None


def test_what_can_be_read_no_more_takes_the_place_of_what_it_was(index: Index, photo: Path) -> None:
    mine, ref = shared(index), ImageRef(str(photo))
    mine.take([image_of(photo)])
    mine.take([Unreadable(ref, "it is broken")])
    assert len(index) == 0 and list(index.stamps()) == [key_of(ref)]
    assert mine.skipped == [Unreadable(ref, "it is broken")]
    assert mine.known(ref) is None
    assert not read_again(shared(index), photo)  # broken it is known to be
    mine.take([image_of(photo)])
    assert mine.skipped == [] and mine.known(ref) is not None


@pytest.mark.parametrize("is_broken", [False, True])
def test_what_lies_in_a_folder_no_more_is_forgotten(
    is_broken: bool, index: Index, photo: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path.with_name(f"{tmp_path.name} other")
    elsewhere.mkdir()
    other = elsewhere / "b.png"
    other.write_bytes(b"pixels")
    images: list[DescribedImage | Unreadable] = [image_of(photo), image_of(other)]
    if is_broken:
        images = [Unreadable(one.ref, "it is broken") for one in images]
    shared(index).take(images)
    for gone in (photo, other):
        gone.rename(gone.with_suffix(".moved"))
    again = shared(index)
    assert again.forget_vanished([tmp_path / "no folder", b"bytes"]) == 0
    assert again.forget_vanished([tmp_path]) == 1
    assert list(index.stamps()) == [key_of(ImageRef(str(other)))]
    assert References(index, {}).forget_vanished([elsewhere]) == 0


@pytest.mark.parametrize("below", ["", "disk", "disk/2024"])
def test_what_lay_in_a_folder_that_is_empty_now_is_taken_for_away(
    below: str, index: Index, tmp_path: Path
) -> None:
    """A disk that is not mounted leaves an empty folder behind, and may be below what is named."""
    top = tmp_path / "top"
    mounted = top / below.split("/", maxsplit=1)[0]
    inside = top / below
    inside.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        (inside / name).write_bytes(b"pixels")
    shared(index).take(image_of(inside / name) for name in ("a.png", "b.png"))
    mounted.rename(tmp_path / "unmounted")
    mounted.mkdir()
    again = shared(index)
    assert again.forget_vanished([top]) == 0 and len(index) == 2
    [told] = again.away.values()
    assert told.startswith(f"'{mounted}' is empty, ") and "2 photos that are remembered" in told
    if below:
        assert told.endswith("forgotten, delete that folder")
        mounted.rmdir()
        (top / "other.txt").write_text("")
    else:
        assert told.endswith("forgotten, put any file into it and search it again")
        (top / "other.txt").write_text("")
    assert again.forget_vanished([top]) == 2 and not again.away and len(index) == 0


def test_a_part_of_a_picture_is_not_taken_for_all_of_it(index: Index, photo: Path) -> None:
    part = Place(ImageRef(str(photo), xywh=(0, 0, 2, 2)))
    mine = shared(index)
    assert len(mine.fresh([part])) == 1
    mine.take([replace(image_of(photo), ref=part.ref)])
    assert read_again(shared(index), photo)
    assert shared(index).fresh([part]) == []
    mine.take([image_of(photo)])
    again = shared(index)
    assert not read_again(again, photo)
    assert list(again.named) == [key_of(ImageRef(str(photo)))]  # and not the part


@pytest.mark.parametrize("where", [{"page": 2}, {"frame": 0}, {"seconds": 1.5}])
def test_a_page_that_was_named_is_not_taken_for_its_file(
    where: dict[str, Any], index: Index, photo: Path
) -> None:
    page = Place(ImageRef(str(photo), **where))
    mine = shared(index)
    assert len(mine.fresh([page])) == 1
    mine.take([replace(image_of(photo), ref=page.ref)])
    assert mine.known(page.ref) is not None
    again = shared(index)
    assert read_again(again, photo)
    others = [page.ref, ImageRef(str(photo), page=9)]
    again.take([replace(image_of(photo), ref=ref) for ref in others])
    assert not read_again(shared(index), photo)
    assert shared(index).fresh([page]) == []


@pytest.mark.parametrize("now", [["#page=1", "#page=2"], [""]])
def test_pages_that_a_file_has_no_more_are_forgotten(
    now: list[str], index: Index, photo: Path
) -> None:
    def read(references: References, endings: list[str]) -> None:
        refs = [ImageRef.parse(f"{photo}{ending}") for ending in endings]
        references.take(replace(described("x.png"), ref=ref) for ref in refs)

    read(shared(index), ["#page=1", "#page=2", "#page=3"])
    read(shared(index), ["#xywh=1,2,3,4"])  # named by itself: all of the file says nothing of it
    aged(photo, LONG_AGO + 1)
    again = shared(index)
    assert read_again(again, photo)
    read(again, now)
    whole = key_of(ImageRef(str(photo)))
    assert set(index.stamps()) == {f"{whole}{ending}" for ending in [*now, "#xywh=1,2,3,4"]}
    assert not read_again(shared(index), photo)


def test_what_changes_while_it_is_read_is_read_again(index: Index, photo: Path) -> None:
    """A description is of what the file was before it was read; what it is by now may be other."""

    def reading() -> Iterator[DescribedImage]:
        image = image_of(photo)
        photo.write_bytes(b"others")
        aged(photo, LONG_AGO + 9)
        yield image

    for references in (shared(index), References(index, {})):
        aged(photo)
        references.fresh([place(photo)])
        references.take(reading())
        assert references.known(ImageRef(str(photo))) is None
        assert stamp(index) == (6, LONG_AGO * 10**9)
        assert read_again(shared(index), photo)


def test_a_file_is_as_new_as_it_was_when_its_stamp_was_taken(
    index: Index, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading takes its time; what was written just before that began may be written again."""
    aged(photo, time.time())
    mine, now_ns = shared(index), time.time_ns()
    mine.fresh([place(photo)])
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: now_ns + 60 * 10**9)
        mine.take([image_of(photo)])
    assert read_again(shared(index), photo)


@pytest.mark.parametrize("kept_s", [LONG_AGO, 4e9])  # long ago, and years ahead
def test_what_vanishes_before_it_is_read_is_read_when_it_is_back(
    kept_s: float, index: Index, photo: Path
) -> None:
    aged(photo, kept_s)
    mine, ref = shared(index), ImageRef(str(photo))
    mine.fresh([place(photo)])
    photo.unlink()
    mine.take([Unreadable(ref, "it is broken")])
    assert mine.skipped == [Unreadable(ref, "it is broken")]
    photo.write_bytes(b"pixels")
    aged(photo, kept_s)
    assert read_again(shared(index), photo)


@pytest.mark.parametrize(
    ("reason", "is_believed"),
    [
        ("it cannot be read (Permission denied)", False),
        ("it cannot be read (Input/output error)", False),
        ("HEIC files need a codec: pip install 'objsearch[heic]'", False),
        ("it is broken", True),
    ],
)
def test_what_the_system_refused_is_tried_again(
    reason: str, is_believed: bool, index: Index, photo: Path
) -> None:
    shared(index).take([Unreadable(ImageRef(str(photo)), reason)])
    assert read_again(shared(index), photo) != is_believed


@pytest.mark.parametrize("change_s", [-(10**9), -3600, 3600, 10**8])
@pytest.mark.parametrize("kept_s", [-(10**8), 10**8])
def test_clocks_that_were_set_are_no_reason_to_believe(
    kept_s: float, change_s: float, index: Index, photo: Path
) -> None:
    """Times are the same or not; which of two is later says nothing."""
    kept_s += time.time()
    aged(photo, kept_s)
    shared(index).take([image_of(photo)])
    assert not read_again(shared(index), photo)
    photo.write_bytes(b"others")
    aged(photo, kept_s + change_s)
    assert read_again(shared(index), photo)


@pytest.fixture
def cells(tmp_path: Path) -> Lance:
    """An index in a folder that is searched through cells from 50 regions on."""
    return Lance(path=str(tmp_path / "kept"), flat_regions=50, wait_seconds=0.1)


def grown(cells: Lance) -> References:
    references = shared(cells.open(RECIPE, {}))
    references.index.put(row(f"{i}.png", *np.eye(8)[i % 8], stamp=(i, 1)) for i in range(80))
    return references


@pytest.mark.parametrize("n_more", [0, 1])
def test_who_waited_for_another_writer_in_vain_does_not_wait_again(
    n_more: int, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def put(rows: list[Row]) -> None:
        tried.append(len(rows))
        raise UsageError("another process writes")

    monkeypatch.setattr(index, "put", put)
    images = [image_of(tmp_path / f"{i}.png") for i in range(PUT_AT_ONCE + n_more)]
    with pytest.raises(UsageError, match="another process writes"):
        shared(index).take(images)
    assert tried == [PUT_AT_ONCE]


def test_a_cache_that_another_writes_to_is_waited_for_once_for_all_pages_of_a_file(
    index: Index, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [replace(image_of(photo), ref=ImageRef(str(photo), page=n)) for n in (1, 2)]
    shared(index).take(pages)
    aged(photo, LONG_AGO + 1)
    tried = []

    def refused(what: list[Any]) -> int:
        tried.append(len(what))
        raise UsageError("another process writes")

    monkeypatch.setattr(index, "put", refused)
    monkeypatch.setattr(index, "remove", refused)
    again = References(index, {}, is_shared=True, spare=lambda: Memory().open(RECIPE, {}))
    assert read_again(again, photo)
    again.take(pages[:1])
    assert len(tried) == len(again.told) == 1 and len(again.index) == 1


def test_what_was_described_stays_though_it_is_stopped_while_it_is_written(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, stops = index.put, [KeyboardInterrupt()]

    def stopped(rows: list[Row]) -> None:
        if stops:
            raise stops.pop()
        put(rows)

    monkeypatch.setattr(index, "put", stopped)
    with pytest.raises(KeyboardInterrupt):
        shared(index).take(image_of(tmp_path / f"{i}.png") for i in range(PUT_AT_ONCE + 9))
    assert len(index) == PUT_AT_ONCE


def test_what_is_looked_up_by_is_made_once_there_is_much(cells: Lance) -> None:
    references, told = grown(cells), []
    references.tidy(lambda *said: told.append(said))
    assert told == [("index", 0, None), ("index", 1, 1)] and references.told == []
    info = cells.open(RECIPE, {}).info()
    assert info.n_indexed == {"fake": 80, "other": 80} and info.n_described == 80
    references.tidy(lambda *said: told.append(said))
    assert len(told) == 2  # nothing is due


def test_a_run_that_was_stopped_before_leaves_it_to_the_next_one(cells: Lance) -> None:
    grown(cells)
    later = shared(cells.open(RECIPE, {}))
    later.tidy(silent)
    assert cells.open(RECIPE, {}).info().due == ()


def test_a_search_goes_on_where_it_cannot_be_made(cells: Lance) -> None:
    references = grown(cells)
    with cells.open(RECIPE, {})._store.writing(1):
        references.tidy(silent)
    assert len(references.told) == 1
    assert "looked up more slowly than they could be: the index" in references.told[0]
    assert references.index.due() and len(references.index) == 80
