"""A picture on standard input, wherever one is wanted; names there, where names are."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.apps.cli.conftest import Cli
from tests.images import files
from tests.pictures import drawing, encoded

Failing = Callable[..., str]
Given = Callable[[bytes], None]

PICTURE = encoded(drawing(160, 180, seed=1), "JPEG", quality=90)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Put bytes on standard input."""
    return lambda data: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, of which `b.jpg` is the piped one."""
    (tmp_path / "photos").mkdir()
    for number, name in enumerate(("a.jpg", "b.jpg")):
        picture = encoded(drawing(160, 180, seed=number), "JPEG")
        (tmp_path / "photos" / name).write_bytes(picture)
    return tmp_path / "photos"


def test_find_takes_its_query_from_a_pipe(
    cli: Cli, given: Given, config: Path, folder: Path, tmp_path: Path
) -> None:
    base = ("find", "-", "--config", config, "--in", folder)
    for more in ((), ("--each",)):
        given(PICTURE)
        data = cli(*base, "--json", *more).data
        assert data["queries"][0]["ref"] == "<stdin>"
        assert data["hits"][0]["ref"] == str(folder / "b.jpg")
    page = tmp_path / "page.html"
    given(PICTURE)
    assert cli(*base, "--top", "1", "--report", page).code == 0
    n_shown = page.read_text().count("data:image")
    cli("find", folder / "b.jpg", *base[2:], "--include-query", "--top", "1", "--report", page)
    assert n_shown == page.read_text().count("data:image")  # the query is drawn, too
    given(PICTURE)
    unwanted = cli("find", folder / "b.jpg", *base[2:], "--not", "-", "--json")
    assert unwanted.data["settings"]["search"]["negatives"] == ["<stdin>"]


def test_compare_and_larger_take_a_picture_from_a_pipe(
    cli: Cli, given: Given, config: Path, folder: Path
) -> None:
    given(PICTURE)
    there = cli("compare", "-", folder / "b.jpg", "--config", config, "--json")
    assert (there.code, there.data["query"]) == (0, "<stdin>")
    given(PICTURE)
    assert cli("compare", folder / "a.jpg", "-", "--config", config).code == 1
    given(PICTURE)
    twice = drawing(160, 180, seed=1).repeat(2, 0).repeat(2, 1)
    (folder / "c.png").write_bytes(encoded(twice, "PNG"))
    larger = cli("larger", "-", "--in", folder, "--config", config, "--json")
    assert (larger.code, larger.data["query"]) == (0, "<stdin>")


def test_a_page_of_what_is_piped(
    cli: Cli, failing: Failing, given: Given, config: Path, folder: Path
) -> None:
    document = files.pdf([drawing(120, 90, seed=n) for n in range(2)])
    given(document)
    assert "holds 2 pictures" in failing("compare", "-", folder / "b.jpg", "--config", config)
    given(document)
    result = cli("compare", "--config", config, "--json", "--", "-#page=2", folder / "b.jpg")
    assert result.data["query"] == "<stdin>#page=2"


@pytest.mark.parametrize("command", ["detect", "screen", "signed"])
def test_where_photos_are_looked_at_a_picture_may_come_in_place_of_names(
    command: str, cli: Cli, given: Given, folder: Path, tmp_path: Path
) -> None:
    options = {
        "detect": ("--mode", "whole", "--draw", tmp_path / "drawn"),
        "screen": ("--block", folder / "b.jpg", "--report", tmp_path / "page.html"),
        "signed": (),
    }[command]
    given(PICTURE)
    piped = cli(command, "-", *options, "--json")
    assert piped.code == (1 if command == "signed" else 0)
    assert '"<stdin>"' in piped.out
    given(f"{folder / 'b.jpg'}\n".encode())
    named = cli(command, "-", *options, "--force", "--json") if options else None
    assert named is None or str(folder / "b.jpg") in named.out


def test_where_names_are_wanted_a_picture_is_told_as_such(
    failing: Failing, given: Given, folder: Path, tmp_path: Path
) -> None:
    for words in (
        ("find", folder / "a.jpg", "--in", "-"),
        ("duplicates", "-"),
        ("index", "build", "--index", tmp_path / "index", "-"),
        ("screen", "--files-from", "-"),
    ):
        given(PICTURE)
        assert "this is a picture" in failing(*words)


def test_a_name_may_begin_as_a_picture_does(failing: Failing, given: Given) -> None:
    given(b"BMW in the yard.jpg\n")
    assert "no such image: 'BMW in the yard.jpg'" in failing("detect", "-")


def test_standard_input_is_read_once_and_what_is_no_picture_is_told(
    failing: Failing, given: Given, config: Path, folder: Path
) -> None:
    for words in (
        ("compare", "-", "-"),
        ("find", "-", "--in", "-"),
        ("find", folder / "a.jpg", "--in", folder, "--files-from", "-", "--not", "-"),
        ("larger", "-", "--files-from", "-"),
        ("screen", "-", "--files-from", "-"),
    ):
        given(PICTURE)
        assert "'-' is named twice" in failing(*words)
    for data, reason in ((b"", "the file is empty"), (b"hello", "not an image")):
        given(data)
        assert reason in failing("find", "-", "--in", folder, "--config", config)
