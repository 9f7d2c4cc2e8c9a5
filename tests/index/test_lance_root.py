"""An index whose files are known from a root, wherever that lies by now."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from objsearch.errors import UsageError
from objsearch.index import lance_store
from objsearch.index.lance import Lance, Stored
from objsearch.index.lance_root import Root
from objsearch.index.where import Where
from objsearch.types import ImageRef
from tests.contracts.rows import RECIPE, By, rich_row, row, unread

Opens = Callable[..., Stored]
NAMES = ("a.png", "sub/ü b.png", "sub/film.gif#frame=3")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Photos on a disk, and room for an index beside them."""
    (tmp_path / "disk" / "photos" / "sub").mkdir(parents=True)
    for name in NAMES:
        (tmp_path / "disk" / "photos" / name.partition("#")[0]).touch()
    return tmp_path / "disk"


def opened(folder: Path, root: Path | None = None) -> Stored:
    rooted = None if root is None else str(root)
    return Lance(path=str(folder), root=rooted).open(RECIPE, {"fake": By(0), "vectors/1": By(0)})


def filled(disk: Path) -> Stored:
    photos = disk / "photos"
    index = opened(disk / "index", photos)
    index.put([rich_row(f"{photos}/{name}", seed) for seed, name in enumerate(NAMES)])
    index.put([unread(f"{photos}/broken.png")])
    return index


def keys_below(photos: Path) -> list[str]:
    return [f"{photos}/{name}" for name in (*NAMES, "broken.png")]


def test_nothing_of_where_the_root_lay_is_in_the_rows(disk: Path) -> None:
    filled(disk).compact()
    held = [p for p in (disk / "index").rglob("*") if p.is_file() and p.name != "index.json"]
    assert held and not [path for path in held if str(disk).encode() in path.read_bytes()]


def test_rows_are_those_of_the_place_where_the_root_lies_now(disk: Path, tmp_path: Path) -> None:
    assert list(filled(disk).stamps()) == keys_below(disk / "photos")
    moved = disk.rename(tmp_path / "other disk")
    photos = moved / "photos"
    index = opened(moved / "index")
    assert index.root == str(photos) and list(index.stamps()) == keys_below(photos)
    for key in keys_below(photos)[:-1]:
        found = index.row(key)
        assert found is not None and found.ref == found.image.ref == ImageRef.parse(key)
        assert index.get([key])[0].ref == ImageRef.parse(key)
    assert [str(one.ref) for one in index.unreadable()] == [f"{photos}/broken.png"]
    seen: list[ImageRef] = []
    index.count(Where(keeps=lambda ref, *_: seen.append(ref) is None))
    assert seen == [ImageRef.parse(key) for key in keys_below(photos)[:-1]]
    assert index.remove([keys_below(photos)[0]]) == 1
    assert list(opened(moved / "index").stamps()) == keys_below(photos)[1:]


def test_an_index_that_went_alone_finds_the_root_where_it_was(disk: Path, tmp_path: Path) -> None:
    filled(disk)
    shutil.copytree(disk / "index", tmp_path / "home" / "index")
    (tmp_path / "home" / "photos").mkdir()  # of somebody else
    index = opened(tmp_path / "home" / "index")
    assert index.root == str(disk / "photos")


def test_of_two_copies_the_one_beside_the_index_counts(disk: Path, tmp_path: Path) -> None:
    filled(disk)
    shutil.copytree(disk, tmp_path / "copy")
    assert opened(tmp_path / "copy" / "index").root == str(tmp_path / "copy" / "photos")
    assert opened(disk / "index").root == str(disk / "photos")


def test_where_the_root_lies_now_is_said_and_remembered_by_a_change(
    disk: Path, tmp_path: Path
) -> None:
    filled(disk)
    photos = shutil.move(disk / "photos", tmp_path / "elsewhere")
    lost = opened(disk / "index")
    assert lost.root == str(disk / "photos") and len(lost) == 3  # it is searched as it is
    lost.remove([])
    index = opened(disk / "index", photos)
    assert list(index.stamps()) == keys_below(photos)
    assert opened(disk / "index").root == str(disk / "photos")  # reading changes nothing
    index.remove([f"{photos}/broken.png"])
    assert opened(disk / "index").root == str(photos)


def test_a_link_to_the_root_is_as_good(disk: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(disk / "photos")
    index = opened(disk / "index", tmp_path / "link")
    index.put([row(f"{disk}/photos/a.png")])
    assert index.root == str(disk / "photos")


def test_a_file_elsewhere_is_refused_before_it_is_described(disk: Path) -> None:
    index = filled(disk)
    for path in (f"{disk}/other.png", f"{disk}/photos-2/a.png", f"{disk}/photos"):
        with pytest.raises(UsageError, match=r"lies outside '.*photos', the root of the index"):
            index.check_keys([f"{disk}/photos/a.png", path])
        with pytest.raises(UsageError, match="lies outside"):
            index.put([row(path)])
    index.check_keys(["https://example.org/a.png"])
    index.put([row("https://example.org/a.png#page=2")])
    assert list(opened(disk / "index").stamps())[-1] == "https://example.org/a.png#page=2"


def test_a_root_is_a_folder_and_an_index_has_one_from_its_beginning(disk: Path) -> None:
    with pytest.raises(UsageError, match=r"the root '.*a\.png' is no folder"):
        opened(disk / "index", disk / "photos" / "a.png")
    opened(disk / "whole").put([row("/x/a.png")])
    with pytest.raises(UsageError, match="has no root, it knows files by their whole paths"):
        opened(disk / "whole", disk / "photos")


def test_a_record_with_half_a_root_is_damaged(disk: Path) -> None:
    filled(disk)
    record = disk / "index" / "index.json"
    data = json.loads(record.read_text())
    record.write_text(json.dumps({**data, "notes": {"root": {}}}))
    with pytest.raises(UsageError, match=r"is damaged \(index.json is none of an index\)"):
        opened(disk / "index")


def test_an_index_of_the_schema_before_roots_is_read_and_goes_on(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(lance_store, "SCHEMA", 1)
        opened(disk / "index").put([row("/x/a.png")])
    record = disk / "index" / "index.json"
    assert json.loads(record.read_text())["schema"] == 1
    index = opened(disk / "index")
    assert index.root is None and list(index.stamps()) == ["/x/a.png"]
    index.put([row("/x/b.png")])
    assert json.loads(record.read_text())["schema"] == 2
    assert list(opened(disk / "index").stamps()) == ["/x/a.png", "/x/b.png"]
    monkeypatch.setattr(lance_store, "SCHEMA", 1)  # one that would take places for whole paths
    with pytest.raises(UsageError, match="made by a newer objsearch"):
        opened(disk / "index")


def test_places_are_written_with_slashes_on_any_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("objsearch.index.lance_root.os.sep", "\\")
    assert Root("/photos").whole("sub/a.png#page=1") == "/photos/sub\\a.png#page=1"
    assert Root("/photos").below("/photos/sub\\a.png") == "sub/a.png"
