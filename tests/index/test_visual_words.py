"""Visual words: the shipped vocabulary, and the index that uses it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from objsearch.describe.base import Extractor
from objsearch.describe.orb import Orb
from objsearch.describe.sift import Sift
from objsearch.errors import UsageError, WeightsError
from objsearch.index import Index
from objsearch.index.base import Ranker
from objsearch.index.visual_words import ByWords, VisualWords
from objsearch.index.vocabulary import Vocabulary, load_vocabulary
from objsearch.search.pipeline import ObjectSearch
from objsearch.types import Box, DescribedImage, ImageRef, Pixels, Recipe, Region, Row
from tests.pictures import drawing, rotated

N = 24


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load_vocabulary("orb-words")


@pytest.fixture(scope="module")
def orb() -> Orb:
    return Orb(n_points=300, long_side=320)


@pytest.fixture(scope="module")
def pictures() -> list[Pixels]:
    return [drawing(240, 320, seed) for seed in range(N)]


def described(name: str, pixels: Pixels, extractor: Extractor) -> DescribedImage:
    height, width = pixels.shape[:2]
    frame = Region(Box(0, 0, width, height), "frame", 1.0, "frame")
    parts = (extractor.extract(pixels),)
    return DescribedImage(ImageRef(name), (width, height), (frame,), {extractor.name: parts})


@pytest.fixture(scope="module")
def stored(pictures: list[Pixels], orb: Orb) -> list[DescribedImage]:
    return [described(f"{i:02}.png", pixels, orb) for i, pixels in enumerate(pictures)]


def codes(count: int = 300) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (count, 32), dtype=np.uint8)


def test_one_word_is_found_as_several_are(vocabulary: Vocabulary) -> None:
    # Doubled words tie: the lower number goes first.
    doubled = replace(vocabulary, branches=vocabulary.branches[:, [0, 1, 1, 0, *range(4, 256)]])
    for one in (vocabulary, doubled):
        known = np.ascontiguousarray(one.leaves[:, 1, :40].T).view(np.uint8)
        for some in (codes(700), known):
            assert np.array_equal(one.words(some), one.words(some, 2)[:, :1])


def test_words_are_the_nearest_of_the_branches_leaves(vocabulary: Vocabulary) -> None:
    leaves = np.moveaxis(vocabulary.leaves, 0, -1).copy().view(np.uint8)
    branches = np.moveaxis(vocabulary.branches, 0, -1).copy().view(np.uint8)
    found = vocabulary.words(codes(), 4, 2)
    for code, words in zip(codes(), found, strict=True):
        near = np.bitwise_count(branches ^ code).sum(axis=1, dtype=int)
        own = sorted(np.argsort(near, kind="stable")[:2])
        n = leaves.shape[1]
        far = {
            b * n + k: d
            for b in own
            for k, d in enumerate(np.bitwise_count(leaves[b] ^ code).sum(axis=1, dtype=int))
        }
        assert words.tolist() == sorted(far, key=lambda word: (far[word], word))[:4]


def test_a_code_may_differ_from_all_others_in_every_bit() -> None:
    """256 of them: one more than a byte counts to."""
    none, every = np.zeros((4, 1), np.uint64), np.full((4, 1), 2**64 - 1, np.uint64)
    branches = np.concatenate([every, none], axis=1)
    odd = Vocabulary(branches, np.stack([branches, branches], axis=1), np.arange(64))
    black = np.zeros((1, 32), np.uint8)
    assert odd.words(black).tolist() == [[3]]
    assert odd.words(black, 2, 2).tolist() == [[1, 3]]
    assert odd.words(255 - black).tolist() == [[0]]


def test_words_do_not_depend_on_their_neighbours(vocabulary: Vocabulary) -> None:
    many = codes(1200)
    whole = vocabulary.words(many, 3, 2)
    apart = np.concatenate([vocabulary.words(one[None], 3, 2) for one in many[500:530]])
    np.testing.assert_array_equal(whole[500:530], apart)
    assert vocabulary.words(many[:0], 3, 2).shape == (0, 3)


def test_a_code_that_is_a_word_is_its_own_word(vocabulary: Vocabulary) -> None:
    leaves = np.moveaxis(vocabulary.leaves, 0, -1).copy().view(np.uint8)
    some = leaves[7, ::16]
    words = vocabulary.words(some, 1, vocabulary.branches.shape[1])[:, 0]
    again = leaves.reshape(-1, 32)[words]
    np.testing.assert_array_equal(again, some)


def test_signatures_are_bits_of_the_code(vocabulary: Vocabulary) -> None:
    one = codes(1)
    flipped = np.unpackbits(one)
    flipped[vocabulary.bits[5]] ^= 1
    other = np.packbits(flipped)[None]
    a, b = vocabulary.signatures(one), vocabulary.signatures(other)
    assert a.shape == (1, len(vocabulary.bits) // 64)
    assert np.bitwise_count(a ^ b).sum() == 1
    assert len(set(vocabulary.bits.tolist())) == len(vocabulary.bits)


class Numbers:
    """Ranks pictures by the numbers that they are told to have."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = np.array(numbers)

    def stacked(self, images: Sequence[DescribedImage]) -> int:
        return len(images)

    def rank(self, query: DescribedImage, stack: int) -> NDArray[np.float64]:
        return self.numbers[:stack]


def opened(rankers: Mapping[str, Ranker] | None = None, **options: Any) -> ByWords:
    return VisualWords(**options).open(Recipe({}), rankers or {})


def rows(images: Sequence[DescribedImage]) -> list[Row]:
    return [Row(str(one.ref), one.ref, None, one) for one in images]


def keys(index: Index, query: DescribedImage, limit: int) -> list[str]:
    """Of the shortlist."""
    return [one.key for one in index.nearest(query, limit)[:limit]]


def test_the_picture_itself_and_its_turned_copy_come_first(
    stored: list[DescribedImage], pictures: list[Pixels], orb: Orb
) -> None:
    index = opened()
    index.put(rows(stored))
    for number in (0, 11, N - 1):
        assert keys(index, stored[number], 3)[0] == f"{number:02}.png"
        copy = described("query.png", rotated(pictures[number], 15), orb)
        assert keys(index, copy, 3)[0] == f"{number:02}.png"


def test_what_is_put_removed_and_replaced_is_noticed(
    stored: list[DescribedImage], pictures: list[Pixels], orb: Orb
) -> None:
    index = opened()
    index.put(rows(stored[:10]))
    assert keys(index, stored[3], 1) == ["03.png"]
    before = index.snapshot()
    index.remove(["03.png"])
    assert "03.png" not in keys(index, stored[3], 9)
    index.put(rows([stored[3], described("00.png", pictures[20], orb)]))
    assert keys(index, stored[3], 1) == ["03.png"]
    assert keys(index, stored[20], 1) == ["00.png"]
    assert len(index.postings().n_points) == len(index) == 10
    assert keys(before, stored[0], 1) == ["00.png"]


def test_words_of_rows_that_stay_are_not_looked_up_again(
    stored: list[DescribedImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[int] = []
    real = Vocabulary.words

    def words(self: Vocabulary, codes: NDArray[np.uint8], *more: int) -> NDArray[np.int32]:
        looked_up.append(len(codes))
        return real(self, codes, *more)

    monkeypatch.setattr(Vocabulary, "words", words)
    index = opened()
    index.put(rows(stored[:6]))
    assert len(looked_up) == 6
    index.put(rows(stored[6:7]))
    index.remove(["00.png"])
    pickle.loads(pickle.dumps(index)).postings()
    assert len(looked_up) == 7


def test_the_order_of_putting_gives_the_same_votes(stored: list[DescribedImage]) -> None:
    one, other = opened(), opened()
    one.put(rows(stored))
    for row in reversed(rows(stored)):
        other.put([row])
    np.testing.assert_allclose(one.voted(stored[5]), other.voted(stored[5])[::-1], rtol=1e-12)


def test_images_without_votes_leave_their_turns(stored: list[DescribedImage]) -> None:
    index = opened({"other": Numbers(*range(N))}, max_distance=0)
    index.put(rows(stored))
    silent = {str(one.ref) for one, v in zip(stored, index.voted(stored[9]), strict=True) if not v}
    assert 2 < len(silent) < N - 1
    found = keys(index, stored[9], N - 1)
    assert found[:2] == ["23.png", "09.png"]
    left = [key for key in found if key in silent]
    assert left == sorted(left, reverse=True)


def test_flat_pictures_have_no_words_and_do_no_harm(stored: list[DescribedImage], orb: Orb) -> None:
    flat = described("flat.png", np.full((240, 320, 3), 127, np.uint8), orb)
    index = opened()
    index.put(rows([flat, *stored]))
    assert index.voted(stored[2])[0] == 0
    assert not index.voted(flat).any()
    assert keys(index, flat, 2) == ["flat.png", "00.png"]  # nobody speaks for any


def test_other_descriptors_are_left_to_the_rankers(pictures: list[Pixels]) -> None:
    sift = Sift(n_points=50, long_side=160)
    images = [described(f"{i}.png", pixels, sift) for i, pixels in enumerate(pictures[:4])]
    index = opened({"sift": Numbers(0, 0, 1, 0)})
    index.put(rows(images))
    assert keys(index, images[0], 1) == ["2.png"]


def test_codes_that_have_no_words_are_refused_in_a_sentence(pictures: list[Pixels]) -> None:
    sift = Sift(n_points=50, long_side=160)
    with pytest.raises(UsageError, match=r"32-byte binary codes.*'sift'.*memory"):
        opened(extractor="sift").put(rows([described("a.png", pictures[0], sift)]))


def test_wrong_vocabularies_are_told(tmp_path: Path) -> None:
    index = opened(vocabulary="orb-wordz")
    with pytest.raises(WeightsError, match="orb-words"):
        index.postings()
    (tmp_path / "text.npz").write_text("no arrays")
    with pytest.raises(WeightsError, match="not a vocabulary"):
        load_vocabulary(str(tmp_path / "text.npz"))
    np.savez(tmp_path / "odd.npz", branches=np.zeros(3), leaves=np.zeros(3), bits=np.zeros(3))
    with pytest.raises(WeightsError, match="arrays"):
        load_vocabulary(str(tmp_path / "odd.npz"))


@pytest.mark.parametrize("workers", [1, 3])
def test_a_search_by_words_finds_what_memory_finds(pictures: list[Pixels], workers: int) -> None:
    options = {
        "detector": "whole-image",
        "descriptors": [{"extractor": {"name": "orb", "n_points": 300, "long_side": 320}}],
        "search.shortlist": 3,
        "run.workers": workers,
        "run.batch_size": workers,
    }
    best = []
    for name in ("memory", "visual-words"):
        search = ObjectSearch.open("default", {**options, "index": name}).add(*pictures)
        hits = search.find(rotated(pictures[13], 15), threshold=0.0).hits
        best.append((str(hits[0].ref), hits[0].score, hits[0].verdict))
    assert best[0] == best[1]
    assert best[0][2] == "same"
