"""From places to the whole: what differs, in boxes, and numbers that tell one shot from another."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.places import STEP, Places
from objsearch.agree.registration import Registration
from objsearch.types import Box

SOFT = 0.8
"""Deviation by which logits are softened, in places: one place alone errs, a few do not."""
LEAST, MOST = -6.0, 8.0
"""Logits beyond are as good as certain."""
PLAINLY = -1.0
"""Logit below which a place plainly agrees."""
STRONG = 1.0
"""Logarithm of contrast over noise from which a place holds detail."""

DOUBTFUL = -1.4
"""Logit from which a place is in doubt: a digit that is five pixels tall on the grid leaves 0, and
of a copy's places hardly any has so much."""
MOST_DOUBTS = 3
DOUBT_REACH = 8
"""Places around one in doubt that are seen with it."""

AGREEING = 3
"""Which of the numbers is the share of places with detail that agree."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """`logits` (H, W) a place, softened; `inside` and `informative` (H, W) bool; `numbers` (E,).

    A place is informative where it holds detail: where it is flat in both, it cannot be judged.
    """

    logits: NDArray[np.float32]
    inside: NDArray[np.bool_]
    informative: NDArray[np.bool_]
    numbers: NDArray[np.float32]

    @property
    def worst(self) -> float:
        """The greatest logit of a place."""
        return float(self.logits[self.inside].max()) if self.inside.any() else LEAST

    @property
    def agreeing(self) -> float:
        """The share of places with detail that agree; 0 where none has any."""
        return float((self.logits[self.informative] < 0).mean()) if self.informative.any() else 0.0

    @property
    def agreeing_in_light(self) -> float:
        """The same, whatever was found of colour since the numbers were summed up."""
        return float(self.numbers[AGREEING])

    @property
    def n_informative(self) -> int:
        """Places that hold detail."""
        return int(self.informative.sum())

    def boxes(self, least: float = 0.0) -> tuple[Box, ...]:
        """What differs, in pixels of the grid; regions without a logit of `least` are left."""
        n, labels, stats, _ = cv2.connectedComponentsWithStats((self.logits > 0).astype(np.uint8))
        boxes = []
        for k in range(1, n):
            if float(self.logits[labels == k].max()) >= least:
                x, y, w, h = (int(value) * STEP for value in stats[k][:4])
                boxes.append(Box(x, y, x + w, y + h))
        return tuple(sorted(boxes, key=lambda box: -box.area))

    def doubts(self) -> NDArray[np.float64]:
        """(N, 2) the places in doubt, in pixels of the grid, the most doubtful first."""
        left = np.where(self.inside, self.logits, LEAST).astype(np.float32)
        doubts = []
        for _ in range(MOST_DOUBTS):
            row, column = divmod(int(left.argmax()), left.shape[1])
            if left[row, column] < DOUBTFUL:
                break
            doubts.append(((column + 0.5) * STEP - 0.5, (row + 0.5) * STEP - 0.5))
            cv2.circle(left, (column, row), DOUBT_REACH, LEAST, -1)
        return np.array(doubts, np.float64).reshape(-1, 2)


def weigh(places: Places, logits: NDArray[np.float32], registration: Registration) -> Evidence:
    """Soften the logits, and sum up what a pair of pictures shows."""
    soft = np.where(places.inside, np.clip(logits, LEAST, MOST), LEAST).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(soft, (0, 0), SOFT), np.float32)
    soft[~places.inside] = LEAST
    informative = places.inside & (places.feature("strong") > STRONG)
    evidence = Evidence(soft, places.inside, informative, np.zeros(0, np.float32))
    wide = places.feature("wide correlation")[informative]
    numbers = [
        registration.steady,
        min(registration.residual, 5.0),
        np.log1p(registration.n_corners),
        evidence.agreeing,
        float(np.median(wide)) if wide.size else 0.0,
        float(np.quantile(wide, 0.1)) if wide.size else 0.0,
        evidence.worst,
        np.log1p(evidence.n_informative),
        float((soft[informative] < PLAINLY).mean()) if wide.size else 0.0,
        float(np.quantile(soft[informative], 0.25)) if wide.size else 0.0,
    ]
    return Evidence(soft, places.inside, informative, np.array(numbers, np.float32))
