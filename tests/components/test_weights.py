"""The manifest tells the truth about every file in models/."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from objsearch.components import weights
from objsearch.errors import WeightsError
from objsearch.match import calibration

NAMES = sorted(weights.manifest())


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_its_hash_and_size(name: str) -> None:
    entry = weights.manifest()[name]
    assert entry.file.stat().st_size == entry.facts["bytes"]
    assert weights.sha256_of(entry.file) == entry.facts["sha256"]
    assert weights.card(name) is weights.card(name)
    assert weights.fingerprint(name) == entry.facts["sha256"]


@pytest.mark.parametrize("name", NAMES)
def test_every_model_has_a_card_a_licence_and_its_measures(name: str, root: Path) -> None:
    facts = weights.manifest()[name].facts
    assert facts["kind"] in ("detector", "embedding", "vocabulary")
    assert facts["licence"]
    assert facts["trained_on"] and facts["source"] and facts["input"]["size"] > 0
    assert all({"measure", "data", "value", "by"} <= set(one) for one in facts["scores"])
    assert facts["scores"]
    card = (weights.models_dir() / facts["card"]).read_text(encoding="utf-8")
    assert card.startswith("# ")
    assert facts["licence"].split("-")[0] in card
    family = facts["licence"].split("-")[0]
    texts = [root / "LICENSE", *weights.models_dir().glob("LICENSE*")]
    known = {"AGPL": "GNU AFFERO", "Apache": "Apache License", "MIT": "MIT License"}
    assert any(known[family].lower() in one.read_text("utf-8").lower() for one in texts)


def test_no_weights_lie_about_without_an_entry() -> None:
    known = {entry.file.name for entry in weights.manifest().values()}
    known_cards = {entry.facts["card"] for entry in weights.manifest().values()}
    folder = weights.models_dir()
    heavy = {path.name for path in folder.iterdir() if path.suffix in (".onnx", ".pt", ".npz")}
    assert heavy == known
    assert {path.name for path in folder.glob("*.md")} == known_cards | {"README.md"}


def test_every_calibration_loads_and_is_named_after_its_extractors() -> None:
    files = sorted((weights.models_dir() / "calibrations").glob("*.yaml"))
    assert files
    for path in files:
        loaded = calibration.load(path.stem)
        assert "+".join(sorted(loaded.coefficients)) == path.stem
        assert all(value >= 0 for value in loaded.coefficients.values())
        assert loaded.fitted_on


def test_unknown_weights_are_told_with_the_nearest_name() -> None:
    with pytest.raises(WeightsError, match=f"did you mean '{NAMES[0]}'"):
        weights.card(NAMES[0] + "x")


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with one entry, whose file a test may damage."""
    (tmp_path / "tiny.onnx").write_bytes(b"weights")
    entry = {"file": "tiny.onnx", "sha256": weights.sha256_of(tmp_path / "tiny.onnx")}
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump({"models": {"tiny": entry}}))
    monkeypatch.setattr(weights, "models_dir", lambda: tmp_path)
    weights.manifest.cache_clear()
    weights.card.cache_clear()
    return tmp_path


@pytest.fixture(autouse=True)
def forget() -> object:
    yield
    weights.manifest.cache_clear()
    weights.card.cache_clear()


def test_damaged_and_missing_weights_are_refused(own_models: Path) -> None:
    assert weights.card("tiny").file == own_models / "tiny.onnx"
    weights.card.cache_clear()
    (own_models / "tiny.onnx").write_bytes(b"weighty")
    with pytest.raises(WeightsError, match="damaged"):
        weights.card("tiny")
    (own_models / "tiny.onnx").unlink()
    with pytest.raises(WeightsError, match="missing"):
        weights.card("tiny")


def test_a_path_is_known_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(b"own")
    assert not weights.is_named(str(path))
    assert weights.fingerprint(str(path)) == weights.sha256_of(path)
    assert weights.fingerprint("timm:resnet18") == "timm:resnet18"


def test_an_installation_without_a_manifest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_PACKAGE", tmp_path / "objsearch")
    with pytest.raises(WeightsError, match=r"manifest\.yaml"):
        weights.models_dir()
