"""Larger copies in order: by scale, and of those that are as large what is most to be trusted."""

from __future__ import annotations

from collections.abc import Iterable

from objsearch.tasks.larger.found import LargerCopy

PRECISION = 0.02
"""Error of a scale that is measured by a transform; that of two frames is exact."""


def largest_first(copies: Iterable[LargerCopy]) -> list[LargerCopy]:
    """Copies of one scale, as far as that is known, stand together, the best of them first."""
    left = sorted(copies, key=lambda copy: -copy.scale)
    ordered: list[LargerCopy] = []
    while left:
        least = left[0].scale / (1.0 + PRECISION)
        n = sum(copy.scale >= least for copy in left)
        ordered += sorted(left[:n], key=_best_first)
        left = left[n:]
    return ordered


def _best_first(copy: LargerCopy) -> tuple[bool, bool, float, float, float, str]:
    """What is not in doubt, then the more complete, then what shows more, then by pixels.

    A tenth of detail is what compression adds or takes.
    """
    return (
        copy.suspected_upscale,
        bool(copy.differs[1]),
        -round(copy.coverage, 2),
        -round(copy.detail or 0.0, 1),
        -copy.pixels,
        str(copy.ref),
    )
