"""Keypoints of regions are stored once, and read back to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import DTypeLike

from objsearch.index.lance_keypoints import in_full, is_numbered, told_by_frame
from objsearch.types import GlobalDescriptor, LocalFeatures

RNG = np.random.default_rng(5)


def features(count: int, dtype: DTypeLike) -> LocalFeatures:
    codes = RNG.integers(0, 200, (count, 32)).astype(dtype)
    return LocalFeatures(RNG.random((count, 2)).astype(np.float32), codes, 1.25)


def part_of(frame: LocalFeatures, numbers: list[int]) -> LocalFeatures:
    return LocalFeatures(frame.points_xy[numbers], frame.codes[numbers], frame.scale)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_parts_of_the_frame_become_numbers_and_come_back(dtype: DTypeLike) -> None:
    frame = features(40, dtype)
    own = features(5, dtype)
    parts = [part_of(frame, [7, 3, 39]), part_of(frame, []), own, frame]
    stored = told_by_frame(parts)
    assert [isinstance(one, LocalFeatures) and is_numbered(one) for one in stored] == [
        True, False, False, False,
    ]  # fmt: skip
    for one, back in zip(parts, in_full(stored), strict=True):
        assert isinstance(back, LocalFeatures)
        np.testing.assert_array_equal(back.points_xy, one.points_xy)
        np.testing.assert_array_equal(back.codes, one.codes)
        assert (back.codes.dtype, back.codes.shape, back.scale) == (
            one.codes.dtype, one.codes.shape, one.scale,
        )  # fmt: skip


def test_what_was_taken_at_another_scale_is_the_parts_own() -> None:
    frame = features(40, np.uint8)
    part = replace(part_of(frame, [1, 2]), scale=0.5)
    assert told_by_frame([part, frame])[0] is part


def test_other_descriptors_stay_as_they_are() -> None:
    vector = GlobalDescriptor(np.ones(4, np.float32))
    assert told_by_frame([vector, vector]) == [vector, vector] == list(in_full([vector, vector]))
    assert in_full([]) == ()
