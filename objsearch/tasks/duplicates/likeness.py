"""Two described pictures -> is one a copy of the other, how alike, and by which edit?

A copy is one that can be laid upon the other so that the detail agrees. Where to lay it is told by
keypoints, by the frames themselves, or by a third picture that is a copy of both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from objsearch.match.geometry import inverse, jacobian, overlap, projected
from objsearch.search.comparing import Comparer, swapped
from objsearch.search.mirror import compare_mirrored
from objsearch.settings import Settings
from objsearch.tasks.duplicates.small_copies import Small, agreement, stretched
from objsearch.tasks.duplicates.storing import OnDisk
from objsearch.types import Box, DescribedImage, Hit

Transform = NDArray[np.float64]
Means = Literal["frames", "keypoints", "mirror"]
"""What is tried: whole frames, upright or not; keypoints too; or only those of a mirror image."""

DIRECT = 0.5
"""Correlation of two tiny pictures from which it is worth laying one whole onto the other."""
ABOUT = 3.0
"""Degrees by which small copies may mistake a turn."""
ALIKE = 0.9
"""Agreement of the detail of small copies below which two pictures are not the same.

Same pictures have 0.96 and more (`benchmarks/duplicates_agreement.py`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Two pictures that are copies. `parts` are the part of each that lies in the other, in [0, 1].

    `transform` (3, 3) leads from pixels of the first to those of the second; None without geometry.
    """

    score: float
    parts: tuple[float, float] = (1.0, 1.0)
    transform: Transform | None = None
    mirrored: bool = False
    degrees: float = 0.0
    scale: float = 1.0
    detail: float = 1.0
    """How well the detail of small copies agrees, in [-1, 1], where there is detail at all."""

    @property
    def is_upright(self) -> bool:
        """Whether one lies on the other unturned or by a quarter, and not in a mirror."""
        away = min(abs(self.degrees - quarter) for quarter in (0, 90, 180))
        return not self.mirrored and away < ABOUT

    def reversed(self) -> Likeness:
        """The same, seen from the second picture."""
        back = None if self.transform is None else inverse(self.transform)
        return replace(self, parts=self.parts[::-1], transform=back, scale=1 / self.scale)


class Judge:
    """Says of two pictures, by number, whether they are copies; `tiny` are their tiny versions."""

    def __init__(
        self, settings: Settings, stored: OnDisk, tiny: Sequence[NDArray[np.float16]]
    ) -> None:
        self.settings = settings
        self.stored = stored
        self.tiny = tiny
        self.comparer = Comparer(settings)
        self.rules = settings.duplicates
        wanted = self.rules.threshold
        self.threshold = settings.search.threshold if wanted is None else wanted

    def judge(
        self, i: int, j: int, by: Means = "keypoints", hints: Sequence[Transform] = ()
    ) -> Likeness | None:
        """The likeness of two pictures that are copies, or None.

        `hints` are tried first, and whole frames, which may be mirrored; then keypoints, those of
        the first picture's mirror image if the hints say so or it is asked for.
        """
        first, second = self.stored.small(i), self.stored.small(j)
        for transform in () if by == "mirror" else (*hints, *self._direct(i, j)):
            likeness = self._proved(first, second, transform, 0.0, self.rules.min_agreement)
            if likeness is not None:
                return likeness
        if by == "frames":
            return None
        is_mirrored = by == "mirror" or any(map(_is_mirroring, hints[:1]))
        query, reference = self.stored.view(i, is_mirrored), self.stored.view(j, False)
        if query is None or reference is None:
            return None
        for hit in self._compared(query.image, reference.image, is_mirrored):
            likeness = self._accepted(hit, first, second)
            if likeness is not None:
                return likeness
        return None

    def _direct(self, i: int, j: int) -> list[Transform]:
        """The whole of one onto the whole of the other, turned and mirrored as it fits best."""
        alike = self.tiny[i].astype(np.float32) @ self.tiny[j][0].astype(np.float32)
        best = int(alike.argmax())
        if alike[best] < DIRECT:
            return []
        first, second = self.stored.small(i), self.stored.small(j)
        return [stretched(first, second, best % 4, best >= 4)]

    def _compared(
        self, query: DescribedImage, reference: DescribedImage, is_mirrored: bool
    ) -> Iterator[Hit]:
        """The comparison, and the one from the other side where that may say more."""
        if not is_mirrored:
            hit = self.comparer.compare(query, reference)
        else:
            hit = compare_mirrored(self.comparer.compare, query, reference)
        yield hit
        if any(pair.verification for pair in hit.pairs):
            # What is central in one of two pictures may lie at the rim of the other.
            back = swapped(self.comparer.compare(reference, query), reference.size_wh)
            yield compare_mirrored(lambda *_: back, query, reference) if is_mirrored else back

    def _accepted(self, hit: Hit, first: Small, second: Small) -> Likeness | None:
        """The best pair of regions that proves a copy."""
        for pair in hit.pairs:
            verification = pair.verification
            is_same = pair.verdict == "same" and pair.score >= self.threshold
            if verification is not None and verification.model != "fundamental":
                needed = self.rules.min_agreement / (2 if is_same else 1)
                proved = self._proved(first, second, verification.transform, pair.score, needed)
                if proved is not None:
                    return proved
            elif (
                verification is None and is_same and pair.query.is_frame and pair.reference.is_frame
            ):
                return Likeness(
                    pair.score
                )  # no keypoints in this preset: the score is all there is
        return None

    def _proved(
        self, first: Small, second: Small, transform: Transform, score: float, needed: float
    ) -> Likeness | None:
        """A copy if the detail agrees under the transform and one frame lies within the other."""
        frame, other_frame = Box(0, 0, *first.size_wh), Box(0, 0, *second.size_wh)
        if not np.isfinite(transform).all() or abs(np.linalg.det(transform)) < 1e-12:
            return None
        there, _ = overlap(projected(frame, transform), other_frame)
        back, _ = overlap(projected(other_frame, inverse(transform)), frame)
        if max(there, back) < self.rules.min_overlap:
            return None
        agreed = agreement(first, second, transform)
        similarity = min(1.0, max(score, agreed))
        if agreed < needed or similarity < self.threshold:
            return None
        moved = _movement(transform, first.size_wh)
        detail = agreed if agreed >= ALIKE else agreed / _most(first, second)
        return Likeness(similarity, (back, there), transform, *moved, detail=detail)


def _most(first: Small, second: Small) -> float:
    """The agreement of the flatter of two pictures with itself: 1 where it is full of detail."""
    return max(ALIKE / 2, min(agreement(side, side, np.eye(3)) for side in (first, second)))


def _is_mirroring(transform: Transform) -> bool:
    return float(np.linalg.det(transform)) * float(transform[2, 2]) < 0


def _movement(transform: Transform, size_wh: tuple[int, int]) -> tuple[bool, float, float]:
    """Mirrored or not, degrees in [0, 180], and the change of length, in the picture's middle."""
    step = jacobian(transform, np.array(size_wh) / 2)
    determinant = float(np.linalg.det(step))
    if determinant < 0:
        step = step @ np.diag([-1.0, 1.0])
    degrees = math.degrees(math.atan2(step[1, 0] - step[0, 1], step[0, 0] + step[1, 1]))
    return determinant < 0, abs(degrees), math.sqrt(abs(determinant))
