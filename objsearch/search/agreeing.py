"""A query and a hit, laid over each other: is the hit the picture that it was taken for?

Hashes, vectors and a few keypoints take one crossword for another; their pixels do not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from objsearch.agree import Agreement, agree
from objsearch.agree.agreement import FEW_PLACES, LEAST_AGREEING
from objsearch.images.mapping import Matrix
from objsearch.types import Hit, Pixels

PLAINLY_ANOTHER = 0.05
"""Probability of one shot below which two pictures are no copies of each other."""


def is_another_picture(query: Pixels, reference: Pixels, hit: Hit) -> bool:
    """Whether no way of laying a query over a hit's picture makes them one.

    Tried are the transforms that keypoints found, then frame on frame, upright and mirrored. False
    where any agrees, or where too few places hold detail to say so.
    """
    found = [agree(query, reference, transform) for transform in _transforms(query, hit)]
    judged = [one for one in found if one is not None]
    return bool(judged) and all(_is_another(one) for one in judged)


def _is_another(agreement: Agreement) -> bool:
    is_another = agreement.same_shot < PLAINLY_ANOTHER or agreement.agreeing < LEAST_AGREEING
    return is_another and agreement.n_judged >= FEW_PLACES


def _transforms(query: Pixels, hit: Hit) -> Iterator[Matrix]:
    """(3, 3) from pixels of the query to those of the hit's picture."""
    for pair in hit.pairs:
        found = pair.verification
        if found is not None and found.model != "fundamental":
            yield found.transform
    height, width = query.shape[:2]
    x, y = hit.size_wh[0] / width, hit.size_wh[1] / height
    upright = np.array([[x, 0.0, (x - 1) / 2], [0.0, y, (y - 1) / 2], [0.0, 0.0, 1.0]])
    yield upright
    yield upright @ np.array([[-1.0, 0.0, width - 1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
