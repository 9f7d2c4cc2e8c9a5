"""Cosines by hand."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.match.cosine import Cosine
from objsearch.types import GlobalDescriptor


def at(degrees: float) -> GlobalDescriptor:
    radians = np.radians(degrees)
    return GlobalDescriptor(np.array([np.cos(radians), np.sin(radians)], np.float32))


def test_the_cosine_of_the_angle_and_nothing_below_0() -> None:
    scores = Cosine().score_pairs([at(0)], [at(0), at(60), at(90), at(180)])
    assert scores[0] == pytest.approx([1.0, 0.5, 0.0, 0.0], abs=1e-5)


def test_candidates_are_chosen_by_pairs_with_a_frame() -> None:
    # The last region is the frame. Part against part (10 and 12 degrees) does not count.
    query = [at(10), at(90)]
    parts_alike = [at(12), at(180)]
    part_like_frame = [at(80), at(180)]
    frame_like_part = [at(180), at(15)]
    scores = Cosine().coarse_scores(query, [parts_alike, part_like_frame, frame_like_part])
    expected = np.cos(np.radians([78.0, 10.0, 5.0]))
    assert scores == pytest.approx(expected, abs=1e-5)


def test_images_with_any_number_of_regions() -> None:
    images = [[at(30)], [at(1), at(2), at(3)], [at(50), at(60)]]
    scores = Cosine().coarse_scores([at(0)], images)
    assert scores == pytest.approx(np.cos(np.radians([30.0, 1.0, 50.0])), abs=1e-5)
