"""The one-to-one choice, on matrices small enough to do by hand."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from objsearch.match import assignment
from objsearch.match.assignment import assign


def matrix(*rows: list[float]) -> np.ndarray:
    return np.array(rows, float)


def test_the_sum_is_greatest_not_the_first_choice() -> None:
    # Greedy would take 0.9 and be left with 0.1; 0.8 + 0.7 is more.
    assert assign(matrix([0.9, 0.8], [0.7, 0.1]), 0.0) == [(0, 1), (1, 0)]


def test_best_first() -> None:
    assert assign(matrix([0.2, 0], [0, 0.6], [0, 0]), 0.1) == [(1, 1), (0, 0)]


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (2, 5), (5, 2)])
def test_more_on_one_side_leaves_some_out(shape: tuple[int, int]) -> None:
    scores = np.random.default_rng(1).random(shape)
    pairs = assign(scores, 0.0)
    assert len(pairs) == min(shape)
    assert len({q for q, _ in pairs}) == len({r for _, r in pairs}) == len(pairs)


def test_the_floor_is_inclusive_and_holds_before_and_after() -> None:
    scores = matrix([0.5, 0.3], [0.49, 0.1])
    assert assign(scores, 0.5) == [(0, 0)]
    assert assign(scores, 0.51) == []
    # What is under the floor counts nothing: 0.5 alone beats 0.49 + 0.2.
    assert assign(matrix([0.5, 0.2], [0.49, 0.1]), 0.3) == [(0, 0)]
    assert assign(np.zeros((3, 3)), 0.1) == []


def test_one_to_many_takes_all_over_the_floor() -> None:
    scores = matrix([0.9, 0.8, 0.1], [0.3, 0.8, 0.2])
    expected = [(0, 0), (0, 1), (1, 1), (1, 0)]
    assert assign(scores, 0.3, "one-to-many") == expected
    assert assign(scores, 0.3) == [(0, 0), (1, 1)]


def test_ties_go_by_index() -> None:
    assert assign(np.full((2, 2), 0.5), 0.1) == [(0, 0), (1, 1)]
    many = assign(np.full((2, 2), 0.5), 0.1, "one-to-many")
    assert many == [(0, 0), (0, 1), (1, 0), (1, 1)]


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=3, max_size=3))
def test_no_permutation_has_a_greater_sum(rows: list[list[float]]) -> None:
    scores = matrix(*rows)
    found = sum(scores[pair] for pair in assign(scores, 0.0))
    best = max(sum(scores[q, r] for q, r in enumerate(p)) for p in permutations(range(3)))
    assert found == pytest.approx(best)


def test_scores_are_left_alone() -> None:
    scores = matrix([0.9, 0.01], [0.2, 0.3])
    before = scores.copy()
    assign(scores, 0.1)
    assert np.array_equal(scores, before)


@pytest.mark.parametrize("module", ["scipy.optimize._lsap", "scipy.optimize._elsewhere"])
def test_the_method_is_scipys_wherever_it_lies(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignment, "SOLVER", module)
    solver = assignment._solver.__wrapped__()
    scores = np.random.default_rng(3).random((7, 5))
    expected = linear_sum_assignment(scores, maximize=True)
    np.testing.assert_array_equal(solver(scores, maximize=True), expected)


def test_one_match_does_not_load_all_of_scipys_optimisers() -> None:
    code = (
        "import sys, numpy; from objsearch.match.assignment import assign; "
        "assert assign(numpy.eye(3), 0.1); assert 'scipy.optimize' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
