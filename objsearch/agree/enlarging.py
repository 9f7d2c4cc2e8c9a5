"""Of two sizes of one picture: does the larger show more, or was it only enlarged?

Measured on photos beside their enlargements by four filters, by 1.2 to 4, saved as JPEG 50 to 92,
and beside soft photos (`benchmarks/results/duplicates.md`): between the borders nobody can tell.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from objsearch.agree.detail import Matrix, detail_of
from objsearch.match.geometry import local_scale
from objsearch.types import Pixels

Larger = Literal["more", "no more", "unclear"]

MORE, MORE_OF_MUCH_LARGER = 0.1, 0.05
"""Gain (`Detail`) from which there is more to see: enlargements stay below, sharp photos above."""
MUCH_LARGER = 1.9
"""Scale from which less will do: enlargements by two reach 0.02, photos have 0.13 and more."""
NO_MORE, MOST_NO_MORE = 0.00075, 0.03
"""What `Detail.at_most` is, by the cube of the scale, where there is none: the larger, the surer.

Soft photos have more than that, and are not taken for enlargements."""

MAY_REPEAT, MUCH = 0.95, 0.32
"""`repeated` and gain below which a picture may have been enlarged by repeating pixels: photos have
more of the first, and drawings of straight edges of the second."""


def larger_shows(small: Pixels, large: Pixels, transform: Matrix) -> Larger:
    """What the larger of two pictures of the same shows beside the smaller.

    `transform` (3, 3) leads from the smaller to the larger. Where nothing can be measured, as on
    icons and flat drawings, the larger is taken to show more.
    """
    detail = detail_of(small, large, transform)
    if detail is None:
        return "more"
    gain = detail.gain
    if detail.is_lesser:
        return "no more"
    if detail.repeated < MAY_REPEAT and gain < MUCH:
        return "unclear"
    scale = local_scale(transform, np.array([small.shape[1], small.shape[0]]) / 2)
    if gain >= (MORE_OF_MUCH_LARGER if scale >= MUCH_LARGER else MORE):
        return "more"
    is_none = detail.at_most < min(MOST_NO_MORE, NO_MORE * scale**3)
    return "no more" if is_none else "unclear"
