"""Keypoints of a picture's regions, stored once: those of a part are most often the frame's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from objsearch.types import Descriptor, LocalFeatures

NUMBERS = np.dtype("<u2")
"""Type of codes that are no codes: numbers of the full frame's keypoints."""


def told_by_frame(descriptors: Sequence[Descriptor]) -> list[Descriptor]:
    """A picture's descriptors, the full frame's last: parts of its keypoints become numbers."""
    frame = descriptors[-1]
    if not isinstance(frame, LocalFeatures) or not 0 < len(frame) <= np.iinfo(NUMBERS).max:
        return list(descriptors)
    known = {key: number for number, key in enumerate(_keys(frame))}
    return [*(_numbered(part, frame, known) for part in descriptors[:-1]), frame]


def _numbered(part: Descriptor, frame: LocalFeatures, known: dict[bytes, int]) -> Descriptor:
    if not isinstance(part, LocalFeatures) or not len(part) or part.scale != frame.scale:
        return part
    if part.codes.dtype != frame.codes.dtype or part.codes.shape[1:] != frame.codes.shape[1:]:
        return part
    numbers = [known.get(key, -1) for key in _keys(part)]
    if -1 in numbers:
        return part
    return LocalFeatures(np.zeros((0, 2), np.float32), _as_codes(numbers), part.scale)


def _as_codes(numbers: Sequence[int]) -> NDArray[np.uint8]:
    """Numbers as the codes that they are stored for: (K, 2) bytes."""
    return np.array(numbers, NUMBERS).view(np.uint8).reshape(-1, NUMBERS.itemsize)


def _keys(features: LocalFeatures) -> list[bytes]:
    """Place and code of each keypoint."""
    points = np.asarray(features.points_xy, "<f4")
    return [
        point.tobytes() + code.tobytes() for point, code in zip(points, features.codes, strict=True)
    ]


def is_numbered(features: LocalFeatures) -> bool:
    """Whether keypoints are stored as numbers of the full frame's."""
    return len(features.points_xy) < len(features.codes)


def in_full(descriptors: Sequence[Descriptor]) -> tuple[Descriptor, ...]:
    """A picture's descriptors as they were: the inverse of `told_by_frame`."""
    frame = descriptors[-1] if descriptors else None
    if not isinstance(frame, LocalFeatures):
        return tuple(descriptors)
    return tuple(_looked_up(part, frame) for part in descriptors)


def _looked_up(part: Descriptor, frame: LocalFeatures) -> Descriptor:
    if not isinstance(part, LocalFeatures) or not is_numbered(part):
        return part
    numbers = np.ascontiguousarray(part.codes).view(NUMBERS).ravel()
    return LocalFeatures(frame.points_xy[numbers], frame.codes[numbers], part.scale)
