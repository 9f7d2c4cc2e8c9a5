"""What a plan says of each member besides what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from objsearch.tasks.duplicates import plan_json
from objsearch.tasks.removal import read_plan, write_plan
from tests.pictures import cropped, drawing
from tests.tasks.duplicates.conftest import Planned, put


def test_a_part_says_where_it_lies_in_the_kept_file(planned: Planned, tmp_path: Path) -> None:
    pixels = drawing(400, 600, seed=1)
    put(tmp_path / "whole.png", pixels)
    put(tmp_path / "part.png", cropped(pixels, 0.7))
    plan = planned(tmp_path)
    whole, part = plan.groups[0].members
    assert part.action == "review"
    assert whole.transform is None and part.transform is not None
    transform = np.reshape(part.transform, (3, 3))
    corner = transform @ (0.0, 0.0, 1.0)
    np.testing.assert_allclose(corner[:2] / corner[2], (90.0, 60.0), atol=0.5)
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan
    assert len(json.loads(json.dumps(plan_json(plan)))["groups"][0]["members"][1]["transform"]) == 9


def test_equal_pixels_need_no_transform(planned: Planned, tmp_path: Path) -> None:
    put(tmp_path / "a.png", drawing(200, 300, seed=1))
    put(tmp_path / "b.bmp", drawing(200, 300, seed=1))
    assert [one.transform for one in planned(tmp_path).groups[0].members] == [None, None]
