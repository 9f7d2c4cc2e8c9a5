"""Which region belongs to which: one to one, so that the sum of scores is greatest.

The Hungarian method (Kuhn, 1955) in the form of Crouse (2016), by `scipy.optimize`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from objsearch.types import Scores

Rule = Literal["one-to-one", "one-to-many"]


def assign(scores: Scores, floor: float, rule: Rule = "one-to-one") -> list[tuple[int, int]]:
    """Pairs (query, reference), best first; ties by index.

    `scores` (Q, R) in [0, 1]. Pairs below `floor` are no candidates, before and after. One-to-many
    lets a query region take every reference region over the floor: several copies in one photo.
    """
    allowed = scores >= floor
    # A single pair needs no method, and looks through folders need not wait for SciPy to load.
    if rule == "one-to-many" or scores.size == 1:
        rows, columns = np.nonzero(allowed)
    else:
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(np.where(allowed, scores, 0.0), maximize=True)
    pairs = [(int(q), int(r)) for q, r in zip(rows, columns, strict=True) if allowed[q, r]]
    return sorted(pairs, key=lambda pair: (-scores[pair], pair))
