"""What every matcher is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from objsearch.components.registry import Component
from objsearch.types import Descriptor, Kind, Scores


class Matcher(Component, ABC):
    """Compares descriptors. Subclasses write `score_pairs`."""

    accepts: ClassVar[frozenset[Kind]]
    symmetric: ClassVar[bool] = True
    """Whether `score_pairs(a, b)` is the transpose of `score_pairs(b, a)`."""

    @abstractmethod
    def score_pairs(self, query: Sequence[Descriptor], reference: Sequence[Descriptor]) -> Scores:
        """(Q, R) in [0, 1], higher is more alike: a raw similarity, not yet a probability."""

    def coarse_scores(
        self, query: Sequence[Descriptor], references: Sequence[Sequence[Descriptor]]
    ) -> NDArray[np.float64]:
        """(N,) one cheap number a reference image, to choose which to compare in full.

        By default the best of all pairs of regions; the last region of an image is its full frame.
        """
        best = [self.score_pairs(query, reference).max(initial=0.0) for reference in references]
        return np.asarray(best, dtype=np.float64)
