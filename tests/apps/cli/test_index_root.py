"""An index that is moved along with its kept, through the commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from tests.apps.cli.conftest import Cli
from tests.apps.cli.test_index import aged


@pytest.fixture
def config(reading_again: Path) -> Path:
    """The settings of this module."""
    return reading_again


@pytest.fixture
def kept(some: list[Path], tmp_path: Path) -> Path:
    folder = tmp_path / "disk" / "photos"
    folder.mkdir(parents=True)
    for path in some:
        shutil.copy(path, folder)
    for path in folder.iterdir():
        aged(path)
    return folder


@pytest.fixture
def index(cli: Cli, config: Path, kept: Path) -> Path:
    """An index inside the folder of the photos."""
    folder = kept / "my index"
    built = cli("index", "build", "--index", folder, kept, "--root", kept, "--config", config)
    assert built.code == 0, built.err
    return folder


@pytest.fixture
def query(kept: Path, tmp_path: Path) -> Path:
    """A part of one of the photos."""
    with PillowImage.open(kept / "old_street.jpg") as photo:
        width, height = photo.size
        path = tmp_path / "query.png"
        photo.crop((0, 0, width * 3 // 4, height * 3 // 4)).save(path)
    return path


def test_an_index_that_was_moved_with_its_photos_just_works(
    cli: Cli, index: Path, kept: Path, query: Path, tmp_path: Path
) -> None:
    words = ("--threshold", 0, "--json")
    here = cli("find", query, "--index", index, *words).data["hits"]
    moved = kept.parent.rename(tmp_path / "other disk") / "photos"
    found = cli("find", query, "--index", moved / "my index", *words)
    there = found.data["hits"]
    assert found.err == "" and len(there) == 5
    names = [hit["ref"].replace(str(kept), str(moved)) for hit in here]
    assert [hit["ref"] for hit in there] == names and all(Path(one).is_file() for one in names)
    said = [[(h["score"], h["verdict"], h["note"]) for h in hits] for hits in (here, there)]
    assert said[0] == said[1] and said[0][0][1] == "same"
    facts = cli("index", "info", "--index", moved / "my index", "--json").data
    assert facts["root"] == str(moved) and facts["next"] == []
    again = cli("index", "update", "--index", moved / "my index", "--json").data
    assert (again["described"], again["unreadable"]) == (0, [])


def test_where_the_photos_lie_now_can_be_said(
    cli: Cli, index: Path, kept: Path, query: Path, tmp_path: Path
) -> None:
    away = tmp_path / "index alone"
    shutil.move(index, away)
    elsewhere = kept.rename(tmp_path / "elsewhere")
    lost = cli("find", query, "--index", away, "--json")
    assert lost.err.count("the root '") == 1 and "say by --root where it lies now" in lost.err
    hit = lost.data["hits"][0]
    assert (hit["verdict"], hit["note"]) == ("uncertain", "not_read_again")
    found = cli("find", query, "--index", away, "--root", elsewhere, "--json")
    hit = found.data["hits"][0]
    assert found.err == "" and hit["verdict"] == "same"
    assert hit["ref"] == str(elsewhere / "old_street.jpg")


@pytest.mark.parametrize("is_empty", [False, True], ids=["no folder", "where a disk was mounted"])
@pytest.mark.parametrize("verb", ["prune", "update"])
def test_photos_that_are_away_are_not_taken_for_gone(
    is_empty: bool, verb: str, cli: Cli, index: Path, kept: Path, query: Path, tmp_path: Path
) -> None:
    away = shutil.move(index, tmp_path / "index")
    kept.rename(tmp_path / "elsewhere")
    if is_empty:
        kept.mkdir()
    refused = cli("index", verb, "--index", away)
    assert refused.code == 2 and "say by --root where it lies now" in refused.err
    assert cli("index", "info", "--index", away, "--json").data["next"] == []
    assert "is not there, or empty" in cli("find", query, "--index", away).err
    words = ("--index", away, "--root", tmp_path / "elsewhere")
    assert cli("index", verb, *words).code == 0
    facts = cli("index", "info", *words, "--json").data
    assert facts["n_described"] == 5 and facts["vanished"] == 0
    assert f"root: {tmp_path / 'elsewhere'}" in cli("index", "info", *words).out.splitlines()


def test_a_photo_outside_the_root_is_refused_before_anything_is_described(
    cli: Cli, config: Path, index: Path, queries: Path
) -> None:
    refused = cli("index", "add", "--index", index, queries, "--config", config)
    assert refused.code == 2
    assert "lies outside" in refused.err and "make another index for these" in refused.err
    assert cli("index", "info", "--index", index, "--json").data["n_described"] == 5


def test_a_root_stays_when_an_index_is_built_anew(
    cli: Cli, config: Path, index: Path, kept: Path
) -> None:
    words = ("index", "build", "--index", index, kept, "--config", config, "--anew")
    assert cli(*words).code == 0
    assert cli("index", "info", "--index", index, "--json").data["root"] == str(kept)


def test_a_root_without_an_index_is_told(cli: Cli, kept: Path, queries: Path) -> None:
    refused = cli("find", queries / "palace.jpg", "--in", kept, "--root", kept)
    assert refused.code == 2 and "name that by --index" in refused.err
    made = cli("index", "build", "--index", kept / "x", kept, "--root", kept / "none")
    assert made.code == 2 and "is no folder: name the one that holds the photos" in made.err
    assert not (kept / "x").exists()
