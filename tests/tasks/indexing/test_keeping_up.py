"""An index that is kept up from Python."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from objsearch.errors import UsageError
from objsearch.settings import load_settings
from objsearch.tasks.indexing import (
    build_index,
    index_info,
    open_index,
    remove_from_index,
    settings_in,
    trusted,
    update_index,
)


@pytest.fixture
def folder(some: list[Path], tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    for path in some[:3]:
        shutil.copy(path, photos)
    return photos


@pytest.mark.parametrize("named", [str, Path, lambda path: [path], lambda path: [[str(path)]]])
def test_one_folder_may_be_named_without_a_list(
    named: Callable[[Path], Any], quick: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    assert build_index(index, named(folder), load_settings(quick)).described == 3
    first = sorted(folder.iterdir())[0]
    first.unlink()
    assert build_index(index, named(folder)).described in (0, 2)  # as new as they are, or not
    assert index_info(index)["n_described"] == 2  # what is gone from a folder is forgotten
    assert remove_from_index(index, named(sorted(folder.iterdir())[0])).removed == 1
    with pytest.raises(UsageError, match="holds nothing of"):
        remove_from_index(index, named(first))
    assert remove_from_index(index, named(folder)).removed == 1
    assert update_index(index).described == 0


def test_of_two_builds_that_begin_at_once_the_settings_are_those_of_the_rows(
    quick: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    index, settings = tmp_path / "index", load_settings(quick)

    def other_begins(stage: str, done: int, total: int | None) -> None:
        if stage == "describe" and done == 0:
            with pytest.raises(UsageError, match="no such reference"):
                build_index(index, "nowhere.jpg", load_settings("whole-image"))

    build_index(index, folder, settings, other_begins)
    assert index_info(index)["n_described"] == 3
    shutil.copy(index / "settings.json", tmp_path)
    build_index(tmp_path / "other", [], load_settings("whole-image"))
    shutil.copy(tmp_path / "other" / "settings.json", index)
    build_index(index, folder, settings)  # naming the right ones mends it
    assert index_info(index)["n_described"] == 3


WEIGHTS = ("own.pt", "yolo26n.pt", "exported_openvino_model", "own.torchscript")


@pytest.mark.parametrize("weights", WEIGHTS)
def test_an_index_has_no_weights_loaded_that_may_run_code(
    weights: str, quick: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    """It may come from somebody else; a person may name them."""
    index = tmp_path / "index"
    build_index(index, folder, load_settings(quick))
    stored = json.loads((index / "settings.json").read_text())
    stored["detector"] = {"name": "yolo", "weights": weights}
    (index / "settings.json").write_text(json.dumps(stored))
    for use in (open_index, update_index, lambda index: build_index(index, folder)):
        with pytest.raises(
            UsageError, match=f"wants '{weights}' loaded, .* --set detector.weights="
        ):
            use(index)
    settings = load_settings(stored)
    said = f"detector.weights={weights}"
    assert trusted(index, settings, [said]) == settings
    with pytest.raises(UsageError, match="loaded"):
        trusted(index, settings, [f"{said}.other"])  # somebody named something else


def test_an_index_has_nothing_fetched(quick: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    build_index(index, folder, load_settings(quick))
    stored = json.loads((index / "settings.json").read_text())
    extractor = {"name": "embedding", "weights": "timm:hf-hub:somebody/something"}
    stored["descriptors"] = [{"extractor": extractor}]
    (index / "settings.json").write_text(json.dumps(stored))
    with pytest.raises(UsageError, match="which may run code or be fetched"):
        open_index(index)


def test_weights_that_hold_numbers_are_taken(quick: dict[str, Any]) -> None:
    settings = load_settings({**quick, "detector": {"name": "yolo", "weights": "own.onnx"}})
    assert trusted("index", settings) == settings


def test_an_index_lets_nobody_into_a_private_network(
    quick: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    build_index(index, folder, load_settings({**quick, "input": {"allow_private": True}}))
    assert not open_index(index).settings.input.allow_private
    settings = load_settings(settings_in(index), {"input.allow_private": True})
    assert open_index(index, settings).settings.input.allow_private
