"""The index in a folder: what it refuses, what a crash leaves, who may write."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from objsearch.errors import LostIndexError, MissingDependencyError, UsageError
from objsearch.index import lance_editing, lance_writer
from objsearch.index.lance import Lance, Stored
from objsearch.index.lance_rows import alias_of, dataset_of
from objsearch.index.lance_store import engine
from objsearch.types import DescribedImage, GlobalDescriptor, Recipe, Row
from tests.contracts.rows import RECIPE, By, described, is_same, rich_row, row, unread

Opens = Callable[..., Stored]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "to" / "library"


@pytest.fixture
def opens(folder: Path) -> Opens:
    """Opens the same folder, as another process would."""

    def made(recipe: Recipe = RECIPE, **options: object) -> Stored:
        options = {"path": str(folder), **options}
        return Lance.model_validate(options).open(recipe, {"fake": By(0)})

    return made


def test_opening_and_reading_make_nothing(opens: Opens, folder: Path) -> None:
    with opens() as index:
        assert len(index) == len(index.snapshot()) == 0
    assert not folder.parent.exists()


def test_rows_outlive_whoever_put_them_in(opens: Opens) -> None:
    rows = [rich_row(f"{i}.png", i) for i in range(5)]
    with opens() as index:
        index.put([*rows, unread("u.png")])
    again = opens()
    wanted = [one.image for one in rows if isinstance(one.image, DescribedImage)]
    assert all(is_same(a, b) for a, b in zip(again.images(), wanted, strict=True))
    assert again.unreadable()[0].reason == "it is broken"


def test_what_others_write_is_seen_and_built_upon(opens: Opens) -> None:
    one, other = opens(), opens()
    one.put([row("a.png"), row("b.png")])
    other.put([row("b.png", content="new"), row("c.png")])
    one.put([row("a.png", content="newer"), row("d.png")])
    for index in (one, other):
        assert list(index.keys()) == ["a.png", "b.png", "c.png", "d.png"]
        assert [i.content for i in index.images()] == ["newer", "new", "", ""]
    assert other.remove(["d.png"]) == 1
    assert one.remove(["d.png"]) == 0


def test_many_rows_are_put_in_several_batches(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_editing, "ROWS_AT_ONCE", 3)
    index = opens()
    index.put(row(f"{i}.png") for i in range(8))
    index.put(row(f"{i}.png", content="x") for i in reversed(range(8)))
    assert list(index.keys()) == [f"{i}.png" for i in range(8)]
    assert {one.content for one in index.images()} == {"x"}
    seen = []

    def coming() -> Iterator[Row]:
        for i in range(8, 15):
            seen.append(len(opens()))
            yield row(f"{i}.png")

    index.put(coming())
    assert seen == [8, 8, 8, 11, 11, 11, 14]


def test_rows_of_another_recipe_are_refused_with_what_differs(opens: Opens) -> None:
    opens().put([row("a.png")])
    other = Recipe({**RECIPE.options, "fake.size": "4"})
    with pytest.raises(
        UsageError, match=r"library' was made otherwise: fake\.size is 3 instead of .*--anew"
    ):
        opens(other)


def test_a_newer_index_is_refused(opens: Opens, folder: Path) -> None:
    opens().put([row("a.png")])
    record = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**record, "schema": 99}))
    with pytest.raises(UsageError, match=r"newer objsearch \(its schema is 99.*update objsearch"):
        opens()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', '{"schema": "x"}', "\udcff"])
def test_a_damaged_record_is_told(text: str, opens: Opens, folder: Path) -> None:
    opens().put([row("a.png")])
    (folder / "index.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=r"library' is damaged.*build it anew"):
        opens()


def test_a_lost_record_is_told(opens: Opens, folder: Path) -> None:
    opens().put([row("a.png")])
    (folder / "index.json").unlink()
    with pytest.raises(UsageError, match=r"damaged \(it has no index\.json\)"):
        opens()


def test_lost_and_damaged_datasets_are_told(opens: Opens, folder: Path) -> None:
    opens().put([row("a.png")])
    shutil.copytree(folder / "rows.lance", folder.parent / "kept")
    for damage in (_remove, _truncate):
        damage(folder / "rows.lance")
        with pytest.raises(UsageError, match=r"damaged \('rows\.lance' .*anew") as caught:
            list(opens().keys())
        assert "\n" not in str(caught.value) and "src/" not in str(caught.value)
        shutil.rmtree(folder / "rows.lance", ignore_errors=True)
        shutil.copytree(folder.parent / "kept", folder / "rows.lance")
    assert list(opens().keys()) == ["a.png"]


def _remove(dataset: Path) -> None:
    shutil.rmtree(dataset)


def _truncate(dataset: Path) -> None:
    for path in (dataset / "data").iterdir():
        path.write_bytes(path.read_bytes()[:40])


def test_folders_that_are_no_index_are_left_alone(opens: Opens, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"library' is no index: it holds 'holiday\.jpg'"):
        opens()
    (folder / "holiday.jpg").unlink()
    opens().put([row("a.png")])


def test_a_file_in_its_place_is_told(opens: Opens, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("x")
    with pytest.raises(UsageError, match="cannot read the index"):
        opens()


def test_a_folder_that_cannot_be_written_to_is_told(opens: Opens, folder: Path) -> None:
    index = opens()
    folder.parent.write_text("a file where a folder should be")
    with pytest.raises(UsageError, match="cannot write to the index"):
        index.put([row("a.png")])


def test_a_second_writer_waits_and_is_told_who_writes(opens: Opens, folder: Path) -> None:
    index = opens(wait_seconds=0.1)
    index.put([row("a.png")])
    with FileLock(folder / "writer.lock"):
        told = rf"is being written to by process {os.getpid()} on \S+$"
        for change in (lambda: index.put([row("b.png")]), lambda: index.remove(["a.png"])):
            with pytest.raises(UsageError, match=told):
                change()
        assert list(opens().keys()) == ["a.png"]
    index.put([row("b.png")])
    assert len(index) == 2


def test_two_writers_both_end_well(opens: Opens) -> None:
    """Each opens the folder for itself, as two processes do, and they take turns."""

    def write(name: str) -> None:
        index = opens(wait_seconds=60)
        for i in range(8):
            index.put([row(f"{name}{i}.png"), row("shared.png", content=f"{name}{i}")])
            index.remove([f"{name}{i - 4}.png"])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, "ab"))
    there = list(opens().keys())
    assert sorted(there) == sorted(
        [*(f"{n}{i}.png" for n in "ab" for i in range(4, 8)), "shared.png"]
    )
    assert opens().get(["shared.png"])[0].content in ("a7", "b7")


def test_without_the_engine_it_says_what_to_install(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lance", None)
    with pytest.raises(MissingDependencyError, match=r"pip install pylance.*visual-words"):
        opens()


def test_a_full_disk_is_told_and_loses_nothing(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opens()
    index.put([row("a.png", content="old")])

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for change in (lambda: index.put([row("a.png")]), lambda: index.remove(["a.png"])):
            with pytest.raises(UsageError, match=r"cannot write to .*: No space left on device$"):
                change()
            assert [one.content for one in index.images()] == ["old"]
    index.put([row("b.png")])
    assert [one.content for one in opens().images()] == ["old", ""]


class Killed(BaseException):
    """Nothing of ours may catch it."""


def _die(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("is_new", [True, False])
def test_what_was_never_published_is_undone(
    is_new: bool, opens: Opens, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step of a change is what makes it seen."""
    before = [] if is_new else [row("a.png", content="old"), row("b.png")]
    opens().put(before)
    for change in (
        lambda index: index.put([row("a.png", content="lost"), rich_row("c.png", 3)]),
        lambda index: index.remove(["a.png"]),
    ):
        index = opens()
        with monkeypatch.context() as patch:
            patch.setattr(lance_writer.Writer, "finish", _die)
            if not is_new or change.__code__.co_names[0] == "put":
                with pytest.raises(Killed):
                    change(index)
        for seen in (index, opens()):
            assert [one.content for one in seen.images()] == [""] * 0 if is_new else ["old", ""]
    (folder / "rows.lance" / "data").mkdir(parents=True, exist_ok=True)
    (folder / "rows.lance" / "data" / ".tmp123").write_text("half a file")
    opens().put([row("a.png", content="new"), row("d.png")])
    wanted = ["a.png", "d.png"] if is_new else ["a.png", "b.png", "d.png"]
    assert list(opens().keys()) == wanted
    assert opens().get(["a.png"])[0].content == "new"
    assert not list(folder.rglob(".tmp*"))
    view = opens()._look().view
    assert {tuple(view.entries(name).numbers) for name in view.record.versions} == {
        tuple(sorted(view.numbers))
    }


def test_what_was_undone_is_not_cleaned_away(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions that readers are told of are no longer the newest after a kill."""
    monkeypatch.setattr(lance_writer, "KEPT_FOR", timedelta(0))
    opens().put([row("a.png")])
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(lance_writer.Writer, "finish", _die)
        opens().put([row("a.png", content="lost")])
    assert opens().optimize() == []
    assert [one.content for one in opens().images()] == [""]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system which file a number is")
def test_all_that_a_reader_needs_is_seen_to_the_disk(
    opens: Opens, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[str] = set()
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.add(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    index = opens(flat_regions=4)
    index.put(rich_row(f"{i}.png", i) for i in range(4))
    index.put([rich_row("1.png", 9)])
    index.remove(["2.png"])
    index.optimize()
    index.compact()
    aside = {"writer.lock", "writer.txt", "index.json", "sums.json"}  # or replaced whole
    files = {str(p) for p in folder.rglob("*") if p.is_file() and p.name not in aside}
    assert len(files) > 20
    assert not files - synced
    folders = {str(p) for p in folder.rglob("*") if p.is_dir()}
    assert not folders - synced


def test_compacting_leaves_few_files_and_open_readers_alone(
    opens: Opens, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opens()
    for i in range(12):
        index.put([rich_row(f"{i}.png", i)])
    index.remove([f"{i}.png" for i in range(6)])
    before = index.snapshot()
    assert index.compact() == 0
    for name, version in index.info().versions.items():
        assert len(index._store.dataset(name, version).get_fragments()) == 1
    assert all(map(is_same, before.images(), index.images()))
    assert len(before) == len(index) == 6
    size = sum(index.info().n_bytes.values())
    monkeypatch.setattr(lance_writer, "KEPT_FOR", timedelta(0))
    freed = index.compact()
    assert freed > size // 4
    assert sum(index.info().n_bytes.values()) <= size - freed // 2
    index.put([rich_row("0.png", 50)])
    assert len(opens()) == 7


def test_what_was_replaced_a_moment_ago_stays_however_old_it_is(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone may have opened it just before."""
    rows = [rich_row(f"{i}.png", i) for i in range(6)]
    for one in rows:
        opens().put([one])
    monkeypatch.setattr(lance_writer, "KEPT_FOR", timedelta(seconds=0.3))
    time.sleep(0.4)
    before = opens().snapshot()
    opens().compact()
    wanted = [one.image for one in rows if isinstance(one.image, DescribedImage)]
    assert all(map(is_same, before.images(), wanted))
    time.sleep(0.4)
    assert opens().compact() > 0
    assert all(map(is_same, opens().images(), wanted))


def test_the_engine_is_told_not_to_chat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amid millions of vectors it warns of its own queues, thousands of times."""
    monkeypatch.delenv("LANCE_LOG", raising=False)
    engine()
    assert os.environ["LANCE_LOG"] == "error"


def test_room_is_given_back_as_rows_come(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to ask: a library that is only ever written to by searches stays small."""
    monkeypatch.setattr(lance_editing, "CHANGES_UNCLEANED", 4)
    for i in range(24):
        opens().put([rich_row(f"{i % 3}.png", i)])
    size = sum(opens().info().n_bytes.values())
    monkeypatch.setattr(lance_writer, "KEPT_FOR", timedelta(0))
    for i in range(24, 29):
        opens().put([rich_row(f"{i % 3}.png", i)])
    assert sum(opens().info().n_bytes.values()) < size / 2
    assert len(opens()) == 3


def test_small_files_are_put_together_as_they_come(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_writer, "MOST_FILES", 4)
    index = opens()
    for i in range(14):
        index.put([row(f"{i}.png", content=str(i))])
        record = index._store.read()
        assert len(index._store.dataset("rows", record.versions["rows"]).get_fragments()) <= 5
    assert [one.content for one in index.images()] == [str(i) for i in range(14)]


def test_descriptors_of_another_shape_are_refused_and_nothing_is_changed(opens: Opens) -> None:
    index = opens()
    index.put([row("a.png", 1.0, 0.0)])
    with pytest.raises(UsageError, match=r"'vectors-fake'.*another kind or length"):
        index.put([row("b.png"), row("a.png", 1.0, 0.0, 0.0)][1:])
    image = described("c.png")
    vectors = image.descriptors["fake"]
    odd = (*vectors, rich_row("x", 1).image.descriptors["bits"][0])  # type: ignore[union-attr]
    mixed = DescribedImage(image.ref, (4, 3), image.regions * 2, {"fake": odd})
    with pytest.raises(UsageError, match="several kinds"):
        index.put([Row("c.png", image.ref, None, mixed)])
    assert list(index.keys()) == list(opens().keys()) == ["a.png"]


def test_half_floats_change_cosines_by_less_than_a_thousandth(opens: Opens) -> None:
    index = opens()
    rows = [rich_row(f"{i}.png", i, size=256) for i in range(20)]
    index.put(rows)

    def stacked(images: list[DescribedImage]) -> np.ndarray:
        every = [one.descriptors["vectors/1"] for one in images]
        return np.stack([d.vector for of in every for d in of if isinstance(d, GlobalDescriptor)])

    mine = stacked([one.image for one in rows if isinstance(one.image, DescribedImage)])
    cosines, stored = mine @ mine.T, mine @ stacked(list(index.images())).T
    assert np.abs(stored - cosines).max() < 3e-4


def test_info_says_what_is_there(opens: Opens, folder: Path) -> None:
    index = opens()
    index.put([*(rich_row(f"{i}.png", i) for i in range(4)), unread("u.png", "too dark")])
    info = index.info()
    assert info.path == str(folder)
    assert (info.schema, info.n_described, info.n_regions) == (2, 4, 12)
    assert info.recipe == RECIPE.options
    assert [one.reason for one in info.unreadable] == ["too dark"]
    assert {"rows", "words", "keypoints-orb", "vectors-vectors%2F1"} <= set(info.n_bytes)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert sum(info.n_bytes.values()) == size
    assert set(info.versions) == {*info.n_bytes} - {"other"}
    assert info.n_indexed == {"vectors/1": 0} and info.recall == {} and info.due == ()


@pytest.mark.parametrize("alias", ["embedding", "a/b", "a-b", "ä #%.", "..", "CON"])
def test_aliases_of_any_spelling_have_datasets(alias: str) -> None:
    name = dataset_of("codes", alias)
    assert alias_of(name) == ("codes", alias)
    assert not set(name) & set('/\\:*?"<>| ')
    assert alias_of("rows") is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
@pytest.mark.parametrize("cache", [True, False])
def test_a_cache_is_for_its_owner_alone(cache: bool, tmp_path: Path) -> None:
    """What is remembered without asking says what is on one's photos; an index may be shared."""
    Lance(path=str(tmp_path / "rows"), cache=cache).open(RECIPE, {}).put([row("a.png", 1)])
    assert ((tmp_path / "rows").stat().st_mode & 0o77 == 0) == cache


def test_a_record_names_no_datasets_elsewhere(tmp_path: Path) -> None:
    """An index may come from somebody else, and those that it names are restored."""
    index = Lance(path=str(tmp_path / "rows")).open(RECIPE, {})
    index.put([row("a.png", 1)])
    record = tmp_path / "rows" / "index.json"
    record.write_text(record.read_text().replace('"rows":', '"../elsewhere/rows":'))
    with pytest.raises(LostIndexError, match=r"index\.json is none of an index"):
        Lance(path=str(tmp_path / "rows")).open(RECIPE, {}).put([row("b.png", 1)])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("details", "{"),
        ("details", "[]"),
        ("details", '{"regions": [[0, 0, 1, 1]], "aliases": [], "warnings": [], "note": ""}'),
        ("details", '{"regions": [], "aliases": ["orb"], "warnings": [], "note": ""}'),
        ("ref", "{}"),
        ("ref", '["a\\u0000b", null, null, null, null]'),
        ("width", 0),
    ],
)
def test_rows_that_make_no_sense_are_a_damage(column: str, value: Any, tmp_path: Path) -> None:
    """Nobody here wrote them, and what came of them was no sentence."""
    folder = tmp_path / "rows"
    Lance(path=str(folder)).open(RECIPE, {}).put([rich_row("a.png", 1)])
    rows = engine().dataset(folder / "rows.lance")
    table = rows.to_table()
    data = [{**entry, column: value} for entry in table.to_pylist()]
    engine().write_dataset(
        type(table).from_pylist(data, schema=table.schema), rows.uri, mode="overwrite"
    )
    record = json.loads((folder / "index.json").read_text())
    record["versions"]["rows"] = engine().dataset(folder / "rows.lance").version
    (folder / "index.json").write_text(json.dumps(record))
    index = Lance(path=str(folder)).open(RECIPE, {})
    with pytest.raises(LostIndexError, match=r"is damaged \('rows\.lance' cannot be read: "):
        index.get(["a.png"])
