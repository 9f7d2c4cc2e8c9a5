"""The stated scores of what nobody fitted."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from objsearch.match.calibration import evidence, load
from objsearch.match.fallback import LINES, fallback
from objsearch.types import Kind

SURE: dict[Kind, tuple[float, float]] = {
    "global": (0.2, 0.7),
    "binary": (0.5, 0.9),
    "local-binary": (evidence(0), evidence(12)),
    "local-real": (evidence(0), evidence(12)),
}
"""What an unlike and an alike pair look like."""


@pytest.mark.parametrize("kinds", [*product(LINES, LINES), *((kind,) for kind in LINES)], ids=str)
def test_alike_is_likely_and_unlike_is_not_whatever_is_compared(kinds: tuple[Kind, ...]) -> None:
    aliases = {f"{kind}-{number}": kind for number, kind in enumerate(kinds)}
    made = fallback(aliases)
    assert made.is_fallback
    unlike, alike = ({a: SURE[kind][i] for a, kind in aliases.items()} for i in (0, 1))
    assert made.probability(unlike) < 0.4
    assert made.probability(alike) > 0.85


def test_the_weights_are_spread_over_those_that_are_there() -> None:
    alone = fallback({"a": "global"})
    twice = fallback({"a": "global", "b": "global"})
    assert alone.probability({"a": 0.5}) == pytest.approx(twice.probability({"a": 0.5, "b": 0.5}))
    assert twice.coefficients["a"] == alone.coefficients["a"] / 2
    assert fallback({}).probability({}) < 1e-6


def test_every_kind_has_a_line_near_the_one_fitted_to_an_extractor_of_it() -> None:
    assert set(LINES) == set(get_args(Kind))
    fitted = {"embedding": "global", "perceptual-hash": "binary", "orb": "local-binary"}
    for name, kind in {**fitted, "sift": "local-real"}.items():
        [slope] = load(name).coefficients.values()
        assert LINES[kind] == pytest.approx((load(name).intercept, slope), abs=0.1)
