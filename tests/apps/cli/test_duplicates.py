"""`objsearch duplicates`: the words, the forms and the exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apps.cli.conftest import Cli
from tests.pictures import drawing
from tests.tasks.duplicates.conftest import light, photo, put  # noqa: F401

KEYS = [
    *("path", "action", "similarity_to_keep", "identical_to_keep", "width", "height", "bytes"),
    *("reason", "relation", "copy_of", "differs", "lacks", "transform"),
]


@pytest.fixture
def found(
    cli: Cli,
    light: dict[str, Any],  # noqa: F811
    photo: Path,  # noqa: F811
    tmp_path: Path,
) -> Callable[..., Any]:
    """`found("--json")` plans over a photo, its copy and a smaller one, by light settings."""
    shutil.copy2(photo, photo.parent / "copy.png")
    put(photo.parent / "small.png", drawing(200, 300, seed=1)[::2, ::2])
    put(photo.parent / "other.png", drawing(200, 300, seed=2))
    config = tmp_path / "light.yaml"
    config.write_text(yaml.safe_dump(light))
    decisions = ("--decisions", tmp_path / "decisions.json", "--config", config)
    return lambda *words: cli("duplicates", photo.parent, *decisions, *words)


def test_the_plan_holds_groups_of_members(found: Callable[..., Any], tmp_path: Path) -> None:
    plan_file = tmp_path / "plan.json"
    result = found("--plan", plan_file, "--json")
    assert result.code == 0
    data = json.loads(plan_file.read_text())
    assert result.data == data
    assert data["schema"] == "objsearch/duplicates/2"
    (group,) = data["groups"]
    assert [sorted(one) for one in group["members"]] == [sorted(KEYS)] * 3
    actions = {Path(one["path"]).name: one["action"] for one in group["members"]}
    assert actions == {"copy.png": "keep", "photo.png": "remove", "small.png": "remove"}
    identical = {Path(one["path"]).name: one["identical_to_keep"] for one in group["members"]}
    assert identical == {"copy.png": True, "photo.png": True, "small.png": False}
    assert data["settings"]["duplicates"]["keep"][0] == "reference"


def test_a_second_plan_rests_on_what_is_remembered(
    found: Callable[..., Any], tmp_path: Path
) -> None:
    library = tmp_path / "library"
    plans = [found("--json", "--library", library).data for _ in range(2)]
    assert [plan.pop("remembered") for plan in plans] == [0, 4]
    assert plans[0] == plans[1]
    assert "4 scanned, 4 remembered, 0 read, 0 skipped" in found("--library", library).out
    put(tmp_path / "photos" / "other.png", drawing(200, 300, seed=3), seconds=2_000_000)
    assert "4 scanned, 3 remembered, 1 read, 0 skipped" in found("--library", library).out


def test_nothing_is_remembered_where_that_is_not_wanted(
    found: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBJSEARCH_LIBRARY", str(tmp_path / "library"))
    forgetful = found("--json", "--forget").data
    assert not (tmp_path / "library").exists()
    plans = [found("--json").data for _ in range(2)]
    assert [plan["remembered"] for plan in (forgetful, *plans)] == [0, 0, 4]
    assert found("--json", "--forget").data == forgetful == {**plans[1], "remembered": 0}
    assert "4 scanned, 0 skipped" in found("--forget").out
    both = found("--forget", "--library", tmp_path / "library")
    assert both.code == 2 and "not both" in both.err


def test_exact_copies_alone(found: Callable[..., Any]) -> None:
    data = found("--exact-only", "--json").data
    names = [Path(one["path"]).name for group in data["groups"] for one in group["members"]]
    assert sorted(names) == ["copy.png", "photo.png"]
    assert data["settings"]["duplicates"]["exact_only"]
    assert data["compared"] == 4


def test_csv_has_a_row_a_file(found: Callable[..., Any]) -> None:
    result = found("--csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert list(rows[0]) == [
        *("group", "action", "path", "width", "height", "bytes"),
        *("similarity_to_keep", "identical_to_keep", "reason", "relation", "differs", "lacks"),
    ]
    assert [row["action"] for row in rows] == ["keep", "remove", "remove"]
    assert [row["identical_to_keep"] for row in rows] == ["true", "true", "false"]


def test_from_plan_to_undo(found: Callable[..., Any], cli: Cli, tmp_path: Path) -> None:
    plan_file, page = tmp_path / "plan.json", tmp_path / "review.html"
    table = found("--plan", plan_file, "--report", page)
    assert "2 files to remove" in table.out
    assert "data:image/jpeg" in page.read_text()
    assert not re.search(r"(?<!file)://", page.read_text())
    small = tmp_path / "photos" / "small.png"
    applied = cli("duplicates", "apply", plan_file, "--json")
    assert applied.code == 0 and not small.exists()
    assert len(applied.data["removed"]) == 2 and applied.data["left"] == []
    manifest = applied.data["manifest"]
    assert Path(manifest).is_relative_to(tmp_path / "plan-quarantine")
    undone = cli("duplicates", "undo", manifest)
    assert undone.code == 0 and small.exists()
    assert undone.out == "2 files restored, 0 not\n"


def test_the_page_blurs_what_screening_flags(
    found: Callable[..., Any],
    failing: Callable[..., str],
    photo: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    unwanted = put(tmp_path / "unwanted" / "one.png", drawing(200, 300, seed=1))
    plain, blurred = tmp_path / "plain.html", tmp_path / "blurred.html"
    found("--report", plain)
    found("--report", blurred, "--set", f"screening.examples=[{unwanted}]")
    assert "blurred" not in plain.read_text()
    assert blurred.read_text().count("blurred, flagged: examples") == 3
    shots = [
        set(re.findall(r"data:image/jpeg[^\"]+", page.read_text())) for page in (plain, blurred)
    ]
    assert shots[0] and shots[1] and not shots[0] & shots[1]
    # What is missing is told before anything is planned.
    message = failing("duplicates", photo.parent, "--set", "screening.examples=[/nowhere.png]")
    assert "/nowhere.png" in message


def test_deleting_asks_and_nobody_there_means_no(
    found: Callable[..., Any],
    cli: Cli,
    failing: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan_file = tmp_path / "plan.json"
    found("--plan", plan_file)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    refused = cli("duplicates", "apply", plan_file, "--delete")
    assert refused.code == 2 and "Delete 2 files for good?" in refused.err
    monkeypatch.setattr("sys.stdin", io.StringIO())
    asked = cli("duplicates", "apply", plan_file, "--delete")
    assert asked.code == 2 and "nothing was deleted" in asked.err
    assert (tmp_path / "photos" / "small.png").exists()
    assert cli("duplicates", "apply", plan_file, "--delete", "--yes").code == 0
    assert not (tmp_path / "photos" / "small.png").exists()
    assert "not both" in failing("duplicates", "apply", plan_file, "--delete", "--trash")


def test_a_second_apply_says_that_there_was_a_first(
    found: Callable[..., Any], cli: Cli, failing: Callable[..., str], tmp_path: Path
) -> None:
    plan_file = tmp_path / "plan.json"
    found("--plan", plan_file)
    assert "2 files removed, 0 left" in cli("duplicates", "apply", plan_file).out
    again = cli("duplicates", "apply", plan_file)
    assert again.code == 0
    assert again.out.splitlines()[:2] == [
        "nothing more to remove",
        "2 files removed by this plan before",
    ]
    assert cli("duplicates", "apply", plan_file, "--json").data["removed_before"] == 2
    said = failing("duplicates", "apply", plan_file, "--trash")
    assert said.startswith("this plan was applied before, with the method quarantine")
    assert "objsearch duplicates undo" in said
    elsewhere = cli("duplicates", "apply", plan_file, "--quarantine", tmp_path / "other")
    assert elsewhere.code == 1
    assert "hint: none of the files is there any more" in elsewhere.err


def test_left_files_are_warned_of(found: Callable[..., Any], cli: Cli, tmp_path: Path) -> None:
    plan_file = tmp_path / "plan.json"
    found("--plan", plan_file)
    for name in ("photo.png", "small.png"):
        (tmp_path / "photos" / name).write_text("changed")
    result = cli("duplicates", "apply", plan_file)
    assert result.code == 1
    assert result.err.count("it changed since the plan was made") == 2


def test_what_is_no_duplicate_is_said_once(
    found: Callable[..., Any], cli: Cli, tmp_path: Path
) -> None:
    photos, decisions = tmp_path / "photos", tmp_path / "decisions.json"
    (photos / "copy.png").unlink()
    pair = (photos / "photo.png", photos / "small.png")
    assert found().code == 0
    assert cli("duplicates", "ignore", *pair, "--decisions", decisions).code == 0
    assert found().code == 1
    assert cli("duplicates", "ignore", *pair, "--forget", "--decisions", decisions).code == 0
    assert found().code == 0


def test_a_settings_file_says_what_is_kept_and_protected(
    found: Callable[..., Any],
    cli: Cli,
    light: dict[str, Any],  # noqa: F811
    tmp_path: Path,
) -> None:
    photos = tmp_path / "photos"
    rules = {"keep": ["fewest-bytes"], "references": [str(photos / "photo.png")]}
    config = tmp_path / "rules.yaml"
    decisions = {"decisions": str(tmp_path / "decisions.json")}
    config.write_text(yaml.safe_dump({**light, "duplicates": {**rules, **decisions}}))
    result = cli("duplicates", photos, "--config", config, "--json")
    members = result.data["groups"][0]["members"]
    assert [Path(one["path"]).name for one in members] == ["photo.png", "copy.png", "small.png"]
    assert members[0]["reason"].startswith("kept: protected")
    assert result.data["protected"] == [str(photos / "photo.png")]


def test_mistakes_are_told(failing: Callable[..., str], tmp_path: Path) -> None:
    assert "no such photo or folder" in failing("duplicates", tmp_path / "none")
    assert "cannot read" in failing("duplicates", "apply", tmp_path / "none.json")
    (tmp_path / "odd.json").write_text("[]")
    assert "is not a manifest" in failing("duplicates", "undo", tmp_path / "odd.json")
    assert "newest" in failing("duplicates", tmp_path, "--keep", "newst")
