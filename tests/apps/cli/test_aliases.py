"""Aliases and the stated fallback, as the command line tells of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apps.cli.conftest import Cli

TWO = """
detector: whole-image
descriptors:
- extractor: {name: orb, n_points: 300, long_side: 400}
- {extractor: {name: orb, n_points: 100, long_side: 200}, alias: coarse}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(TWO)
    return path


def test_two_of_one_extractor_are_searched_and_remembered(
    cli: Cli, config: Path, photos: Path, tmp_path: Path
) -> None:
    pair = [photos / "coins.png", photos / "toys.jpg"]
    index = tmp_path / "kept.index"
    assert cli("index", "build", "--index", index, *pair, "--config", config).code == 0
    found = cli("find", pair[0], "--index", index, "--include-query", "--json").data
    assert found["hits"][0]["ref"] == str(pair[0])
    assert found["hits"][0]["pairs"][0]["similarities"].keys() == {"orb", "coarse"}
    assert found["settings"]["descriptors"][1]["alias"] == "coarse"
    assert any("fallback" in warning for warning in found["warnings"])
    info = cli("index", "info", "--index", index, "--json").data
    assert "coarse" in str(info)


def test_the_fallback_is_told_by_compare_and_by_a_check(
    cli: Cli, config: Path, photos: Path
) -> None:
    same = cli("compare", photos / "toys.jpg", photos / "toys.jpg", "--config", config)
    assert same.code == 0
    assert same.err.count("no calibration was fitted for 'coarse' and 'orb'") == 1
    checked = cli("config", "check", config)
    assert checked.code == 0 and "all right" in checked.out and "no calibration" in checked.out
    assert "no calibration" not in cli("compare", *[photos / "toys.jpg"] * 2, "--preset", "orb").err


def test_two_under_one_alias_are_refused_in_a_sentence(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("descriptors: [{extractor: orb}, {extractor: sift, alias: orb}]\n")
    refused = cli("config", "check", path)
    assert refused.code == 2
    assert "two descriptors are kept under 'orb': give one an alias of its own" in refused.err
