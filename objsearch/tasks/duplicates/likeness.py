"""Two described pictures -> is one a copy of the other, how alike, and by which edit?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from objsearch.comparison import Comparer, swapped
from objsearch.match.geometry import inverse, overlap, projected
from objsearch.mirror import compare_mirrored
from objsearch.settings import Settings
from objsearch.tasks.duplicates.describing import Descriptions
from objsearch.types import Box, DescribedImage, Hit, RegionPair


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two pictures that are copies. `parts` are the part of each that lies in the other, in [0, 1].

    `degrees` of turning, either way, and `scale` from the first to the second; None without
    geometry.
    """

    score: float
    parts: tuple[float, float] = (1.0, 1.0)
    mirrored: bool = False
    degrees: float | None = None
    scale: float | None = None

    def reversed(self) -> Likeness:
        """The same, seen from the second picture."""
        return replace(
            self,
            parts=self.parts[::-1],
            scale=None if self.scale is None else 1 / self.scale,
        )

    def words(self) -> str:
        """How the first differs from the second: `mirrored, turned by 25°, 49% of it`."""
        said = ["mirrored"] if self.mirrored else []
        if self.degrees is not None and self.degrees >= 1.5:
            said.append(f"turned by {self.degrees:.0f}°")
        if self.scale is not None and not 0.97 < self.scale < 1.03:
            said.append(f"at {100 / self.scale:.0f}% of its scale")
        if self.parts[1] < 0.97:
            said.append(f"showing {self.parts[1]:.0%} of it")
        if self.parts[0] < 0.97:
            said.append(f"with {1 - self.parts[0]:.0%} that it lacks")
        return ", ".join(said)


class Judge:
    """Says of two pictures, by number, whether they are copies."""

    def __init__(self, settings: Settings, descriptions: Descriptions) -> None:
        self.settings = settings
        self.descriptions = descriptions
        self.comparer = Comparer(settings)
        rules = settings.duplicates
        self.threshold = settings.search.threshold if rules.threshold is None else rules.threshold

    def judge(self, i: int, j: int, mirrored_first: bool = False) -> Likeness | None:
        """The likeness of two pictures that are copies, or None."""
        query, reference = self.descriptions.views(i), self.descriptions.views(j)[0]
        orders = [True, False] if mirrored_first else [False, True]
        for is_mirrored in orders[: len(query)]:
            found = self._judged(query, reference, is_mirrored)
            if found is not None:
                return found
        return None

    def _judged(
        self, query: Sequence[DescribedImage], reference: DescribedImage, is_mirrored: bool
    ) -> Likeness | None:
        if is_mirrored:
            hit = compare_mirrored(self.comparer.compare, query[1], reference)
        else:
            hit = self.comparer.compare(query[0], reference)
        found = self._accepted(hit, query[0].size_wh)
        if found is None and _has_geometry(hit):
            # What is central in one of two pictures may lie at the rim of the other.
            version = query[1] if is_mirrored else query[0]
            back = swapped(self.comparer.compare(reference, version), reference.size_wh)
            if is_mirrored:
                back = compare_mirrored(lambda *_: back, query[1], reference)
            found = self._accepted(back, query[0].size_wh)
        return found

    def _accepted(self, hit: Hit, size_wh: tuple[int, int]) -> Likeness | None:
        """The best pair that proves a copy: alike enough, and one frame within the other."""
        for pair in hit.pairs:
            if pair.score < self.threshold or pair.verdict != "same":
                continue
            found = _likeness(pair, size_wh, hit.size_wh)
            if max(found.parts) >= self.settings.duplicates.min_overlap:
                return found
        return None


def _has_geometry(hit: Hit) -> bool:
    return any(pair.verification for pair in hit.pairs)


def _likeness(pair: RegionPair, size_wh: tuple[int, int], other_wh: tuple[int, int]) -> Likeness:
    """What the transform says of the two frames, whatever regions it was found by."""
    found = pair.verification
    if found is None or found.model == "fundamental":
        whole = pair.query.is_frame and pair.reference.is_frame and found is None
        return Likeness(pair.score, (1.0, 1.0) if whole else (0.0, 0.0))
    frame, other = Box(0, 0, *size_wh), Box(0, 0, *other_wh)
    there, _ = overlap(projected(frame, found.transform), other)
    back, _ = overlap(projected(other, inverse(found.transform)), frame)
    degrees, scale = _turn_and_scale(found.transform, size_wh, found.mirrored)
    return Likeness(pair.score, (back, there), found.mirrored, degrees, scale)


def _turn_and_scale(
    transform: np.ndarray, size_wh: tuple[int, int], is_mirrored: bool
) -> tuple[float, float]:
    """Degrees in [0, 180] and the mean change of length, in the middle of the picture."""
    x, y, w = transform @ np.array([size_wh[0] / 2, size_wh[1] / 2, 1.0])
    towards = np.array([x / w, y / w])
    jacobian = (transform[:2, :2] - np.outer(towards, transform[2, :2])) / w
    scale = math.sqrt(abs(float(np.linalg.det(jacobian))))
    if is_mirrored:
        jacobian = jacobian @ np.diag([-1.0, 1.0])
    degrees = math.degrees(
        math.atan2(jacobian[1, 0] - jacobian[0, 1], jacobian[0, 0] + jacobian[1, 1])
    )
    return abs(degrees), scale
