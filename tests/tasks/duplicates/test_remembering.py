"""What a later search for copies knows of files, and when that is not believed."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image as PillowImage

from objsearch.errors import MissingDependencyError
from objsearch.flow import silent
from objsearch.index import lance_store
from objsearch.search import library as libraries
from objsearch.search.library import open_kept
from objsearch.search.recipe import recipe_with
from objsearch.settings import Settings
from objsearch.tasks.duplicates import Plan, folders, plan_duplicates, planning, rows
from objsearch.tasks.duplicates.describing import Views, Whole
from objsearch.tasks.duplicates.folders import Sides
from objsearch.tasks.duplicates.linking import Linker
from objsearch.tasks.duplicates.remembering import Memory
from objsearch.tasks.removal import apply_plan
from objsearch.types import ImageRef, Unreadable
from tests.pictures import cropped, drawing, flat, grainy
from tests.tasks.duplicates.conftest import put, told

Work = Counter[tuple[str, str]]
"""How often a file was hashed, looked at, described (also mirrored), or gone through for all that
it holds."""


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    done: Work = Counter()
    noted: list[tuple[Any, str, str, Callable[..., str]]] = [
        (folders, "FileContent", "hash", lambda path, _: path),
        (Views, "look", "look", lambda _, file: file.path),
        (Views, "describe", "describe", lambda _, file, *__: file.path),
        (planning, "holdings_of", "holdings", lambda path, _: path),
    ]
    for owner, name, what, path_of in noted:
        real = getattr(owner, name)

        def counting(
            *given: Any, real: Any = real, what: str = what, path_of: Any = path_of
        ) -> Any:
            done[what, Path(path_of(*given)).name] += 1
            return real(*given)

        monkeypatch.setattr(owner, name, counting)
    return done


Remembering = Callable[..., Plan]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def planned(settings: Settings, folder: Path) -> Remembering:
    """`planned(photos, exact_only=True)` is a plan that uses and fills the library."""

    def plan(*sources: Path, library: Path | None = folder, **rules: Any) -> Plan:
        duplicates = settings.duplicates.model_copy(update=rules)
        chosen = settings.model_copy(update={"duplicates": duplicates})
        return plan_duplicates([str(one) for one in sources], chosen, library=library)

    return plan


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Copies of several kinds, mirrored and cropped ones too, and photos that stand alone."""
    top = tmp_path / "photos"
    original = drawing(300, 400, seed=1)
    put(top / "a.png", original)
    put(top / "small.jpg", original[::2, ::2], quality=90)
    put(top / "part.png", np.ascontiguousarray(cropped(original)[:, ::-1]))
    put(top / "alone.png", drawing(200, 300, seed=2))
    put(top / "paper.png", flat(60, 80))
    shutil.copy2(top / "a.png", top / "same bytes.png")
    put(top / "same pixels.bmp", original)
    os.link(top / "alone.png", top / "another name.png")
    pages = [PillowImage.fromarray(grainy(40, 50, seed)) for seed in (1, 2)]
    for name in ("pages.tif", "pages too.tif"):
        pages[0].save(top / name, save_all=True, append_images=pages[1:], compression="tiff_lzw")
        os.utime(top / name, (1_000_000, 1_000_000))
    (top / "broken.png").write_bytes((top / "a.png").read_bytes()[:40])
    os.utime(top / "broken.png", (1_000_000, 1_000_000))
    return top


def told_alike(plan: Plan) -> dict[str, Any]:
    """All of a plan that does not depend on what is remembered."""
    return plan.model_dump(exclude={"remembered"})


def rows_in(folder: Path, settings: Settings) -> list[list[str]]:
    """Names of the files of which looks, descriptions and mirrored ones are kept."""
    made_by = [rows.looks_made_by(), *(rows.views_made_by(settings, one) for one in (False, True))]
    found = []
    for one in made_by:
        index, _ = open_kept(recipe_with(settings, one), folder)
        assert index is not None
        found.append(sorted(Path(key).name for key in index.stamps()))
    return found


def test_the_second_run_reads_stamps_alone_and_says_the_same(
    planned: Remembering, work: Work, photos: Path
) -> None:
    first = planned(photos)
    assert {what for what, _ in work} == {"hash", "look", "describe", "holdings"}
    work.clear()
    second = planned(photos)
    assert not work
    assert (first.remembered, second.remembered) == (0, 11) and second.scanned == 11
    assert told_alike(first) == told_alike(second) == told_alike(planned(photos, library=None))
    assert sorted(len(group.members) for group in second.groups) == [2, 5]
    assert len(second.skipped) == 1


def test_nothing_is_kept_without_a_library(planned: Remembering, photos: Path, work: Work) -> None:
    planned(photos, library=None)
    before = work.copy()
    work.clear()
    assert planned(photos, library=None).remembered == 0
    assert work == before


def test_what_changed_is_read_again_and_what_vanished_is_forgotten(
    planned: Remembering, settings: Settings, work: Work, photos: Path, folder: Path
) -> None:
    planned(photos)
    alone = ["alone.png", "another name.png"]
    assert set(alone) & set(rows_in(folder, settings)[0])
    put(photos / "small.jpg", drawing(200, 260, seed=7), seconds=2_000_000)
    (photos / "part.png").unlink()
    work.clear()
    plan = planned(photos)
    assert {name for _, name in work} == {"small.jpg"}
    assert plan.remembered == 9 and plan.scanned == 10
    looks, views, mirrored = rows_in(folder, settings)
    assert "part.png" not in {*looks, *views, *mirrored} and "small.jpg" in looks
    put(photos / "broken.png", drawing(200, 260, seed=8), seconds=2_000_000)
    work.clear()
    assert not planned(photos).skipped
    assert {name for _, name in work} == {"broken.png"}
    (photos / "alone.png").write_bytes(b"no picture any more")
    assert [Path(one.path).name for one in planned(photos).skipped] == alone


def test_what_lay_on_a_disk_that_is_away_is_kept(
    planned: Remembering, settings: Settings, photos: Path, folder: Path, tmp_path: Path
) -> None:
    before = planned(photos)
    known = rows_in(folder, settings)
    photos.rename(tmp_path / "unmounted")
    photos.mkdir()
    plan = planned(tmp_path)
    [told] = [told for told in plan.warnings if "remembered there" in told]
    assert told.startswith(f"'{photos}' is empty") and f"{len(known[0])} photos" in told
    photos.rmdir()
    (tmp_path / "unmounted").rename(photos)
    assert planned(photos).remembered == 11
    assert [sorted(set(names)) for names in rows_in(folder, settings)] == known
    assert not [told for told in before.warnings if "remembered" in told]


@pytest.mark.parametrize("is_old", [False, True])
def test_what_was_replaced_within_a_moment_is_hashed_again(
    is_old: bool, planned: Remembering, work: Work, tmp_path: Path
) -> None:
    """Same size, same time: only what was old when it was read is known by its stamp."""
    one, other = (drawing(60, 80, seed) for seed in (1, 2))
    now = 1_000_000 if is_old else int(time.time())
    path = put(tmp_path / "photos" / "a.bmp", one, seconds=now)
    copy = put(tmp_path / "photos" / "b.bmp", one, seconds=now)
    assert len(planned(path.parent).groups) == 1
    put(copy, other, seconds=now)
    work.clear()
    plan = planned(path.parent)
    assert len(plan.groups) == (1 if is_old else 0)
    assert work["look", "a.bmp"] == 0 and work["look", "b.bmp"] == (0 if is_old else 1)
    assert plan.remembered == (2 if is_old else 0)
    left = apply_plan(plan, tmp_path / "quarantine").moves if is_old else ()
    assert copy.exists() and path.exists()  # what goes is hashed again
    assert [one.state for one in left] == (["left"] if is_old else [])


def test_what_was_touched_is_hashed_and_not_looked_at(
    planned: Remembering, work: Work, photos: Path
) -> None:
    first = planned(photos)
    os.utime(photos / "a.png", (3_000_000, 3_000_000))
    for n_hashed in (1, 0):
        work.clear()
        plan = planned(photos)
        assert work == Counter({("hash", "a.png"): n_hashed} if n_hashed else {})
        assert plan.remembered == 11 - n_hashed
        assert told(plan, photos) == told(first, photos)


def test_what_was_renamed_is_known_by_its_bytes(
    planned: Remembering, settings: Settings, work: Work, photos: Path, folder: Path
) -> None:
    before = planned(photos)
    renamed = photos / "sub" / "renamed.png"
    renamed.parent.mkdir()
    (photos / "part.png").rename(renamed)
    work.clear()
    plan = planned(photos)
    assert work == Counter({("hash", "renamed.png"): 1})
    assert len(plan.groups) == len(before.groups)
    looks, views, mirrored = rows_in(folder, settings)
    assert "renamed.png" in looks and "renamed.png" in {*views, *mirrored}
    assert "part.png" not in {*looks, *views, *mirrored}
    work.clear()
    assert planned(photos).remembered == 11 and not work


def test_a_file_of_the_size_and_time_of_another_is_not_taken_for_it(
    planned: Remembering, work: Work, tmp_path: Path
) -> None:
    path = put(tmp_path / "photos" / "a.bmp", drawing(60, 80, seed=1))
    planned(path.parent)
    path.unlink()
    put(path.with_name("b.bmp"), drawing(60, 80, seed=2))
    work.clear()
    planned(path.parent)
    assert work["look", "b.bmp"] == 1


def test_what_is_written_to_while_it_is_read_is_not_remembered(
    planned: Remembering, settings: Settings, photos: Path, folder: Path, monkeypatch: Any
) -> None:
    look = Views.look

    def changing(self: Views, file: Any) -> Any:
        if file.path.endswith("small.jpg"):
            put(Path(file.path), drawing(200, 260, seed=7))
        return look(self, file)

    monkeypatch.setattr(Views, "look", changing)
    planned(photos)
    assert not any("small.jpg" in names for names in rows_in(folder, settings))


@pytest.mark.parametrize(
    ("reason", "n_looks"), [("it cannot be read (Input/output error)", 2), ("it is cut short", 1)]
)
def test_what_the_system_refused_is_looked_at_again(
    reason: str, n_looks: int, planned: Remembering, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, n_tried = Views.look, 0

    def refusing(self: Views, file: Any) -> Any:
        nonlocal n_tried
        if not file.path.endswith("small.jpg"):
            return look(self, file)
        n_tried += 1
        return Unreadable(ImageRef(file.path), reason)

    os.utime(photos / "small.jpg", (1_000_000, 1_000_000))
    monkeypatch.setattr(Views, "look", refusing)
    for _ in range(2):
        plan = planned(photos)
        assert [one.reason for one in plan.skipped if one.path.endswith("small.jpg")] == [reason]
    assert n_tried == n_looks


@pytest.mark.parametrize(
    ("rule", "described"), [({"long_side": 200}, True), ({"turned": True}, True), ({}, False)]
)
def test_other_descriptions_are_made_anew_and_looks_are_not(
    rule: dict[str, Any], described: bool, planned: Remembering, work: Work, photos: Path
) -> None:
    planned(photos)
    work.clear()
    plan = planned(photos, **rule)
    assert {what for what, _ in work} == ({"describe"} if described else set())
    assert plan.remembered == 11


def test_pictures_looked_at_for_bytes_alone_are_described_later(
    planned: Remembering, work: Work, photos: Path
) -> None:
    planned(photos, exact_only=True)
    assert "describe" not in {what for what, _ in work}
    work.clear()
    plan = planned(photos)
    assert "look" not in {what for what, _ in work} and plan.remembered == 11
    assert told_alike(plan) == told_alike(planned(photos, library=None))


def test_documents_are_looked_at_once_another_has_their_bytes(
    planned: Remembering, tmp_path: Path
) -> None:
    page = PillowImage.fromarray(drawing(60, 80, seed=1))
    path = tmp_path / "photos" / "a.pdf"
    path.parent.mkdir()
    page.save(path)
    os.utime(path, (1_000_000, 1_000_000))
    assert not planned(path.parent).groups
    shutil.copy2(path, path.with_name("b.pdf"))
    first, second = planned(path.parent), planned(path.parent)
    without = planned(path.parent, library=None)
    assert told_alike(first) == told_alike(second) == told_alike(without)
    assert second.groups[0].members[0].width > 0
    path.unlink()
    assert not planned(path.parent).groups


def test_what_was_done_stays_when_a_run_is_stopped(
    planned: Remembering, work: Work, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Linker, "linked", stopping)
        with pytest.raises(KeyboardInterrupt):
            planned(photos)
    work.clear()
    planned(photos)
    assert {what for what, _ in work} == {"describe", "holdings"}


def test_what_is_killed_while_it_compares_has_looked_and_described(
    planned: Remembering,
    settings: Settings,
    photos: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody is asked, and nothing can be written then."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Linker, "_compare_in_full", killed)
        patch.setattr(Memory, "write", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            planned(photos)
    looks, views, mirrored = rows_in(folder, settings)
    assert len(looks) == 10 and "alone.png" in views and not mirrored


def test_two_runs_at_a_time_say_the_same(planned: Remembering, photos: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(planned, [photos, photos])
    assert told_alike(one) == told_alike(other) == told_alike(planned(photos))
    assert planned(photos).remembered == 11


def test_who_writes_for_too_long_is_named(
    planned: Remembering, photos: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(photos)
    put(photos / "new.png", drawing(200, 260, seed=7))
    monkeypatch.setitem(libraries.UNSEARCHED, "wait_seconds", 0.05)
    locks = [FileLock(one / lance_store.LOCK) for one in folder.iterdir()]
    for lock in locks:
        lock.acquire()
    [told, *_] = planned(photos).warnings
    assert "nothing more is remembered" in told and "is being written to by process" in told
    for lock in locks:
        lock.release()
    assert planned(photos).scanned == 12


def test_without_lance_nothing_is_remembered_and_all_is_found(
    planned: Remembering, photos: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MissingDependencyError("no Lance")

    monkeypatch.setattr(lance_store, "engine", missing)
    plan = planned(photos)
    assert plan.remembered == 0 and len(plan.groups) == 2
    assert not folder.exists()


def test_a_folder_that_was_moved_is_known_by_its_names(
    planned: Remembering, work: Work, tmp_path: Path
) -> None:
    """From an archive, or a camera that writes bitmaps: all of one size and time."""
    top = tmp_path / "photos"
    for seed in range(20):
        put(top / "before" / f"{seed}.bmp", drawing(60, 80, seed))
    planned(top)
    (top / "before").rename(top / "after")
    work.clear()
    planned(top)
    assert {what for what, _ in work} == {"hash"}


def test_what_is_found_out_late_is_added_to_the_same_bytes_alone(
    settings: Settings, folder: Path, photos: Path
) -> None:
    """Another process may have seen that a file has changed, or broke."""
    files = folders.find_files(Sides((str(photos),)), settings, silent).files
    broken, changed, same = files[:3]
    mine, other = (Memory(settings, folder).looks for _ in range(2))
    for file in (broken, changed, same):
        mine.note(file, rows.row_of_look(file, Whole((3, 2)), file.path))
    mine.write()
    anew = replace(changed, sha256="f" * 64)
    other.note(anew, rows.row_of_look(anew, Whole((3, 2)), anew.path))
    other.note(broken, Unreadable(ImageRef(broken.path), "it is broken"))
    other.write()
    mine.complete({file: {"late": "fact"} for file in files})
    now = Memory(settings, folder).looks.known([broken, anew, same])
    assert {path: one.facts.get("late") for path, one in now.items()} == {
        anew.path: None,
        same.path: "fact",
    }


def test_what_is_odd_about_a_name_is_said_of_that_name(
    planned: Remembering, tmp_path: Path
) -> None:
    picture = drawing(60, 80, seed=1)
    first = put(tmp_path / "photos" / "a.png", picture)
    for name in ("b.jpg", "c.png"):
        shutil.copy2(first, first.with_name(name))

    def warned() -> list[str]:
        plan = planned(first.parent)
        assert told_alike(plan) == told_alike(planned(first.parent, library=None))
        return [Path(one.partition(":")[0]).name for one in plan.warnings]

    assert warned() == []
    first.unlink()
    assert warned() == ["b.jpg"]
    first.with_name("c.png").unlink()
    assert warned() == ["b.jpg"]
    first.with_name("b.jpg").rename(first.with_name("d.png"))
    assert warned() == []
