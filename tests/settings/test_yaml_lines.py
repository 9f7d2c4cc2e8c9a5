"""The line of every key."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from objsearch.errors import ConfigError
from objsearch.settings.yaml_lines import read_yaml

TEXT = """\
# a comment
search:
  top: 3
  threshold: 0.2
descriptors:
- extractor: orb
-
  extractor:
    name: sift
"""


def test_every_key_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(TEXT)
    data, marks = read_yaml(path)
    assert data["search"] == {"top": 3, "threshold": 0.2}
    assert marks.place(["search"]) == f"{path}, line 2"
    assert marks.place(["search", "threshold"]) == f"{path}, line 4"
    assert marks.place(["descriptors", 0, "extractor"]) == f"{path}, line 6"
    assert marks.place(["descriptors", 1, "extractor", "name"]) == f"{path}, line 9"


def test_an_unknown_place_is_that_of_the_nearest_key_around(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(TEXT)
    _, marks = read_yaml(path)
    assert marks.place(["search", "offset"]) == f"{path}, line 2"
    assert marks.place(["run"]) == str(path)
    assert marks.place([]) == str(path)


def test_anchors_that_stand_for_billions_of_values_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for former, name in pairwise("abcdefghijkl"):
        lines.append(f"{name}: &{name} [{', '.join(['*' + former] * 10)}]")
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match=r"a\.yaml, line \d+: .*more than 100,000 values"):
        read_yaml(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("search:\n  yes: 1\n", "line 2: a key is a word, not yes"),
        ("search: {}\n3: 1\n", "line 2: a key is a word, not 3"),
        ("a: 1\nb: [c, 2024-02-30]\n", r"line 2: not YAML \(day is out of range"),
    ],
)
def test_what_yaml_reads_as_another_thing_is_told_with_its_line(
    text: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"a\.yaml, {told}"):
        read_yaml(path)


def test_merged_keys_are_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: &a {top: 3, no: 1}\nb: {<<: *a, top: 4}\n".replace("no:", "'no':"))
    assert read_yaml(path)[0]["b"] == {"top": 4, "no": 1}
