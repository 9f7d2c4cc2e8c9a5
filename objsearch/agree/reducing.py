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
from objsearch.images.mapping import Matrix
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
    if width > large.shape[1] or height > large.shape[0]:
        return None
    if not _is_frame_on_frame((width, height), (large.shape[1], large.shape[0]), transform):
        return None
    picture = PillowImage.fromarray(large)
    for how in FILTERS:
        reduced = np.asarray(picture.resize((width, height), how), np.uint8)
        agreed = agree(small, reduced, np.eye(3))
        if agreed is not None and agreed.relation == "same-picture":
            return agreed
    return None


def _is_frame_on_frame(
    size_wh: tuple[int, int], other_wh: tuple[int, int], transform: Matrix
) -> bool:
    corners = np.array(
        [(x, y, 1.0) for x in (-0.5, size_wh[0] - 0.5) for y in (-0.5, size_wh[1] - 0.5)]
    )
    wanted = np.array(
        [(x, y) for x in (-0.5, other_wh[0] - 0.5) for y in (-0.5, other_wh[1] - 0.5)]
    )
    there = corners @ transform.T
    return bool(np.abs(there[:, :2] / there[:, 2:] - wanted).max() <= IN_PLACE)
