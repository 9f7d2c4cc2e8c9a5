"""Thumbnails go with their rows, and nothing else moves them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from objsearch.index import lance_writer
from objsearch.index.lance import Lance, Stored
from tests.contracts.rows import RECIPE, By, rich_row, unread

KEYS = [f"{i}.png" for i in range(6)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def index(folder: Path) -> Stored:
    made = opened(folder)
    made.put([*(rich_row(key, i) for i, key in enumerate(KEYS)), unread("u.png")])
    return made


def opened(folder: Path) -> Stored:
    return Lance(path=str(folder)).open(RECIPE, {"vectors/1": By(0, "vectors/1")})


def of(key: str) -> bytes:
    return f"the small copy of {key}".encode() * 9


def held(folder: Path, text: bytes) -> bool:
    return any(text in p.read_bytes() for p in folder.rglob("*") if p.is_file())


def test_none_are_there_until_they_are_kept(index: Stored, folder: Path) -> None:
    assert index.without_thumbnail([*KEYS, "u.png", "other.png"]) == KEYS
    assert index.thumbnail("0.png") is index.thumbnail("other.png") is None
    assert not (folder / "thumbnails.lance").exists()
    index.keep_thumbnails([(key, of(key)) for key in [*KEYS[:4], "other.png"]])
    again = opened(folder)
    assert again.without_thumbnail(KEYS) == KEYS[4:]
    assert [again.thumbnail(key) for key in KEYS] == [*map(of, KEYS[:4]), None, None]
    assert len(again) == 6 and list(again.stamps()) == [*KEYS, "u.png"]


def test_a_row_that_is_replaced_or_goes_takes_its_own_along(index: Stored) -> None:
    index.keep_thumbnails([(key, of(key)) for key in KEYS])
    index.put([rich_row("2.png", 99)])
    index.remove(["3.png"])
    assert index.without_thumbnail(KEYS) == ["2.png"] and index.thumbnail("3.png") is None
    index.keep_thumbnails([("2.png", of("new"))])
    assert index.thumbnail("2.png") == of("new") and index.thumbnail("1.png") == of("1.png")


def test_what_was_forgotten_is_gone_from_the_disk_once_that_is_asked(
    index: Stored, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of many, whose file would not be worth rewriting otherwise."""
    index.put(rich_row(f"more/{i}.png", i) for i in range(40))
    keys = [*KEYS, *(f"more/{i}.png" for i in range(40))]
    index.keep_thumbnails([(key, of(key)) for key in keys])
    index.remove(["3.png"])
    assert held(folder, of("3.png"))
    monkeypatch.setattr(lance_writer, "KEPT_FOR", timedelta(0))
    index.compact()
    assert not held(folder, of("3.png")) and held(folder, of("4.png"))
    assert index.thumbnail("4.png") == of("4.png")


def test_their_files_stay_where_other_rows_come_and_are_put_together(
    index: Stored, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.keep_thumbnails([(key, of(key)) for key in KEYS])
    before = {p: p.stat().st_mtime_ns for p in (folder / "thumbnails.lance" / "data").iterdir()}
    monkeypatch.setattr(lance_writer, "MOST_FILES", 1)
    for start in (100, 200, 300):
        index.put(rich_row(f"{i}.png", i) for i in range(start, start + 3))
    index.optimize()
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert len(list((folder / "thumbnails.lance" / "data").iterdir())) == 1
