"""`objsearch index`, and what `find` remembers without being asked."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from objsearch.index import lance_writer
from tests.apps.cli.conftest import Cli
from tests.pictures import drawing, encoded


@pytest.fixture
def config(reading_again: Path) -> Path:
    """The settings of this module."""
    return reading_again


@pytest.fixture
def folder(some: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A few photos, some minutes old; what is remembered of them lies beside them."""
    monkeypatch.setenv("OBJSEARCH_LIBRARY", str(tmp_path / "library"))
    photos = tmp_path / "photos"
    photos.mkdir()
    for path in some:
        shutil.copy(path, photos)
    for path in photos.iterdir():
        aged(path)
    return photos


def aged(path: Path, seconds: int = 1_700_000_000) -> Path:
    """As of a moment: what was written just now is not trusted to be what it was."""
    os.utime(path, (seconds, seconds))
    return path


def without_time(answer: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in answer.items() if k not in ("elapsed_seconds", "remembered")}


def test_the_second_search_reads_no_reference_and_answers_the_same(
    cli: Cli, config: Path, folder: Path, queries: Path
) -> None:
    words = ("find", queries / "palace.jpg", "--in", folder, "--config", config, "--json")
    options = ("--set", "search.threshold=0")
    first, second = cli(*words, *options).data, cli(*words, *options).data
    assert (first["remembered"], second["remembered"]) == (0, 5)
    assert without_time(first) == without_time(second)
    assert len(second["hits"]) == 5
    forgetful = cli(*words, *options, "--forget").data
    assert forgetful["remembered"] == 0
    assert [hit["score"] for hit in forgetful["hits"]] == [hit["score"] for hit in second["hits"]]


def test_photos_of_a_disk_that_is_away_stay_remembered(
    cli: Cli, config: Path, folder: Path, queries: Path, tmp_path: Path
) -> None:
    """Its mount point is an empty folder then."""
    query = queries / "palace.jpg"
    disk, unmounted, beside = tmp_path / "disk", tmp_path / "unmounted", tmp_path / "beside"
    shutil.copytree(folder, disk)
    beside.mkdir()
    shutil.copy2(query, beside)
    words = ("find", query, "--config", config, "--json", "--in", disk)
    assert cli(*words).data["remembered"] == 0
    disk.rename(unmounted)
    disk.mkdir()
    alone, both = cli(*words), cli(*words, beside)
    told = f"'{disk}' is empty, as where a disk is not mounted: 5 photos that are remembered"
    assert alone.code == 2 and len(alone.err.splitlines()) == 1 and told in alone.err
    assert both.code == 0 and told in both.err
    disk.rmdir()
    unmounted.rename(disk)
    assert cli(*words).data["remembered"] == 5


def test_larger_says_how_many_it_remembers(cli: Cli, config: Path, folder: Path) -> None:
    words = ("larger", folder / "toys.jpg", "--in", folder, "--config", config)
    assert cli(*words, "--json").data["remembered"] == 0
    again = cli(*words)
    assert "5 scanned, 5 remembered, 0 skipped" in " ".join((again.out + again.err).split())
    assert cli(*words, "--json").data["remembered"] == 5


def test_what_changes_is_read_again_and_what_vanishes_is_forgotten(
    cli: Cli, config: Path, folder: Path
) -> None:
    words = ("find", folder / "coins.png", "--in", folder, "--config", config, "--json")
    cli(*words)
    aged(folder / "toys.jpg").write_bytes(encoded(drawing(200, 300, 3), "PNG"))
    aged(folder / "toys.jpg", 1_700_000_500)
    (folder / "notebook.jpg").unlink()
    (folder / "broken.jpg").write_bytes(b"no picture")
    answer = cli(*words).data
    assert (answer["remembered"], answer["compared"]) == (3, 4)
    assert [Path(one["ref"]).name for one in answer["skipped"]] == ["broken.jpg"]
    assert cli(*words).data["remembered"] == 4  # what was written just now is not trusted yet
    aged(folder / "broken.jpg")
    cli(*words)
    answer = cli(*words).data
    assert answer["remembered"] == 5
    assert [Path(one["ref"]).name for one in answer["skipped"]] == ["broken.jpg"]


def test_a_search_looks_only_where_it_was_told_to(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    aged(Path(shutil.copy(folder / "toys.jpg", other / "again.jpg")))
    common = ("--config", config, "--json", "--set", "search.threshold=0")
    cli("find", folder / "coins.png", "--in", folder, *common)
    cli("find", folder / "coins.png", "--in", other, *common)
    answer = cli("find", folder / "coins.png", "--in", other, *common).data
    assert answer["remembered"] == answer["compared"] == 1
    assert [Path(hit["ref"]).name for hit in answer["hits"]] == ["again.jpg"]


def test_names_are_those_that_were_given(
    cli: Cli, config: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = ("--config", config, "--json", "--set", "search.threshold=0")
    cli("find", folder / "coins.png", "--in", folder, *common)
    monkeypatch.chdir(folder.parent)
    answer = cli("find", "photos/coins.png", "--in", "photos", *common).data
    assert answer["remembered"] == 5
    assert all(hit["ref"].startswith("photos/") for hit in answer["hits"])


def test_an_index_of_ones_own(cli: Cli, config: Path, folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "my index"
    built = cli("index", "build", "--index", index, folder, "--config", config, "--json")
    assert built.data == {"described": 5, "remembered": 0, "removed": 0, "unreadable": []}
    again = cli("index", "build", "--index", index, folder, "--config", config, "--json")
    assert again.data["remembered"] == 5
    found = cli("find", folder / "toys.jpg", "--index", index, "--include-query", "--json")
    assert Path(found.data["hits"][0]["ref"]).name == "toys.jpg"
    facts = json.loads(cli("index", "info", "--index", index, "--json").out)
    assert facts["n_described"] == 5 and facts["changed"] == facts["vanished"] == 0
    (folder / "toys.jpg").unlink()
    assert json.loads(cli("index", "info", "--index", index, "--json").out)["vanished"] == 1
    assert "1 forgotten" in cli("index", "prune", "--index", index).out
    assert "1 forgotten" in cli("index", "remove", folder / "coins.png", "--index", index).out
    assert cli("index", "compact", "--index", index).code == 0
    assert json.loads(cli("index", "info", "--index", index, "--json").out)["n_described"] == 3


def test_changed_photos_are_brought_up_to_date(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    cli("index", "build", "--index", index, folder, "--config", config)
    aged(folder / "toys.jpg", 1_700_000_500)  # touched, it shows what it did
    updated = cli("index", "update", "--index", index, "--json").data
    assert (updated["described"], updated["remembered"]) == (0, 5)
    shutil.copy(folder / "coins.png", folder / "toys.jpg")
    updated = cli("index", "update", "--index", index, "--json").data
    assert (updated["described"], updated["remembered"]) == (1, 4)


def test_an_index_can_be_carried_elsewhere(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    cli("index", "build", "--index", index, folder, "--config", config)
    shutil.copytree(index, tmp_path / "disk" / "copy")
    shutil.rmtree(index)
    found = cli("find", folder / "toys.jpg", "--index", tmp_path / "disk" / "copy", "--json")
    assert found.code in (0, 1) and found.data["compared"] == 5


def test_what_is_said_of_a_search_is_said_on_top_of_how_an_index_was_made(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = ("--index", tmp_path / "index")
    cli("index", "build", *index, folder, "--config", config)
    find = ("find", folder / "toys.jpg", *index, "--json")
    for more in (("--set", "search.top=1"), ("--workers", 1), ("--include", "*")):
        assert cli(*find, *more).data["scanned"] == 5
    assert cli(*find, "--set", "search.top=1").data["settings"]["search"]["top"] == 1
    for verb, more in (("add", ("--set", "thumbnails=true")), ("add", ("--exclude", "*_old*"))):
        assert "5 remembered" in cli("index", verb, *index, folder, *more).out
    assert "5 remembered" in cli("index", "update", *index, "--workers", 1).out
    other = cli(*find, "--set", "input.dpi=99")
    assert other.code == 2 and "input.dpi is 150.0 instead of 99.0" in other.err


@pytest.mark.parametrize("text", [None, "", "{", '"a"'])
def test_an_index_whose_settings_are_lost_is_mended_by_naming_them_or_built_anew(
    cli: Cli, config: Path, folder: Path, tmp_path: Path, text: str | None
) -> None:
    index, settings = ("--index", tmp_path / "index"), tmp_path / "index" / "settings.json"

    def lose() -> None:
        settings.unlink()
        if text is not None:
            settings.write_text(text)

    cli("index", "build", *index, folder, "--config", config)
    lose()
    for words in (("find", folder / "toys.jpg"), ("index", "info"), ("index", "add", folder)):
        lost = cli(*words, *index)
        assert lost.code == 2 and "is damaged (settings.json: " in lost.err and "anew" in lost.err
    assert cli("find", folder / "toys.jpg", *index, "--config", config).code in (0, 1)
    assert "5 remembered" in cli("index", "add", *index, folder, "--config", config).out
    assert "5 remembered" in cli("index", "update", *index).out
    lose()
    words = ("index", "build", *index, folder, "--anew")
    assert "5 described" in cli(*words, "--config", config).out
    lose()
    assert cli(*words, "--set", "detector=whole-image", "--workers", 1).code == 0
    assert (tmp_path / "index" / "rows.damaged-2").is_dir()


def test_a_search_can_be_told_to_look_at_all(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = ("--index", tmp_path / "index")
    cli("index", "build", *index, folder, "--config", config)
    exact = ("--set", "index.name=lance", "--set", "index.exact=true", "--json")
    cli("find", folder / "toys.jpg", "--in", folder, "--config", config)
    for words in (index, ("--in", folder, "--config", config)):
        answer = cli("find", folder / "toys.jpg", *words, *exact).data
        assert answer["settings"]["index"]["exact"] and answer["scanned"] == 5
    assert answer["remembered"] == 5
    forgetful = ("--in", folder, "--config", config, "--forget")
    nowhere = cli("find", folder / "toys.jpg", *forgetful, *exact)
    assert nowhere.code == 2 and "index.path is not given" in nowhere.err


def test_a_build_that_described_nothing_binds_no_later_one(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = ("--index", tmp_path / "index")
    mistaken = cli("index", "build", *index, folder / "mistaken.jpg", "--preset", "orb")
    assert mistaken.code == 2 and "no such" in mistaken.err
    assert cli("index", "build", *index, folder, "--config", config).code == 0
    assert cli("find", folder / "toys.jpg", *index, "--json").data["compared"] == 5


@pytest.mark.parametrize("name", ["a#page=2.jpg", "b#t=.jpg", "c#xywh=1,2.jpg"])
def test_a_name_that_ends_nearly_as_a_page_or_a_part_is_a_name(
    cli: Cli, config: Path, folder: Path, tmp_path: Path, name: str
) -> None:
    aged(shutil.copy(folder / "toys.jpg", folder / name))
    search = ("find", folder / "toys.jpg", "--in", folder, "--config", config, "--json")
    first, second = cli(*search).data, cli(*search).data
    assert (first["remembered"], second["remembered"]) == (0, 6)
    assert str(folder / name) in {hit["ref"] for hit in second["hits"]}
    index = tmp_path / "index"
    assert cli("index", "build", "--index", index, folder, "--config", config).code == 0
    assert "6 remembered" in cli("index", "update", "--index", index).out
    assert "1 forgotten" in cli("index", "remove", folder / name, "--index", index).out
    (folder / name).unlink()
    assert cli(*search).data["scanned"] == 5


def test_mistakes_are_told_in_a_sentence(
    cli: Cli, config: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    missing = cli("find", folder / "toys.jpg", "--index", index)
    assert missing.code == 2 and "is no index: make one by" in missing.err
    cli("index", "build", "--index", index, folder, "--config", config)
    other = cli("index", "build", "--index", index, folder, "--preset", "orb")
    assert other.code == 2 and "instead of" in other.err
    assert cli("index", "build", "--index", folder, folder).code == 2
    nothing = cli("index", "remove", tmp_path / "elsewhere", "--index", index)
    assert nothing.code == 2 and "holds nothing of" in nothing.err
    no_place = cli("index", "remove", f"{folder / 'toys.jpg'}#xywh=here", "--index", index)
    assert no_place.code == 2 and "holds nothing of" in no_place.err
    monkeypatch.chdir(folder)  # as where a script's variable was never set
    no_name = cli("index", "remove", "", "--index", index)
    assert no_name.code == 2 and "holds nothing of ''" in no_name.err
    both = cli("find", folder / "toys.jpg", "--in", folder, "--forget", "--library", tmp_path)
    assert both.code == 2 and "not both" in both.err


def test_a_damaged_index_is_refused_and_built_anew_where_that_is_asked_for(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    words = ("index", "build", "--index", index, folder)
    cli(*words, "--config", config)
    record = index / "rows" / "index.json"
    record.write_text("{")
    for command in (words, ("index", "info", "--index", index)):
        refused = cli(*command)
        assert refused.code == 2 and "is damaged (" in refused.err and "anew" in refused.err
        assert len(refused.err.splitlines()) == 1 and record.read_text() == "{"
    assert cli(*words, "--anew", "--json").data["described"] == 5
    assert sorted(path.name for path in index.iterdir()) == [
        *("rows", "rows.damaged-1", "settings.json")
    ]
    assert (index / "rows.damaged-1" / "index.json").read_text() == "{"
    assert cli(*words, "--json").data["remembered"] == 5


def test_an_index_of_other_settings_is_built_anew_by_those(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    cli("index", "build", "--index", index, folder, "--config", config)
    other = ("--config", config, "--set", "input.working_side=900")
    words = ("index", "build", "--index", index, folder)
    assert cli(*words, *other).code == 2
    assert cli(*words, *other, "--anew", "--json").data["described"] == 5
    assert cli("index", "update", "--index", index, "--json").data["remembered"] == 5


@pytest.mark.parametrize("where", ["photos/toys.jpg", "photos/toys.jpg/index"])
def test_a_place_where_no_index_can_be_is_told(
    where: str, cli: Cli, config: Path, folder: Path
) -> None:
    index = folder.parent / where
    told = cli("index", "build", "--index", index, folder, "--config", config)
    assert told.code == 2 and len(told.err.splitlines()) == 1 and str(index) in told.err


def test_a_full_disk_is_told_and_what_was_done_stays(
    cli: Cli, config: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    index = tmp_path / "index"
    words = ("index", "build", "--index", index, folder)
    cli(*words, "--config", config, "--exclude", "toys.jpg")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        told = cli("index", "add", "--index", index, folder / "toys.jpg")
        assert told.code == 2 and len(told.err.splitlines()) == 1
        assert str(index) in told.err and "No space left on device" in told.err
        found = cli("find", folder / "toys.jpg", "--index", index, "--json")
        assert found.code in (0, 1) and found.data["compared"] == 4
    assert cli("index", "add", "--index", index, folder, "--json").data["remembered"] == 4


def test_info_says_what_is_there_and_what_should_be_done_next(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    """What it names as the next command can be typed as it stands, and is not due afterwards."""
    index = tmp_path / "my index"
    aged(folder / "coins.png").write_bytes(b"no picture")
    aged(folder / "coins.png")
    cli("index", "build", "--index", index, folder, "--config", config)
    facts = cli("index", "info", "--index", index, "--json").data
    assert facts["next"] == [] and facts["n_described"] == 4 and facts["n_bytes_spare"] == 0
    assert facts["unreadable"] == [
        {"ref": str(folder / "coins.png"), "reason": "not an image in a known format"}
    ]
    assert facts["recipe"]["descriptors.orb.n_points"] == "400" and facts["schema"] == 2
    assert {"rows", "keypoints-orb"} <= facts["versions"].keys() <= facts["n_bytes"].keys()
    told = cli("index", "info", "--index", index).out
    for part in (
        "4 described, with 4 regions",
        f"  {folder / 'coins.png'}: not an image in a known format\n",
        "  descriptors.orb: name orb, ",
        "since then: 0 changed, 0 uncertain, 0 vanished, 0 unreachable\n",
        "  rows: ",
        "next: nothing\n",
    ):
        assert part in told
    aged(folder / "coins.png", 1_700_000_500)
    os.utime(folder / "notebook.jpg")
    (folder / "toys.jpg").unlink()
    facts = cli("index", "info", "--index", index, "--json").data
    assert [facts[name] for name in ("changed", "uncertain", "vanished")] == [2, 0, 1]
    assert [one["why"] for one in facts["next"]] == ["2 files are changed", "1 file is gone"]
    for step in facts["next"]:
        assert cli(*shlex.split(step["command"])[1:]).code in (0, 1)
    facts = cli("index", "info", "--index", index, "--json").data
    assert [facts[name] for name in ("changed", "uncertain", "vanished")] == [0, 1, 0]
    assert "1 file is written just before" in facts["next"][0]["why"]


def test_photos_in_a_folder_that_is_closed_are_not_gone(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    shelf = folder / "shelf"
    shelf.mkdir()
    for name in ("toys.jpg", "coins.png"):
        (folder / name).rename(shelf / name)
    index = tmp_path / "index"
    cli("index", "build", "--index", index, folder, "--config", config)
    search = ("find", tmp_path / "photos" / "notebook.jpg", "--in", folder, "--config", config)
    cli(*search)
    shelf.rename(tmp_path / "away")
    shelf.symlink_to(shelf)  # a way that the system refuses to go, as one without rights
    facts = cli("index", "info", "--index", index, "--json").data
    assert (facts["unreachable"], facts["vanished"], facts["next"]) == (2, 0, [])
    assert "0 forgotten" in cli("index", "prune", "--index", index).out
    cli(*search)
    shelf.unlink()
    (tmp_path / "away").rename(shelf)
    assert cli(*search, "--json").data["remembered"] == 5
    assert "5 remembered" in cli("index", "update", "--index", index).out


def test_a_folder_that_could_not_be_read_is_read_when_it_can_be(
    cli: Cli, config: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = folder / "shelf"
    shelf.mkdir()
    (folder / "toys.jpg").rename(shelf / "toys.jpg")
    scan = os.scandir

    def refusing(path: str) -> Any:
        if os.path.basename(path) == "shelf":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scan(path)

    index, other = ("--index", tmp_path / "index"), ("--index", tmp_path / "other")
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refusing)
        built = cli("index", "build", *index, folder, "--config", config)
        assert built.code == 1 and "shelf: the folder cannot be read" in built.err
        assert cli("index", "build", *other, shelf, "--config", config).code == 1
        assert "1 unreadable" in cli("index", "update", *index).out
    [due] = cli("index", "info", *index, "--json").data["next"]
    assert cli(*shlex.split(due["command"])[1:]).code == 0
    for told, named in ((index, folder), (other, shelf)):
        assert cli("index", "add", *told, named).code == 0
        facts = cli("index", "info", *told, "--json").data
        assert (facts["unreadable"], facts["uncertain"], facts["next"]) == ([], 0, [])
    assert cli("index", "info", *index, "--json").data["n_described"] == 5


def test_of_what_was_named_in_part_only_the_part_is_brought_up_to_date(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = ("--index", tmp_path / "index")
    part, both = f"{folder / 'toys.jpg'}#xywh=10,10,90,90", folder / "coins.png"
    cli("index", "build", *index, part, both, f"{both}#xywh=0,0,50,50", "--config", config)
    assert "0 described, 3 remembered" in cli("index", "update", *index).out
    for name in ("toys.jpg", "coins.png"):
        shutil.copy(folder / "notebook.jpg", folder / name)
        aged(folder / name, 1_700_000_500)
    assert "3 described" in cli("index", "update", *index).out
    facts = cli("index", "info", *index, "--json").data
    assert (facts["n_described"], facts["changed"]) == (3, 0)


def test_info_counts_what_compacting_gives_back(
    cli: Cli, config: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    cli("index", "build", "--index", index, folder, "--config", config)
    names = [path for path in sorted(folder.iterdir()) if path.name != "toys.jpg"]
    cli("index", "remove", *names, "--index", index)
    facts = cli("index", "info", "--index", index, "--json").data
    assert facts["n_bytes_spare"] > 0.5 * facts["n_bytes"]["keypoints-orb"]
    [step] = facts["next"]
    assert step["why"].endswith("bytes are of what was forgotten or replaced")
    assert cli(*shlex.split(step["command"])[1:]).code == 0  # versions before stay for a day
    monkeypatch.setattr(lance_writer, "KEPT_FOR", timedelta(0))
    [freed] = re.findall("^freed: ([0-9,]+) bytes", cli(*shlex.split(step["command"])[1:]).out)
    assert int(freed.replace(",", "")) > 0.5 * facts["n_bytes_spare"]
    facts = cli("index", "info", "--index", index, "--json").data
    assert (facts["next"], facts["n_bytes_spare"], facts["n_described"]) == ([], 0, 1)


def test_urls_of_an_index_are_not_taken_for_files_that_are_gone(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    url = "http://127.0.0.1:9/photo.jpg"
    cli("index", "build", "--index", index, folder, url, "--config", config)
    facts = cli("index", "info", "--index", index, "--json").data
    assert url in [one["ref"] for one in facts["unreadable"]] and facts["vanished"] == 0
    assert "0 forgotten" in cli("index", "prune", "--index", index).out


def test_all_of_an_index_can_be_read_to_see_whether_it_is_whole(
    cli: Cli, config: Path, folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    cli("index", "build", "--index", index, folder, "--config", config)
    words = ("index", "info", "--index", index, "--check")
    assert "checked: 3 files hold what was written" in cli(*words).out.splitlines()
    assert cli(*words, "--json").data["checked"] == {"n_files": 3, "n_without_sum": 0}
    [path] = (index / "rows" / "keypoints-orb.lance" / "data").iterdir()
    held = bytearray(path.read_bytes())
    held[1000] ^= 1
    path.write_bytes(held)
    assert cli("index", "info", "--index", index).code == 0
    damaged = cli(*words)
    assert damaged.code == 2 and damaged.err.count("\n") == 1 and "keypoints-orb" in damaged.err
