"""How often different pictures score so much: by counting, and no promise beyond what was seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from objsearch.match.tail import FEWEST, FLOOR, LEAST_PAIRS, Tail, measured

TAIL = Tail(logits=(-2.0, 0.0, 1.0), rates=(0.1, 0.01, 0.0001), same=2e-5, n_pairs=30_000)


def score(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_is_never_reached_more_often(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= TAIL.rate(high) <= TAIL.rate(low) <= 1.0


def test_measured_rates_are_kept_and_a_line_in_log_odds_joins_them() -> None:
    for logit, rate in zip(TAIL.logits, TAIL.rates, strict=True):
        assert TAIL.rate(score(logit)) == pytest.approx(rate)
    assert TAIL.rate(score(-1.0)) == pytest.approx(math.sqrt(0.1 * 0.01))


def test_below_the_lowest_score_nothing_is_rare() -> None:
    assert TAIL.rate(0.0) == TAIL.rate(score(-2.01)) == 1.0


def test_beyond_what_was_measured_it_falls_slowly() -> None:
    # Over the last decade it fell by a hundred in one unit: that may be where the data end.
    assert TAIL.rate(score(3.0)) == pytest.approx(1e-4 * math.exp(-1.0))
    flat = Tail(logits=(-2.0, 0.0), rates=(0.1, 0.01), same=1e-3, n_pairs=3000)
    slope = math.log(10) / 2
    assert slope > 0.5
    assert flat.rate(score(2.0)) == pytest.approx(0.01 / math.e)
    slow = Tail(logits=(-8.0, 0.0), rates=(0.1, 0.01), same=1e-3, n_pairs=3000)
    assert slow.rate(score(1.0)) == pytest.approx(0.01 * math.exp(-math.log(10) / 8))


def test_no_rate_is_promised_that_is_far_from_any_measured_one() -> None:
    assert TAIL.rate(score(30.0)) == pytest.approx(1e-4 * FLOOR)


def test_equal_pixels_are_no_chance() -> None:
    assert TAIL.rate(1.0) == 0.0
    assert TAIL.rate(math.nextafter(1.0, 0.0)) > 0.0


def test_false_alarms_are_as_many_times_the_rate_as_there_are_references() -> None:
    assert TAIL.false_alarms(score(0.0), 5000) == pytest.approx(50.0)
    assert TAIL.false_alarms(score(0.0), 5000, is_same=True) == pytest.approx(0.1)
    # Where the score is rarer than the verdict, the score says it.
    assert TAIL.false_alarms(score(30.0), 10**6, is_same=True) == pytest.approx(1.0)


def test_rates_are_counted() -> None:
    scores = (np.arange(9000) + 0.5) / 9000
    tail = measured(scores.tolist(), 10_000, 7, "numbers")
    assert tail is not None
    assert (tail.same, tail.n_pairs, tail.measured_on) == (7e-4, 10_000, "numbers")
    assert tail.rates[-1] == FEWEST / 10_000
    for rate in (0.3, 0.1, 0.01, 0.001):
        least = np.sort(scores)[::-1][round(rate * 10_000) - 1]
        assert tail.rate(float(least) + 5e-5) == pytest.approx(rate, rel=0.05)  # rounded log odds
        assert (scores >= least).sum() == round(rate * 10_000)


def test_a_verdict_never_seen_is_as_frequent_as_it_may_be_unseen() -> None:
    tail = measured(np.linspace(0.1, 0.9, 3000).tolist(), 3000, 0, "")
    assert tail is not None and tail.same == FEWEST / 3000


def test_beyond_a_score_that_most_pairs_have_none_was_seen() -> None:
    # Without a keypoint that agrees all pairs of keypoints alone score the same.
    tail = measured([0.3] * 5000, 5000, 0, "")
    assert tail is not None
    assert tail.rate(0.2999) == 1.0
    assert tail.rate(0.301) == pytest.approx(FEWEST / 5000, rel=0.01)


def test_beyond_a_score_that_most_pairs_have_are_those_that_were_seen() -> None:
    tail = measured([*np.linspace(0.5, 0.9, 20).tolist(), *[0.3] * 99_000], 100_000, 0, "")
    assert tail is not None
    assert tail.rate(0.301) == pytest.approx(20 / 100_000, rel=0.02)
    assert tail.rate(0.4) < 20 / 100_000
    assert tail.rates[-1] == FEWEST / 100_000


def test_few_pairs_tell_no_tail() -> None:
    scores = np.linspace(0.1, 0.9, LEAST_PAIRS).tolist()
    assert measured(scores[1:], LEAST_PAIRS - 1, 0, "") is None
    assert measured(scores, LEAST_PAIRS, 0, "") is not None
    assert measured([0.0] * LEAST_PAIRS, LEAST_PAIRS, 0, "") is None  # none could be compared


@pytest.mark.parametrize(
    "table",
    [
        {"logits": (0.0, 1.0), "rates": (0.1, 0.1)},
        {"logits": (1.0, 1.0), "rates": (0.1, 0.01)},
        {"logits": (0.0, 1.0, 2.0), "rates": (0.1, 0.01)},
        {"logits": (0.0,), "rates": (0.1,)},
        {"logits": (0.0, 1.0), "rates": (1.5, 0.1)},
    ],
)
def test_a_table_that_does_not_fall_is_refused(table: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValidationError):
        Tail(**table, same=0.001, n_pairs=3000)  # type: ignore[arg-type]
