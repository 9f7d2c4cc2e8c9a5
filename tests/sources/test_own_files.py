"""What of an index is passed over where it lies among photos, and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from objsearch.index.lance import Lance
from objsearch.sources import expand
from objsearch.tasks.indexing import build_index
from tests.contracts.rows import RECIPE, By, rich_row


def listed(folder: Path) -> list[str]:
    return [str(Path(place.ref.uri).relative_to(folder)) for place in expand(folder)]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").touch()
    return folder


def test_rows_among_photos_are_no_photos(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("objsearch.index.lance_words.WORTH_A_FILE", 2)
    index = Lance(path=str(photos / "library" / "rows")).open(RECIPE, {"fake": By(0)})
    index.put([rich_row(f"{i}.png", i) for i in range(4)])
    index.remove(["0.png"])
    index.close()
    held = {path.name for path in (photos / "library" / "rows").iterdir()}
    assert {"index.json", "rows.lance", "postings-3", "writer.txt"} <= held
    assert listed(photos) == ["a.jpg"]
    (photos / "library" / "rows" / "index.json").unlink()  # damaged, it is still none
    assert listed(photos) == ["a.jpg"]


def test_an_index_that_has_just_been_begun_is_no_photo(photos: Path) -> None:
    build_index(photos / "mine", [])
    assert [path.name for path in (photos / "mine").iterdir()] == ["settings.json"]
    assert listed(photos) == ["a.jpg"]


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"schema": 1}), "\xff"])
def test_files_of_others_by_the_same_names_are_listed(text: str, photos: Path) -> None:
    for name in ("index.json", "settings.json", "writer.lock", "postings-3", "b.lance"):
        (photos / name).write_text(text)
    (photos / "rows").mkdir()
    (photos / "rows" / "c.jpg").touch()
    wanted = ["a.jpg", "b.lance", "index.json", "postings-3", "settings.json", "writer.lock"]
    assert listed(photos) == [*wanted, "rows/c.jpg"]


def test_photos_that_were_put_into_an_index_are_listed(photos: Path) -> None:
    build_index(photos / "mine", [])
    Lance(path=str(photos / "mine" / "rows")).open(RECIPE, {}).put([rich_row("x.png", 1)])
    (photos / "mine" / "b.jpg").touch()
    (photos / "mine" / "rows" / "c.jpg").touch()
    assert listed(photos) == ["a.jpg", "mine/b.jpg", "mine/rows/c.jpg"]
