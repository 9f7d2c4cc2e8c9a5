"""A package of its own (`tests/plugin`) brings a detector, an extractor and an index.

It is installed into a folder, as pip would but without it, and seen by new processes alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Commands

Ran = subprocess.CompletedProcess[str]
Run = Callable[..., Ran]

BROUGHT = {"detect": "middle", "describe": "stripes", "index": "ledger"}

BROKEN = {
    "gone": ("describe", "objsearch_broken:Gone", "ModuleNotFoundError: No module named 'nowhere'"),
    "not-one": ("detect", "json:dumps", "is no component: 'json:dumps' is something else"),
    "other": ("index", "objsearch_example:Ledger", "has another name in its class: 'ledger'"),
    "half": ("match", "objsearch_half:Half", "does not write what it has to: score_pairs"),
    "orb": ("describe", "objsearch_example:Stripes", "is a name that objsearch itself has"),
}
"""By name: room, entry point, and what is told."""


def install(site: Path, project: dict[str, Any]) -> None:
    """Lay down what an installer writes of a distribution, so that its entry points are seen."""
    folder = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    groups = project["entry-points"].items()
    lines = [
        line
        for group, points in groups
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages in which the example is installed."""
    source, site = root / "tests" / "plugin", tmp_path_factory.mktemp("site")
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copy(source / "objsearch_example.py", site)
    install(site, project)
    return site


@pytest.fixture(scope="module")
def broken(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder, with a package besides of which nothing works."""
    broken = tmp_path_factory.mktemp("broken") / "site"
    shutil.copytree(site, broken)
    (broken / "objsearch_broken.py").write_text("import nowhere\n")
    (broken / "objsearch_half.py").write_text(
        "from objsearch.match.base import Matcher\n\n"
        "class Half(Matcher):\n    name = 'half'\n    accepts = frozenset({'global'})\n"
    )
    points: dict[str, dict[str, str]] = {}
    for name, (room, value, _) in BROKEN.items():
        points.setdefault(f"objsearch.{room}", {})[name] = value
    install(broken, {"name": "objsearch-broken", "version": "9", "entry-points": points})
    return broken


@pytest.fixture(scope="module")
def environment(root: Path, clean_environment: dict[str, str]) -> Callable[[Path], dict[str, str]]:
    """That of a process which sees a folder of packages."""

    def made(site: Path) -> dict[str, str]:
        return {**clean_environment, "PYTHONPATH": os.pathsep.join([str(site), str(root)])}

    return made


@pytest.fixture(scope="module")
def processes(
    environment: Callable[[Path], dict[str, str]],
) -> Iterator[Callable[[Path], Commands]]:
    """A process a folder of packages, for all of its commands."""
    with ExitStack() as stack:
        yield cache(lambda site: stack.enter_context(Commands(environment(site))))


@pytest.fixture
def run(processes: Callable[[Path], Commands], tmp_path: Path) -> Run:
    """`run(site, "find", ...)` where a folder of packages is seen."""
    return lambda site, *words: processes(site).run(*words, cwd=tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "detector: {name: middle, part: 0.6}\n"
        "descriptors: [{extractor: {name: stripes, n: 8}}, {extractor: stripes, alias: fine}]\n"
        f"index: {{name: ledger, log: '{tmp_path / 'ledger.jsonl'}'}}\n"
    )
    return path


def data(ran: Ran) -> Any:
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_all_are_listed_with_their_options(run: Run, site: Path) -> None:
    listed = run(site, "models", "--json")
    assert all(name in data(listed)["components"][room] for room, name in BROUGHT.items())
    assert "warning" not in listed.stderr
    schema = data(run(site, "config", "schema"))["$defs"]
    [stripes] = [one for one in schema["describe"]["oneOf"] if "n" in one.get("properties", {})]
    assert stripes["properties"]["n"]["description"] == "stripes"
    findings = data(run(site, "doctor", "--json"))["findings"]
    told = {one["name"]: one["told"] for one in findings if one["topic"] == "plug-in"}
    assert told == {name: f"{room}, by objsearch-example 0.3" for room, name in BROUGHT.items()}


def test_they_search_from_a_yaml_and_their_own_index_holds_the_descriptors(
    run: Run, site: Path, config: Path, photos: Path, tmp_path: Path
) -> None:
    pair = [photos / "coins.png", photos / "toys.jpg"]
    command = ("find", pair[1], "--in", *pair, "--config", config, "--include-query", "--json")
    answer = data(run(site, *command))
    first = answer["hits"][0]
    assert (first["ref"], first["score"]) == (str(pair[1]), 1.0)
    assert first["pairs"][0]["similarities"].keys() == {"stripes", "fine"}
    assert [region["label"] for region in answer["queries"][0]["regions"]] == ["middle", "frame"]
    [warning] = answer["warnings"]
    assert warning.startswith("no calibration was fitted for 'fine' and 'stripes': scores are by")
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert lines == [{"key": str(path), "stripes": 2, "fine": 2} for path in pair]


def test_the_stored_index_holds_them_by_alias_and_knows_the_package(
    run: Run, site: Path, config: Path, photos: Path, tmp_path: Path
) -> None:
    photo, index = photos / "toys.jpg", tmp_path / "kept.index"
    built = run(site, "index", "build", "--index", index, photo, "--config", config)
    assert built.returncode == 0, built.stderr
    kept = {path.name for path in (index / "rows").iterdir()}
    assert {"vectors-stripes.lance", "vectors-fine.lance"} <= kept
    found = ("find", photo, "--index", index, "--include-query", "--json")
    assert data(run(site, *found))["hits"][0]["score"] == 1.0
    recipe = json.loads((index / "rows" / "index.json").read_text())["recipe"]
    assert recipe["versions.objsearch-example"] == "0.3"
    without = run(tmp_path, *found)
    assert without.returncode == 2 and "no 'middle' in detect" in without.stderr


def test_the_contracts_run_on_them(
    environment: Callable[[Path], dict[str, str]], site: Path, root: Path
) -> None:
    chosen = " or ".join(BROUGHT.values())
    tests = [f"tests/contracts/test_{name}.py" for name in ("components", "detectors")]
    tests += [f"tests/contracts/test_{name}.py" for name in ("extractors", "indexes")]
    asked = ("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-k", chosen)
    ran = subprocess.run(
        [sys.executable, "-P", *asked, *tests],
        cwd=root,
        env={**environment(site), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    n_passed = int(ran.stdout.split(" passed")[0].split()[-1])
    assert n_passed > 60 and "failed" not in ran.stdout


def test_a_broken_package_is_named_in_a_sentence_and_breaks_nothing_else(
    run: Run, broken: Path, config: Path, photos: Path
) -> None:
    listed = run(broken, "models", "--json")
    components = data(listed)["components"]
    warnings = [line for line in listed.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == len(BROKEN)
    for name, (room, _, told) in BROKEN.items():
        [warning] = [line for line in warnings if f"'{name}' in {room}" in line]
        assert "'objsearch-broken'" in warning and told in warning
        assert (name in components[room]) == (name == "orb")
    assert all(name in components[room] for room, name in BROUGHT.items())
    assert run(broken, "config", "schema").returncode == 0
    doctor = run(broken, "doctor")
    assert doctor.returncode == 2 and doctor.stdout.count("objsearch-broken") == len(BROKEN)
    photo = photos / "toys.jpg"
    same = run(broken, "compare", photo, photo, "--config", config)
    assert same.returncode == 0, same.stderr


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("descriptors: [{extractor: gone}]", "gone"),
        ("detector: not-one", "not-one"),
        ("index: other", "other"),
        ("descriptors: [{extractor: stripes, matcher: half}]", "half"),
    ],
)
def test_settings_that_name_a_broken_one_are_refused_with_file_and_line(
    setting: str, name: str, run: Run, broken: Path, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(f"# mine\n{setting}\n")
    refused = run(broken, "config", "check", path)
    assert refused.returncode == 2
    [sentence] = refused.stderr.splitlines()
    assert "wrong.yaml, line 2: " in sentence and f"'{name}'" in sentence
    assert "the package 'objsearch-broken' brings" in sentence and BROKEN[name][2] in sentence
