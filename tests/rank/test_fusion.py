"""Several views -> one score."""

from __future__ import annotations

from itertools import permutations
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objsearch.rank.fusion import RRF_K, Fusion, fuse, ranked_down

VIEWS = [{"a": 0.9, "b": 0.2}, {"a": 0.1, "b": 0.4, "c": 0.8}, {"b": 0.3}]
HOWS = get_args(Fusion)

views = st.lists(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1)), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("max", {"a": 0.9, "b": 0.4, "c": 0.8}),
        ("min", {"a": 0.0, "b": 0.2, "c": 0.0}),
        ("mean", {"a": 1.0 / 3, "b": 0.3, "c": 0.8 / 3}),
    ],
)
def test_by_hand(how: Fusion, expected: dict[str, float]) -> None:
    assert fuse(VIEWS, how) == pytest.approx(expected)


def test_reciprocal_ranks_by_hand() -> None:
    fused = fuse(VIEWS, "rrf")
    greatest = 3 / (RRF_K + 1)
    assert fused["a"] == pytest.approx((1 / 61 + 1 / 63) / greatest)
    assert fused["b"] == pytest.approx((1 / 62 + 1 / 62 + 1 / 61) / greatest)
    assert fused["c"] == pytest.approx((1 / 61) / greatest)
    assert fuse([{"a": 0.5}, {"a": 0.1}], "rrf") == pytest.approx({"a": 1.0})
    assert fuse([{"a": 0.5, "b": 0.0}], "rrf")["b"] == 0.0  # ranked, but nothing alike


@pytest.mark.parametrize("how", HOWS)
def test_the_order_of_views_never_matters(how: Fusion) -> None:
    expected = fuse(VIEWS, how)
    assert all(fuse(list(order), how) == expected for order in permutations(VIEWS))


@given(views, st.sampled_from(HOWS))
def test_fused_scores_lie_in_0_to_1(given_views: list[dict[str, float]], how: Fusion) -> None:
    fused = fuse(given_views, how)
    assert set(fused) == {ref for view in given_views for ref in view}
    assert all(0.0 <= score <= 1.0 + 1e-12 for score in fused.values())


@given(views, st.data())
def test_a_repeated_view_changes_nothing_under_max_and_min(
    given_views: list[dict[str, float]], data: st.DataObject
) -> None:
    again = data.draw(st.sampled_from(given_views))
    for how in ("max", "min"):
        assert fuse([*given_views, again], how) == fuse(given_views, how)


@pytest.mark.parametrize("how", ["max", "min", "mean"])
def test_one_view_alone_keeps_its_scores(how: Fusion) -> None:
    assert fuse(VIEWS[:1], how) == pytest.approx(VIEWS[0])


# Weights

WEIGHTS = [2.0, 1.0, 4.0]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("max", {"a": 0.45, "b": 0.3, "c": 0.2}),
        ("min", {"a": 0.0, "b": 0.3, "c": 0.0}),
        ("mean", {"a": 1.9 / 7, "b": 2.0 / 7, "c": 0.8 / 7}),
        (
            "rrf",
            {
                "a": (2 / 61 + 1 / 63) / (7 / 61),
                "b": (2 / 62 + 1 / 62 + 4 / 61) / (7 / 61),
                "c": (1 / 61) / (7 / 61),
            },
        ),
    ],
)
def test_weights_by_hand(how: Fusion, expected: dict[str, float]) -> None:
    assert fuse(VIEWS, how, WEIGHTS) == pytest.approx(expected)


def test_a_view_of_little_weight_vetoes_little() -> None:
    """Of a weight of 1 beside 4: the least that it lets through is three quarters."""
    views = [{"a": 0.0, "b": 0.4, "c": 0.9}, {"a": 0.9, "b": 0.9, "c": 0.7}]
    assert fuse(views, "min", [1, 4]) == pytest.approx({"a": 0.75, "b": 0.85, "c": 0.7})
    assert fuse(views, "min", [4, 1]) == pytest.approx({"a": 0.0, "b": 0.4, "c": 0.9})


@pytest.mark.parametrize("how", HOWS)
def test_equal_weights_are_none(how: Fusion) -> None:
    assert fuse(VIEWS, how, [0.3, 0.3, 0.3]) == pytest.approx(fuse(VIEWS, how))


weighed = st.lists(
    st.tuples(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1)), st.floats(1e-3, 1e3)),
    min_size=1,
    max_size=4,
)


@given(weighed, st.sampled_from(HOWS))
def test_weighed_scores_lie_in_0_to_1_in_every_order(
    given_views: list[tuple[dict[str, float], float]], how: Fusion
) -> None:
    there, back = (
        fuse([view for view, _ in order], how, [weight for _, weight in order])
        for order in (given_views, given_views[::-1])
    )
    assert there == back
    assert all(0.0 <= score <= 1.0 + 1e-12 for score in there.values())


# What is not wanted


def test_ranked_down_by_hand() -> None:
    assert ranked_down(0.6, [0.6, 0.2], [0.5, 0.1]) == 0.6
    assert ranked_down(0.6, [0.6, 0.2], [0.6]) == 0.6  # as like, not more like
    assert ranked_down(0.6, [0.6, 0.2], [0.1, 0.8]) == pytest.approx(0.6 * 0.2 / 0.4)
    assert ranked_down(0.6, [0.6], [1.0]) == 0.0
    assert ranked_down(0.6, [0.6], []) == 0.6


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_negative_never_raises_and_more_of_it_never_helps(
    score: float, positive: float, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    less, more = (ranked_down(score, [positive], [n]) for n in (low, high))
    assert 0.0 <= more <= less <= score
