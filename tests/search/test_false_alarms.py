"""Wrong hits to be expected: told with every hit where known, and a border for leaving out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from objsearch.errors import ConfigError
from objsearch.match.calibration import Calibration, save
from objsearch.match.tail import Tail
from objsearch.search.false_alarms import left_out_unknown, with_false_alarms
from objsearch.search.pipeline import ObjectSearch

TAIL = Tail(logits=(-4.9, 0.0, 4.0), rates=(0.5, 0.02, 0.001), same=1e-4, n_pairs=3000)


@pytest.fixture(scope="module")
def told(
    first_look: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, photos: Path
) -> ObjectSearch:
    """A quick search whose calibration has a tail, over all example photos; nobody adds to it."""
    path = tmp_path_factory.mktemp("told") / "own.yaml"
    save(Calibration(intercept=-5.0, coefficients={"orb": 2.2}, tail=TAIL), path)
    return ObjectSearch.open({**first_look, "calibration": str(path)}).add(photos)


def test_every_hit_says_how_many_wrong_ones_are_to_be_expected(
    told: ObjectSearch, queries: Path
) -> None:
    answer = told.find(queries / "palace.jpg", threshold=0.0)
    assert answer.compared == len(answer.hits) == 32
    for hit in answer.hits:
        rate = TAIL.rate(hit.score)
        wanted = 32 * min(rate, TAIL.same) if hit.verdict == "same" else 32 * rate
        assert hit.false_alarms == pytest.approx(wanted)
    assert answer.hits[0].verdict == "same" and answer.hits[-1].false_alarms > 1  # type: ignore[operator]


def test_equal_pixels_are_no_false_alarm_by_any_calibration(
    told: ObjectSearch, quick_search: ObjectSearch, photos: Path
) -> None:
    for search in (told, quick_search):
        hits = search.find(photos / "toys.jpg", include_query=True, threshold=0.0).hits
        assert (hits[0].score, hits[0].false_alarms) == (1.0, 0.0)


def test_hits_with_more_are_left_out(told: ObjectSearch, queries: Path) -> None:
    every = told.find(queries / "palace.jpg", threshold=0.0).hits
    few = told.find(queries / "palace.jpg", threshold=0.0, max_false_alarms=0.1)
    assert 0 < len(few.hits) < len(every)
    assert [hit.ref for hit in few.hits] == [
        hit.ref for hit in every if hit.false_alarms is not None and hit.false_alarms <= 0.1
    ]
    border = max(hit.false_alarms or 0.0 for hit in few.hits)
    again = told.find(queries / "palace.jpg", threshold=0.0, max_false_alarms=border)
    assert len(again.hits) == len(few.hits)  # inclusive
    assert few.settings["search"]["max_false_alarms"] == 0.1  # type: ignore[index]


@pytest.mark.parametrize(("fusion", "times"), [("max", 2), ("mean", 2), ("min", 1)])
def test_of_several_views_any_may_be_wrong(
    told: ObjectSearch, queries: Path, fusion: Any, times: int
) -> None:
    views = (queries / "palace.jpg", queries / "motorcycle.jpg")
    for hit in told.find(*views, fusion=fusion, threshold=0.0).hits:
        rate = min(TAIL.rate(hit.score), TAIL.same if hit.verdict == "same" else 1.0)
        assert hit.false_alarms == pytest.approx(times * 32 * rate)


def test_of_ranks_nothing_is_known(told: ObjectSearch, queries: Path) -> None:
    views = (queries / "palace.jpg", queries / "motorcycle.jpg")
    assert {hit.false_alarms for hit in told.find(*views, fusion="rrf").hits} == {None}
    with pytest.raises(ConfigError, match="made of ranks"):
        told.find(*views, fusion="rrf", max_false_alarms=1.0)
    assert told.find(views[0], fusion="rrf", max_false_alarms=1.0).hits


def test_where_nobody_has_measured_it_is_unknown_and_no_border(
    quick_search: ObjectSearch, queries: Path
) -> None:
    answer = quick_search.find(queries / "palace.jpg")
    assert answer.hits and {hit.false_alarms for hit in answer.hits} == {None}
    with pytest.raises(ConfigError, match="nobody has measured what different photos score by orb"):
        quick_search.find(queries / "palace.jpg", max_false_alarms=1.0)


def test_what_is_compared_by_fewer_descriptors_is_left_out_and_told(
    told: ObjectSearch, queries: Path
) -> None:
    hits = told.find(queries / "palace.jpg", threshold=0.0).hits
    fewer = replace(hits[0], aliases=("looks",))
    rules = told.settings.search.model_copy(update={"max_false_alarms": 5.0, "threshold": 0.5})
    known, unknown = with_false_alarms((hits[0], fewer), rules, told.comparer.scoring, 32, 1)
    assert unknown.false_alarms is None and not rules.wants(unknown)
    assert known.false_alarms is not None and rules.wants(known)
    (note,) = left_out_unknown(rules, [known, unknown])
    assert note.startswith("1 left out by search.max_false_alarms")
    assert left_out_unknown(rules, [known]) == []
    assert left_out_unknown(told.settings.search, [unknown]) == []
