"""What a file is called in a quarantine: below it, whatever it was called before."""

from __future__ import annotations

import ntpath
import posixpath
from pathlib import Path
from types import ModuleType

import pytest

from objsearch.tasks.removal.held_names import HeldNames, held_name


@pytest.mark.parametrize(
    ("paths", "path", "held"),
    [
        (posixpath, "/home/me/a.jpg", "files/home/me/a.jpg"),
        (ntpath, "C:\\photos\\a.jpg", "files\\C\\photos\\a.jpg"),
        (ntpath, "\\\\nas\\photos\\2001\\a.jpg", "files\\nas_photos\\2001\\a.jpg"),
        (ntpath, "\\\\?\\C:\\photos\\a.jpg", "files\\C\\photos\\a.jpg"),
    ],
)
def test_a_file_is_held_below_the_quarantine(paths: ModuleType, path: str, held: str) -> None:
    """That of a share too: its drive, joined to a folder, leads out of that folder."""
    assert held_name(path, paths) == held
    assert paths.join("Q:", held) == "Q:" + ("/" if paths is posixpath else "") + held


def test_names_are_apart_where_small_letters_and_capitals_are_the_same(tmp_path: Path) -> None:
    names = HeldNames(str(tmp_path), ["files/x/a.jpg"])
    assert names.free("/x/A.JPG") == "files/x/A (2).JPG"
    assert names.free("/x/A.jpg") == "files/x/A (3).jpg"
    assert names.free("/x/u\u0308.jpg") == "files/x/u\u0308.jpg"
    assert names.free("/x/\u00fc.jpg") == "files/x/\u00fc (2).jpg"
