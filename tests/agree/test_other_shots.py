"""When are two pictures seen not to come from one shot?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from objsearch.agree import Agreement, agree
from objsearch.agree.agreement import FEW_PLACES, is_of_another_shot
from tests.pictures import page


@pytest.fixture(scope="module")
def same() -> Agreement:
    """A page and itself."""
    found = agree(page(0), page(0), np.eye(3))
    assert found is not None
    return found


def test_a_page_is_no_other_shot_of_itself_and_another_page_is(same: Agreement) -> None:
    assert not is_of_another_shot(same)
    other = agree(page(0), page(1), np.eye(3))
    assert other is not None and other.relation == "different" and is_of_another_shot(other)


def test_where_next_to_nothing_agrees_no_probability_counts(same: Agreement) -> None:
    assert same.same_shot > 0.9
    assert is_of_another_shot(replace(same, agreeing=0.1))
    assert not is_of_another_shot(replace(same, agreeing=0.2))


def test_the_probability_that_is_asked_for_counts(same: Agreement) -> None:
    doubted = replace(same, same_shot=0.2)
    assert is_of_another_shot(doubted) and not is_of_another_shot(doubted, 0.05)


def test_few_places_say_nothing(same: Agreement) -> None:
    doubted = replace(same, same_shot=0.0)
    assert is_of_another_shot(replace(doubted, n_judged=FEW_PLACES))
    assert not is_of_another_shot(replace(doubted, n_judged=FEW_PLACES - 1))
