"""A query and a hit, laid over each other: is the hit the picture that it was taken for?

Hashes, vectors and a few keypoints take one crossword for another; their pixels do not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from objsearch.agree import Agreement, agree
from objsearch.agree.agreement import FEW_PLACES, is_of_another_shot
from objsearch.images.mapping import Matrix, mirroring, shift
from objsearch.types import Box, Hit, Pixels

PLAINLY_ANOTHER = 0.05
"""Probability of one shot below which two pictures are no copies of each other."""
LEAST_UNPROVEN = 0.3
"""Share of the places with detail that must agree where keypoints prove nothing. Sheets by one plan
(chess boards, charts, chats, codes, slides) agree in a fifth to a half, for what they share; of
1,020 edited copies that were looked for one that was found has less, and another a third."""


def is_another_picture(query: Pixels, reference: Pixels, hit: Hit) -> bool:
    """Whether no way of laying a query over a hit's picture makes them one.

    False where any agrees, or where too few places hold detail to say so.
    """
    height, width = query.shape[:2]
    is_judged = False
    for transform, _ in ways(Box(0.0, 0.0, float(width), float(height)), hit):
        agreement = agree(query, reference, transform)
        if agreement is not None and not _is_another(agreement, hit):
            return False
        is_judged = is_judged or agreement is not None
    return is_judged


def _is_another(agreement: Agreement, hit: Hit) -> bool:
    if is_of_another_shot(agreement, PLAINLY_ANOTHER):
        return True
    can_be_told = agreement.n_judged >= FEW_PLACES
    return can_be_told and hit.verdict != "same" and agreement.agreeing < LEAST_UNPROVEN


def ways(
    frame: Box, hit: Hit, corner_xy: tuple[float, float] = (0.0, 0.0)
) -> Iterator[tuple[Matrix, bool]]:
    """Transforms (3, 3) from pixels of a query, or its part, to a hit's, and whether proven.

    First those that keypoints found, proven where they say *same*; then frame on frame, upright and
    mirrored. `frame` is that of the part at hand, which begins at `corner_xy` of the whole query.
    """
    for pair in hit.pairs:
        verification = pair.verification
        if verification is not None and verification.model != "fundamental":
            yield verification.transform @ shift(*corner_xy), pair.verdict == "same"
    whole = frame_to_frame(frame, hit.size_wh)
    yield whole, False
    yield whole @ mirroring(frame.width), False


def frame_to_frame(frame: Box, size_wh: tuple[int, int]) -> Matrix:
    """The transform that lays the whole query onto the whole reference, upright."""
    scale_x, scale_y = size_wh[0] / frame.width, size_wh[1] / frame.height
    return np.array(
        [
            [scale_x, 0.0, scale_x * (0.5 - frame.x1) - 0.5],
            [0.0, scale_y, scale_y * (0.5 - frame.y1) - 0.5],
            [0.0, 0.0, 1.0],
        ]
    )
