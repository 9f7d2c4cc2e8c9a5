"""What every index keeps."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from objsearch.components.registry import names
from objsearch.index.base import Index, Ranker
from objsearch.types import Box, DescribedImage, GlobalDescriptor, ImageRef, Region
from tests.contracts.made import fresh


@pytest.fixture(params=names("index"))
def index(request: pytest.FixtureRequest) -> Index:
    """A new, empty one."""
    made: Index = fresh("index", request.param)
    return made


def described(uri: str, *vector: float, content: str = "") -> DescribedImage:
    """An image whose one descriptor is a short vector."""
    frame = Region(Box(0.0, 0.0, 4.0, 3.0), "frame", 0.0, "frame")
    values = np.array(vector or (1.0, 0.0), np.float32)
    return DescribedImage(
        ImageRef.parse(uri), (4, 3), (frame,), {"fake": (GlobalDescriptor(values),)}, content
    )


def by(axis: int) -> Ranker:
    """A ranking by one number of the vector."""

    def rank(query: DescribedImage, stored: Sequence[DescribedImage]) -> NDArray[np.float64]:
        vectors = [one.descriptors["fake"][0] for one in stored]
        return np.array([float(v.vector[axis]) for v in vectors if isinstance(v, GlobalDescriptor)])

    return rank


def uris(images: Sequence[DescribedImage]) -> list[str]:
    return [str(one.ref) for one in images]


QUERY = described("query.png")


def test_a_new_index_is_empty(index: Index) -> None:
    assert len(index) == 0
    assert list(index) == []
    assert index.candidates(QUERY, None, [by(0)]) == []
    assert index.candidates(QUERY, 3, [by(0)]) == []
    assert index.remove([ImageRef("nothing.png")]) == 0


def test_what_is_added_is_there_in_order(index: Index) -> None:
    index.add(described(f"{name}.png") for name in "cab")
    index.add([])
    assert len(index) == 3
    assert uris(list(index)) == ["c.png", "a.png", "b.png"]
    stored = next(iter(index))
    assert stored.size_wh == (4, 3)
    assert stored.regions == QUERY.regions
    assert list(stored.descriptors) == ["fake"]


def test_the_same_ref_replaces(index: Index) -> None:
    index.add([described("a.png", content="old"), described("b.png")])
    index.add([described("a.png", content="new")])
    assert len(index) == 2
    assert {str(one.ref): one.content for one in index} == {"a.png": "new", "b.png": ""}


def test_pages_and_parts_of_a_file_are_images_of_their_own(index: Index) -> None:
    refs = ["a.pdf", "a.pdf#page=1", "a.pdf#page=2", "a.gif#frame=0", "a.pdf#xywh=1,2,3,4"]
    index.add(described(ref) for ref in refs)
    assert uris(list(index)) == refs
    assert index.remove([ImageRef("a.pdf", page=1)]) == 1
    assert uris(list(index)) == [ref for ref in refs if ref != "a.pdf#page=1"]


def test_removing_says_how_many_there_were(index: Index) -> None:
    index.add(described(f"{name}.png") for name in "abc")
    gone = [ImageRef("a.png"), ImageRef("nothing.png"), ImageRef("c.png")]
    assert index.remove(iter(gone)) == 2
    assert index.remove(gone) == 0
    assert uris(list(index)) == ["b.png"]
    index.add([described("a.png")])
    assert uris(list(index)) == ["b.png", "a.png"]


def test_an_index_may_change_while_it_is_gone_through(index: Index) -> None:
    index.add(described(f"{name}.png") for name in "abc")
    for one in index:
        index.remove([one.ref])
    assert len(index) == 0


def test_candidates_are_the_likeliest_first(index: Index) -> None:
    index.add(described(f"{number}.png", number / 10, 0.0) for number in (3, 1, 4, 0, 5, 2))
    assert len(index.candidates(QUERY, None, [by(0)])) == 6
    assert len(index.candidates(QUERY, 6, [by(0)])) == 6
    assert len(index.candidates(QUERY, 60, [by(0)])) == 6
    found = index.candidates(QUERY, 3, [by(0)])
    assert uris(found) == ["5.png", "4.png", "3.png"]


def test_every_ranker_has_its_say(index: Index) -> None:
    index.add([described("left.png", 1.0, 0.0), described("right.png", 0.0, 1.0)])
    index.add(described(f"{number}.png", 0.5, 0.5) for number in range(8))
    found = uris(index.candidates(QUERY, 2, [by(0), by(1)]))
    assert sorted(found) == ["left.png", "right.png"]
    five = uris(index.candidates(QUERY, 5, [by(0), by(1)]))
    assert len(five) == len(set(five)) == 5


def test_ties_are_broken_the_same_way_each_time(index: Index) -> None:
    index.add(described(f"{number}.png", 0.5, 0.5) for number in range(8))
    first = uris(index.candidates(QUERY, 4, [by(0), by(1)]))
    assert all(uris(index.candidates(QUERY, 4, [by(0), by(1)])) == first for _ in range(3))


def test_an_index_pickles_after_use(index: Index) -> None:
    index.add([described("a.png")])
    assert pickle.loads(pickle.dumps(index)) == index


@pytest.mark.parametrize("name", names("index"))
def test_two_indexes_do_not_share_images(name: str) -> None:
    one, other = fresh("index", name), fresh("index", name)
    one.add([described("a.png")])
    assert len(other) == 0
