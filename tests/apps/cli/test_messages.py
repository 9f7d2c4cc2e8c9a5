"""What cannot be done is told with what is to blame, and what to do instead."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from tests.apps.cli.conftest import Cli
from tests.pictures import drawing, encoded
from tests.sources.server import running

Failing = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(("a.jpg", "b.jpg")):
        (folder / name).write_bytes(encoded(drawing(160, 180, seed=number), "JPEG"))
    return folder


# Comparisons take one picture on each side


def test_a_folder_cannot_be_compared(failing: Failing, folder: Path, config: Path) -> None:
    for pair in ((folder / "a.jpg", folder), (folder, folder / "a.jpg")):
        said = failing("compare", *pair, "--config", config)
        assert said.startswith(f"'{folder}' is a folder") and "objsearch find" in said


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_a_file_of_several_pages_cannot_be_compared(
    kind: str, cli: Cli, failing: Failing, folder: Path, config: Path
) -> None:
    scan = folder / f"scan.{kind.lower()}"
    first, *others = [PillowImage.fromarray(drawing(160, 180, seed=n)) for n in range(3)]
    first.save(scan, kind, save_all=True, append_images=others)
    said = failing("compare", folder / "a.jpg", scan, "--config", config)
    assert said.startswith(f"'{scan}' holds 3 pictures")
    assert f"such as '{scan}#page=3'" in said
    one = cli("compare", folder / "a.jpg", f"{scan}#page=2", "--config", config, "--json")
    assert one.code in (0, 1)
    assert one.data["reference"] == f"{scan}#page=2"


# Nothing there, and everything passed over


LOOKING = {
    "find": ("find", "{photo}", "--in", "{place}", "--config", "{config}"),
    "query": ("find", "{place}", "--in", "{photo}", "--config", "{config}"),
    "each query": ("find", "{place}", "--each", "--in", "{photo}", "--config", "{config}"),
    "larger": ("larger", "{photo}", "--in", "{place}", "--config", "{config}"),
    "screen": ("screen", "{place}", "--block", "{photo}"),
    "block": ("screen", "{photo}", "--block", "{place}"),
    "examples": ("screen", "{photo}", "--examples", "{place}"),
    "signed": ("signed", "{place}", "--password-file", "{password}"),
    "detect": ("detect", "{place}", "--config", "{config}"),
    "duplicates": ("duplicates", "{place}", "--config", "{config}"),
}


def words(case: str, place: Path, folder: Path, config: Path) -> list[str]:
    password = folder.parent / "password.txt"
    password.write_text("long enough\n")
    names = {"photo": folder / "a.jpg", "place": place, "config": config, "password": password}
    return [word.format(**names) for word in LOOKING[case]]


@pytest.mark.parametrize("case", LOOKING)
def test_an_empty_folder_is_an_error(
    case: str, failing: Failing, folder: Path, config: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    said = failing(*words(case, empty, folder, config))
    assert "no files" in said or "no image" in said


@pytest.mark.parametrize("case", ["find", "larger", "screen", "signed", "detect", "duplicates"])
def test_what_is_passed_over_is_not_called_missing(
    case: str, failing: Failing, folder: Path, config: Path
) -> None:
    said = failing(*words(case, folder, folder, config), "--exclude", "*")
    assert "all 2 files are passed over by the filters: exclude '*'" in said


# Who is to blame


def test_a_mistake_on_the_command_line_is_not_the_presets(
    failing: Failing, folder: Path, tmp_path: Path
) -> None:
    base = ("find", folder / "a.jpg", "--in", folder)
    said = failing(*base, "--set", "search.tip=3")
    assert said == "--set search.tip: unknown key 'search.tip'; did you mean 'top'?"
    said = failing(*base, "--set", "geometry.tolerance=far")
    assert said.startswith("--set geometry.tolerance: geometry.tolerance: ")
    said = failing("duplicates", folder, "--keep", "newst")
    assert said.startswith("command line: duplicates.keep.0: ")
    mine = tmp_path / "mine.yaml"
    mine.write_text("search:\n  tip: 3\n")
    said = failing(*base, "--config", mine, "--set", "search.top=3")
    assert said.startswith(f"{mine}, line 2: ")


def test_refusals_say_how_to_allow_it(cli: Cli, folder: Path, config: Path) -> None:
    base = ("find", folder / "a.jpg", "--config", config, "--in")
    said = cli(*base, "http://127.0.0.1:9/x.jpg").err
    assert "--set input.allow_private=true allows them" in said
    said = cli(*base, "http://127.0.0.1:9/x.jpg", "--set", "input.offline=true").err
    assert "'input.offline' is set" in said
    said = cli(*base, folder / "b.jpg", "--set", "input.max_megapixels=0.01").err
    assert "over the limit of 0.01 (input.max_megapixels)" in said
    said = cli(*base, folder / "b.jpg", "--set", "input.max_bytes=100").err
    assert "larger than 100 bytes, the limit input.max_bytes" in said


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("columns", [("group_id", "path", "role"), ("a", "b", "same")])
def test_a_wrong_separator_is_told(
    columns: tuple[str, ...], separator: str, failing: Failing, config: Path, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text(separator.join(columns) + "\n" + separator.join("xyz") + "\n")
    said = failing("calibrate", truth, "--config", config)
    name = "tabs" if separator == "\t" else "';'"
    assert said == f"{truth}: its columns are separated by {name}; separate them by commas"


# What is secret in a URL


SECRET = "hunter2"

ASKED = {
    "a query": ("find", "{url}", "--in", "{photo}", "--json", "--report", "{page}"),
    "a reference": ("find", "{photo}", "--in", "{url}", "--csv", "--threshold", "0"),
    "what is unwanted": ("find", "{photo}", "--in", "{photo}", "--not", "{url}", "--json"),
    "a table": ("find", "{photo}", "--in", "{url}", "--threshold", "0", "--report", "{page}"),
    "compare": ("compare", "{photo}", "{url}", "--json"),
    "larger": ("larger", "{url}", "--in", "{photo}", "--json", "--report", "{page}"),
    "screen": ("screen", "{url}", "--block", "{url}", "--json", "--report", "{page}"),
    "detect": ("detect", "{url}", "--draw", "{drawn}"),
    "signed": ("signed", "{url}", "--csv", "--report", "{page}"),
    "an index": ("index", "build", "--index", "{drawn}", "{url}"),
    "what is not there": ("find", "{gone}", "--in", "{photo}"),
    "no part": ("find", "{url}#page=x", "--in", "{photo}"),
    "no http": ("find", "ftp://me:hunter2@127.0.0.1/", "--in", "{photo}"),
    "a photo to sign": ("sign", "{url}", "--out", "{drawn}.png", "--password-file", "{word}"),
    "no file": ("duplicates", "{url}"),
}


@pytest.mark.parametrize("case", ASKED)
def test_a_password_in_a_url_is_shown_and_stored_nowhere(
    case: str, cli: Cli, config: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBJSEARCH_LIBRARY", str(tmp_path / "library"))
    (tmp_path / "word.txt").write_text("another password\n")
    with running() as server:
        place = f"http://me:{SECRET}@127.0.0.1:{server.server_address[1]}"
        names = {
            "url": f"{place}/file/drawing.png?token={SECRET}",
            "gone": f"{place}/missing?token={SECRET}",
            "photo": str(folder / "a.jpg"),
            "page": str(tmp_path / "page.html"),
            "drawn": str(tmp_path / "drawn"),
            "word": str(tmp_path / "word.txt"),
        }
        words = [word.format(**names) for word in ASKED[case]]
        if case not in ("screen", "signed", "a photo to sign", "no file"):
            words += ["--config", str(config)]
        result = cli(*words, "--set", "input.allow_private=true")
    assert SECRET not in result.out + result.err
    assert "***@127.0.0.1" in (result.out + result.err).replace("\n", "") or case == "an index"
    for path in tmp_path.rglob("*"):
        assert SECRET not in str(path)
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_names_for_other_programs_keep_what_opens_them(
    cli: Cli, config: Path, folder: Path
) -> None:
    with running() as server:
        url = f"http://me:{SECRET}@127.0.0.1:{server.server_address[1]}/file/drawing.png"
        base = ("find", folder / "a.jpg", "--in", url, "--threshold", "0", "--config", config)
        result = cli(*base, "--paths", "--set", "input.allow_private=true")
    assert result.out == f"{url}\n"


# Names are strangers' text


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_no_name_tells_a_terminal_what_to_do(
    cli: Cli, failing: Failing, config: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "\x1b]0;mine\x07"
    folder.mkdir()
    for name in (b"two\nlines.jpg", b"\x1b[31mred.jpg", "\u202egpj.exe".encode(), b"\xff.jpg"):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(b"no picture")
    good = folder / "good\x1b[2J.png"
    good.write_bytes(encoded(drawing(160, 180), "PNG"))
    report, plan, out = folder / "page.html", folder / "plan.json", folder / "signed.png"
    settings = folder / "mine.yaml"
    settings.write_text("{}")
    (tmp_path / "word.txt").write_text("a long password\n")
    told = [
        cli("detect", folder, "--mode", "whole"),
        cli("screen", folder, "--block", good, "--report", report),
        cli("duplicates", folder, "--plan", plan),
        cli("signed", folder),
        cli("index", "build", "--index", folder / "index", folder, "--config", config),
        cli("index", "info", "--index", folder / "index"),
        cli("sign", good, "--out", out, "--password-file", tmp_path / "word.txt"),
        cli("config", "check", settings),
    ]
    for result in told:
        assert result.code in (0, 1, 2)
        for line in (result.out + result.err).splitlines():
            assert line.isprintable(), line
        assert result.err.count("two") <= 1 and "\\x1b]0;mine" in result.out + result.err
    red = failing("find", folder / "\x1b[31mred.jpg", "--in", folder, "--config", config)
    assert red.isprintable() and "\\x1b[31mred.jpg" in red
