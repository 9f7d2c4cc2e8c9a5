"""The rooms of the house and what may be imported where: planted breaches are caught."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

MAY_HOLD_FRAMEWORKS = {"detect", "describe", "classify"}

PLANTS = {
    "torch in the comparison": (
        {"search/comparing.py": "import torch"},
        "Frameworks stay",
    ),
    "a framework within a function": (
        {"report/wording.py": "def _planted() -> None:\n    import ultralytics"},
        "Frameworks stay",
    ),
    "a framework in the package itself": (
        {"__init__.py": "def _planted() -> None:\n    import torch"},
        "What importing the package loads",
    ),
    "Lance outside the index": (
        {"tasks/larger/finding.py": "def _planted() -> None:\n    import pyarrow"},
        "Lance stays in the index",
    ),
    "a task that knows another": (
        {"tasks/larger/finding.py": "from objsearch.tasks.duplicates import plan_duplicates"},
        "No task knows another",
    ),
    "a circle among siblings": (
        {
            "rank/fusion.py": "from objsearch.rank import metrics",
            "rank/metrics.py": "import objsearch.rank.fusion",
        },
        "No circles among siblings",
    ),
    "a room that reaches up": (
        {"match/cosine.py": "from objsearch.settings import Settings"},
        "The house",
    ),
    "a room that knows its neighbour": (
        {"detect/grid.py": "from objsearch.sources import Place"},
        "The house",
    ),
}


def contracts(root: Path) -> list[dict[str, Any]]:
    data = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return list(data["tool"]["importlinter"]["contracts"])


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def house(root: Path, tmp_path: Path) -> Path:
    """A copy of the package with its contracts, to plant in."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "objsearch", tmp_path / "objsearch", ignore=ignored)
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_as_it_stands_keeps_its_contracts(house: Path) -> None:
    result = lint(house)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize("what", PLANTS)
def test_a_planted_breach_is_caught(what: str, house: Path) -> None:
    plants, contract = PLANTS[what]
    for name, line in plants.items():
        with (house / "objsearch" / name).open("a", encoding="utf-8") as stream:
            stream.write(f"\n\n{line}\n")
    result = lint(house)
    assert result.returncode != 0, result.stdout
    broken = [line for line in result.stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), result.stdout


def test_a_package_in_no_layer_is_refused(house: Path) -> None:
    (house / "objsearch" / "helpers.py").write_text("X = 1\n", encoding="utf-8")
    result = lint(house)
    assert result.returncode != 0
    assert "helpers" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("contract", "but"),
    [
        ("Frameworks stay in detect, describe and classify", MAY_HOLD_FRAMEWORKS),
        ("Lance stays in the index", {"index"}),
    ],
)
def test_every_package_keeps_out_what_only_some_may_hold(
    contract: str, but: set[str], root: Path
) -> None:
    [forbidden] = [one for one in contracts(root) if one["name"] == contract]
    listed = {name.removeprefix("objsearch.") for name in forbidden["source_modules"]}
    there = {
        path.stem
        for path in (root / "objsearch").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert listed == there - {"__init__"} - but


def test_no_heap_grows_on_top(root: Path) -> None:
    loose = {path.name for path in (root / "objsearch").glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "errors.py", "files.py"}


def test_it_runs_as_a_module(tmp_path: Path, clean_environment: dict[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "objsearch", "--version"],
        cwd=tmp_path,
        env=clean_environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0 and result.stdout.startswith("objsearch "), result.stderr
