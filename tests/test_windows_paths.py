"""Paths as Windows writes them, where names are parsed: a drive is no scheme."""

from __future__ import annotations

import pytest

from objsearch.report.wording import folder_and_name
from objsearch.sources.urls import is_url, scheme_of
from objsearch.types import ImageRef

PATHS = [
    r"C:\photos\mug.jpg",
    r"D:\my photos\scan.pdf",
    r"\\server\share\film.mp4",
    r"..\photos\mug.jpg",
    "C:/photos/mug.jpg",
    r"C:\photos\#1\mug.jpg",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_no_url(path: str) -> None:
    assert scheme_of(path) == "" and not is_url(path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("fragment", "field", "value"),
    [
        ("#page=3", "page", 3),
        ("#frame=5", "frame", 5),
        ("#t=12.5", "seconds", 12.5),
        ("#xywh=10,20,200,100", "xywh", (10, 20, 200, 100)),
        ("", "page", None),
    ],
)
def test_fragments_are_told_from_paths(path: str, fragment: str, field: str, value: object) -> None:
    ref = ImageRef.parse(path + fragment)
    assert (ref.uri, getattr(ref, field)) == (path, value)
    assert str(ref) == path + fragment


@pytest.mark.parametrize("path", [PATHS[0], PATHS[2], PATHS[4]])
def test_the_name_is_told_from_its_folder(path: str) -> None:
    folder, name = folder_and_name(path)
    assert name in ("mug.jpg", "film.mp4") and folder + name == path
