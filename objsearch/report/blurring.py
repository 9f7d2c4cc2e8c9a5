"""Pictures that are not to be shown: blurred past recognition before they are embedded."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from objsearch.report.pictures import Read
from objsearch.types import Answer, ImageRef, Pixels

CELLS = 8
"""Cells along the longer side that are left of a picture: a smear of colours."""


def blurred(pixels: Pixels) -> Pixels:
    """A picture of the same size in which nothing can be made out."""
    height, width = pixels.shape[:2]
    scale = CELLS / max(width, height)
    cells = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(np.ascontiguousarray(pixels), cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def reading_blurred(read: Read, flagged: Iterable[ImageRef]) -> Read:
    """The same reader, with the flagged pictures blurred; parts of one count as the whole."""
    hidden = {(ref.uri, ref.page, ref.frame, ref.seconds) for ref in flagged}

    def read_blurred(ref: ImageRef) -> Pixels | None:
        pixels = read(ref)
        is_hidden = (ref.uri, ref.page, ref.frame, ref.seconds) in hidden
        return blurred(pixels) if pixels is not None and is_hidden else pixels

    return read_blurred


def flagged_in(answers: Iterable[Answer]) -> set[ImageRef]:
    """Every image that screening has something against."""
    return {ref for answer in answers for ref in answer.flags}
