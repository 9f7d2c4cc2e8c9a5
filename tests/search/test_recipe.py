"""What made a row is told down to the packages that made it."""

from __future__ import annotations

import pytest

from objsearch.search import recipe
from objsearch.search.recipe import recipe_of
from objsearch.settings import load_settings
from objsearch.types import Recipe


def told_with(monkeypatch: pytest.MonkeyPatch, newer: str, **data: object) -> tuple[Recipe, Recipe]:
    """The recipe of settings as packages are, and where one of them is newer."""
    settings, version = load_settings(data), recipe._version
    before = recipe_of(settings)
    monkeypatch.setattr(
        recipe, "_version", lambda name: "999.0" if name == newer else version(name)
    )
    return before, recipe_of(settings)


@pytest.mark.parametrize(
    ("newer", "data"),
    [
        ("pdqhash", {"descriptors": [{"extractor": "perceptual-hash"}]}),
        ("ultralytics-opencv-headless", {"detector": {"name": "yolo", "weights": "yolo11n.pt"}}),
        ("torchvision", {"descriptors": [{"extractor": {"name": "embedding",
                                                        "weights": "torchvision:resnet18"}}]}),
        ("torch", {"descriptors": [{"extractor": {"name": "embedding",
                                                  "weights": "timm:resnet18"}}]}),
        ("onnxruntime", {}),
    ],
)  # fmt: skip
def test_a_newer_package_is_another_recipe(
    newer: str, data: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = told_with(monkeypatch, newer, **data)
    differing = {k for k in after.options if before.options.get(k) != after.options[k]}
    assert differing == {f"versions.{newer}"}


@pytest.mark.parametrize("newer", ["pdqhash", "torch", "ultralytics-opencv-headless", "timm"])
def test_what_nothing_is_made_with_does_not_count(
    newer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the default weights run by themselves, another PyTorch changes no row."""
    before, after = told_with(monkeypatch, newer)
    assert before == after
