"""Candidates of the index in a folder: through indexes of vectors and words, as without them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from objsearch.errors import UsageError
from objsearch.index import Where, lance_vectors, lance_words
from objsearch.index.filed import Filed
from objsearch.index.lance import Lance, Stored
from objsearch.index.visual_words import VisualWords
from objsearch.types import Candidate, DescribedImage, GlobalDescriptor, Row
from tests.contracts.rows import RECIPE, ByCosine, points, rich_row

Opens = Callable[..., Stored]
ALIAS = "vectors/1"
RANKERS = {ALIAS: ByCosine(ALIAS)}
N, LIMIT = 240, 8


@pytest.fixture
def opens(tmp_path: Path) -> Opens:
    """Opens the same folder, with an index of vectors from 100 regions on."""

    def made(rankers: Mapping[str, ByCosine] = RANKERS, **options: object) -> Stored:
        options = {"path": str(tmp_path / "kept"), "flat_regions": 100, **options}
        return Lance.model_validate(options).open(RECIPE, rankers)

    return made


def image(row: Row) -> DescribedImage:
    assert isinstance(row.image, DescribedImage)
    return row.image


def like(number: int, of: int, share: float = 0.8) -> DescribedImage:
    """A picture whose frame is much like the nth region of a row."""
    one, noise = image(rich_row("q", number)), image(rich_row("q", 1000 + number))
    parts = [image.descriptors[ALIAS][of] for image in (one, noise)]
    vectors = [part.vector for part in parts if isinstance(part, GlobalDescriptor)]
    mixed = share * vectors[0] + (1 - share) * vectors[1]
    vector = GlobalDescriptor((mixed / np.linalg.norm(mixed)).astype(np.float32))
    return DescribedImage(one.ref, (1, 1), (), {ALIAS: (vector,)})


def keys(found: Iterable[Candidate]) -> list[str]:
    return [one.key for one in found]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a few are enough to ask the index of vectors."""
    monkeypatch.setattr(lance_vectors, "FEWEST_ASKED_FOR", 20)
    monkeypatch.setattr(lance_vectors, "MOST_OF_ALL", 0.9)


def test_the_index_of_vectors_finds_what_looking_at_all_finds(opens: Opens, many: None) -> None:
    index, exact = opens(n_probes=3), opens(exact=True)
    index.put(rich_row(f"{i}.png", i) for i in range(N))
    for is_indexed in (False, True):
        if is_indexed:
            assert index.optimize() == ["index of 'vectors-vectors%2F1'"]
        shared = 0
        for number in range(0, N, 12):
            query = like(number, of=number % 3)
            mine, its = index.nearest(query, LIMIT), exact.nearest(query, LIMIT)
            assert keys(mine)[0] == keys(its)[0] == f"{number}.png"
            assert mine[0].scores[ALIAS] == pytest.approx(its[0].scores[ALIAS], rel=1e-6)
            assert LIMIT <= len(mine) < N == len(its)
            shared += len(set(keys(mine)[:LIMIT]) & set(keys(its)[:LIMIT]))
        assert shared >= 0.9 * LIMIT * N / 12


def test_what_was_put_in_after_the_index_is_found(opens: Opens, many: None) -> None:
    index = opens(n_probes=3)
    index.put(rich_row(f"{i}.png", i) for i in range(N))
    index.optimize()
    index.put([rich_row("new.png", 500), rich_row("7.png", 501)])
    index.remove(["8.png"])
    assert keys(index.nearest(like(500, 2), LIMIT))[0] == "new.png"
    assert keys(index.nearest(like(501, 0), LIMIT))[0] == "7.png"
    assert "8.png" not in keys(index.nearest(like(8, 2), LIMIT))
    assert keys(index.nearest(like(7, 2), LIMIT))[0] != "7.png"


def test_what_is_put_in_later_joins_the_cells(opens: Opens, many: None) -> None:
    index, exact = opens(n_probes=3), opens(exact=True)
    rows = [rich_row(f"{i}.png", i) for i in range(N + 60)]
    for some in (rows[:N], rows[N:]):
        index.put(some)
        assert index.optimize()
    assert index.info().n_indexed == {ALIAS: 3 * len(rows)}
    assert index.info().recall[ALIAS] >= 0.9
    for number in range(0, len(rows), 12):
        query = image(rows[number])
        mine, its = index.nearest(query, LIMIT), exact.nearest(query, LIMIT)
        assert keys(mine)[0] == keys(its)[0] == f"{number}.png"


@pytest.mark.parametrize("chosen", [3, 40, 120])
def test_choosing_a_few_pictures_loses_none(chosen: int, opens: Opens, many: None) -> None:
    """A filter leaves little in the cells that are looked at first."""
    index, exact = opens(n_probes=1), opens(exact=True)
    index.put(rich_row(f"{i}.png", i) for i in range(N))
    index.optimize()
    where = Where(keys=frozenset(f"{i}.png" for i in range(0, N, N // chosen)))
    for number in range(1, N, 24):
        mine, its = (one.nearest(like(number, 2), LIMIT, where) for one in (index, exact))
        assert len(mine) >= min(chosen, LIMIT)
        assert set(keys(mine)) <= where.keys  # type: ignore[operator]
        if chosen * 3 <= 100:  # few enough to look at all
            assert mine == its


@pytest.mark.parametrize("n_in_folder", [40, 70])
@pytest.mark.parametrize("n_probes", [1, 50])
def test_a_folder_far_from_the_query_loses_none(
    n_in_folder: int, n_probes: int, opens: Opens, many: None
) -> None:
    """All of it lies in cells that are looked at last; the nearest of all are elsewhere."""
    index, exact = opens(n_probes=n_probes), opens(exact=True)
    rng = np.random.default_rng(5)
    there = rng.normal(size=16)
    far = 0.5 * there + rng.normal(size=16)  # a cosine above 0, or all were equally far
    index.put(beside(f"all/{i}.png", there, i) for i in range(300))
    index.put(beside(f"folder/{i}.png", far, 1000 + i) for i in range(n_in_folder))
    assert index.optimize()
    where = Where(keys=frozenset(f"folder/{i}.png" for i in range(n_in_folder)))
    for seed in range(5):
        parts = image(beside("query.png", there, 2000 + seed)).descriptors[ALIAS]
        query = DescribedImage(image(rich_row("q", 1)).ref, (1, 1), (), {ALIAS: parts[-1:]})
        mine, its = (one.nearest(query, LIMIT, where) for one in (index, exact))
        assert keys(mine)[:LIMIT] == keys(its)[:LIMIT]
        near = set(keys(index.nearest(query, LIMIT))[:LIMIT])
        assert len(near & set(keys(exact.nearest(query, LIMIT))[:LIMIT])) >= LIMIT - 1


def beside(uri: str, direction: np.ndarray, seed: int) -> Row:
    """A row whose vectors point about one way."""
    row = rich_row(uri, seed)
    vectors = np.random.default_rng(seed).normal(size=(3, 16)) * 0.3 + direction
    parts = [GlobalDescriptor((v / np.linalg.norm(v)).astype(np.float32)) for v in vectors]
    return replace(row, image=replace(image(row), descriptors={ALIAS: tuple(parts)}))


def test_an_index_is_built_when_it_is_due(opens: Opens) -> None:
    with opens() as index:
        index.put(rich_row(f"{i}.png", i) for i in range(30))
    assert opens().info().n_indexed == {ALIAS: 0}
    with opens() as index:
        index.put(rich_row(f"{i}.png", i) for i in range(30, 60))
        assert index.info().due == ("index of 'vectors-vectors%2F1'",)
    info = opens().info()
    assert info.n_indexed == {ALIAS: 180} and info.due == ()
    assert info.recall[ALIAS] >= 0.9
    with opens() as index:
        index.put([rich_row("one more.png", 70)])
    assert opens().info().n_indexed == {ALIAS: 180}
    assert opens().optimize() == []


def test_neighbours_through_the_index_are_the_nearest(opens: Opens) -> None:
    index, exact = opens(flat_regions=20), opens(exact=True)
    index.put(rich_row(f"{i}.png", i) for i in range(60))
    index.put([Row("twin.png", rich_row("t", 5).ref, None, image(rich_row("twin.png", 5)))])
    index.optimize()
    mine, its = list(index.neighbours(ALIAS, 3)), list(exact.neighbours(ALIAS, 3))
    assert [one[0] for one in mine] == [one[0] for one in its]
    assert all(key != other for key, other, _ in mine)
    assert len(set(mine) & set(its)) >= 0.9 * len(its)
    assert next(one[1:] for one in mine if one[0] == "5.png") == ("twin.png", 1.0)


def words_rows(first: int, last: int) -> list[Row]:
    return [rich_row(f"{i}.png", i, n_regions=1, n_points=60) for i in range(first, last)]


def asked(seed: int) -> DescribedImage:
    """Half of a picture's keypoints, and as many of none."""
    one = image(rich_row("q", seed, n_regions=1, n_points=60))
    orb = one.descriptors["orb"][0]
    other = points(np.random.default_rng(seed + 1), 60, np.uint8)
    codes = np.concatenate([orb.codes[:30], other.codes[30:]])  # type: ignore[union-attr]
    mixed = type(other)(other.points_xy, codes, 1.0)
    return DescribedImage(one.ref, (1, 1), (), {"orb": (mixed,)})


def voted(index: Stored, query: DescribedImage) -> np.ndarray:
    words = index._look().words()
    assert words is not None
    return words.voted(query)


@pytest.mark.parametrize("has_file", [False, True])
def test_words_vote_as_in_memory(
    has_file: bool, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_file:
        monkeypatch.setattr(lance_words, "WORTH_A_FILE", 10)
    index, pattern = opens({}), VisualWords().open(RECIPE, {})
    for into in (index, pattern):
        into.put(words_rows(0, 40))
    assert ("inverted file of words" in index.optimize()) == has_file
    for number in (3, 39):
        np.testing.assert_array_equal(voted(index, asked(number)), pattern.voted(asked(number)))
    for into in (index, pattern):
        into.put([*words_rows(40, 42), *words_rows(7, 8)])
    for number in (3, 41, 7):
        mine, its = voted(index, asked(number)), pattern.voted(asked(number))
        np.testing.assert_allclose(mine, its, rtol=1e-12)
        assert keys(index.nearest(asked(number), 1))[0] == f"{number}.png"
        assert keys(index.nearest(asked(number), 5)) == keys(pattern.nearest(asked(number), 5))
    for into in (index, pattern):
        into.remove(["3.png", "41.png", "0.png"])
    np.testing.assert_allclose(voted(index, asked(7)), pattern.voted(asked(7)), rtol=1e-12)
    assert "3.png" not in keys(index.nearest(asked(3), 5))
    assert (len(index._look().words().segments()) == 2) == has_file  # type: ignore[union-attr]


def test_an_inverted_file_is_made_anew_when_much_has_changed(
    opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_words, "WORTH_A_FILE", 10)
    index, done = opens({}, flat_regions=9999), ["inverted file of words"]
    index.put(words_rows(0, 40))
    assert index.optimize() == done and index.optimize() == []
    index.put(words_rows(40, 43))
    assert index.optimize() == []
    index.put(words_rows(43, 46))
    assert index.optimize() == done
    [only] = tmp_path.glob("kept/postings-*")
    before = voted(index, asked(44))
    (only / "images.npy").write_bytes(b"junk")
    np.testing.assert_allclose(voted(opens({}), asked(44)), before, rtol=1e-6)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells")
def test_entries_are_read_and_not_mapped(
    opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of mapped ones every query holds others, in pages of two megabytes: in time all of them."""
    monkeypatch.setattr(lance_words, "WORTH_A_FILE", 10)
    index = opens({})
    index.put(words_rows(0, 40))
    index.optimize()
    first, again = voted(index, asked(5)), voted(index, asked(5))
    np.testing.assert_array_equal(first, again)
    words = index._look().words()
    assert words is not None and isinstance(words.segments()[0].postings.signatures, Filed)
    maps = Path("/proc/self/maps").read_text().splitlines()
    assert not [line for line in maps if str(tmp_path) in line and line.endswith(".npy")]


@pytest.mark.parametrize("name", ["images", "signatures"])
def test_entries_that_are_cut_short_are_made_from_the_rows(
    name: str, opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_words, "WORTH_A_FILE", 10)
    index = opens({})
    index.put(words_rows(0, 40))
    index.optimize()
    before = voted(index, asked(5))
    [path] = tmp_path.glob(f"kept/postings-*/{name}.npy")
    path.write_bytes(path.read_bytes()[:-1])
    np.testing.assert_allclose(voted(opens({}), asked(5)), before, rtol=1e-6)


def test_words_of_others_are_refused(opens: Opens, tmp_path: Path) -> None:
    index = opens({})
    index.put(words_rows(0, 3))
    with pytest.raises(UsageError, match=r"has the words of 'orb', and not of 'sift'"):
        opens({}, extractor="sift")
    rng = np.random.default_rng(0)
    arrays = {
        "branches": rng.integers(0, 256, (4, 32), dtype=np.uint8),
        "leaves": rng.integers(0, 256, (4, 4, 32), dtype=np.uint8),
        "bits": np.arange(64),
    }
    np.savez(tmp_path / "other.npz", **arrays)
    other = opens({}, vocabulary=str(tmp_path / "other.npz"))
    for use in (lambda: other.nearest(asked(1), 1), lambda: other.put(words_rows(1, 2))):
        with pytest.raises(UsageError, match=r"words of another vocabulary than '.*other\.npz'"):
            use()


def test_a_moment_is_shared_until_something_is_written(opens: Opens) -> None:
    """Reading what has not changed costs nothing, however many rows there are."""
    index = opens()
    index.put(words_rows(0, 3))
    first = index._look()
    assert index._look() is first and index.snapshot()._look().view is first.view
    began = time.perf_counter()
    for _ in range(20):
        index.snapshot()
    assert time.perf_counter() - began < 5
    index.remove(["0.png"])
    assert index._look() is not first
