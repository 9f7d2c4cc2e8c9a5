"""A file is whole under one of two names at every moment, also where moving it goes wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from objsearch.tasks.removal import moving
from objsearch.tasks.removal.moving import ChangedError, move

DATA = bytes(range(256)) * 40
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "a.png"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A free name in a folder that is not there yet."""
    return tmp_path / "held" / "a.png"


@pytest.fixture
def elsewhere(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source lies on a file system of its own."""
    real = os.link

    def link(one: str, other: str, **options: Any) -> None:
        if one == str(source):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(one, other, **options)

    monkeypatch.setattr(os, "link", link)


def test_a_file_is_carried_to_another_file_system(
    source: Path, target: Path, elsewhere: None
) -> None:
    os.utime(source, (5, 5))
    move(str(source), str(target), SHA256)
    assert target.read_bytes() == DATA and target.stat().st_mtime == 5
    assert not source.exists()
    assert os.listdir(target.parent) == ["a.png"]


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-1] + b"\0"])
def test_a_copy_that_does_not_read_back_is_none(
    damage: Callable[[bytes], bytes],
    source: Path,
    target: Path,
    elsewhere: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def copyfile(one: str, other: str, **_: Any) -> None:
        Path(other).write_bytes(damage(Path(one).read_bytes()))

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    with pytest.raises(ChangedError, match="while it was being copied"):
        move(str(source), str(target), SHA256)
    assert source.read_bytes() == DATA
    assert os.listdir(target.parent) == []


def test_what_cannot_go_is_not_in_two_places(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.unlink

    def unlink(path: str, **options: Any) -> None:
        if path == str(source):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        real(path, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(PermissionError):
        move(str(source), str(target), SHA256)
    assert source.read_bytes() == DATA
    assert os.listdir(target.parent) == []


@pytest.mark.parametrize("change", [b"more", None], ids=["longer", "another file"])
def test_what_changes_while_it_is_moved_stays_and_is_not_held(
    change: bytes | None, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(folder: str) -> None:
        if change is None:
            source.unlink()
            source.write_bytes(DATA)
        else:
            source.write_bytes(DATA + change)

    monkeypatch.setattr(moving, "sync_folder", changing)
    with pytest.raises(ChangedError, match="while it was being moved"):
        move(str(source), str(target), SHA256)
    assert source.read_bytes() == DATA + (change or b"")
    assert os.listdir(target.parent) == []


def test_no_name_is_taken_from_another_file(source: Path, target: Path, elsewhere: None) -> None:
    target.parent.mkdir()
    target.write_bytes(b"another")
    with pytest.raises(FileExistsError):
        move(str(source), str(target), SHA256)
    assert (source.read_bytes(), target.read_bytes()) == (DATA, b"another")
    assert os.listdir(target.parent) == ["a.png"]


@pytest.mark.parametrize("is_taken", [False, True])
def test_without_hard_links_a_file_is_renamed_to_a_free_name(
    is_taken: bool, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    if not is_taken:
        move(str(source), str(target), SHA256)
        assert target.read_bytes() == DATA and not source.exists()
        return
    target.parent.mkdir()
    target.write_bytes(b"another")
    with pytest.raises(FileExistsError, match="is taken"):
        move(str(source), str(target), SHA256)
    assert (source.read_bytes(), target.read_bytes()) == (DATA, b"another")


@pytest.mark.parametrize("is_whole", [True, False])
def test_names_of_one_file_stay_one_file_on_another_file_system(
    is_whole: bool, source: Path, target: Path, elsewhere: None
) -> None:
    target.parent.mkdir()
    twin = target.with_name("twin.png")
    twin.write_bytes(DATA if is_whole else DATA[::-1])
    move(str(source), str(target), SHA256, str(twin))
    assert target.read_bytes() == DATA and not source.exists()
    assert target.samefile(twin) == is_whole
