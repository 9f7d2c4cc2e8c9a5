"""Thumbnails of hits on request: what a page shows with the disk away."""

from __future__ import annotations

import base64
import io
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from tests.apps.cli.conftest import Cli
from tests.apps.cli.test_index import aged

REMARK = "A kept thumbnail: the file is gone or has changed."


@pytest.fixture
def config(reading_again: Path) -> Path:
    """The settings of this module."""
    return reading_again


@pytest.fixture
def kept(some: list[Path], tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in some:
        aged(Path(shutil.copy(path, folder)))
    return folder


@pytest.fixture
def query(kept: Path, tmp_path: Path) -> Path:
    with PillowImage.open(kept / "old_street.jpg") as photo:
        width, height = photo.size
        photo.crop((0, 0, width * 3 // 4, height * 3 // 4)).save(tmp_path / "query.png")
    return tmp_path / "query.png"


def pictures(page: Path) -> list[PillowImage.Image]:
    found = re.findall(r'href="data:image/jpeg;base64,([^"]+)"', page.read_text())
    return [PillowImage.open(io.BytesIO(base64.b64decode(text))) for text in found]


def test_a_page_shows_thumbnails_where_the_photos_are_away(
    cli: Cli, config: Path, kept: Path, query: Path, tmp_path: Path
) -> None:
    index, page = tmp_path / "index", tmp_path / "page.html"
    words = ("--config", config, "--set", "thumbnails=true")
    assert cli("index", "build", "--index", index, kept, *words).code == 0
    asked = ("find", query, "--index", index, "--report", page, "--force", "--json")
    assert cli(*asked).data["hits"][0]["verdict"] == "same"
    assert REMARK not in page.read_text() and max(max(p.size) for p in pictures(page)) > 256
    kept.rename(tmp_path / "elsewhere")
    [hit] = cli(*asked).data["hits"]
    assert (hit["verdict"], hit["note"]) == ("uncertain", "not_read_again")
    assert REMARK in page.read_text()
    sizes = sorted(max(one.size) for one in pictures(page))
    assert len(sizes) == 2 and sizes[0] == 256 < sizes[1]  # that of the query is at hand


def test_none_are_kept_unless_they_are_asked_for(
    cli: Cli, config: Path, kept: Path, query: Path, tmp_path: Path
) -> None:
    index, page = tmp_path / "index", tmp_path / "page.html"
    cli("index", "build", "--index", index, kept, "--config", config)
    info = ("index", "info", "--index", index, "--json")
    assert "thumbnails" not in cli(*info).data["n_bytes"]
    more = ("--config", config, "--set", "thumbnails=true", "--json")
    later = cli("index", "add", "--index", index, kept, *more).data
    assert (later["described"], later["remembered"]) == (0, 5)  # they are no part of a recipe
    assert cli(*info).data["n_bytes"]["thumbnails"] > 5 * 1000
    aged(Path(shutil.copy(kept / "toys.jpg", kept / "more.jpg")), 1_600_000_000)
    cli("index", "add", "--index", index, kept)  # from then on it is said by the index
    kept.rename(tmp_path / "elsewhere")
    cli("find", query, "--index", index, "--report", page, "--threshold", 0)
    assert page.read_text().count(REMARK) == 6


def test_a_library_keeps_them_too(
    cli: Cli, config: Path, kept: Path, query: Path, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    asked = ("find", query, "--in", kept, "--config", config, "--library", library, "--json")
    first = cli(*asked).data
    assert not list(library.glob("*/thumbnails.lance"))
    second = cli(*asked, "--set", "thumbnails=true").data
    assert len(list(library.glob("*/thumbnails.lance"))) == 1
    unsaid = ("elapsed_seconds", "remembered")
    plain = [{k: v for k, v in one.items() if k not in unsaid} for one in (first, second)]
    assert plain[0] == plain[1] and second["remembered"] == 5
    forgetful = ("find", query, "--in", kept, "--config", config, "--forget", "--json")
    assert cli(*forgetful, "--set", "thumbnails=true").code == 0
