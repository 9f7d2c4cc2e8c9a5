"""A small copy beside what it was reduced from."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.agree import agree
from objsearch.agree.reducing import agree_reduced
from objsearch.images.mapping import Matrix, mirroring
from objsearch.search.agreeing import frame_to_frame
from objsearch.types import Box, Pixels
from tests.pictures import as_jpeg, board


def onto(small: Pixels, large: Pixels) -> Matrix:
    frame = Box(0, 0, float(small.shape[1]), float(small.shape[0]))
    return frame_to_frame(frame, (large.shape[1], large.shape[0]))


def reduced(picture: Pixels, side: int, how: PillowImage.Resampling, quality: int) -> Pixels:
    return as_jpeg(np.asarray(PillowImage.fromarray(picture).resize((side, side), how)), quality)


@pytest.mark.parametrize("how", [PillowImage.Resampling.LANCZOS, PillowImage.Resampling.BOX])
@pytest.mark.parametrize(("side", "quality"), [(160, 80), (320, 80), (320, 60)])
def test_waves_beside_the_edges_of_a_reduced_drawing_are_no_differences(
    side: int, quality: int, how: PillowImage.Resampling
) -> None:
    large = board(0)
    small = reduced(large, side, how, quality)
    agreed = agree_reduced(small, large, onto(small, large))
    assert agreed is not None and agreed.relation == "same-picture"
    assert agreed.differs == ((), ())


def test_beside_the_clean_large_one_they_would_be() -> None:
    small = reduced(board(0), 320, PillowImage.Resampling.LANCZOS, 80)
    agreed = agree(small, board(0), onto(small, board(0)))
    assert agreed is not None and agreed.relation == "edited" and len(agreed.differs[0]) > 3


def test_another_board_and_another_piece_stay_different() -> None:
    large = board(0)
    other = large.copy()
    other[400:480, 240:320] = large[0:80, 0:80] if (large[0:80, 0:80] == large[0, 0]).all() else 90
    for changed in (board(3), other):
        small = reduced(changed, 320, PillowImage.Resampling.LANCZOS, 80)
        assert agree_reduced(small, large, onto(small, large)) is None


def test_only_whole_upright_pictures_are_reduced() -> None:
    large = board(0)
    small = reduced(large, 320, PillowImage.Resampling.LANCZOS, 95)
    whole = onto(small, large)
    assert agree_reduced(small, large, whole @ mirroring(320)) is None
    moved = whole.copy()
    moved[0, 2] += 4
    assert agree_reduced(small, large, moved) is None
    assert agree_reduced(large, small, onto(large, small)) is None
