"""The inverted file against the same sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from objsearch.index import postings as module
from objsearch.index import postings_filing
from objsearch.index.postings import Postings, Segment, build_postings, votes, votes_of
from objsearch.index.postings_filing import file_postings

N_WORDS, N_IMAGES, SPAN = 20, 7, 3
MAX_DISTANCE, REACH = 12, 9.0


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def signatures_like(rng: np.random.Generator, count: int) -> np.ndarray:
    """Signatures of one word each, few of whose bits differ from one another's."""
    coins = rng.integers(0, 1 << 64, (3, count, 1), dtype=np.uint64)
    return np.bitwise_and.reduce(coins)


def made(rng: np.random.Generator) -> tuple[Postings, list[tuple[int, int, int]]]:
    """A file, and its entries as (word, image, signature). One image has no keypoints."""
    n_points = np.array([30, 0, 12, 40, 5, 20, 33], np.int32)
    words = rng.integers(0, N_WORDS - 2, n_points.sum()).astype(np.int32)
    signatures = signatures_like(rng, len(words))
    images = np.repeat(np.arange(N_IMAGES), n_points)
    plain = [
        (int(w), int(i), int(s)) for w, i, s in zip(words, images, signatures[:, 0], strict=True)
    ]
    return build_postings(words, signatures, n_points, N_WORDS), plain


def by_hand(
    plain: list[tuple[int, int, int]], n_points: np.ndarray, words: np.ndarray, asked: np.ndarray
) -> list[float]:
    total = [0.0] * N_IMAGES
    holding = {w: {i for word, i, _ in plain if word == w} for w, _, _ in plain}
    for own, signature in zip(words.tolist(), asked[:, 0].tolist(), strict=True):
        best: dict[int, float] = {}
        for word, image, stored in plain:
            distance = (stored ^ signature).bit_count()
            if word in own and distance <= MAX_DISTANCE:
                rarity = math.log1p(N_IMAGES / len(holding[word]))
                weight = math.exp(-((distance / REACH) ** 2)) * rarity
                best[image] = max(best.get(image, 0.0), weight)
        for image, weight in best.items():
            total[image] += weight / math.sqrt(sum(best.values()))
    return [t / math.sqrt(max(int(n), 1)) for t, n in zip(total, n_points, strict=True)]


@pytest.mark.parametrize("long_run", [0, 10**9])
def test_votes_are_those_written_out(
    long_run: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONG_RUN", long_run)
    postings, plain = made(rng)
    words = np.stack([rng.permutation(N_WORDS)[:SPAN] for _ in range(50)]).astype(np.int32)
    asked = signatures_like(rng, 50)
    found = votes(postings, words, asked, MAX_DISTANCE, REACH)
    wanted = by_hand(plain, postings.n_points, words, asked)
    assert max(wanted) > 1
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert found[1] == 0


def test_entries_lie_by_word_and_image(rng: np.random.Generator) -> None:
    postings, plain = made(rng)
    assert postings.starts[0] == 0
    assert postings.starts[-1] == len(plain) == len(postings.images)
    lie = []
    for word in range(N_WORDS):
        part = slice(postings.starts[word], postings.starts[word + 1])
        images = postings.images[part].tolist()
        assert images == sorted(images)
        stored = postings.signatures[part, 0].tolist()
        lie += [(word, i, s) for i, s in zip(images, stored, strict=True)]
    assert sorted(lie) == sorted(plain)


def test_the_size_of_the_parts_changes_nothing(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    postings, _ = made(rng)
    words = np.stack([rng.permutation(N_WORDS)[:SPAN] for _ in range(30)]).astype(np.int32)
    asked = signatures_like(rng, 30)
    whole = votes(postings, words, asked, MAX_DISTANCE, REACH)
    monkeypatch.setattr(module, "ENTRIES_AT_ONCE", 1)
    np.testing.assert_allclose(votes(postings, words, asked, MAX_DISTANCE, REACH), whole)


def test_nothing_asked_and_nothing_stored() -> None:
    none = np.zeros((0, 1), np.uint64)
    empty = build_postings(np.zeros(0, np.int32), none, np.zeros(0, np.int32), N_WORDS)
    asked = np.zeros((2, 1), np.uint64)
    words = np.zeros((2, 1), np.int32)
    assert votes(empty, words, asked, MAX_DISTANCE, REACH).shape == (0,)
    blank = build_postings(np.zeros(0, np.int32), none, np.zeros(3, np.int32), N_WORDS)
    assert votes(blank, words, asked, MAX_DISTANCE, REACH).tolist() == [0, 0, 0]
    assert votes(blank, words[:0], asked[:0], MAX_DISTANCE, REACH).tolist() == [0, 0, 0]


@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
def test_segments_of_what_is_there_vote_as_one_file_of_it(
    at_once: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some images of a segment are gone, and another segment holds the later ones."""
    monkeypatch.setattr(module, "ENTRIES_AT_ONCE", at_once)
    n_points = np.array([30, 0, 12, 40, 5, 20, 33], np.int32)
    words = rng.integers(0, N_WORDS - 2, n_points.sum()).astype(np.int32)
    signatures = signatures_like(rng, len(words))
    image = np.repeat(np.arange(N_IMAGES), n_points)

    def file_of(images: list[int]) -> Postings:
        parts = [np.flatnonzero(image == i) for i in images]
        chosen = np.concatenate(parts)
        return build_postings(words[chosen], signatures[chosen], n_points[images], N_WORDS)

    there = [0, 1, 3, 5, 6]
    segments = [
        Segment(file_of([0, 1, 2, 3, 4]), np.array([0, 1, -1, 2, -1])),
        Segment(file_of([6, 5]), np.array([4, 3])),
    ]
    looked_up = np.stack([rng.permutation(N_WORDS)[:SPAN] for _ in range(50)]).astype(np.int32)
    asked = signatures_like(rng, 50)
    found = votes_of(segments, len(there), looked_up, asked, MAX_DISTANCE, REACH)
    wanted = votes(file_of(there), looked_up, asked, MAX_DISTANCE, REACH)
    assert wanted.max() > 1
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    alone = votes_of(segments[:1], 3, looked_up, asked, MAX_DISTANCE, REACH)
    wanted = votes(file_of([0, 1, 3]), looked_up, asked, MAX_DISTANCE, REACH)
    np.testing.assert_allclose(alone, wanted, rtol=1e-6)


def test_going_through_words_one_by_one_gives_the_same_bits(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signatures of two columns, and images of which some are gone."""
    n_points = rng.integers(0, 60, 30).astype(np.int32)
    words = rng.integers(0, N_WORDS, n_points.sum()).astype(np.int32)
    signatures = rng.integers(0, 1 << 64, (len(words), 2), dtype=np.uint64)
    postings = build_postings(words, signatures, n_points, N_WORDS)
    places = np.where(np.arange(30) % 4 == 1, -1, np.arange(30))
    asked = np.stack([rng.permutation(N_WORDS)[:SPAN] for _ in range(40)]).astype(np.int32)
    query = rng.integers(0, 1 << 64, (40, 2), dtype=np.uint64)
    found = []
    for long_run in (0, 10**9):
        monkeypatch.setattr(module, "LONG_RUN", long_run)
        found.append(votes_of([Segment(postings, places)], 30, asked, query, 60, REACH))
    assert np.array_equal(*found) and found[0].any()


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_a_file_that_is_written_as_it_is_sorted_is_the_same(
    at_once: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings_filing, "IMAGES_AT_ONCE", at_once)
    n_points = rng.integers(0, 40, 23).astype(np.int32)
    n_points[[0, 5, 22]] = 0
    words = rng.integers(0, N_WORDS, n_points.sum()).astype(np.int32)
    signatures = rng.integers(0, 1 << 64, (len(words), 2), dtype=np.uint64)
    bounds = np.concatenate([[0], np.cumsum(n_points)])

    def of(run: slice) -> np.ndarray:
        return signatures[bounds[run.start] : bounds[min(run.stop, 23)]]

    def make(name: str, shape: tuple[int, ...], kind: object) -> np.ndarray:
        return np.zeros(shape, kind)  # type: ignore[call-overload,no-any-return]

    found = file_postings(words.astype("<u2"), of, n_points, N_WORDS, make)
    wanted = build_postings(words, signatures, n_points, N_WORDS)
    for name in ("starts", "images", "signatures", "rarity", "n_points"):
        mine, its = getattr(found, name), getattr(wanted, name)
        assert mine.dtype == its.dtype and np.array_equal(mine, its), name
