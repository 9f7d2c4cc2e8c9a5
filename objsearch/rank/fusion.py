"""Several views of one wanted thing -> one score a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

Fusion = Literal["max", "mean", "rrf", "min"]

RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""

ScoresByRef = Mapping[str, float]


def fuse(views: Sequence[ScoresByRef], how: Fusion) -> dict[str, float]:
    """One score in [0, 1] a reference from each view's scores; order of the views never matters.

    A reference that a view did not compare counts as 0 there. `rrf` sums 1 / (60 + rank) over the
    views and divides by the greatest possible sum, so that first everywhere is 1.
    """
    refs = {ref for view in views for ref in view}
    if how == "rrf":
        return _reciprocal_ranks(views, refs)
    combine: dict[str, Callable[[list[float]], float]] = {
        "max": max,
        "min": min,
        "mean": lambda values: sum(sorted(values)) / len(values),
    }
    return {ref: combine[how]([view.get(ref, 0.0) for view in views]) for ref in refs}


def _reciprocal_ranks(views: Sequence[ScoresByRef], refs: set[str]) -> dict[str, float]:
    best = len(views) / (RRF_K + 1)
    totals: dict[str, list[float]] = {ref: [] for ref in refs}
    for view in views:
        order = sorted(view, key=lambda ref: (-view[ref], ref))
        for rank, ref in enumerate(order, 1):
            if view[ref] > 0:
                totals[ref].append(1 / (RRF_K + rank))
    return {ref: sum(sorted(parts)) / best for ref, parts in totals.items()}
