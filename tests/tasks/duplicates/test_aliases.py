"""Two descriptors by one extractor, in a search for copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from objsearch.settings import load_settings
from objsearch.tasks.duplicates import plan_duplicates
from tests.pictures import cropped, drawing
from tests.tasks.duplicates.conftest import put


def test_copies_are_found_by_descriptors_under_any_alias(
    light: dict[str, Any], tmp_path: Path
) -> None:
    hashes = [
        {"extractor": {"name": "perceptual-hash", "long_side": side}, "alias": f"hash-{side}"}
        for side in (320, 160)
    ]
    aliased = {
        **light,
        "descriptors": [*hashes, {**light["descriptors"][1], "alias": "points"}],
        "calibration": "auto",
        "duplicates": {"decisions": str(tmp_path / "decisions.json")},
    }
    picture = drawing(300, 400)
    put(tmp_path / "in" / "a.png", picture)
    put(tmp_path / "in" / "b.png", cropped(picture))
    put(tmp_path / "in" / "c.png", drawing(300, 400, seed=9))
    plan = plan_duplicates([tmp_path / "in"], settings=load_settings(aliased))
    assert [sorted(Path(m.path).name for m in group.members) for group in plan.groups] == [
        ["a.png", "b.png"]
    ]
    [warning] = plan.warnings
    assert "no calibration was fitted for 'hash-160' and 'hash-320' and 'points'" in warning
