"""A second comparison for candidates in doubt: surer keypoints, and more, at the photos' own size.

First SIFT: what it describes changes less with the point of view, with light and blur. What is
small in a large photo has next to no keypoints there either: ORB finds thousands at full size, so
more is asked of it. Only a plane is believed, for that can be looked at again pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from objsearch.flow import ordered_map
from objsearch.images.grounds import other_grounds
from objsearch.match.calibration import evidence
from objsearch.match.geometry import Geometry, central_inliers, verify
from objsearch.match.ratio_test import RatioTest
from objsearch.search.comparing import Comparer, located
from objsearch.search.full_size import CHANNELS, Channel, FullSize, plane_of
from objsearch.types import (
    Box,
    DescribedImage,
    Hit,
    Image,
    LocalFeatures,
    RegionPair,
    Verification,
)

SURE = 5 / 3
"""So many times more inliers than usual are asked for: three times the points agree by chance."""
SIFT_SURE = 1.25
"""Strangers do not agree by chance here, but one desk lies below two things that are put on it:
beyond all that did, with a few inliers to spare (`benchmarks/results/second_look.md`)."""

COLOURFUL = 12.0
"""Deviation of a colour difference, in gray levels, from which it is looked at."""

_MATCHER = RatioTest(ratio=0.85)
_PLANE = Geometry(models=("homography",))
_ANY = Geometry(models=("homography", "fundamental"))


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """What keypoints agree on, and their number by how central they are in the query.

    `sure` is how many times more of them are asked for than usual.
    """

    verification: Verification
    central: float
    sure: float


@dataclass(frozen=True, slots=True, eq=False)
class Closer:
    """A query on each of its grounds, to be compared in light and then, if it has any, in colour.

    `frame` is the box that it fills.
    """

    grounds: tuple[FullSize, ...]
    channels: tuple[Channel, ...]
    frame: Box

    @classmethod
    def of(cls, query: FullSize, workers: int = 1) -> Closer:
        """Take the keypoints of a query, with those of a transparent one on other grounds."""
        part = _part_that_counts(query.image)
        whole = query if part is query.image else FullSize(part)
        grounds = (whole, *map(FullSize, other_grounds(part)))
        channels: tuple[Channel, ...] = ("light", *_colour(part))
        jobs: list[Callable[[], LocalFeatures]] = [
            *(ground.glance for ground in grounds),
            *(partial(ground.wanted, channel) for channel in channels for ground in grounds),
        ]
        for _ in ordered_map(lambda job: job(), jobs, workers=workers):
            pass  # each keeps what it took
        return cls(grounds, channels, part.frame.moved(*part.offset_xy))

    @property
    def query(self) -> Image:
        """The part of the query that is looked for."""
        return self.grounds[0].image

    def planes(self, reference: FullSize) -> Iterator[Plane]:
        """The planes that most agree on, the surest first, in pixels as they are at hand.

        What is as dark as its ground shows in colour alone.
        """
        glance = reference.glance()
        if any(_may_agree(ground.glance(), glance) for ground in self.grounds):
            surest = [ground.surest() for ground in self.grounds]
            yield from self._best(surest, reference.surest(), SIFT_SURE)
        for channel in self.channels:
            versions = [ground.wanted(channel) for ground in self.grounds]
            yield from self._best(versions, reference.searched(channel), SURE)

    def _best(
        self, versions: Sequence[LocalFeatures], reference: LocalFeatures, sure: float
    ) -> Iterator[Plane]:
        """The plane that most agree on, by the ground that shows most."""
        verifications = [_verified(version, reference) for version in versions]
        planes = [
            Plane(verification, central_inliers(verification, self.frame), sure)
            for verification in verifications
            if verification
        ]
        if planes:
            yield max(planes, key=lambda plane: plane.central)


def _colour(query: Image) -> tuple[Channel, ...]:
    """The colour difference in which a picture shows most; none of one that is all but gray."""
    counts = _counts(query)
    spread, channel = max(
        (float(plane_of(query, name)[counts].std()), name) for name in CHANNELS[1:]
    )
    return (channel,) if spread >= COLOURFUL else ()


def _counts(image: Image) -> NDArray[np.bool_]:
    """(H, W) the pixels of a picture that are not transparent."""
    if image.alpha is None:
        return np.ones(image.pixels.shape[:2], bool)
    return np.asarray(image.alpha > 127)


def _part_that_counts(image: Image) -> Image:
    """The part of a picture that is looked for, which knows where it lies."""
    if image.within_xyxy is None:
        return image
    x1, y1, x2, y2 = (int(edge) for edge in image.within_xyxy)
    left, top = image.offset_xy
    return replace(
        image,
        pixels=np.ascontiguousarray(image.pixels[y1:y2, x1:x2]),
        alpha=None if image.alpha is None else image.alpha[y1:y2, x1:x2],
        offset_xy=(left + x1, top + y1),
        within_xyxy=None,
    )


def _may_agree(query: LocalFeatures, reference: LocalFeatures) -> bool:
    """Whether two sides, at a glance, are worth more keypoints."""
    return _verified(query, reference, _ANY) is not None


def _verified(
    query: LocalFeatures, reference: LocalFeatures, geometry: Geometry = _PLANE
) -> Verification | None:
    return verify(query, reference, _MATCHER.matches(query, reference), geometry)


def with_plane(
    comparer: Comparer, hit: Hit, sides: tuple[DescribedImage, DescribedImage], plane: Plane
) -> Hit:
    """The hit with a pair that a second comparison found, where that is the same by the rules."""
    rules = comparer.settings.verdicts
    query, reference = (side.regions[-1] for side in sides)
    pair = located(RegionPair(query, reference, 0.0, "different", {}, {}, plane.verification))
    looks = comparer.looks(*sides, (pair.query.box_xyxy, pair.reference.box_xyxy))
    features = looks | {channel.alias: evidence(plane.central) for channel in comparer.local}
    score = comparer.scoring.of(frozenset(features)).probability(features)
    verdict = rules.decide(score, plane.verification, plane.central / plane.sure, True)
    if verdict != "same":
        return hit
    score = max(score, hit.score)
    pair = replace(pair, score=score, verdict=verdict, similarities=looks, features=features)
    return replace(hit, score=score, verdict=verdict, pairs=(pair, *hit.pairs))
