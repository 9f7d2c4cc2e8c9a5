"""Tails that come with the package: each of the calibration beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from objsearch.components.registry import names
from objsearch.match import calibration as calibrations
from objsearch.match.shipped_tails import fingerprint, tails_dir, with_tail, write_tail
from objsearch.match.tail import Tail
from objsearch.settings import load_settings, preset_names

FILES = sorted(tails_dir().glob("*/*.yaml"))
TAIL = Tail(logits=(-2.0, 0.0), rates=(0.1, 0.01), same=1e-3, n_pairs=3000)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_it_was_measured_with_the_calibration_that_is_there(path: Path) -> None:
    assert path.parent.name in names("detect")
    calibration = calibrations.load(path.stem)
    written = yaml.safe_load(path.read_text(encoding="utf-8"))["calibration"]
    assert written == fingerprint(calibration), "run training/calibration/tails.py again"
    assert with_tail(calibration, path.parent.name).tail is not None


@pytest.mark.parametrize(
    ("preset", "rarer"),
    [
        ("default", 100),
        ("whole-image", 100),
        ("fast", 100),
        ("orb", 100),
        ("sift", 100),
        ("copies", 10),
        ("larger", 10),
    ],
)
def test_what_people_search_by_has_one(preset: str, rarer: int) -> None:
    assert preset in preset_names()
    tail = load_settings(preset).load_calibration().tail
    assert tail is not None and tail.n_pairs > 100_000
    # The scores of which there were none among so many pairs are rarer than those of which some.
    # To presets for copies photos of one kind look alike: aeroplanes from the side, jeans.
    assert tail.rate(0.2) > rarer * tail.rate(0.9) > 0.0


def test_another_calibration_or_detector_has_none(tmp_path: Path) -> None:
    ours = calibrations.load("embedding+orb")
    assert with_tail(ours, "given-boxes").tail is None
    other = ours.model_copy(update={"intercept": ours.intercept + 0.01})
    assert fingerprint(other) != fingerprint(ours)
    assert with_tail(other, "yolo").tail is None
    own = other.model_copy(update={"tail": TAIL})
    assert with_tail(own, "yolo").tail == TAIL
    assert fingerprint(own) == fingerprint(other)  # what it scores is the same


def test_what_is_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("objsearch.match.shipped_tails.tails_dir", lambda: tmp_path)
    ours = calibrations.load("orb")
    write_tail(tmp_path / "grid" / "orb.yaml", TAIL, ours)
    assert with_tail(ours, "grid").tail == TAIL
