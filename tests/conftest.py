"""What many tests share: example photos, searches over them made once, no way to the network."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from objsearch.images.decode import decode
from objsearch.match.calibration import Calibration, save
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.types import Pixels

ROOT = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile(
    "default", deadline=None, derandomize=True, database=None, max_examples=60
)
hypothesis.settings.load_profile("default")

# What takes longest begins first: none of it is left for the end, when other workers are idle.
LONGEST = ("search/test_pipeline.py", "test_readme.py", "search/test_second_look.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the files that take longest first; all else keeps its order."""
    longest = [ROOT / "tests" / name for name in LONGEST]
    items.sort(key=lambda item: longest.index(item.path) if item.path in longest else len(longest))


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """The default run needs no network: whoever looks for it is named."""
    tried: list[object] = []
    real = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        is_near = self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1", "localhost")
        if not is_near:
            tried.append(address)
            raise ConnectionError(f"tests have no network: {address}")
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
    assert not tried


@pytest.fixture(scope="session", autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What commands remember goes into a folder of the tests' own."""
    folder = tmp_path_factory.mktemp("library")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBJSEARCH_LIBRARY", str(folder))
        yield folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of example photos, which nobody changes."""
    return ROOT / "examples" / "photos"


@pytest.fixture(scope="session")
def queries() -> Path:
    """The folder of example queries, which nobody changes."""
    return ROOT / "examples" / "queries"


@pytest.fixture(scope="session")
def pixels_of(photos: Path) -> Callable[[str], Pixels]:
    """The pixels of an example photo by name."""

    @cache
    def read(name: str) -> Pixels:
        pixels = decode((photos / name).read_bytes()).pixels
        pixels.flags.writeable = False
        return pixels

    return read


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings for tests whose subject is not the algorithm: few ORB points of the full frame.

    The second look is nearly all of what a search of few points costs: it is a short one.
    """
    path = tmp_path_factory.mktemp("quick") / "calibration.yaml"
    save(Calibration(intercept=-5.0, coefficients={"orb": 2.2}), path)
    return {
        "detector": "whole-image",
        "descriptors": [{"extractor": {"name": "orb", "n_points": 400, "long_side": 400}}],
        "calibration": str(path),
        "search": {"second_look": {"candidates": 2, "doubtful": 1}},
    }


@pytest.fixture(scope="session")
def first_look(quick: dict[str, Any]) -> dict[str, Any]:
    """Quick settings without a second look, for tests that it has nothing to do with."""
    return {**quick, "search": {"second_look": {"enabled": False}}}


@pytest.fixture(scope="session")
def some(photos: Path) -> list[Path]:
    """A few photos that differ in kind and size, for tests that describe them again and again."""
    names = ("coins.png", "graffiti_wall.jpg", "notebook.jpg", "old_street.jpg", "toys.jpg")
    return [photos / name for name in names]


@pytest.fixture(scope="session")
def searches(photos: Path) -> Callable[[str], ObjectSearch]:
    """A search by a preset over all example photos, described once; nobody adds to it."""

    @cache
    def search(preset: str) -> ObjectSearch:
        return ObjectSearch(load_settings(preset)).add(photos)

    return search


@pytest.fixture(scope="session")
def quick_search(first_look: dict[str, Any], photos: Path) -> ObjectSearch:
    """A quick search over all example photos, without a second look; nobody adds to it."""
    return ObjectSearch.open(first_look).add(photos)


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of one's own that holds a copy of `examples/`."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment of a new process, without what tests and frameworks left in ours."""
    quiet = ("OPENBLAS_", "ORT_DISABLE_TELEMETRY", "YOLO_", "ULTRALYTICS_", "HF_HUB_", "COV_")
    return {key: value for key, value in os.environ.items() if not key.startswith(quiet)}
