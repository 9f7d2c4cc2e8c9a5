"""Bits by hand."""

from __future__ import annotations

import numpy as np
import pytest

from objsearch.match.hamming import Hamming
from objsearch.types import BinaryDescriptor


def code(*values: int, quality: float = 1.0) -> BinaryDescriptor:
    return BinaryDescriptor(np.array(values, np.uint8), quality)


def test_the_share_of_equal_bits() -> None:
    scores = Hamming().score_pairs(
        [code(0b1111_0000, 0)], [code(0b1111_0000, 0), code(0b1111_0001, 0), code(0b0000_1111, 255)]
    )
    assert scores[0] == pytest.approx([1.0, 15 / 16, 0.0])


@pytest.mark.parametrize(("quality", "expected"), [(0.5, 1.0), (0.49, 0.0), (0.0, 0.0)])
def test_codes_without_structure_match_nothing(quality: float, expected: float) -> None:
    matcher = Hamming(min_quality=0.5)
    assert matcher.score_pairs([code(7)], [code(7, quality=quality)])[0, 0] == expected
    assert matcher.score_pairs([code(7, quality=quality)], [code(7)])[0, 0] == expected
