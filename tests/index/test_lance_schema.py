"""What becomes of an index that another version of the code wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from objsearch.errors import LostIndexError, UsageError
from objsearch.index import lance_rows, lance_store
from objsearch.index.lance import Lance, Stored
from objsearch.types import DescribedImage, Descriptor
from tests.contracts.rows import RECIPE, By, is_same, rich_row

Opens = Callable[[], Stored]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def opens(folder: Path) -> Opens:
    return lambda: Lance(path=str(folder)).open(RECIPE, {"fake": By(0)})


def schema_of(folder: Path) -> int:
    return int(json.loads((folder / "index.json").read_text())["schema"])


def test_the_first_layout_of_this_schema_is_read_as_it_is(
    opens: Opens, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows once had no facts, and every region its own keypoints; new rows may stand beside."""
    details = lance_rows._details

    def without_facts(image: DescribedImage | None) -> str:
        told = json.loads(details(image))
        del told["facts"]
        return json.dumps(told)

    def each_its_own(descriptors: Sequence[Descriptor]) -> list[Descriptor]:
        return list(descriptors)

    old, new = rich_row("old.png", 1), rich_row("new.png", 2)
    with monkeypatch.context() as patch:
        patch.setattr(lance_rows, "_details", without_facts)
        patch.setattr(lance_rows, "told_by_frame", each_its_own)
        opens().put([old])
    opens().put([new])
    first, second = opens().images()
    assert isinstance(old.image, DescribedImage) and isinstance(new.image, DescribedImage)
    assert first.facts == {} and is_same(replace(first, facts=old.image.facts), old.image)
    assert is_same(second, new.image)
    assert opens().snapshot().stamps() == {"old.png": old.stamp, "new.png": new.stamp}


def test_a_schema_that_is_still_read_is_written_on_as_the_present_one(
    opens: Opens, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens().put([rich_row("a.png", 1)])
    monkeypatch.setattr(lance_store, "SCHEMA", 3)
    later = opens()
    assert list(later.keys()) == ["a.png"] and schema_of(folder) == 2  # reading changes nothing
    later.put([rich_row("b.png", 2)])
    assert schema_of(folder) == 3 and list(opens().keys()) == ["a.png", "b.png"]
    monkeypatch.setattr(lance_store, "SCHEMA", 2)  # as the former code
    with pytest.raises(UsageError, match=r"newer objsearch \(its schema is 3"):
        opens()


@pytest.mark.parametrize("schema", [0, -1])
def test_a_schema_that_is_read_no_more_is_refused_and_left_alone(
    schema: int, opens: Opens, folder: Path
) -> None:
    opens().put([rich_row("a.png", 1)])
    record = folder / "index.json"
    text = json.dumps({**json.loads(record.read_text()), "schema": schema})
    record.write_text(text)
    with pytest.raises(LostIndexError, match=r"older objsearch \(its schema is .*build it anew"):
        opens()
    assert record.read_text() == text
