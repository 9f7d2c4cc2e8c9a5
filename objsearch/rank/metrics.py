"""How good is a ranking? Ties are broken against us: of equal scores the wrong come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Ranked:
    """One query's answer: scores, which of them are right, and how many should be found."""

    scores: Sequence[float]
    is_right: Sequence[bool]
    n_right: int

    def order(self) -> np.ndarray:
        """Best first, ties pessimistic."""
        return np.lexsort((np.asarray(self.is_right, bool), -np.asarray(self.scores, float)))


def average_precision(ranked: Ranked) -> float:
    """Mean of the precision at each right answer; right answers never returned count as 0."""
    right = np.asarray(ranked.is_right, bool)[ranked.order()]
    if ranked.n_right == 0:
        return 0.0
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float(precision[right].sum() / ranked.n_right)


def recall_at(ranked: Ranked, k: int) -> float:
    """Share of the right answers among the first k."""
    right = np.asarray(ranked.is_right, bool)[ranked.order()][:k]
    return float(right.sum() / ranked.n_right) if ranked.n_right else 0.0


def is_top1_right(ranked: Ranked) -> bool:
    """Whether the first answer is right."""
    order = ranked.order()
    return bool(len(order) and ranked.is_right[int(order[0])])


def micro_average_precision(every: Sequence[Ranked]) -> float:
    """Average precision of all queries' answers in one list (Image Similarity Challenge, 2021)."""
    return average_precision(_joined(every))


def recall_at_precision(every: Sequence[Ranked], precision: float) -> float:
    """Greatest recall at which the joint list still has the wanted precision."""
    joined = _joined(every)
    right = np.asarray(joined.is_right, bool)[joined.order()]
    if not len(right) or joined.n_right == 0:
        return 0.0
    reached = np.cumsum(right) / np.arange(1, len(right) + 1) >= precision
    return float(np.cumsum(right)[reached].max(initial=0) / joined.n_right)


def _joined(every: Sequence[Ranked]) -> Ranked:
    return Ranked(
        [score for ranked in every for score in ranked.scores],
        [right for ranked in every for right in ranked.is_right],
        sum(ranked.n_right for ranked in every),
    )
