"""Several views of one wanted thing, and images of what is not wanted -> one score a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

Fusion = Literal["max", "mean", "rrf", "min"]

RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""

ScoresByRef = Mapping[str, float]


def fuse(
    views: Sequence[ScoresByRef], how: Fusion, weights: Sequence[float] | None = None
) -> dict[str, float]:
    """One score in [0, 1] a reference from each view's scores; order of the views never matters.

    A reference that a view did not compare counts as 0 there. `weights` (one a view, over 0) count
    in proportion: all equal are none. With v = w / greatest w,

    - `max`: the greatest v * score,
    - `mean`: sum of w * score / sum of w,
    - `min`: the least 1 - v * (1 - score): a view of little weight vetoes little,
    - `rrf`: sum of w / (60 + rank), divided by the greatest possible sum: first everywhere is 1.
    """
    weighed = list(zip(views, weights or [1.0] * len(views), strict=True))
    refs = {ref for view in views for ref in view}
    if how == "rrf":
        return _reciprocal_ranks(weighed, refs)
    total = sum(sorted(weight for _, weight in weighed))
    combine: dict[str, Callable[[str], float]] = {
        "max": lambda ref: max(v * view.get(ref, 0.0) for view, v in _relative(weighed)),
        "min": lambda ref: min(_softened(view.get(ref, 0.0), v) for view, v in _relative(weighed)),
        "mean": lambda ref: sum(sorted(w * view.get(ref, 0.0) for view, w in weighed)) / total,
    }
    return {ref: combine[how](ref) for ref in refs}


def _softened(score: float, v: float) -> float:
    return score + (1 - v) * (1 - score)


def ranked_down(score: float, positives: Sequence[float], negatives: Sequence[float]) -> float:
    """The fused score of a reference, lowered if it is more like a negative than like every view.

    With p the greatest score of a view and n the greatest of a negative: score * (1 - n) / (1 - p)
    where n > p, else the score itself. It sinks from the score at n = p to 0 at n = 1.
    """
    p, n = max(positives, default=0.0), max(negatives, default=0.0)
    return score * (1 - n) / (1 - p) if n > p else score


def _relative(
    weighed: Sequence[tuple[ScoresByRef, float]],
) -> list[tuple[ScoresByRef, float]]:
    greatest = max(weight for _, weight in weighed)
    return [(view, weight / greatest) for view, weight in weighed]


def _reciprocal_ranks(
    weighed: Sequence[tuple[ScoresByRef, float]], refs: set[str]
) -> dict[str, float]:
    best = sum(sorted(weight for _, weight in weighed)) / (RRF_K + 1)
    totals: dict[str, list[float]] = {ref: [] for ref in refs}
    for view, weight in weighed:
        order = sorted(view, key=lambda ref: (-view[ref], ref))
        for rank, ref in enumerate(order, 1):
            if view[ref] > 0:
                totals[ref].append(weight / (RRF_K + rank))
    return {ref: sum(sorted(parts)) / best for ref, parts in totals.items()}
