"""Other packages add components through entry points, with no other edit."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from objsearch.components import plugins, registry
from objsearch.errors import ConfigError
from objsearch.match.calibration import Calibration, save
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import dump_yaml, json_schema, load_settings

BROUGHT = {
    "objsearch.describe": [("thumbnail", "Thumbnail"), ("orb", "Impostor")],
    "objsearch.detect": [("left-half", "LeftHalf")],
}


def _forget() -> None:
    for cached in (registry.names, registry.component, plugins.plugins):
        cached.cache_clear()


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if a package with these entry points were installed."""

    def entry_points(group: str) -> list[EntryPoint]:
        return [
            EntryPoint(name, f"tests.contracts.fakes:{kind}", group)
            for name, kind in BROUGHT.get(group, [])
        ]

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    _forget()
    yield
    monkeypatch.undo()
    _forget()


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "calibration.yaml"
    save(Calibration(intercept=-8.0, coefficients={"thumbnail": 12.0}), path)
    return {
        "detector": "left-half",
        "descriptors": [{"extractor": {"name": "thumbnail", "side": 16}}],
        "calibration": str(path),
    }


def test_they_are_listed_and_built() -> None:
    assert "thumbnail" in registry.names("describe")
    assert "left-half" in registry.names("detect")
    made = registry.build("describe", {"name": "thumbnail", "side": 4})
    assert made.spec() == {"name": "thumbnail", "margin": 0.0, "side": 4}
    assert registry.build("describe", made.spec()) == made
    assert pickle.loads(pickle.dumps(made)) == made


def test_they_are_named_in_settings_and_mistakes_are_told(settings: dict[str, Any]) -> None:
    loaded = load_settings(settings)
    assert loaded.descriptors[0].matcher is not None
    assert loaded.descriptors[0].matcher.name == "cosine"
    assert "thumbnail" in dump_yaml(loaded)
    assert "thumbnail" in str(json_schema()["$defs"]["describe"])
    with pytest.raises(ConfigError, match="did you mean 'thumbnail'"):
        load_settings({**settings, "descriptors": [{"extractor": "thumbnails"}]})
    with pytest.raises(ConfigError, match="did you mean 'side'"):
        load_settings(settings | {"descriptors": [{"extractor": {"name": "thumbnail", "sid": 4}}]})


def test_a_name_of_ours_stays_ours() -> None:
    assert registry.component("describe", "orb").__module__ == "objsearch.describe.orb"


def test_they_search(settings: dict[str, Any], some: list[Path]) -> None:
    search = ObjectSearch.open(settings).add(*some)
    for path in some:
        first = search.find(path, include_query=True).hits[0]
        assert first.ref.uri == str(path)
        assert first.score == pytest.approx(1.0, abs=1e-6)
        assert {"thumbnail"} == {name for pair in first.pairs for name in pair.similarities}
    regions = search.find(some[0]).queries[0].regions
    assert [region.label for region in regions] == ["left", "frame"]
