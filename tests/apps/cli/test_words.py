"""One set of words for all commands, former ones with a hint; lists take all that follow."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from objsearch.apps.cli.app import reader, tree
from objsearch.apps.cli.command import FORMER
from tests.apps.cli.conftest import Cli
from tests.pictures import drawing, encoded

Failing = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos, two of them the same picture."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        (folder / name).write_bytes(encoded(drawing(160, 180, seed=number % 2), "JPEG"))
    (tmp_path / "q.jpg").write_bytes(encoded(drawing(160, 180, seed=1), "JPEG", quality=90))
    return folder


@pytest.fixture
def find(cli: Cli, config: Path, tmp_path: Path) -> Callable[..., Any]:
    base = ("find", tmp_path / "q.jpg", "--config", config, "--threshold", "0")
    return lambda *words: cli(*base, *words)


def test_in_takes_all_that_follow(find: Callable[..., Any], folder: Path) -> None:
    names = sorted(folder.iterdir())
    data = find("--in", *names, "--json").data
    assert [Path(one["ref"]).name for one in data["queries"]] == ["q.jpg"]
    assert data["scanned"] == 3
    assert find("--in", names[0], "--in", names[1], names[2], "--json").data["scanned"] == 3


def test_a_query_after_one_place_is_still_a_query(
    cli: Cli, failing: Failing, config: Path, folder: Path, tmp_path: Path
) -> None:
    query = tmp_path / "q.jpg"
    base = ("find", "--config", config, "--in", folder)
    assert cli(*base, query, "--json").code == 0
    said = failing(*base, query, query)
    assert said.startswith("which of the 3 names after --in belong to it?")


@pytest.mark.parametrize("option", ["--block", "--examples"])
def test_other_lists_take_all_that_follow(
    option: str, cli: Cli, failing: Failing, folder: Path, tmp_path: Path
) -> None:
    names = sorted(folder.iterdir())
    result = cli("screen", tmp_path / "q.jpg", option, *names, "--json")
    assert result.data["scanned"] == 1
    assert len(result.data["settings"][option.removeprefix("--")]) == 3
    assert "which of the 4 names" in failing("screen", option, *names, tmp_path / "q.jpg")


def test_protected_folders_of_duplicates_take_all_that_follow(cli: Cli, folder: Path) -> None:
    names = sorted(folder.iterdir())
    result = cli("duplicates", folder, "--reference", *names[:2], "--json")
    assert result.data["protected"] == [str(name) for name in names[:2]]


def test_a_pattern_that_the_shell_has_replaced_is_told(failing: Failing, folder: Path) -> None:
    names = sorted(folder.iterdir())
    said = failing("duplicates", folder, "--exclude", *names)
    assert said.startswith("--exclude was given names of files") and "quotes" in said


def test_a_command_that_is_named_is_read_without_the_others() -> None:
    """Reading what all of them take is most of a start."""

    def read(*words: str) -> set[str]:
        root: Any = reader(words)
        return set(root.commands)

    assert read("find", "a.png") == {"find"}
    assert read("index", "build") == {"index"}
    every = read()
    assert {"find", "index", "models"} < every
    for words in (("--help",), ("--version",), ("fnid",), ("", "find")):
        assert read(*words) == every


def commands() -> dict[str, Any]:
    root: Any = typer.main.get_command(tree())
    return {**root.commands, "duplicates": root.commands["duplicates"].commands["plan"]}


def options_of(command: Any) -> set[str]:
    return {name for one in command.params for name in one.opts if name.startswith("--")}


LOOKING = ("find", "larger", "screen", "signed", "duplicates")


@pytest.mark.parametrize("name", LOOKING)
def test_commands_that_look_at_many_photos_share_their_words(name: str) -> None:
    shared = {
        *("--include", "--exclude", "--files-from", "--null", "--config", "--set", "--workers"),
        *("--json", "--csv", "--paths", "--report", "--force"),
    }
    assert shared - options_of(commands()[name]) == set()


def test_no_former_name_is_a_name() -> None:
    for command, former in FORMER.items():
        known = options_of(commands()[command])
        assert known.isdisjoint(former) and set(former.values()) <= known


def test_former_names_work_with_a_hint(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    query = tmp_path / "q.jpg"
    result = cli("larger", query, folder, "--config", config, f"--html={page}")
    assert result.err.splitlines()[:2] == [
        "hint: --html is called --report now",
        "hint: photos to search come after --in: objsearch larger QUERY --in PATH...",
    ]
    assert page.exists()
    assert "No such option" in cli("find", query, "--in", folder, "--html", page).err


# Lists of names


def test_names_from_standard_input_and_files(
    find: Callable[..., Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    odd = folder / "two\nlines.jpg"
    shutil.copy(folder / "a.jpg", odd)
    lines = f"{folder / 'a.jpg'}\r\n{folder / 'b.jpg'}\n\n".encode()
    given(lines)
    assert find("--in", "-", "--json").data["scanned"] == 2
    given(f"{folder / 'a.jpg'}\0{odd}\0".encode())
    assert find("--in", "-", "-0", "--json").data["scanned"] == 2
    listing = tmp_path / "list.txt"
    listing.write_bytes(b"\xef\xbb\xbf" + lines)
    assert find("--files-from", listing, "--json").data["scanned"] == 2
    given(lines)
    assert find("--files-from", "-", "--in", folder / "c.jpg", "--json").data["scanned"] == 3


def test_mistakes_with_lists_are_told(
    failing: Failing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, null = tmp_path / "empty.txt", tmp_path / "null.txt"
    empty.touch()
    null.write_bytes(b"a.jpg\0b.jpg\0")
    assert failing("screen", "--files-from", empty) == "the list of names is empty"
    assert "say so with --null (-0)" in failing("signed", "--files-from", null)
    assert "cannot read" in failing("duplicates", "--files-from", tmp_path / "gone.txt")
    for command in ("screen", "signed", "duplicates", "detect"):
        assert "name photos or folders" in failing(command, "--set", "input.dpi=100")


def test_paths_alone_for_other_programs(
    find: Callable[..., Any], cli: Cli, folder: Path, failing: Failing
) -> None:
    hits = find("--in", folder, "--json").data["hits"]
    names = [hit["ref"] for hit in hits]
    assert find("--in", folder, "--paths").out.splitlines() == names
    assert find("--in", folder, "--paths", "-0").out == "".join(f"{name}\0" for name in names)
    removed = cli("duplicates", folder, "--paths").out.splitlines()
    assert len(removed) == 1 and removed[0] in (str(folder / "a.jpg"), str(folder / "c.jpg"))
    flagged = cli("screen", folder, "--block", folder / "b.jpg", "--paths").out.splitlines()
    assert str(folder / "b.jpg") in flagged
    assert "not both" in failing("screen", folder, "--json", "--paths")


# Verdicts


def test_the_exit_code_tells_the_verdict(cli: Cli, config: Path, folder: Path) -> None:
    base = ("find", folder / "a.jpg", "--in", folder / "b.jpg", folder / "c.jpg")
    base = (*base, "--config", config, "--threshold", "0", "--json")
    everything = cli(*base)
    verdicts = {Path(one["ref"]).name: one["verdict"] for one in everything.data["hits"]}
    assert verdicts == {"c.jpg": "same", "b.jpg": "different"}
    assert everything.code == 0
    same = cli(*base, "--verdict", "same")
    assert [Path(one["ref"]).name for one in same.data["hits"]] == ["c.jpg"]
    assert (same.code, same.data["found"]) == (0, 1)
    assert cli(*base, "--verdict", "uncertain").code == 1
    told = cli(*base[:-1], "--verdict", "uncertain").out
    assert "no image scored 0% or more with the verdict uncertain" in told
    assert cli(*base, "--verdict", "uncertain", "--verdict", "same").code == 0
    only_different = ("find", folder / "a.jpg", "--in", folder / "b.jpg", *base[5:])
    answer = cli(*only_different)
    assert (answer.code, len(answer.data["hits"])) == (1, 1)
