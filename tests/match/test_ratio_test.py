"""Mutual nearest neighbours that are clearly nearer than the next, against the plain definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objsearch.match import distances as between
from objsearch.match.ratio_test import RatioTest
from objsearch.types import LocalFeatures


def features(codes: np.ndarray) -> LocalFeatures:
    points = np.arange(2 * len(codes), dtype=np.float32).reshape(-1, 2)
    return LocalFeatures(points, codes, 1.0)


def binary(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 32), dtype=np.uint8)


def real(n: int, seed: int) -> np.ndarray:
    vectors = np.abs(np.random.default_rng(seed).normal(size=(n, 128)))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def disturbed(codes: np.ndarray, seed: int = 9) -> np.ndarray:
    """The same codes in another order, each changed a little."""
    rng = np.random.default_rng(seed)
    shuffled = codes[rng.permutation(len(codes))].copy()
    if codes.dtype == np.uint8:
        shuffled[:, 0] ^= rng.integers(0, 16, len(codes), dtype=np.uint8)
        return shuffled
    noisy = np.abs(shuffled + rng.normal(scale=0.01, size=shuffled.shape))
    return (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)


def plain(query: np.ndarray, reference: np.ndarray, ratio: float) -> set[tuple[int, int]]:
    """The definition, written out."""
    if query.dtype == np.uint8:
        distances = np.bitwise_count(query[:, None] ^ reference[None]).sum(axis=2).astype(float)
    else:
        distances = np.sqrt(np.maximum(2 - 2 * (query @ reference.T), 0.0))
    found = set()
    for q in range(len(query)):
        r = int(distances[q].argmin())
        others, back = np.delete(distances[q], r), np.delete(distances[:, r], q)
        is_mutual = int(distances[:, r].argmin()) == q
        if is_mutual and distances[q, r] < ratio * min(others.min(), back.min()):
            found.add((q, r))
    return found


@pytest.mark.parametrize("make", [binary, real])
@pytest.mark.parametrize(("n", "m"), [(2, 2), (2, 40), (40, 2), (150, 40), (300, 129)])
def test_matches_are_those_of_the_definition(make, n: int, m: int) -> None:  # type: ignore[no-untyped-def]
    codes = make(n, 1)
    other = np.concatenate([disturbed(codes)[: m // 2], make(m - m // 2, 2)])
    for ratio in (0.7, 0.85):
        matches = RatioTest(ratio=ratio).matches(features(codes), features(other))
        found = {(int(q), int(r)) for q, r in matches}
        expected = plain(codes, other, ratio)
        # The last of 256 bits may be left out for speed: distances may differ by one.
        assert len(found ^ expected) <= max(1, len(expected) // 20)


@pytest.mark.parametrize("make", [binary, real])
def test_matches_are_the_same_pairs_whichever_side_is_the_query(make) -> None:  # type: ignore[no-untyped-def]
    one, other = features(make(120, 1)), features(disturbed(make(120, 1)))
    forth = RatioTest().matches(one, other)
    back = RatioTest().matches(other, one)
    assert {(int(q), int(r)) for q, r in forth} == {(int(q), int(r)) for r, q in back}
    assert len(forth) > 100


def test_the_surest_match_comes_first() -> None:
    one, other = binary(60, 1), disturbed(binary(60, 1))
    matches = RatioTest().matches(features(one), features(other))
    distances = np.bitwise_count(one[matches[:, 0]] ^ other[matches[:, 1]]).sum(axis=1)
    assert (np.diff(distances.astype(int)) >= -1).all()


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("make", [binary, real])
def test_too_few_keypoints_match_nothing(make, n: int) -> None:  # type: ignore[no-untyped-def]
    few, many = features(make(n, 1)), features(make(30, 2))
    for query, reference in ((few, many), (many, few), (few, few)):
        matches = RatioTest().matches(query, reference)
        assert matches.shape == (0, 2)
        assert matches.dtype == np.int32
    assert RatioTest().score_pairs([few], [many])[0, 0] == 0.0


def test_repeated_codes_are_not_told_apart() -> None:
    twice = np.repeat(binary(20, 1), 2, axis=0)
    assert len(RatioTest().matches(features(twice), features(twice))) == 0


def test_the_raw_score_grows_with_matches_and_saturates() -> None:
    one = features(binary(80, 1))
    score = RatioTest(half_score=20).score_pairs([one], [one])[0, 0]
    assert score == pytest.approx(80 / 100)


@given(st.integers(0, 2**31))
def test_unrelated_codes_hardly_match(seed: int) -> None:
    one, other = features(binary(50, seed)), features(binary(50, seed + 1))
    assert len(RatioTest(ratio=0.7).matches(one, other)) <= 1


def test_codes_are_left_alone() -> None:
    codes = binary(40, 1)
    before = codes.copy()
    codes.flags.writeable = False
    RatioTest().matches(features(codes), features(disturbed(codes)))
    assert np.array_equal(codes, before)


@pytest.mark.parametrize("make", [binary, real])
def test_regions_match_by_their_frames_as_they_do_by_themselves(make) -> None:  # type: ignore[no-untyped-def]
    codes = make(120, 1)
    sides = [[features(side)] for side in (codes, disturbed(codes))]
    for side in sides:
        for part in (slice(10, 90), slice(40, 119), slice(7, 8), slice(0, 0)):
            cut = LocalFeatures(side[-1].points_xy[part], side[-1].codes[part], 1.0)
            side.insert(0, cut)
        side.insert(0, features(make(30, 5)))  # extracted by itself: none of its frame's
        side.insert(0, LocalFeatures(side[-1].points_xy[:30], make(30, 5), 1.0))
    pairs = list(np.ndindex(7, 7))
    matches = RatioTest().matches_of(*sides, pairs)
    assert list(matches) == pairs
    for q, r in pairs:
        assert np.array_equal(matches[q, r], RatioTest().matches(sides[0][q], sides[1][r]))
    assert sum(map(len, matches.values())) > 200


def test_codes_of_frames_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    hamming = between._hamming
    monkeypatch.setattr(between, "_hamming", lambda *codes: counted.append(1) or hamming(*codes))
    frame = features(binary(80, 1))
    half = LocalFeatures(frame.points_xy[:40], frame.codes[:40], 1.0)
    RatioTest().matches_of([half, frame], [half, frame], np.ndindex(2, 2))
    assert len(counted) == 1
