"""Applying a plan and undoing it: what may go, what must stay, and that all comes back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from objsearch.errors import UsageError
from objsearch.tasks.duplicates import Plan
from objsearch.tasks.removal import apply_plan, applying, read_plan, undo, write_plan
from objsearch.tasks.removal.intact import Intact
from objsearch.tasks.removal.manifest import Method
from objsearch.types.plans import plan_json
from tests.pictures import drawing
from tests.tasks.duplicates.conftest import Planned, put

Tree = tuple[Plan, Path, Path, Path]


@pytest.fixture
def tree(planned: Planned, photo: Path, tmp_path: Path) -> Tree:
    """A plan over a photo and two copies; the photo, the copies' folder, the quarantine."""
    copy = photo.parent / "more" / "copy.png"
    copy.parent.mkdir()
    shutil.copy2(photo, copy)
    os.chmod(copy, 0o640)
    shutil.copy2(photo, photo.parent / "z.png")
    plan = planned(photo.parent, keep=["shortest-path", "newest"])
    assert [one.path for one in plan.groups[0].having("keep")] == [str(photo.parent / "z.png")]
    return plan, photo, copy, tmp_path / "quarantine"


def state(folder: Path) -> dict[str, tuple[object, ...]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[str(path)] = (seen.st_mode, seen.st_mtime_ns if content else 0, content)
    return found


def test_files_go_into_quarantine_and_come_back_as_they_were(tree: Tree) -> None:
    plan, photo, copy, quarantine = tree
    before = state(photo.parent)
    outcome = apply_plan(plan, quarantine)
    assert {one.path for one in outcome.removed} == {str(photo), str(copy)}
    assert not photo.exists() and not copy.exists() and outcome.left == ()
    held = list(quarantine.rglob("*.png"))
    assert len(held) == 2
    undone = undo(outcome.manifest)
    assert len(undone.restored) == 2 and undone.left == ()
    assert state(photo.parent) == before
    assert list(quarantine.rglob("*.png")) == []


def test_applying_twice_and_undoing_twice_change_nothing_more(tree: Tree) -> None:
    plan, photo, _, quarantine = tree
    before = state(photo.parent)
    first = apply_plan(plan, quarantine)
    after = state(photo.parent)
    again = apply_plan(plan, quarantine)
    assert {one.path for one in again.removed} == {one.path for one in first.removed}
    assert state(photo.parent) == after
    undo(first.manifest)
    assert undo(first.manifest).restored == ()
    assert state(photo.parent) == before
    assert len(apply_plan(plan, quarantine).removed) == 2
    assert state(photo.parent) == after
    undo(first.manifest)
    assert state(photo.parent) == before


@pytest.mark.parametrize("change", ["bytes", "quiet", "link", "gone"])
def test_a_file_that_changed_is_left_with_the_reason(tree: Tree, change: str) -> None:
    plan, photo, copy, quarantine = tree
    times = (copy.stat().st_atime_ns, copy.stat().st_mtime_ns)
    if change == "bytes":
        copy.write_bytes(b"other")
    elif change == "quiet":  # other bytes of the same size and time
        data = bytearray(copy.read_bytes())
        data[-20] ^= 1
        copy.write_bytes(bytes(data))
        os.utime(copy, ns=times)
    else:
        copy.unlink()
        if change == "link":
            copy.symlink_to(photo.parent / "z.png")
    before = state(copy.parent)
    outcome = apply_plan(plan, quarantine)
    (left,) = outcome.left
    assert left.path == str(copy)
    assert left.reason == (
        "it is not there any more" if change == "gone" else "it changed since the plan was made"
    )
    assert state(copy.parent) == before
    assert not photo.exists()


def test_a_new_time_is_no_change_and_comes_back(tree: Tree) -> None:
    plan, photo, copy, quarantine = tree
    for path in (copy, photo.parent / "z.png"):  # what goes, and what is kept
        os.utime(path, (5, 5))
    before = state(photo.parent)
    outcome = apply_plan(plan, quarantine)
    assert outcome.left == () and not copy.exists()
    undo(outcome.manifest)
    assert state(photo.parent) == before


@pytest.mark.parametrize("change", ["bytes", "gone", "link"])
def test_without_the_kept_file_nothing_of_its_group_goes(tree: Tree, change: str) -> None:
    plan, photo, copy, quarantine = tree
    kept = photo.parent / "z.png"
    if change == "bytes":
        kept.write_bytes(b"other")
    else:
        kept.unlink()
        if change == "link":  # looks the same, and would be left dangling
            kept.symlink_to(photo)
    outcome = apply_plan(plan, quarantine)
    assert outcome.removed == ()
    assert all(f"missing or changed: {kept}" in one.reason for one in outcome.left)
    assert photo.exists() and copy.exists()


def test_a_name_that_became_the_kept_file_itself_stays(tree: Tree) -> None:
    plan, photo, copy, quarantine = tree
    kept = photo.parent / "z.png"
    copy.unlink()
    os.link(kept, copy)
    os.utime(copy, ns=(kept.stat().st_atime_ns, plan.files[str(copy)].mtime_ns))
    outcome = apply_plan(plan, quarantine)
    assert [one.reason for one in outcome.left] == [
        f"it is the same file as the one to be kept: {kept}"
    ]


METHODS: tuple[Method, ...] = ("quarantine", "trash", "delete")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("view", ["path", "name"])
def test_a_file_seen_twice_is_no_copy_of_itself(
    view: str, method: Method, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a share is mounted twice: no number tells that both names lead to one file.

    Through another file system its former path may go on leading to it, whatever its name is now.
    """
    plan, photo, copy, quarantine = tree
    kept = plan.groups[0].members[0].path
    before = state(photo.parent)
    seen = tmp_path / "seen"
    seen.mkdir()
    if view == "path":
        (seen / "again").symlink_to(copy.parent)
        other = seen / "again" / copy.name
    else:
        other = seen / copy.name
        os.link(copy, other)
    again = parsed(json.dumps(plan_json(plan)).replace(kept, str(other)))
    monkeypatch.setattr(os.path, "samefile", lambda *_: False)
    monkeypatch.setattr(applying, "_trashed", lambda _: "no trash")
    outcome = apply_plan(again, quarantine, method=method)
    reasons = {one.path: one.reason for one in outcome.left}
    assert "is gone, or another, when this one goes" in reasons[str(copy)]
    assert before[str(copy)] == state(photo.parent)[str(copy)]
    assert os.listdir(copy.parent) == [copy.name]
    assert not list(quarantine.rglob(copy.name))


def parsed(text: str) -> Plan:
    """A plan as it stands in a file, whose names were replaced."""
    data = json.loads(text)
    return Plan.model_validate({key: data[key] for key in data.keys() - {"id", "totals"}})


def test_two_plans_that_keep_what_the_other_removes_lose_nothing(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is applied when this one has looked at all, and removes for good."""
    plan, photo, copy, quarantine = tree
    kept = plan.groups[0].members[0].path
    turned = json.dumps(plan_json(plan)).replace(kept, "?").replace(str(copy), kept)
    opposite = parsed(turned.replace("?", str(copy)))
    real = applying.set_aside

    def interrupted(path: str, sha256: str) -> str:
        monkeypatch.setattr(applying, "set_aside", real)
        outcome = apply_plan(opposite, quarantine, method="delete")
        assert kept in {one.path for one in outcome.removed}
        return real(path, sha256)

    monkeypatch.setattr(applying, "set_aside", interrupted)
    content = photo.read_bytes()
    apply_plan(plan, quarantine, method="delete")
    assert [path.read_bytes() for path in photo.parent.rglob("*.png")] == [content]


def test_what_is_edited_while_the_kept_file_is_read_stays(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, photo, _, quarantine = tree
    real = Intact.is_there

    def slow(self: Intact, path: str, *before: Any) -> bool:
        photo.write_bytes(b"edited")
        return real(self, path, *before)

    monkeypatch.setattr(Intact, "is_there", slow)
    outcome = apply_plan(plan, quarantine, method="delete")
    assert photo.read_bytes() == b"edited"
    assert {one.path: one.reason for one in outcome.left}[str(photo)] == applying.CHANGED


def test_a_file_that_nobody_looked_at_is_not_deleted(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is replaced by a link to another one between the look at a file and its removal."""
    plan, _, copy, quarantine = tree
    other = tmp_path / "other" / copy.name
    other.parent.mkdir()
    other.write_bytes(b"somebody else's")
    real = applying.set_aside

    def swapped(path: str, sha256: str) -> str:
        if path == str(copy):
            copy.parent.rename(tmp_path / "away")
            copy.parent.symlink_to(other.parent)
        return real(path, sha256)

    monkeypatch.setattr(applying, "set_aside", swapped)
    outcome = apply_plan(plan, quarantine, method="delete")
    assert other.read_bytes() == b"somebody else's"
    assert {one.path: one.reason for one in outcome.left} == {str(copy): applying.CHANGED}


def test_where_a_file_is_numbered_by_its_name_it_is_known_by_its_content(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, _, _, quarantine = tree
    monkeypatch.setattr(applying, "is_file", lambda *_: False)
    assert len(apply_plan(plan, quarantine, method="delete").removed) == 2


def test_what_was_set_aside_when_a_run_was_killed_has_its_name_again(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, photo, _, quarantine = tree
    before = state(photo.parent)
    kept = Path(plan.groups[0].members[0].path)

    def killed(_: Intact, path: str, before: object = None) -> bool:
        if before is not None:
            raise KeyboardInterrupt
        return True

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Intact, "is_there", killed)
        apply_plan(plan, quarantine, method="delete")
    assert len(list(photo.parent.rglob("*.objsearch-aside"))) == 1
    content = kept.read_bytes()
    kept.write_bytes(b"another")
    assert apply_plan(plan, quarantine, method="delete").removed == ()
    assert {**state(photo.parent), str(kept): ()} == {**before, str(kept): ()}
    kept.write_bytes(content)
    assert len(apply_plan(plan, quarantine, method="delete").removed) == 2
    assert [path for path in photo.parent.rglob("*") if path.is_file()] == [kept]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_quarantine_is_for_its_owner_alone(tree: Tree) -> None:
    plan, _, _, quarantine = tree
    assert apply_plan(plan, quarantine).manifest.parent.stat().st_mode & 0o77 == 0


def test_a_link_in_a_quarantine_leads_nowhere(tree: Tree, tmp_path: Path) -> None:
    """A quarantine that somebody else has made: nothing of one's own goes by undoing it."""
    plan, photo, _, quarantine = tree
    manifest = apply_plan(plan, quarantine).manifest
    held = manifest.parent / "files"
    held.rename(tmp_path / "own")
    (tmp_path / "own" / "empty").mkdir()
    held.symlink_to(tmp_path / "own")
    undone = undo(manifest)
    assert undone.restored == () and not photo.exists()
    assert {one.reason for one in undone.left} == {"a link leads out of the quarantine to it"}
    assert (tmp_path / "own" / "empty").is_dir()


def test_a_taken_name_in_the_quarantine_is_no_obstacle(tree: Tree) -> None:
    plan, photo, _, quarantine = tree
    taken = quarantine / plan.id / "files" / str(photo).lstrip("/")
    taken.parent.mkdir(parents=True)
    taken.write_text("somebody else's")
    before = state(photo.parent)
    outcome = apply_plan(plan, quarantine)
    assert len(outcome.removed) == 2
    assert taken.read_text() == "somebody else's"
    undo(outcome.manifest)
    assert state(photo.parent) == before


def test_a_quarantine_stands_for_its_one_manifest(tree: Tree, tmp_path: Path) -> None:
    plan, photo, _, quarantine = tree
    apply_plan(plan, quarantine)
    assert len(undo(quarantine).restored) == 2 and photo.exists()
    (quarantine / "other").mkdir()
    (quarantine / "other" / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="holds several manifests"):
        undo(quarantine)
    with pytest.raises(UsageError, match=r"holds no manifest\.json"):
        undo(photo.parent)


def test_undoing_overwrites_nothing(tree: Tree) -> None:
    plan, _, copy, quarantine = tree
    data = copy.read_bytes()
    outcome = apply_plan(plan, quarantine)
    copy.write_text("a new file of the same name")
    undone = undo(outcome.manifest)
    assert [one.reason for one in undone.left] == ["another file has its name now"]
    assert copy.read_text() == "a new file of the same name"
    assert [path.read_bytes() for path in quarantine.rglob("copy.png")] == [data]
    copy.unlink()
    assert [one.path for one in undo(outcome.manifest).restored] == [str(copy)]
    assert copy.read_bytes() == data


@pytest.mark.parametrize("what", ["bytes", "time"])
def test_a_file_that_only_looks_like_the_removed_one_does_not_stand_for_it(
    tree: Tree, what: str
) -> None:
    """Other bytes as of the same moment, or the same bytes of another: what is held stays."""
    plan, _, copy, quarantine = tree
    data, times = copy.read_bytes(), (copy.stat().st_atime_ns, copy.stat().st_mtime_ns)
    outcome = apply_plan(plan, quarantine)
    copy.write_bytes(data[:-1] + b"?" if what == "bytes" else data)
    os.utime(copy, ns=times if what == "bytes" else (5, 5))
    undone = undo(outcome.manifest)
    assert [one.reason for one in undone.left] == ["another file has its name now"]
    assert [path.read_bytes() for path in quarantine.rglob("copy.png")] == [data]


def test_what_is_held_no_more_is_told(tree: Tree) -> None:
    plan, _, copy, quarantine = tree
    outcome = apply_plan(plan, quarantine)
    [held] = quarantine.rglob("copy.png")
    held.unlink()
    undone = undo(outcome.manifest)
    assert [(one.path, one.reason) for one in undone.left] == [
        (str(copy), "it is not in the quarantine any more")
    ]


def test_a_folder_that_is_gone_is_made_again(tree: Tree) -> None:
    plan, _, copy, quarantine = tree
    outcome = apply_plan(plan, quarantine)
    copy.parent.rmdir()
    undo(outcome.manifest)
    assert copy.exists()


def test_a_file_that_changed_in_quarantine_is_not_passed_off_as_the_old_one(tree: Tree) -> None:
    plan, photo, _, quarantine = tree
    outcome = apply_plan(plan, quarantine)
    (held,) = quarantine.rglob("photo.png")
    held.write_text("odd")
    undone = undo(outcome.manifest)
    assert [one.reason for one in undone.left] == ["the file in the quarantine has changed"]
    assert not photo.exists()


def test_a_protected_folder_stays_whatever_an_edited_plan_says(
    planned: Planned, photo: Path, tmp_path: Path
) -> None:
    best = photo.parent / "best"
    put(best / "b.png", drawing(200, 300, seed=1))
    plan = planned(photo.parent, references=[best])
    write_plan(plan, tmp_path / "plan.json")
    text = (tmp_path / "plan.json").read_text()
    turned = text.replace('"remove"', '"other"').replace('"keep",', '"remove",')
    (tmp_path / "plan.json").write_text(turned.replace('"other"', '"keep"'))
    with pytest.raises(UsageError, match=r"b\.png' is to be removed, and is protected"):
        read_plan(tmp_path / "plan.json")
    data = json.loads((tmp_path / "plan.json").read_text())
    unchecked = Plan.model_validate({k: v for k, v in data.items() if k not in ("id", "totals")})
    outcome = apply_plan(unchecked, tmp_path / "quarantine")
    assert [one.reason for one in outcome.left] == ["it lies in a protected folder"]
    assert (best / "b.png").exists() and photo.exists()


def test_unsafe_plans_are_refused(tree: Tree, tmp_path: Path) -> None:
    plan, *_ = tree
    path = tmp_path / "plan.json"
    write_plan(plan, path)
    data = json.loads(path.read_text())

    def refused(match: str) -> None:
        path.write_text(json.dumps(data))
        with pytest.raises(UsageError, match=match):
            read_plan(path)

    members = data["groups"][0]["members"]
    members[0]["action"] = "remove"
    refused("group 1 keeps nothing")
    members[0]["action"] = "hide"
    refused("groups.0.members.0.action")
    members[0]["action"] = "keep"
    data["groups"].append({**data["groups"][0], "group": 2})
    refused("in two groups")
    data["groups"][1]["members"] = [{**members[1], "action": "keep"}]
    refused("another group keeps it")
    data["groups"].pop()
    del data["files"][members[1]["path"]]
    refused("'files' says nothing about")
    data["schema"] = "objsearch/find/1"
    refused("is not a plan by 'objsearch duplicates'")
    path.write_text("{")
    with pytest.raises(UsageError, match="is not JSON"):
        read_plan(path)


@pytest.mark.parametrize("change", ["photo.png", "/x/../{}", "/.{}", "{}/", "{}\0"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_plan_names_whole_paths(place: int, change: str, tree: Tree, tmp_path: Path) -> None:
    """Others lead elsewhere from elsewhere, and out of the quarantine, where nothing is undone."""
    plan, *_ = tree
    name = plan.groups[0].members[place].path
    path = tmp_path / "plan.json"
    write_plan(plan, path)
    odd = json.dumps(change.format(name))
    path.write_text(path.read_text().replace(json.dumps(name), odd))
    with pytest.raises(UsageError, match="is not the whole path of a file"):
        read_plan(path)


def test_a_plan_says_something_of_what_its_copies_are_of(tree: Tree, tmp_path: Path) -> None:
    plan, photo, *_ = tree
    path = tmp_path / "plan.json"
    write_plan(plan, path)
    data = json.loads(path.read_text())
    data["files"][str(photo)]["keep"] = str(tmp_path / "nowhere.png")
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match=r"'files' says nothing about '.*nowhere\.png'"):
        read_plan(path)


def test_deleting_is_for_good_and_says_so(tree: Tree) -> None:
    plan, photo, copy, quarantine = tree
    outcome = apply_plan(plan, quarantine, method="delete")
    assert len(outcome.removed) == 2 and not photo.exists() and not copy.exists()
    assert list(quarantine.rglob("*.png")) == []
    with pytest.raises(UsageError, match="are deleted; only a quarantine can be undone"):
        undo(outcome.manifest)


def test_the_trash_takes_files(tree: Tree, tmp_path: Path) -> None:
    """In a process with a home of its own: where the trash is, is asked once."""
    plan, photo, copy, quarantine = tree
    write_plan(plan, tmp_path / "plan.json")
    code = (
        "from objsearch.tasks.removal import *; import sys;"
        "print(len(apply_plan(read_plan(sys.argv[1]), sys.argv[2], method='trash').removed))"
    )
    home = tmp_path / "home"
    (home / ".local" / "share").mkdir(parents=True)
    environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home / ".local" / "share")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "plan.json"), str(quarantine)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2\n"
    assert not photo.exists() and not copy.exists()
    assert {path.name for path in home.rglob("*.png")} == {"photo.png", "copy.png"}


def test_two_runs_do_not_get_in_each_others_way(tree: Tree) -> None:
    from filelock import FileLock

    plan, photo, _, quarantine = tree
    folder = quarantine / plan.id
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"), pytest.raises(UsageError, match="is in use"):
        apply_plan(plan, quarantine)
    assert photo.exists()


def test_what_lies_in_quarantine_is_not_looked_at_again(tree: Tree, planned: Planned) -> None:
    plan, photo, _, _ = tree
    apply_plan(plan, photo.parent / "removed")
    again = planned(photo.parent)
    assert again.groups == ()
    reasons = {one.reason for one in again.skipped if one.path.endswith(".png")}
    assert reasons == {"it lies in a quarantine of removed copies"}


def test_a_manifest_leads_nowhere_else(tree: Tree, tmp_path: Path) -> None:
    plan, _, _, quarantine = tree
    manifest = apply_plan(plan, quarantine).manifest
    data = json.loads(manifest.read_text())
    data["moves"][0]["target"] = "../../outside.png"
    manifest.write_text(json.dumps(data))
    with pytest.raises(UsageError, match="lies outside of the quarantine"):
        undo(manifest)


def test_random_trees_with_mishaps_and_kills(root: Path, tmp_path: Path) -> None:
    """A dozen of the thousand that the benchmark makes, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, str(root / "benchmarks" / "duplicates_trees.py"), "--trees", "12"],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stderr
    table = dict(line.strip("| ").split(" | ") for line in ran.stdout.splitlines()[2:])
    assert table["trees"] == "12" and table["promises broken"] == "0"
    assert int(table["killed while applying"]) > 0
    assert int(table["removed"]) > 0 and int(table["left"]) > 0


def test_where_nothing_goes_no_quarantine_is_left(tree: Tree) -> None:
    plan, photo, copy, quarantine = tree
    assert apply_plan(plan.model_copy(update={"groups": ()}), quarantine).moves == ()
    assert not quarantine.exists()
    (photo.parent / "z.png").unlink()
    outcome = apply_plan(plan, quarantine)
    assert len(outcome.left) == 2 and photo.exists() and copy.exists()
    assert not quarantine.exists()
