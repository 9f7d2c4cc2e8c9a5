"""Small trees of made pictures, and light settings to plan over them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PillowImage

from objsearch.match.calibration import Calibration, save
from objsearch.settings import Settings, load_settings
from objsearch.tasks.duplicates import Plan, plan_duplicates
from objsearch.types import Pixels
from tests.pictures import drawing

Planned = Callable[..., Plan]


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A hash and keypoints of full frames: finds edited copies, and needs no network."""
    path = tmp_path_factory.mktemp("light") / "calibration.yaml"
    coefficients = {"orb": 2.2, "perceptual-hash": 3.0}
    save(Calibration(intercept=-5.0, coefficients=coefficients), path)
    orb = {"name": "orb", "n_points": 500, "long_side": 400}
    return {
        "detector": "whole-image",
        "descriptors": [{"extractor": "perceptual-hash"}, {"extractor": orb}],
        "geometry": {"models": ["homography"], "mirrored": True},
        "calibration": str(path),
        "search": {"threshold": 0.5},
    }


def deciding_in(folder: Path, light: dict[str, Any]) -> Settings:
    """The light settings, with decisions of their own."""
    return load_settings(light, {"duplicates.decisions": str(folder / "decisions.json")})


@pytest.fixture
def settings(light: dict[str, Any], tmp_path: Path) -> Settings:
    """The light settings, with decisions of the test's own."""
    return deciding_in(tmp_path, light)


def planner(settings: Settings) -> Planned:
    """`planned(folder, keep=[...], n_kept=2, references=[...])` is a plan."""

    def plan(*sources: Path, references: Any = (), against: Any = (), **rules: Any) -> Plan:
        data = settings.duplicates.model_dump() | rules
        chosen = settings.model_copy(
            update={"duplicates": type(settings.duplicates).model_validate(data)}
        )
        return plan_duplicates(
            [str(source) for source in sources],
            chosen,
            references=[str(one) for one in references],
            against=[str(one) for one in against],
        )

    return plan


@pytest.fixture
def planned(settings: Settings) -> Planned:
    """A planner with decisions of the test's own."""
    return planner(settings)


def put(path: Path, pixels: Pixels, *, seconds: int = 1_000_000, **options: Any) -> Path:
    """Save pixels by the name's format, as of a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(pixels).save(path, **options)
    os.utime(path, (seconds, seconds))
    return path


def told(plan: Plan, top: Path) -> list[dict[str, str]]:
    """Groups as `{name: action}`, names below `top`."""
    return [
        {os.path.relpath(one.path, top): one.action for one in group.members}
        for group in plan.groups
    ]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """`photos/photo.png`, 300 x 200, in a folder that holds nothing else."""
    return put(tmp_path / "photos" / "photo.png", drawing(200, 300, seed=1))
