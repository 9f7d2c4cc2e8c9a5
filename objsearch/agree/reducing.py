"""A small picture and a large one that seem to differ: is the small one what reducing leaves?

Reducing sharpens or softens, and compression of the small size leaves waves beside every edge. In
drawings these count for differences beside the clean large one. Reduced as well, to the very pixels
of the small one, the large one is compressed alike and compared again.
"""

from __future__ import annotations

import numpy as np
from PIL import Image as PillowImage

from objsearch.agree.agreement import agree
from objsearch.agree.base import Agreement
from objsearch.agree.laying import Matrix, scaling
from objsearch.agree.shape import farthest_moved
from objsearch.types import Pixels

FILTERS = (PillowImage.Resampling.BOX, PillowImage.Resampling.LANCZOS)
"""The softest and the sharpest of those that programs reduce by."""
IN_PLACE = 0.5
"""Pixels of the larger by which corners may lie beside its own: frame on frame is exact."""


def agree_reduced(small: Pixels, large: Pixels, transform: Matrix) -> Agreement | None:
    """What the smaller one is to the larger one at its own size, where that is the same picture.

    `transform` (3, 3) leads from the smaller to the larger. None where it does not lay the whole of
    the one upright on the whole of the other, and where the two still differ.
    """
    height, width = small.shape[:2]
    large_wh = large.shape[1], large.shape[0]
    if width > large_wh[0] or height > large_wh[1]:
        return None
    if farthest_moved(transform @ scaling(large_wh, (width, height)), large_wh) > IN_PLACE:
        return None
    picture = PillowImage.fromarray(large)
    for how in FILTERS:
        reduced = np.asarray(picture.resize((width, height), how), np.uint8)
        agreed = agree(small, reduced, np.eye(3))
        if agreed is not None and agreed.relation == "same-picture":
            return agreed
    return None
