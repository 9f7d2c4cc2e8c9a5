"""Plans that somebody has decided on: what they may say, and what applying makes of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from objsearch.errors import UsageError
from objsearch.settings import Settings
from objsearch.tasks.duplicates import decide_planned, plan_json
from objsearch.tasks.removal import apply_plan, read_plan
from tests.apps.cli.conftest import Cli, cli  # noqa: F401
from tests.pictures import cropped, drawing
from tests.tasks.duplicates.conftest import Planned, put

Decided = Callable[..., Path]


@pytest.fixture
def decided(planned: Planned, tmp_path: Path) -> Decided:
    """`decided({"copy.png": "keep"}, apart=[("whole.png", "part.png")])` is a plan's file.

    Of `whole.png` there is a copy of the same bytes, one of the same pixels, and a part.
    """
    photos = tmp_path / "photos"
    pixels = drawing(400, 600, seed=1)
    put(photos / "whole.png", pixels)
    put(photos / "part.png", cropped(pixels, 0.7))
    put(photos / "same.bmp", pixels)
    shutil.copy2(photos / "whole.png", photos / "zcopy.png")

    def decide(actions: dict[str, str], apart: Any = (), **more: Any) -> Path:
        data = plan_json(planned(photos, keep=["format", "path"])) | more
        members = data["groups"][0]["members"]
        assert Path(members[0]["path"]).name == "whole.png"
        for one in members:
            one["action"] = actions.get(Path(one["path"]).name, one["action"])
        data["not_duplicates"] = [[str(photos / name) for name in pair] for pair in apart]
        path = tmp_path / "decided.json"
        path.write_text(json.dumps(data))
        return path

    return decide


SWAPPED = {"whole.png": "remove", "same.bmp": "keep"}
APART = [("part.png", "whole.png")]


def test_another_keeper_stands_for_the_copies_of_the_former(
    decided: Decided, tmp_path: Path
) -> None:
    """`zcopy.png` was compared with `whole.png`, which goes first; `same.bmp` stays for both."""
    outcome = apply_plan(read_plan(decided(SWAPPED)), tmp_path / "quarantine")
    assert outcome.left == ()
    left = sorted(path.name for path in (tmp_path / "photos").iterdir())
    assert left == ["part.png", "same.bmp"]


def test_without_the_new_keeper_nothing_goes(decided: Decided, tmp_path: Path) -> None:
    plan = read_plan(decided(SWAPPED))
    (tmp_path / "photos" / "same.bmp").write_bytes(b"changed")
    outcome = apply_plan(plan, tmp_path / "quarantine")
    assert outcome.removed == () and len(outcome.left) == 2


@pytest.mark.parametrize(
    ("actions", "apart", "said"),
    [
        ({"whole.png": "remove"}, [], "group 1 keeps nothing"),
        ({"part.png": "remove"}, APART, "'{}/part.png' is to be removed, and is no duplicate"),
        ({"part.png": "keep"}, [("whole.png", "zcopy.png")], "hold the same bytes"),
        ({"part.png": "keep"}, [("whole.png", "none.png")], "'files' says nothing about"),
    ],
)
def test_what_cannot_be_is_refused(
    actions: dict[str, str], apart: Any, said: str, decided: Decided, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as refused:
        read_plan(decided(actions, apart))
    assert said.format(tmp_path / "photos") in str(refused.value)


def test_what_is_protected_cannot_be_removed(decided: Decided, tmp_path: Path) -> None:
    path = decided({}, protected=[str(tmp_path / "photos")])
    with pytest.raises(UsageError, match="is to be removed, and is protected"):
        read_plan(path)


def test_pairs_that_are_no_duplicates_are_remembered(
    decided: Decided, planned: Planned, settings: Settings, tmp_path: Path
) -> None:
    plan = read_plan(decided({"part.png": "keep"}, APART))
    assert decide_planned(plan, settings) == (1, [])
    again = planned(tmp_path / "photos")
    assert again.ignored
    assert "part.png" not in {Path(one.path).name for one in again.groups[0].members}


def test_what_changed_since_is_not_remembered(
    decided: Decided, settings: Settings, tmp_path: Path
) -> None:
    plan = read_plan(decided({"part.png": "keep"}, APART))
    put(tmp_path / "photos" / "part.png", drawing(100, 100, seed=9))
    n_pairs, problems = decide_planned(plan, settings)
    assert n_pairs == 0 and "changed since the plan was made" in problems[0]
    assert not Path(settings.duplicates.decisions or "").exists()


def test_apply_says_what_it_remembers(
    decided: Decided,
    cli: Cli,  # noqa: F811
    settings: Settings,
    tmp_path: Path,
) -> None:
    """The decisions of the plan's own settings are added to, unless others are named."""
    path = decided({"part.png": "keep"}, APART)
    applied = cli("duplicates", "apply", path)
    assert applied.code == 0 and "2 files removed" in applied.out
    where = settings.duplicates.decisions
    assert f"no duplicates from now on: 1 pair, in {where}" in applied.err
    named = tmp_path / "named.json"
    cli("duplicates", "apply", path, "--decisions", named)
    assert named.exists()
