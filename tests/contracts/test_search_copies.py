"""A search that is pickled or copied is the same search, whatever index it has."""

from __future__ import annotations

import copy
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from objsearch.components.registry import build, component, names
from objsearch.search.library import remembering
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import Settings, load_settings
from objsearch.types import Answer
from tests.contracts.made import spec


def pickled(search: ObjectSearch) -> ObjectSearch:
    again = pickle.loads(pickle.dumps(search))
    assert isinstance(again, ObjectSearch)
    return again


COPIES: list[Callable[[ObjectSearch], ObjectSearch]] = [pickled, copy.deepcopy]


@pytest.fixture(params=[*names("index"), "a library"])
def settings(request: pytest.FixtureRequest, quick: dict[str, Any], tmp_path: Path) -> Settings:
    plain = load_settings(quick)
    if request.param == "a library":
        return remembering(plain, tmp_path / "library")
    options = spec("index", request.param)
    if "path" in component("index", request.param).model_fields:
        options = {**options, "path": str(tmp_path / "kept")}
    return plain.model_copy(update={"index": build("index", options)})


def hits(answer: Answer) -> list[tuple[str, float, str]]:
    return [(str(hit.ref), hit.score, hit.verdict) for hit in answer.hits]


@pytest.mark.parametrize("copied", COPIES)
def test_a_search_goes_along_whole(
    copied: Callable[[ObjectSearch], ObjectSearch],
    settings: Settings,
    some: list[Path],
    tmp_path: Path,
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    search = ObjectSearch(settings).add(*some[:3], broken)
    before = search.find(some[0], include_query=True, threshold=0)
    again = copied(search)
    assert hits(again.find(some[0], include_query=True, threshold=0)) == hits(before)
    assert again.skipped == search.skipped and again.n_references == 3
    more = Path(shutil.copy(some[3], tmp_path / "more.jpg"))
    assert again.add(more).n_references == 4  # it goes on by itself, and only what was named counts
    if not settings.index.keeps or settings.index.is_cache:
        assert search.n_references == 3
