"""Damage that nobody notices while an index is searched, and `check_files` does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from objsearch.errors import LostIndexError
from objsearch.index.lance import Lance, Stored
from tests.contracts.rows import RECIPE, By, rich_row

RANKERS = {"vectors/1": By(0, "vectors/1")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


def opened(folder: Path) -> Stored:
    return Lance(path=str(folder)).open(RECIPE, RANKERS)


def filled(folder: Path) -> Stored:
    index = opened(folder)
    for start in (0, 20):
        index.put(rich_row(f"{i}.png", i) for i in range(start, start + 20))
    return index


def data_of(folder: Path, dataset: str) -> Path:
    return max((folder / f"{dataset}.lance" / "data").iterdir(), key=lambda p: p.stat().st_size)


def test_a_whole_index_is_found_whole(folder: Path) -> None:
    index = filled(folder)
    index.remove(["3.png"])
    checked = index.check_files()
    assert checked.n_files == 2 * 6 and checked.n_without_sum == 0
    index.compact()
    again = opened(folder).check_files()
    assert (again.n_files, again.n_without_sum) == (6, 0)
    assert len(json.loads((folder / "sums.json").read_text())) == 6  # of the present files alone


@pytest.mark.parametrize("dataset", ["rows", "vectors-vectors%2F1", "keypoints-orb", "words"])
def test_one_flipped_bit_is_told_with_its_file(dataset: str, folder: Path) -> None:
    filled(folder)
    path = data_of(folder, dataset)
    held = bytearray(path.read_bytes())
    held[80] ^= 1
    path.write_bytes(held)
    with pytest.raises(LostIndexError, match=r"is damaged \(") as told:
        opened(folder).check_files()
    assert dataset in str(told.value) and "build it anew" in str(told.value)


def test_a_file_that_is_gone_is_told(folder: Path) -> None:
    filled(folder)
    data_of(folder, "keypoints-orb").unlink()
    with pytest.raises(LostIndexError, match=r"it lacks 'keypoints-orb\.lance"):
        opened(folder).check_files()


@pytest.mark.parametrize("text", [None, "[]", "?", '{"a": "b"}'])
def test_what_has_no_sums_is_read_through(text: str | None, folder: Path) -> None:
    index = filled(folder)
    (folder / "sums.json").unlink()
    if text is not None:
        (folder / "sums.json").write_text(text)
    checked = index.check_files()
    assert checked.n_files == checked.n_without_sum == 12
    index.put([rich_row("new.png", 99)])
    assert index.check_files().n_without_sum == 12  # what is there may be damaged already
    path = data_of(folder, "words")
    path.write_bytes(bytes(path.stat().st_size - 4) + b"LANC")  # as long, and with its end
    with pytest.raises(LostIndexError, match="cannot be read"):
        opened(folder).check_files()
