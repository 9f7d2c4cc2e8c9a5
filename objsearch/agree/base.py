"""What comparing two pictures by their pixels gives: the nouns of this room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from objsearch.types import Box

Relation = Literal["same-picture", "part", "edited", "same-scene", "different"]
"""What one picture is to another, surest first.

same-picture: re-encoded, resized, turned by quarter turns, toned as a whole; no place differs.
part: one shows a cut of the other. edited: the same picture mirrored, squeezed, turned, framed, or
with places that differ. same-scene: another moment or state of the same view, or two cuts of it of
which each shows what the other lacks. different: none of these can be told.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Two pictures laid over each other by `transform` (3, 3), from pixels of the first to the
    second.

    `differs` are the boxes of what differs, in pixels of the first and of the second; `shown` the
    part of each that the other shows, in [0, 1], and 1 where only rounding is missing; `scale` how
    many pixels of the second one of the first is long; `gray` whether each shows no colour;
    `same_shot` the probability that both come from one shot; `n_judged` how many places hold
    detail, and could be judged, and `agreeing` the share of these that agree in light. `doubts`
    are the places (x, y) of the first that look most as if they differed, though not plainly, the
    most doubtful first.
    """

    relation: Relation
    transform: NDArray[np.float64]
    differs: tuple[tuple[Box, ...], tuple[Box, ...]]
    shown: tuple[float, float]
    scale: float
    mirrored: bool
    degrees: float
    gray: tuple[bool, bool]
    same_shot: float
    worst: float
    agreeing: float
    n_judged: int
    doubts: tuple[tuple[float, float], ...] = ()
