"""How often photos of different things score so much: what a score means among many photos.

A calibration is fitted to as many right as wrong pairs. Among 100,000 photos there are 100,000
wrong pairs to a query, and of these the likeliest is what matters. So the *tail* is measured: the
part of pairs of different things that reaches a score. Times the photos that are looked among it is
the number of wrong hits to be expected, which bounds the chance that there is any, whatever the
photos hold besides (Markov; what statisticians call the E-value of a search, as in BLAST:
Karlin and Altschul, PNAS 1990).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log, log1p
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

FEWEST = 3
"""Pairs that the least of the measured rates rests on; with none seen, the rate that is believed:
were it greater, to see none would be a chance of less than 1 in 20."""

LEAST_PAIRS = 1000
"""Fewer different pairs tell no rate of a thousandth, and no tail is made of them."""

STEEPEST = 0.5
"""Beyond what was measured: e times rarer over two units of log odds at most. Were the score a
likelihood ratio it would be over one; with that, other photos had 2 hits where 0.5 were told."""

FLOOR = 0.01
"""Part of the least measured rate below which nothing is promised."""

JUST_BEYOND = 0.001
"""Log odds by which a score differs from one that many pairs have."""

_STEPS = (1.0, 0.3)
"""The rates of the table in each decade."""

Rate = Annotated[float, Field(gt=0, le=1)]


class Tail(BaseModel):
    """The rates at which pairs of different pictures reach scores, and are called *same*.

    `logits` (K,) are log odds of image scores, from low to high; `rates` (K,) the parts of pairs
    that reach them, in (0, 1], from high to low.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    logits: tuple[float, ...] = Field(min_length=2)
    rates: tuple[Rate, ...] = Field(min_length=2)
    same: Rate = Field(description="the part of different pairs that is called same")
    n_pairs: int = Field(ge=LEAST_PAIRS, description="different pairs that it was measured on")
    measured_on: str = Field("", description="which pairs, in words")

    @model_validator(mode="after")
    def _falls(self) -> Tail:
        if len(self.logits) != len(self.rates):
            raise ValueError("logits and rates have to be as many")
        if any(np.diff(self.logits) <= 0) or any(np.diff(self.rates) >= 0):
            raise ValueError("logits have to rise, and rates to fall")
        return self

    def rate(self, score: float) -> float:
        """The part of pairs of different things that reaches an image score in [0, 1].

        Between measured rates their logarithm is a line over the log odds of the score; below the
        lowest score the rate is 1. Beyond the last the line goes on as steep as it was over the
        last decade, but no steeper than `STEEPEST`, and down to `FLOOR` of the last rate: what
        nobody has measured is not promised. A score of 1 is that of equal pixels: 0.
        """
        return 0.0 if score >= 1.0 else self.rate_at(_log_odds(score))

    def rate_at(self, logit: float) -> float:
        """`rate` of a score by its log odds."""
        if logit < self.logits[0]:
            return 1.0
        if logit <= self.logits[-1]:
            return exp(float(np.interp(logit, self.logits, np.log(self.rates))))
        beyond = exp(-self._slope() * (logit - self.logits[-1]))
        return self.rates[-1] * max(beyond, FLOOR)

    def false_alarms(self, score: float, n_references: int, is_same: bool = False) -> float:
        """The number of wrong hits, of at least this score, to be expected among references.

        `is_same`: of at least this score and called *same* besides, which is the rarer of both.
        """
        rate = self.rate(score)
        return n_references * (min(rate, self.same) if is_same else rate)

    def _slope(self) -> float:
        start = max(i for i, rate in enumerate(self.rates) if i == 0 or rate >= 9 * self.rates[-1])
        start = min(start, len(self.rates) - 2)
        fall = log(self.rates[start] / self.rates[-1])
        return min(STEEPEST, fall / (self.logits[-1] - self.logits[start]))


def measured(scores: Sequence[float], n_pairs: int, n_same: int, measured_on: str) -> Tail | None:
    """The tail of so many different pairs, or None where they are fewer than `LEAST_PAIRS`.

    `scores` (N,) are the highest of them in [0, 1]; those not given are below all of these.
    `n_same` were called *same*. Where many have one score, such as that of pairs in which no
    keypoints agree, those beyond it are counted; where none is, `FEWEST` are believed.
    """
    if n_pairs < LEAST_PAIRS:
        return None
    compared = [score for score in scores if 0.0 < score < 1.0]
    highest = np.sort(np.asarray(compared, np.float64))[::-1]
    table: list[tuple[float, float]] = []
    for rate in _rates(FEWEST / n_pairs):
        rank = round(rate * n_pairs)
        if rank <= len(highest):
            logit = round(_log_odds(float(highest[rank - 1])), 4)
            if not table or (logit > table[-1][0] and rank / n_pairs < table[-1][1]):
                table.append((logit, rank / n_pairs))
            elif logit == table[-1][0]:
                beyond = int((highest > highest[rank - 1]).sum())
                table.append((logit + JUST_BEYOND, max(beyond, FEWEST) / n_pairs))
    if table and table[-1][1] > FEWEST / n_pairs:
        table.append((table[-1][0] + JUST_BEYOND, FEWEST / n_pairs))
    if not table:
        return None
    return Tail(
        logits=tuple(logit for logit, _ in table),
        rates=tuple(rate for _, rate in table),
        same=max(n_same, FEWEST) / n_pairs,
        n_pairs=n_pairs,
        measured_on=measured_on,
    )


def _rates(least: float) -> list[float]:
    """1, .3, .1, .03, … and the least."""
    rates: list[float] = []
    decade = 1.0
    while decade > least:
        rates += [step * decade for step in _STEPS if step * decade > 1.5 * least]
        decade /= 10
    return [*rates, least]


def _log_odds(score: float) -> float:
    if score <= 0.0:
        return -inf
    return inf if score >= 1.0 else log(score) - log1p(-score)
