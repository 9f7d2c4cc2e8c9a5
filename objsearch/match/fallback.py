"""The scores of descriptors that nobody has fitted a calibration for.

A descriptor alone has the log odds of its kind's line, near what was fitted to an extractor of that
kind. Several have the mean of theirs, so that the weights are spread over those that are there. An
order is what this is good for; that 0.5 means even odds is a guess.
"""

from __future__ import annotations

from collections.abc import Mapping

from objsearch.match.calibration import FALLBACK, Calibration
from objsearch.types import Kind

LINES: Mapping[Kind, tuple[float, float]] = {
    "global": (-8.1, 18.3),
    "binary": (-6.2, 9.9),
    "local-binary": (-0.7, 2.1),
    "local-real": (-1.0, 2.0),
}
"""Intercept and slope a kind: those fitted to embedding, perceptual-hash, orb and sift, rounded."""

NOTHING = -20.0
"""The log odds of what there is no descriptor to compare by."""


def fallback(kinds: Mapping[str, Kind]) -> Calibration:
    """The stated calibration of descriptors by alias: the mean of what each alone would say."""
    if not kinds:
        return Calibration(intercept=NOTHING, coefficients={}, fitted_on=FALLBACK)
    lines = {alias: LINES[kind] for alias, kind in kinds.items()}
    return Calibration(
        intercept=sum(intercept for intercept, _ in lines.values()) / len(lines),
        coefficients={alias: slope / len(lines) for alias, (_, slope) in lines.items()},
        fitted_on=FALLBACK,
    )
