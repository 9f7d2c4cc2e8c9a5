"""Photos that change, vanish or fall due to clocks while a search looks at them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from objsearch.errors import UsageError
from objsearch.search.describing import Describer
from objsearch.search.library import remembering
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.retrieval import Retrieval
from objsearch.settings import load_settings
from objsearch.tasks.indexing import build_index, open_index, update_index
from objsearch.types import Hit
from tests.pictures import drawing, encoded

LONG_AGO = 1_700_000_000
Searched = Callable[[], ObjectSearch]


def put(path: Path, seed: int, seconds: int = LONG_AGO) -> Path:
    """A bitmap, whose file is as large as that of any other seed."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encoded(drawing(120, 160, seed), "BMP"))
    os.utime(path, (seconds, seconds))
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    put(tmp_path / "photos" / "b.bmp", 2)
    return put(tmp_path / "photos" / "a.bmp", 1)


@pytest.fixture
def searched(quick: dict[str, Any], tmp_path: Path, photo: Path) -> Searched:
    """A new search over the photos, which remembers what searches before it described."""
    settings = remembering(load_settings(quick), tmp_path / "library")
    return lambda: ObjectSearch(settings).add(photo.parent)


def meanwhile(monkeypatch: Any, name: str, before: Any = None, after: Any = None) -> None:
    """Have something happen just before, or after, the first photo of that name is read."""
    read, waiting = Describer.read_working, [name]

    def reading(self: Describer, place: Any) -> Any:
        is_it = Path(place.ref.uri).name in waiting
        if is_it:
            waiting.clear()
        if is_it and before:
            before()
        image = read(self, place)
        if is_it and after:
            after()
        return image

    monkeypatch.setattr(Describer, "read_working", reading)


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_written_while_it_is_read_is_not_taken_for_what_was_read(
    when: str, searched: Searched, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, "a.bmp", **{when: lambda: put(photo, 3, LONG_AGO + 60)})
    assert searched().n_described == 2
    again = searched()
    # Written before it was read, the file shows what is known of it, though at another time.
    n_again = 1 if when == "after" else 0
    assert (again.n_remembered, again.n_described) == (2 - n_again, n_again)
    hits = again.find(put(photo.parent.parent / "query.bmp", 3), threshold=0).hits
    assert Path(hits[0].ref.uri).name == "a.bmp"
    assert searched().n_remembered == 2


def test_what_vanishes_between_listing_and_reading_is_listed_and_read_when_it_is_back(
    searched: Searched, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away.bmp"
    meanwhile(monkeypatch, "a.bmp", before=lambda: photo.rename(away))
    search = searched()
    assert [Path(one.ref.uri).name for one in search.skipped] == ["a.bmp"]
    assert "No such file" in search.skipped[0].reason and search.n_references == 1
    shutil.move(away, photo)
    again = searched()
    assert (again.skipped, again.n_references, again.n_described) == ((), 2, 1)


def test_what_vanishes_for_good_is_forgotten(
    searched: Searched, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, "a.bmp", before=photo.unlink)
    assert len(searched().skipped) == 1
    again = searched()
    assert again.skipped == () and len(again.index.stamps()) == 1


@pytest.mark.parametrize("is_remembered", [False, True])
def test_an_answer_is_of_one_moment_whatever_is_written_meanwhile(
    is_remembered: bool,
    quick: dict[str, Any],
    searched: Searched,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What another thread adds and takes away once hits are known counts for the next answer."""
    search = searched() if is_remembered else ObjectSearch.open(quick).add(photo.parent)
    hits = Retrieval.hits
    more = [put(tmp_path / "more" / f"{seed}.bmp", seed) for seed in (3, 4, 5)]
    (broken := tmp_path / "broken.bmp").write_bytes(b"no picture")

    def hits_then_changes(self: Retrieval, *given: Any) -> Any:
        made = hits(self, *given)
        search.index.remove([os.path.realpath(photo)])
        search.add(*more, broken)
        return made

    monkeypatch.setattr(Retrieval, "hits", hits_then_changes)
    query = put(tmp_path / "query" / "q.bmp", 1)
    answer = search.find(query, threshold=0)
    counts = answer.scanned, answer.compared, answer.filtered, answer.n_skipped
    assert counts == (2, 2, 0, 0) and len(answer.hits) == 2
    monkeypatch.undo()
    answer = search.find(query, threshold=0)
    assert (answer.scanned, answer.compared, answer.n_skipped) == (5, 4, 1)


def hit_of(search: ObjectSearch, query: Path, name: str) -> Hit:
    hits = search.find(query, threshold=0).hits
    return next(hit for hit in hits if Path(hit.ref.uri).name == name)


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """A copy of what `photo` shows at first."""
    return put(tmp_path / "query" / "former.bmp", 1)


@pytest.mark.parametrize("preset", ["quick", "vectors"])
def test_a_file_that_was_replaced_by_one_of_its_size_and_time_is_not_the_same(
    preset: str, quick: dict[str, Any], photo: Path, former: Path, tmp_path: Path
) -> None:
    """Its stamp tells nothing; what the answer vouches for is read."""
    vectors = {"descriptors": [{"extractor": "perceptual-hash"}], "calibration": "auto"}
    alone = vectors if preset == "vectors" else {}
    settings = remembering(load_settings({**quick, **alone}), tmp_path / "library")
    before = hit_of(ObjectSearch(settings).add(photo.parent), former, "a.bmp")
    assert (before.verdict, before.note) == ("same", "")
    put(photo, 3)
    search = ObjectSearch(settings).add(photo.parent)
    assert search.n_described == 0
    hit = hit_of(search, former, "a.bmp")
    assert (hit.verdict, hit.note) == ("uncertain", "replaced")
    again = ObjectSearch(settings).add(photo.parent)
    assert (again.n_remembered, again.n_described) == (1, 1)
    now = put(tmp_path / "query" / "now.bmp", 3)
    assert hit_of(again, now, "a.bmp").verdict == "same"
    assert hit_of(again, former, "a.bmp").verdict != "same"
    assert ObjectSearch(settings).add(photo.parent).n_described == 0


def test_what_is_asked_about_is_what_its_file_shows_now(
    searched: Searched, photo: Path, former: Path
) -> None:
    put(photo.with_name("c.bmp"), 3)
    put(photo.with_name("d.bmp"), 1)
    searched()
    put(photo, 3)
    hits = searched().find(photo, threshold=0).hits
    assert [Path(hit.ref.uri).name for hit in hits if hit.verdict == "same"] == ["c.bmp"]
    assert searched().n_described == 1


def test_what_was_replaced_is_not_the_same_where_that_cannot_be_written_down(
    searched: Searched, photo: Path, former: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise UsageError("it is read-only")

    searched()
    put(photo, 3)
    search = searched()
    monkeypatch.setattr(search.index, "put", refused)
    for _ in range(2):
        assert hit_of(search, former, "a.bmp").note == "replaced"


def test_what_can_be_read_no_more_is_replaced_and_what_is_away_is_not(
    searched: Searched, photo: Path, former: Path
) -> None:
    search = searched()
    photo.write_bytes(b"X" * photo.stat().st_size)
    os.utime(photo, (LONG_AGO, LONG_AGO))
    assert hit_of(search, former, "a.bmp").note == "replaced"
    photo.unlink()
    assert hit_of(search, former, "a.bmp").verdict == "same"


@pytest.mark.parametrize("later", [0, 9])
def test_an_index_of_ones_own_vouches_for_no_former_picture_whenever_it_was_replaced(
    later: int, quick: dict[str, Any], photo: Path, former: Path, tmp_path: Path
) -> None:
    vectors = {"descriptors": [{"extractor": "perceptual-hash"}], "calibration": "auto"}
    index = tmp_path / "index"
    assert build_index(index, [photo.parent], load_settings({**quick, **vectors})).described == 2
    put(photo, 3, LONG_AGO + later)
    for _ in range(2):
        hit = hit_of(open_index(index), former, "a.bmp")
        assert (hit.verdict, hit.note) == ("uncertain", "replaced")
    assert update_index(index).described == 1
    assert hit_of(open_index(index), former, "a.bmp").note == ""
