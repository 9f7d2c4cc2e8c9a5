"""What every index keeps."""

from __future__ import annotations

import copy
import pickle
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objsearch.components.registry import names
from objsearch.index import Index, Where
from objsearch.types import Candidate, DescribedImage, ImageRef, Row, Unreadable
from tests.contracts.rows import (
    RECIPE,
    By,
    ByCosine,
    by_vectors,
    described,
    is_same,
    opened,
    rich_row,
    row,
    unread,
)

Opens = Callable[..., Index]
BY_TWO = {"fake": By(0), "other": By(1, "other")}


@pytest.fixture(params=names("index"))
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Opens:
    """Opens an index that holds nothing yet."""
    number = iter(range(99))

    def opens(rankers: Any = None, **options: Any) -> Index:
        folder = tmp_path / str(next(number))
        return opened(request.param, folder, rankers, **options)

    return opens


@pytest.fixture
def index(new: Opens) -> Index:
    """A new one, which ranks by two numbers of a vector."""
    return new(BY_TWO)


def keys(found: Iterable[Candidate]) -> list[str]:
    return [one.key for one in found]


def uris(images: Iterable[DescribedImage]) -> list[str]:
    return [str(one.ref) for one in images]


QUERY = described("query.png")


def test_a_new_index_is_empty(index: Index) -> None:
    assert len(index) == 0
    assert list(index.images()) == list(index.keys()) == index.unreadable() == []
    assert index.nearest(QUERY, None) == index.nearest(QUERY, 3) == []
    assert list(index.neighbours("fake", 3)) == []
    assert index.labels() == frozenset()
    assert index.remove(["nothing.png"]) == 0
    assert index.get([]) == []
    assert dict(index.stamps()) == {}
    assert index.recipe == RECIPE


def test_what_is_put_is_there_in_order(index: Index) -> None:
    index.put(row(f"{name}.png") for name in "cab")
    index.put([])
    assert len(index) == index.count() == 3
    assert list(index.keys()) == uris(index.images()) == ["c.png", "a.png", "b.png"]


def test_all_that_is_known_of_a_picture_reads_back(new: Opens) -> None:
    index = new()
    rows = [rich_row(f"{i}.png", i, n_regions=1 + i % 4, n_points=9 * i) for i in range(6)]
    index.put(rows)
    for one, stored in zip(rows, index.images(), strict=True):
        assert isinstance(one.image, DescribedImage)
        assert is_same(one.image, stored)
    assert not is_same(*index.get(["0.png", "1.png"]))


def test_pictures_come_in_the_order_asked_for(index: Index) -> None:
    index.put(row(f"{name}.png", content=name) for name in "abc")
    asked = ["c.png", "a.png", "c.png"]
    assert [one.content for one in index.get(asked)] == ["c", "a", "c"]
    with pytest.raises(KeyError):
        index.get(["a.png", "nothing.png"])


def test_a_row_reads_back_as_it_was_put(index: Index) -> None:
    image = rich_row("a.png#page=2", 4).image
    rows = [
        Row("/photos/a.png", ImageRef("a.png"), (5, 6), image),
        Row("/photos/b.png", ImageRef("b.png"), None, Unreadable(ImageRef("./b.png"), "odd")),
    ]
    index.put(rows)
    for one in (index, index.snapshot()):
        first, second = (one.row(row.key) for row in rows)
        assert first and second
        assert (first.key, first.ref, first.stamp) == ("/photos/a.png", ImageRef("a.png"), (5, 6))
        assert isinstance(first.image, DescribedImage) and isinstance(image, DescribedImage)
        assert is_same(first.image, image)
        assert (second.ref, second.stamp, second.image) == (rows[1].ref, None, rows[1].image)
        assert one.row("a.png") is None


def test_warnings_are_told_without_what_was_not_odd(index: Index) -> None:
    index.put([row("a.png"), row("b.png", warnings=("dark", "small")), unread("c.png")])
    index.put([row("d.png", warnings=("odd",))])
    assert index.warnings() == {"b.png": ("dark", "small"), "d.png": ("odd",)}
    assert index.warnings(Where(keys={"a.png", "d.png"})) == {"d.png": ("odd",)}


def test_the_same_key_replaces_in_its_place(index: Index) -> None:
    index.put([row("a.png", content="old"), row("b.png"), row("a.png", content="newer")])
    index.put([row("c.png"), row("a.png", 0.0, 1.0, content="new", stamp=(7, 8))])
    assert [one.content for one in index.images()] == ["new", "", ""]
    assert list(index.keys()) == ["a.png", "b.png", "c.png"]
    assert index.stamps()["a.png"] == (7, 8)
    [first, *_] = index.nearest(QUERY, None)
    assert first == Candidate("a.png", {"fake": 0.0, "other": 1.0})


def test_what_could_not_be_read_is_kept_apart(index: Index) -> None:
    index.put([row("a.png"), unread("b.png", "too dark"), row("c.png", stamp=None)])
    assert index.unreadable() == [Unreadable(ImageRef("b.png"), "too dark")]
    assert list(index.keys()) == keys(index.nearest(QUERY, None)) == ["a.png", "c.png"]
    assert len(index) == 2
    assert list(index.stamps().items()) == [
        ("a.png", (1, 2)),
        ("b.png", (0, 9)),
        ("c.png", None),
    ]
    with pytest.raises(KeyError):
        index.get(["b.png"])
    index.put([row("b.png"), unread("a.png", "gone dark")])
    assert list(index.keys()) == ["b.png", "c.png"]
    assert index.unreadable() == [Unreadable(ImageRef("a.png"), "gone dark")]
    assert index.unreadable(Where(but={"a.png"})) == []
    assert index.remove(["a.png"]) == 1
    assert index.unreadable() == []


def test_a_row_is_asked_for_by_its_key_whether_it_could_be_read_or_not(index: Index) -> None:
    index.put([row("a.png", content="a"), unread("b.png", "too dark")])
    found = index.row("a.png")
    assert found is not None and isinstance(found.image, DescribedImage)
    assert (found.key, str(found.ref), found.stamp) == ("a.png", "a.png", (1, 2))
    assert found.image.content == "a"
    found = index.row("b.png")
    assert found is not None and found.image == Unreadable(ImageRef("b.png"), "too dark")
    assert (found.key, str(found.ref), found.stamp) == ("b.png", "b.png", (0, 9))
    assert index.row("c.png") is None


def test_pages_and_parts_of_a_file_are_pictures_of_their_own(index: Index) -> None:
    refs = ["a.pdf", "a.pdf#page=1", "a.pdf#page=2", "a.gif#frame=0", "a.pdf#xywh=1,2,3,4"]
    index.put(row(ref) for ref in [*refs, "film.mp4#t=0.1"])
    assert uris(index.images()) == [*refs, "film.mp4#t=0.1"]
    assert index.get(["a.pdf#xywh=1,2,3,4"])[0].ref == ImageRef("a.pdf", xywh=(1, 2, 3, 4))
    assert index.remove(["a.pdf#page=1"]) == 1
    assert "a.pdf#page=1" not in uris(index.images())


def test_names_of_any_spelling(index: Index) -> None:
    odd = ["Ä\n'\"%.png", "\udcff\udc80.png", "图像.png", "a.jpg#page=3"]
    rows = [Row(name, ImageRef(name), None, described("x")) for name in odd]
    index.put(rows)
    assert list(index.keys()) == odd
    index.put([unread("\udcfe.png", "'\udcfe' is broken")])
    assert index.unreadable()[0].reason == "'\udcfe' is broken"
    assert index.remove(odd) == 4


def test_removing_says_how_many_there_were(index: Index) -> None:
    index.put(row(f"{name}.png") for name in "abc")
    gone = ["a.png", "nothing.png", "c.png", "a.png"]
    assert index.remove(iter(gone)) == 2
    assert index.remove(gone) == 0
    assert list(index.keys()) == ["b.png"]
    index.put([row("a.png")])
    assert list(index.keys()) == ["b.png", "a.png"]


def test_an_index_may_change_while_it_is_gone_through(index: Index) -> None:
    index.put(row(f"{name}.png") for name in "abc")
    gone = []
    for one in index.images():
        gone.append(str(one.ref))
        index.remove(["a.png", "b.png", "c.png"])
    assert gone == ["a.png", "b.png", "c.png"]
    assert len(index) == 0


def test_a_snapshot_stays_as_it_was(index: Index) -> None:
    index.put([row("a.png", content="old"), row("b.png"), unread("c.png")])
    before = index.snapshot()
    index.put([row("a.png", content="new"), row("c.png"), row("d.png")])
    index.remove(["b.png"])
    for _ in range(2):
        assert list(before.keys()) == ["a.png", "b.png"]
        assert [one.content for one in before.images()] == ["old", ""]
        assert len(before.unreadable()) == 1 and "d.png" not in before.stamps()
        assert keys(before.nearest(QUERY, None)) == ["a.png", "b.png"]
    assert list(index.keys()) == list(index.snapshot().keys()) == ["a.png", "c.png", "d.png"]
    before.close()


def test_where_chooses(index: Index) -> None:
    index.put([row("a.png", label="cup"), row("b.png"), row("c.png", label="dog"), unread("d.png")])
    index.put([row("e.png", label="cup")])
    chosen = {
        Where(keys=frozenset({"a.png", "c.png", "d.png", "no.png"})): ["a.png", "c.png"],
        Where(but=frozenset({"a.png", "d.png", "no.png"})): ["b.png", "c.png", "e.png"],
        Where(keys=frozenset({"a.png", "b.png"}), but=frozenset({"a.png"})): ["b.png"],
        Where(keeps=lambda ref, size, labels: "cup" in labels): ["a.png", "e.png"],
        Where(keeps=lambda ref, size, labels: str(ref) > "b" and size == (4, 3)): [
            *("b.png", "c.png", "e.png")
        ],
        Where(keys=frozenset()): [],
    }
    for where, wanted in chosen.items():
        assert list(index.keys(where)) == wanted
        assert index.count(where) == len(wanted)
        assert keys(index.nearest(QUERY, None, where)) == wanted
        assert keys(index.nearest(QUERY, 9, where)) == wanted
        assert keys(index.nearest(QUERY, 1, where))[:1] == wanted[:1]
    assert index.labels() == {"cup", "dog", "frame"}
    assert index.labels(Where(keys={"b.png", "c.png"})) == {"dog", "frame"}
    assert index.unreadable(Where(keys={"a.png"})) == []


def test_candidates_are_the_likeliest_first(new: Opens) -> None:
    index = new({"fake": By(0)})
    index.put(row(f"{number}.png", number / 8, 0.0) for number in (3, 1, 4, 0, 5, 2))
    assert keys(index.nearest(QUERY, None)) == [f"{n}.png" for n in (3, 1, 4, 0, 5, 2)]
    assert len(index.nearest(QUERY, 6)) == len(index.nearest(QUERY, 60)) == 6
    found = index.nearest(QUERY, 3)
    assert keys(found)[:3] == ["5.png", "4.png", "3.png"]
    assert [one.scores for one in found[:3]] == [{"fake": n / 8} for n in (5, 4, 3)]
    assert len(set(keys(found))) == len(found)


def test_every_ranker_has_its_say(index: Index) -> None:
    index.put([row("left.png", 1.0, 0.0), row("right.png", 0.0, 1.0)])
    index.put(row(f"{number}.png", 0.5, 0.5) for number in range(8))
    assert sorted(keys(index.nearest(QUERY, 2))[:2]) == ["left.png", "right.png"]
    five = keys(index.nearest(QUERY, 5))[:5]
    assert len(set(five)) == 5


def test_a_picture_or_query_without_a_descriptor_has_no_score_by_it(new: Opens) -> None:
    index = new({alias: by_vectors(alias) for alias in ("fake", "other")})
    bare = replace(described("bare.png"), descriptors={"other": QUERY.descriptors["other"]})
    index.put([Row("bare.png", bare.ref, None, bare)])
    index.put(row(f"{number}.png", number / 8, 0.0) for number in range(6))
    assert list(index.get(["bare.png"])[0].descriptors) == ["other"]
    scores = {one.key: one.scores for one in index.nearest(QUERY, None)}
    assert scores["bare.png"] == {"other": 1.0}
    assert scores["5.png"] == {"fake": 5 / 8, "other": 5 / 8}
    # It has the turns that its one descriptor gives it, and takes none by the other.
    assert keys(index.nearest(QUERY, 2))[:2] == ["5.png", "bare.png"]
    asked = replace(QUERY, descriptors={"fake": QUERY.descriptors["fake"]})
    found = index.nearest(asked, 3)
    assert keys(found)[:3] == ["5.png", "4.png", "3.png"]
    assert all("other" not in one.scores for one in found)
    nothing = replace(QUERY, descriptors={})
    assert [one.scores for one in index.nearest(nothing, None)] == [{}] * 7


def test_ties_are_broken_the_same_way_each_time(index: Index) -> None:
    index.put(row(f"{number}.png", 0.5, 0.5) for number in range(8))
    first = keys(index.nearest(QUERY, 4))
    assert first[:4] == [f"{number}.png" for number in range(4)]
    assert all(keys(index.nearest(QUERY, 4)) == first for _ in range(3))


@pytest.mark.parametrize("pattern", ["memory", "visual-words"])
def test_candidates_are_those_of_the_index_in_memory(
    pattern: str, new: Opens, tmp_path: Path
) -> None:
    rankers = {"vectors/1": ByCosine("vectors/1")}
    # Nothing has words where no keypoints have that name.
    options = {"extractor": "orb" if pattern == "visual-words" else "none"}
    one, other = new(rankers, **options), opened(pattern, tmp_path / "p", rankers, **options)
    if pattern == "visual-words" and not hasattr(one.snapshot(), "options"):
        pytest.skip("an index without words has other candidates")
    rows = [rich_row(f"{i}.png", i) for i in range(40)]
    for into in (one, other):
        into.put(rows[:25])
        into.put([rich_row("7.png", 107), *rows[25:], unread("u.png")])
        into.remove(["3.png", "30.png"])
    some = Where(keys=frozenset(f"{i}.png" for i in range(0, 40, 2)))
    for seed in (5, 107, 31, 500):
        query = rich_row("query.png", seed).image
        assert isinstance(query, DescribedImage)
        for where in (Where(), some):
            for limit in (None, 1, 6, 90):
                mine, its = (i.nearest(query, limit, where) for i in (one, other))
                assert keys(mine) == keys(its)
                scores = [[c.scores["vectors/1"] for c in found] for found in (mine, its)]
                np.testing.assert_allclose(*scores, rtol=1e-3, atol=1e-4)


def test_neighbours_are_the_nearest_others(new: Opens) -> None:
    index = new()
    rows = [rich_row(f"{i}.png", i) for i in range(9)]
    index.put([*rows, unread("u.png"), row("z.png")])
    vectors = np.stack([r.image.descriptors["vectors/1"][-1].vector for r in rows])  # type: ignore[union-attr]
    cosines = np.clip(vectors @ vectors.T, 0, 1)
    np.fill_diagonal(cosines, -1)
    found = list(index.neighbours("vectors/1", 2))
    assert [key for key, _, _ in found] == [f"{i}.png" for i in range(9) for _ in range(2)]
    for key, other, cosine in found:
        i, j = int(key[0]), int(other[0])
        assert i != j
        assert cosine == pytest.approx(cosines[i, j], abs=1e-3)
        assert cosines[i, j] >= np.sort(cosines[i])[-2] - 1e-3
    assert len(list(index.neighbours("vectors/1", 50))) == 9 * 8
    assert list(index.neighbours("nothing", 2)) == list(index.neighbours("orb", 2)) == []


def test_contents_are_kept_in_pickles_and_copies(new: Opens) -> None:
    index = new({"vectors/1": ByCosine("vectors/1")})
    rows = [rich_row(f"{i}.png", i) for i in range(4)]
    index.put([*rows, unread("u.png")])
    query = rows[2].image
    assert isinstance(query, DescribedImage)
    first = index.nearest(query, 2)
    for one in (index, index.snapshot()):
        for again in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
            assert all(map(is_same, again.images(), index.images()))
            assert again.nearest(query, 2) == first
            assert again.stamps() == index.stamps() and again.recipe == index.recipe
            assert again.unreadable() == index.unreadable()
    moment = pickle.loads(pickle.dumps(index.snapshot()))
    index.put([row("more.png")])
    assert len(moment) == 4 and len(index) == 5


def test_two_indexes_do_not_share_rows(new: Opens) -> None:
    one, other = new(), new()
    one.put([row("a.png")])
    assert len(other) == 0


@pytest.mark.parametrize("seed", range(3))
def test_any_changes_end_as_in_a_dictionary(seed: int, new: Opens) -> None:
    dice, index = random.Random(seed), new()
    model: dict[str, Row] = {}
    for step in range(25):
        some = dice.sample(range(12), dice.randint(0, 5))
        if dice.random() < 0.35:
            gone = [f"{i}.png" for i in some]
            assert index.remove(gone) == len(model.keys() & set(gone))
            model = {key: kept for key, kept in model.items() if key not in gone}
        else:
            made = [_any_row(dice, i, step) for i in some]
            index.put(made)
            model |= {one.key: one for one in made}
        stamps = {key: kept.stamp for key, kept in model.items()}
        assert list(index.stamps().items()) == list(stamps.items())
    _assert_holds(index, model)
    _assert_holds(index.snapshot(), model)


def _half_seen(reader: Index) -> list[object]:
    """What a snapshot shows that is not there as a whole."""
    there = list(reader.keys())
    twins = {one.content for one in reader.get(["a.png", "b.png"])}
    found = reader.nearest(QUERY, 1)
    is_whole = there in (["a.png", "b.png"], ["a.png", "b.png", "c.png", "d.png"])
    return [] if is_whole and len(twins) == 1 and len(found) == len(there) else [there, twins]


def _any_row(dice: random.Random, i: int, step: int) -> Row:
    if dice.random() < 0.2:
        return unread(f"{i}.png", f"reason {step}", (i, step))
    return row(f"{i}.png", i / 16, step / 32, content=str(step), stamp=(i, step))


def _assert_holds(index: Index, model: dict[str, Row]) -> None:
    images = [one.image for one in model.values()]
    wanted = [one for one in images if isinstance(one, DescribedImage)]
    assert all(is_same(a, b) for a, b in zip(index.images(), wanted, strict=True))
    assert index.unreadable() == [one for one in images if isinstance(one, Unreadable)]


def test_readers_beside_a_writer_see_whole_batches(new: Opens) -> None:
    """Every put replaces twins, which always have the same content; some come and go."""
    index = new({"fake": By(0)})
    index.put([row("a.png", content="0"), row("b.png", content="0")])
    is_over = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        try:
            while not is_over.is_set():
                wrong.extend(_half_seen(index.snapshot()))
        except Exception as error:
            wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for one in readers:
        one.start()
    for step in range(1, 21):
        index.put([row("a.png", content=str(step)), row("b.png", content=str(step))])
        if step % 2:
            index.put([row("c.png"), row("d.png")])
        else:
            index.remove(["c.png", "d.png"])
    is_over.set()
    for one in readers:
        one.join()
    assert not wrong
    assert index.get(["a.png"])[0].content == "20"
