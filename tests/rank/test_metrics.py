"""Measures against numbers worked out by hand; ties go against us."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objsearch.rank.metrics import (
    Ranked,
    average_precision,
    is_top1_right,
    micro_average_precision,
    recall_at,
    recall_at_precision,
)

# Ranks of the right ones: 1, 3 and 5; one more was never returned.
MIXED = Ranked([0.9, 0.8, 0.7, 0.6, 0.5], [True, False, True, False, True], 4)
PERFECT = Ranked([0.9, 0.8, 0.1], [True, True, False], 2)
WRONG = Ranked([0.9, 0.8], [False, False], 1)
EMPTY = Ranked([], [], 2)


def test_average_precision() -> None:
    assert average_precision(MIXED) == pytest.approx((1 / 1 + 2 / 3 + 3 / 5) / 4)
    assert average_precision(PERFECT) == 1.0
    assert average_precision(WRONG) == 0.0
    assert average_precision(EMPTY) == 0.0
    assert average_precision(Ranked([0.5], [False], 0)) == 0.0


def test_recall() -> None:
    assert [recall_at(MIXED, k) for k in (1, 2, 3, 5, 100)] == [0.25, 0.25, 0.5, 0.75, 0.75]
    assert recall_at(EMPTY, 10) == 0.0
    assert recall_at(Ranked([0.5], [False], 0), 10) == 0.0


def test_top_1() -> None:
    assert is_top1_right(MIXED)
    assert not is_top1_right(WRONG)
    assert not is_top1_right(EMPTY)


def test_ties_are_pessimistic() -> None:
    tied = Ranked([0.5, 0.5, 0.5, 0.5], [True, False, False, True], 2)
    assert not is_top1_right(tied)
    assert recall_at(tied, 2) == 0.0
    assert average_precision(tied) == pytest.approx((1 / 3 + 2 / 4) / 2)


def test_the_order_given_does_not_matter() -> None:
    turned = Ranked(MIXED.scores[::-1], MIXED.is_right[::-1], MIXED.n_right)
    assert average_precision(turned) == average_precision(MIXED)
    assert recall_at(turned, 3) == recall_at(MIXED, 3)


def test_micro_average_precision_is_of_one_joint_list() -> None:
    # Joint list, of each tie the wrong first: 0.9 wrong, right; 0.8 wrong, right; 0.1 wrong.
    expected = (1 / 2 + 2 / 4) / 3
    assert micro_average_precision([PERFECT, WRONG]) == pytest.approx(expected)
    assert micro_average_precision([PERFECT]) == 1.0
    assert micro_average_precision([]) == 0.0


def test_recall_at_precision() -> None:
    # Precision down the list: 1, 1/2, 2/3, 2/4, 3/5.
    assert recall_at_precision([MIXED], 0.9) == pytest.approx(1 / 4)
    assert recall_at_precision([MIXED], 0.66) == pytest.approx(2 / 4)
    assert recall_at_precision([MIXED], 0.6) == pytest.approx(3 / 4)
    assert recall_at_precision([PERFECT], 1.0) == 1.0
    assert recall_at_precision([WRONG], 0.5) == 0.0
    assert recall_at_precision([EMPTY], 0.5) == 0.0


def test_recall_at_precision_does_not_stop_inside_a_tie() -> None:
    # At 0.5 three answers tie, one of them right: no threshold takes the right one alone.
    tied = Ranked([0.9, 0.5, 0.5, 0.5], [True, True, False, False], 2)
    assert recall_at_precision([tied], 0.9) == pytest.approx(1 / 2)


answers = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=12)


@given(answers, st.randoms())
def test_measures_stay_in_0_to_1_and_know_no_order(
    given_answers: list[tuple[float, bool]], random: object
) -> None:
    n_right = max(1, sum(right for _, right in given_answers))
    ranked = Ranked([s for s, _ in given_answers], [r for _, r in given_answers], n_right)
    shuffled = list(given_answers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = Ranked([s for s, _ in shuffled], [r for _, r in shuffled], n_right)
    assert 0.0 <= average_precision(ranked) <= 1.0
    assert average_precision(other) == pytest.approx(average_precision(ranked))
    assert recall_at_precision([other], 0.5) == pytest.approx(recall_at_precision([ranked], 0.5))
    assert np.array_equal(np.sort(ranked.order()), np.arange(len(given_answers)))
