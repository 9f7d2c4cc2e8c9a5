"""What is written for contributors is true: the rooms, the picture, the descriptor in one file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from objsearch.settings import load_settings


def packages(root: Path) -> set[str]:
    folder = root / "objsearch"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    return modules | {path.parent.name for path in folder.glob("*/__init__.py")}


def picture_of(text: str) -> str:
    return text.split("## The picture")[1].split("```")[1]


def test_the_design_has_a_row_for_every_room(root: Path) -> None:
    text = (root / "docs" / "design.md").read_text(encoding="utf-8")
    table = text.split("| room | holds |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == packages(root)


def test_both_pictures_are_one_and_show_every_room_and_task(root: Path) -> None:
    picture, other = (
        picture_of((root / name).read_text(encoding="utf-8"))
        for name in ("docs/design.md", "CONTRIBUTING.md")
    )
    assert picture == other
    words = set(re.findall(r"\w+", picture))
    assert packages(root) <= words
    tasks = {path.parent.name for path in (root / "objsearch" / "tasks").glob("*/__init__.py")}
    assert tasks <= words


@pytest.mark.parametrize(
    ("told", "measured"),
    [
        ("DVD covers", "smvs_dvd"),
        ("DreamBooth", "dreambooth"),
        ("circuit boards", "microcontrollers"),
    ],
)
def test_the_readme_tells_what_was_measured_last(told: str, measured: str, root: Path) -> None:
    def cells(name: str, *words: str) -> list[str]:
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        row = next(one for one in lines if one[:1] == "|" and all(word in one for word in words))
        return [cell.strip() for cell in row.strip("|").split("|")]

    row = cells("benchmarks/results/quality.md", f"| {measured} |", "**default**")
    figures = [row[number].split()[0] for number in (4, 5, 8)]  # without their intervals
    assert cells("README.md", told)[2:] == figures


@pytest.mark.parametrize("name", ["docs/design.md", "CONTRIBUTING.md"])
def test_files_that_are_named_are_there(name: str, root: Path) -> None:
    text = (root / name).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w.]+/)+[\w.]*)`", text))
    named -= {"photos/", "photos/desk.jpg", "objsearch/describe/edge_directions.py"}  # examples
    there = [one for one in named if (root / one).exists() or (root / "objsearch" / one).exists()]
    assert len(named) > 5
    assert sorted(named) == sorted(there)


def test_the_descriptor_is_one_file(
    root: Path, tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    """Written as it stands into a copy of the repository, it is listed, and the contracts hold."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [source] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("objsearch", "tests"):
        shutil.copytree(root / name, tmp_path / name, ignore=ignored)
    for name in ("pyproject.toml", "models", "configs", "examples"):
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "objsearch" / "describe" / "edge_directions.py").write_text(source)
    command = ["-m", "pytest", "-q", "-n", "0", "tests/contracts", "-k", "edge-directions"]
    result = subprocess.run(
        [sys.executable, *command, "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**clean_environment, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    passed = re.search(r"(\d+) passed", result.stdout)
    assert passed and int(passed[1]) >= 5, result.stdout


def test_hooks_and_hosted_ci_run_what_a_developer_runs(root: Path) -> None:
    ci = yaml.safe_load((root / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = [step.get("run") for step in ci["jobs"]["check"]["steps"]]
    assert [step for step in steps if step] == ["make check", "make test"]
    hooks = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    [repository] = hooks["repos"]
    assert repository["repo"] == "local"  # nothing is fetched
    run = " ".join(hook["entry"] for hook in repository["hooks"])
    make = (root / "Makefile").read_text(encoding="utf-8")
    check = make.split("\ncheck:")[1].split("\n\n")[0]
    for tool in re.findall(r"\$\(BIN\)/(.+)", check):
        assert tool.split(" --check")[0].rstrip(" .") in run, tool


def test_the_line_of_settings_is_one(root: Path, tmp_path: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [settings] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "mine.yaml"
    path.write_text(settings.replace("edge-directions", "embedding"), encoding="utf-8")
    assert [one.extractor.name for one in load_settings(path).descriptors] == ["embedding", "orb"]
