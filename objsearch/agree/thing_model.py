"""What was fitted on siblings and on the same things: `training/second_look/fit.py` makes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import yaml
from numpy.typing import NDArray

from objsearch.components.weights import models_dir
from objsearch.errors import WeightsError

FILE = "second-look.yaml"
NUMBERS = (
    "steady", "residual", "corners", "inliers", "agreeing", "both agreeing", "both not differing",
    "colour", "detail",
)  # fmt: skip
"""Of a pair of things: see `objsearch.agree.thing`."""

LAID_STEADY, LAID_RESIDUAL = 0.8, 0.35
"""From here on two things lie on each other to a pixel, and their places speak for themselves."""
MANY_CORNERS, FOLLOWED_STEADY, FOLLOWED_RESIDUAL = 40, 0.85, 0.6
"""With so many corners, what part of them follows on a flat sheet, and to how many pixels."""
MOST_AGREEING, MOST_NOT_DIFFERING, MOST_COLOUR = 0.5, 0.55, 0.6
"""Siblings laid so well stay below all three: of the same things hardly any does."""


@dataclass(frozen=True, slots=True, eq=False)
class ThingModel:
    """Weights of the logistic model, the constant last; what registration must be for it.

    `least` is the logit below which two things share print only.
    """

    weights: NDArray[np.float64]
    least: float
    steady: float
    residual: float

    def logit(self, numbers: NDArray[np.float64]) -> float:
        """How much speaks for one and the same thing; 0 is as much for as against."""
        return float(numbers @ self.weights[:-1] + self.weights[-1])

    def is_sibling(self, numbers: NDArray[np.float64]) -> bool:
        """Whether numbers (by `NUMBERS`) plainly speak of siblings.

        False where registration is not good to a pixel: places cannot be judged there.
        """
        if is_laid(numbers) and _disagrees(numbers):
            return True
        return self.can_judge(numbers) and self.logit(numbers) < self.least

    def can_judge(self, numbers: NDArray[np.float64]) -> bool:
        """Whether registration (of `NUMBERS`, the first two) is good enough."""
        steady, residual = numbers[:2]
        return bool(steady >= self.steady and residual <= self.residual)


def is_laid(numbers: NDArray[np.float64]) -> bool:
    """Whether two things lie on each other to a pixel, by the first two of `NUMBERS`."""
    steady, residual = numbers[:2]
    return bool(steady >= LAID_STEADY and residual <= LAID_RESIDUAL)


def is_followed(numbers: NDArray[np.float64]) -> bool:
    """Whether the corners of one flat sheet are where a plane leads, as far as there are some.

    Of sheets that lie level, a copy has all of them there; of two that were printed from one form
    a third lies elsewhere, and the others up to two pixels away.
    """
    steady, residual, corners = numbers[:3]
    if corners < np.log1p(MANY_CORNERS):
        return True
    return bool(steady >= FOLLOWED_STEADY and residual <= FOLLOWED_RESIDUAL)


def _disagrees(numbers: NDArray[np.float64]) -> bool:
    names = ("both agreeing", "both not differing", "colour")
    agreeing, not_differing, colour = (float(numbers[NUMBERS.index(name)]) for name in names)
    is_other = agreeing < MOST_AGREEING and not_differing < MOST_NOT_DIFFERING
    return is_other and colour < MOST_COLOUR


@cache
def load_thing_model() -> ThingModel:
    """The fitted weights. Raises WeightsError when their file is missing or does not fit."""
    try:
        data = yaml.safe_load((models_dir() / FILE).read_text(encoding="utf-8"))
        if tuple(data["numbers"]) != NUMBERS:
            raise WeightsError(f"models/{FILE} was fitted for other numbers: fit it again")
        limits = (float(data[key]) for key in ("least", "steady", "residual"))
        return ThingModel(np.array(data["weights"], float), *limits)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"models/{FILE} is missing or damaged ({error})") from None
