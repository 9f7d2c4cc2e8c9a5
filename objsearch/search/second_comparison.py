"""A second comparison for candidates in doubt: surer keypoints, and more, at the photos' own size.

First SIFT: what it describes changes less with the point of view, with light and blur. What is
small in a large photo has next to no keypoints there either: ORB finds thousands at full size, so
more is asked of it. Only a plane is believed, for that can be looked at again pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.describe.base import Crop
from objsearch.describe.keypoints import KeypointExtractor
from objsearch.describe.orb import Orb
from objsearch.describe.sift import Sift
from objsearch.flow import once, ordered_map
from objsearch.images.grounds import other_grounds
from objsearch.match.calibration import evidence
from objsearch.match.geometry import Geometry, central_inliers, verify
from objsearch.match.ratio_test import RatioTest
from objsearch.search.comparing import Comparer, located
from objsearch.types import (
    Box,
    DescribedImage,
    Hit,
    Image,
    LocalFeatures,
    Pixels,
    RegionPair,
    Verification,
)

SIDE = 2400
"""Longer side, in pixels, that keypoints are taken at; smaller photos as they are."""
N_POINTS = 3000
N_QUERY_POINTS = 1200
N_LEVELS, N_QUERY_LEVELS = 8, 12
"""Each a sixth smaller: to 28 % of the size, and 13 % of a query, which may be small in a photo."""
SURE = 5 / 3
"""So many times more inliers than usual are asked for: three times the points agree by chance."""

SIFT_SIDE = 800
"""Longer side, in pixels, that SIFT is given: at 1,024 it takes twice as long for little more."""
N_SIFT_POINTS = 1200
GLANCE_SIDE = 400
"""SIFT costs a third at half of that side. What fits neither a plane there nor two views of a thing
with depth is not looked at any larger: nothing of that was *same* by SIFT
(`benchmarks/results/second_look.md`)."""
SIFT_SURE = 1.25
"""Strangers do not agree by chance here, but one desk lies below two things that are put on it:
beyond all that did, with a few inliers to spare (`benchmarks/results/second_look.md`)."""

COLOURFUL = 12.0
"""Deviation of a colour difference, in gray levels, from which it is looked at."""
Channel = Literal["light", "red", "blue"]
_CHANNELS: tuple[Channel, ...] = ("light", "red", "blue")

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
    """A query's keypoints on each of its grounds, in light and then, if it has any, in colour.

    `glances` are those of SIFT on little pictures, `surest` gives those on larger ones. `frame` is
    the box that it fills.
    """

    query: Image
    glances: tuple[LocalFeatures, ...]
    surest: Callable[[], tuple[LocalFeatures, ...]]
    versions: Mapping[Channel, tuple[LocalFeatures, ...]]
    frame: Box

    @classmethod
    def of(cls, query: Image, workers: int = 1) -> Closer:
        """Take the keypoints of a query, with those of a transparent one on other grounds."""
        query = _part_that_counts(query)
        grounds = (query, *other_grounds(query))
        channels: tuple[Channel, ...] = ("light", *_colour(query))
        jobs = [
            *(partial(_surest, ground, GLANCE_SIDE) for ground in grounds),
            *(
                partial(_features, g, N_QUERY_POINTS, c, N_QUERY_LEVELS)
                for c in channels
                for g in grounds
            ),
        ]
        features = ordered_map(lambda job: job(), jobs, workers=workers)
        glances, *versions = (tuple(islice(features, len(grounds))) for _ in (0, *channels))
        surest = once(lambda: tuple(map(_surest, grounds)))
        frame = query.frame.moved(*query.offset_xy)
        return cls(query, glances, surest, dict(zip(channels, versions, strict=True)), frame)

    def planes(self, reference: Image) -> Iterator[Plane]:
        """The planes that most agree on, the surest first, in pixels as they are at hand.

        What is as dark as its ground shows in colour alone.
        """
        glance = _surest(reference, GLANCE_SIDE)
        if any(_may_agree(version, glance) for version in self.glances):
            yield from self._best(self.surest(), _surest(reference), SIFT_SURE)
        for channel, versions in self.versions.items():
            features = _features(reference, N_POINTS, channel)
            yield from self._best(versions, features, SURE)

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
        (float(_plane(query, name)[counts].std()), name) for name in _CHANNELS[1:]
    )
    return (channel,) if spread >= COLOURFUL else ()


def _counts(image: Image) -> NDArray[np.bool_]:
    """(H, W) the pixels of a picture that are not transparent."""
    if image.alpha is None:
        return np.ones(image.pixels.shape[:2], bool)
    return np.asarray(image.alpha > 127)


def _plane(image: Image, channel: Channel) -> NDArray[np.uint8]:
    """(H, W) light, or what red or blue lie above it (ITU-R BT.601)."""
    values = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2YCrCb)[..., _CHANNELS.index(channel)]
    return np.ascontiguousarray(values, np.uint8)


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


def _features(
    image: Image, n_points: int, channel: Channel, n_levels: int = N_LEVELS
) -> LocalFeatures:
    side = min(max(image.size_wh), SIDE)
    pixels = image.pixels
    if channel != "light":
        pixels = np.repeat(_plane(image, channel)[..., None], 3, axis=2)
    orb = Orb(n_points=n_points, n_levels=n_levels, long_side=max(64, side))
    return _extracted(orb, image, pixels)


def _surest(image: Image, side: int = SIFT_SIDE) -> LocalFeatures:
    side = min(max(image.size_wh), side)
    return _extracted(Sift(n_points=N_SIFT_POINTS, long_side=max(64, side)), image, image.pixels)


def _extracted(extractor: KeypointExtractor, image: Image, pixels: Pixels) -> LocalFeatures:
    left, top = image.offset_xy
    crop = Crop(pixels, is_frame=True, corner_xy=(left, top))
    [features] = extractor.extract_batch([crop])
    assert isinstance(features, LocalFeatures)
    return features


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
