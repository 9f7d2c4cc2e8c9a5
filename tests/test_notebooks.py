"""The notebooks run from top to bottom, as they lie in the repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.clone import lay_down

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def test_there_are_three() -> None:
    assert len(NOTEBOOKS) == 3


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the repository, in which each is run where it lies."""
    folder = tmp_path_factory.mktemp("clone")
    lay_down(folder)
    shutil.copytree(NOTEBOOKS[0].parent, folder / "notebooks")
    return folder


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path: Path, clone: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "commit without outputs"
    where = {"metadata": {"path": clone / "notebooks"}}
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where)
    client.execute()
