"""A library that cannot be used: the search answers all the same, and one sentence says what is."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from objsearch.errors import LostIndexError
from objsearch.index.lance import Stored
from objsearch.search import references
from tests.apps.cli.conftest import Cli
from tests.pictures import drawing, encoded
from tests.processes import Commands

LONG_AGO = 1_700_000_000
WITHOUT_LANCE = """
import sys
sys.modules["lance"] = sys.modules["pyarrow"] = None
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache" / "library"
    monkeypatch.setenv("OBJSEARCH_LIBRARY", str(folder))
    return folder


@pytest.fixture
def photos(tmp_path: Path, library: Path) -> Path:
    """Two photos of the same, and one of something else, some time ago."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, seed in (("a.png", 1), ("b.bmp", 1), ("c.png", 2)):
        path = folder / name
        path.write_bytes(encoded(drawing(200, 260, seed), path.suffix[1:].upper()))
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


Asked = Callable[..., tuple[dict[str, Any], list[str]]]


@pytest.fixture
def asked(cli: Cli, photos: Path, config: Path) -> Asked:
    """Searches the photos; the answer, and the warnings that speak of what is remembered."""

    def run(*more: object) -> tuple[dict[str, Any], list[str]]:
        words = ("find", photos / "a.png", "--in", photos, "--config", config, "--json", *more)
        result = cli(*words)
        assert result.code == 0, result.err
        told = [line for line in result.err.splitlines() if "remember" in line or "index" in line]
        return result.data, told

    return run


def scores(answer: dict[str, Any]) -> list[tuple[str, float]]:
    return [(hit["ref"], hit["score"]) for hit in answer["hits"]]


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(scope="module")
def without_lance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Commands, Path]]:
    """A process that has no Lance, and the library that it would have."""
    folder = tmp_path_factory.mktemp("without lance") / "library"
    with Commands({**os.environ, "OBJSEARCH_LIBRARY": str(folder)}, WITHOUT_LANCE) as commands:
        yield commands, folder


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("find", "a.png", "--in", "."), 0),
        (("larger", "c.png", "--in", "."), 1),
        (("duplicates", "."), 0),
        (("screen", ".", "--block", "a.png"), 0),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_without_lance_all_is_found_and_nothing_remembered(
    command: tuple[str, ...],
    code: int,
    photos: Path,
    without_lance: tuple[Commands, Path],
    config: Path,
) -> None:
    commands, library = without_lance

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return commands.run(*command, "--config", config, *more, cwd=photos)

    told = run("--json")
    assert told.returncode == code, told.stderr
    json.loads(told.stdout)
    [sentence] = [line for line in told.stderr.splitlines() if "nothing is remembered" in line]
    assert "a stored index needs Lance: pip install pylance" in sentence
    assert sentence.endswith("--forget silences this")
    silenced = run("--json", "--forget")
    assert silenced.returncode == code and "remembered" not in silenced.stderr
    assert not library.exists()


@pytest.mark.parametrize("what", ["find", "build", "info"])
def test_without_lance_an_index_of_ones_own_is_refused(
    what: str, cli: Cli, photos: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    words: dict[str, tuple[object, ...]] = {
        "find": ("find", photos / "a.png", "--index", index),
        "build": ("index", "build", "--index", tmp_path / "other", photos, "--config", config),
        "info": ("index", "info", "--index", index),
    }
    cli("index", "build", "--index", index, photos, "--config", config)
    monkeypatch.setitem(sys.modules, "lance", None)
    result = cli(*words[what])
    assert result.code == 2 and not result.out and not (tmp_path / "other").exists()
    assert result.err.startswith("error: a stored index needs Lance: pip install pylance")
    assert len(result.err.splitlines()) == 1


def test_a_file_in_the_place_of_the_library_is_told(asked: Asked, library: Path) -> None:
    plain, none = asked("--forget")
    library.parent.mkdir()
    library.write_text("mine")
    answer, told = asked()
    assert scores(answer) == scores(plain) and none == []
    assert len(told) == 1 and "nothing is remembered" in told[0] and str(library) in told[0]
    assert library.read_text() == "mine"


def test_a_library_that_cannot_be_made_is_told(
    asked: Asked, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: str, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    plain, _ = asked("--forget")
    with monkeypatch.context() as patch:
        patch.setattr(os, "makedirs", refused)
        answer, told = asked()
    assert scores(answer) == scores(plain) and answer["remembered"] == 0
    [sentence] = told
    assert str(library) in sentence and sentence.endswith(
        "Permission denied; --forget silences this"
    )
    assert not library.exists()


def test_a_disk_that_fills_up_loses_nothing_and_the_search_answers(
    asked: Asked, photos: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was known is taken from the library, what is new is described and not kept."""
    asked()
    for seed in (1, 5, 6):
        path = photos / f"new {seed}.png"
        path.write_bytes(encoded(drawing(200, 260, seed), "PNG"))
        os.utime(path, (LONG_AGO, LONG_AGO))
    plain, _ = asked("--forget")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        answer, told = asked()
    assert scores(answer) == scores(plain) and answer["remembered"] == 3
    [sentence] = told
    assert "nothing more is remembered: cannot write to the index" in sentence
    assert str(library) in sentence and "No space left on device" in sentence
    assert sentence in [f"warning: {one}" for one in answer["warnings"]]
    answer, told = asked()
    assert scores(answer) == scores(plain) and (answer["remembered"], told) == (3, [])
    assert asked()[0]["remembered"] == 6


def test_what_was_kept_before_the_disk_was_full_stays(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, n_puts = Stored.put, 0

    with monkeypatch.context() as patch:

        def filling(self: Stored, rows: Any) -> None:
            nonlocal n_puts
            n_puts += 1
            if n_puts == 2:
                patch.setattr(os, "fsync", full)
            put(self, rows)

        patch.setattr(references, "PUT_AT_ONCE", 1)
        patch.setattr(Stored, "put", filling)
        answer, told = asked()
    assert answer["compared"] == 3 and len(told) == 1
    assert asked()[0]["remembered"] == 1


def test_a_library_that_cannot_be_tidied_is_told_and_searched(
    asked: Asked, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing new; what has vanished cannot be forgotten."""
    asked()
    (photos / "c.png").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        answer, told = asked()
    assert answer["remembered"] == answer["compared"] == 2
    assert len(told) == 1 and "No space left" in told[0]


@pytest.mark.parametrize("command", ["duplicates", "screen"])
def test_full_disks_do_not_keep_others_from_answering(
    command: str, cli: Cli, photos: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--block", photos / "a.png") if command == "screen" else ()
    words = (command, photos, *more, "--config", config, "--json")
    plain = cli(*words, "--forget")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = cli(*words)
    assert result.code == plain.code == 0
    told = [line for line in result.err.splitlines() if "remembered" in line]
    assert len(told) == 1 and "No space left on device" in told[0]
    assert [one for one in result.data["warnings"] if "remembered" in one]
    key = "groups" if command == "duplicates" else "filtered"
    assert result.data[key] == plain.data[key]


def datasets(library: Path) -> list[Path]:
    [folder] = library.iterdir()
    return sorted(folder.glob("*.lance"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("how", ["cut", "lost file", "lost dataset"])
def test_a_damaged_library_is_set_aside_and_begun_anew(
    number: int, how: str, asked: Asked, library: Path
) -> None:
    plain, _ = asked()
    dataset = datasets(library)[number % len(datasets(library))]
    files = [*(dataset / "data").iterdir()]
    if how == "lost dataset":
        shutil.rmtree(dataset)
    elif how == "lost file":
        files[0].unlink()
    else:
        cut(files[0])
    answer, told = asked()
    assert scores(answer) == scores(plain) and answer["remembered"] == 0
    [sentence] = told
    assert "is damaged (" in sentence and ".damaged-1'" in sentence
    assert sorted(path.suffix for path in library.iterdir()) == ["", ".damaged-1"]
    answer, told = asked()
    assert scores(answer) == scores(plain) and (answer["remembered"], told) == (3, [])


@pytest.mark.parametrize("dataset", ["rows", "keypoints-orb", "words"])
def test_what_was_written_over_is_set_aside(dataset: str, asked: Asked, library: Path) -> None:
    plain, _ = asked()
    [folder] = library.iterdir()
    [data] = (folder / f"{dataset}.lance" / "data").iterdir()
    data.write_bytes(bytes(data.stat().st_size))
    answer, told = asked()
    assert scores(answer) == scores(plain) and answer["remembered"] == 0
    assert len(told) == 1 and f"{dataset}.lance" in told[0] and "was written over" in told[0]
    assert asked()[0]["remembered"] == 3


def test_what_another_process_is_replacing_is_not_taken_for_damaged(
    asked: Asked, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record was read, and then the versions that it names went."""
    asked()
    check, n_looks = Stored.check, 0

    def once(self: Stored) -> None:
        nonlocal n_looks
        n_looks += 1
        if n_looks == 1:
            raise LostIndexError.of(str(library), "it is damaged")
        check(self)

    monkeypatch.setattr(Stored, "check", once)
    answer, told = asked()
    assert (answer["remembered"], told, n_looks) == (3, [], 2)
    assert len([*library.iterdir()]) == 1


def test_a_damaged_library_of_copies_is_set_aside(
    cli: Cli, photos: Path, config: Path, library: Path
) -> None:
    words = ("duplicates", photos, "--config", config, "--json")
    plain = cli(*words).data
    n_folders = len([*library.iterdir()])
    for folder in library.iterdir():
        cut(folder / "index.json")
    result = cli(*words)
    assert result.data["groups"] == plain["groups"] and result.data["remembered"] == 0
    assert sum("is damaged (" in line for line in result.err.splitlines()) == n_folders
    again = cli(*words)
    assert again.data["remembered"] == 3 and "damaged" not in again.err


def test_a_newer_library_is_left_alone(asked: Asked, library: Path) -> None:
    plain, _ = asked()
    [folder] = library.iterdir()
    record = folder / "index.json"
    newer = json.dumps({**json.loads(record.read_text()), "schema": 99})
    record.write_text(newer)
    before = sorted(str(path) for path in library.rglob("*"))
    answer, told = asked()
    assert scores(answer) == scores(plain) and answer["remembered"] == 0
    [sentence] = told
    assert "made by a newer objsearch" in sentence and "update objsearch" in sentence
    assert record.read_text() == newer
    assert sorted(str(path) for path in library.rglob("*")) == before


def test_a_library_of_a_schema_that_is_read_no_more_is_set_aside(
    asked: Asked, library: Path
) -> None:
    plain, _ = asked()
    [folder] = library.iterdir()
    record = folder / "index.json"
    older = json.dumps({**json.loads(record.read_text()), "schema": 0})
    record.write_text(older)
    answer, told = asked()
    assert scores(answer) == scores(plain) and len(told) == 1
    assert "made by an older objsearch" in told[0] and ".damaged-1'" in told[0]
    aside = folder.with_name(f"{folder.name}.damaged-1")
    assert (aside / "index.json").read_text() == older
    assert asked()[0]["remembered"] == 3
