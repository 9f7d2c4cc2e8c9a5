"""The bits of a password signature, and the percentage that says how many are there."""

from __future__ import annotations

import math
from dataclasses import dataclass

N_BITS = 256
"""Independent bits of a signature; each is a coin's toss in an image that was never signed."""

DEFAULT_THRESHOLD = 75.0
"""Percent from which an image counts as signed: 224 of 256 bits right."""


@dataclass(frozen=True, slots=True)
class Vote:
    """How much of a signature one page carries: how many of its bits are right.

    `is_full` is False when a quick test stopped early: the bits are then those of the part it read.
    """

    n_right: float
    is_full: bool = True
    part_read: float = 1.0

    @property
    def percentage(self) -> float:
        """0 for what chance gives, 100 for an intact signature."""
        return percentage_of(self.n_right)


def percentage_of(n_right: float) -> float:
    """Percent of a signature of which `n_right` bits are right: half of them is 0, all are 100."""
    return max(0.0, 2.0 * n_right / N_BITS - 1.0) * 100.0


def bits_wanted(threshold: float) -> int:
    """The least number of right bits that reads as `threshold` percent or more."""
    return math.ceil(N_BITS * (1.0 + threshold / 100.0) / 2.0 - 1e-9)


def chance_of(threshold: float) -> float:
    """The probability that an image never signed reads as `threshold` percent or more."""
    wanted = bits_wanted(threshold)
    if wanted <= N_BITS // 2:
        return 1.0
    return sum(math.comb(N_BITS, n) for n in range(wanted, N_BITS + 1)) / 2.0**N_BITS
