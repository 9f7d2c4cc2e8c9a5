"""Described pictures in any number, made of real ones by a seed: an index filled to a size.

Each is one picture's regions with what lies between its vectors and those of another, with noise,
and half of the keypoints of each, of whose codes some bits flip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from objsearch.search.pipeline import ObjectSearch
from objsearch.sources import expand, key_of, stamp_of
from objsearch.types import (
    DescribedImage,
    Descriptor,
    GlobalDescriptor,
    ImageRef,
    LocalFeatures,
    Region,
    Row,
)

NOISE = 0.8
"""Length of the noise beside a unit vector."""
ANDS = 4
"""One bit in 2^ANDS of a code flips."""


def described(search: ObjectSearch, photos: Iterable[Path]) -> Iterator[DescribedImage]:
    """Photos as a search describes them; those that cannot be read are left out."""
    places = expand(list(map(str, photos)), kind="reference")
    for image in search.describer.describe_places(places):
        if isinstance(image, DescribedImage):
            yield image


def row_of(image: DescribedImage) -> Row:
    """The row of a picture whose file is as it was described."""
    return Row(key_of(image.ref), image.ref, stamp_of(image.ref), image)


@dataclass(frozen=True)
class Maker:
    """Makes pictures of `parents`, each described by full frames at least."""

    parents: Sequence[DescribedImage]
    seed: int = 0

    def parent(self, number: int) -> int:
        """Which parent has the regions of a picture, and its size."""
        return number % len(self.parents)

    def image(self, number: int, ref: ImageRef) -> DescribedImage:
        """The picture of a number under a name."""
        rng = np.random.default_rng([self.seed, number])
        first = self.parents[self.parent(number)]
        second = self.parents[int(rng.integers(len(self.parents)))]
        made = {
            alias: self._mixed(parts, second.descriptors[alias], first, second, rng)
            for alias, parts in first.descriptors.items()
        }
        return replace(first, ref=ref, descriptors=made, content=f"{number:064x}", warnings=())

    def _mixed(
        self,
        parts: Sequence[Descriptor],
        others: Sequence[Descriptor],
        first: DescribedImage,
        second: DescribedImage,
        rng: np.random.Generator,
    ) -> tuple[Descriptor, ...]:
        frame, other = parts[-1], others[-1]
        if isinstance(frame, LocalFeatures) and isinstance(other, LocalFeatures):
            scaling = np.divide(first.size_wh, second.size_wh)
            return _inside(_halves(frame, other, scaling, rng), first.regions)
        vectors, further = _vectors(parts), _vectors(others)
        share = rng.uniform(0.3, 0.7, (len(vectors), 1))
        # The full frames, which are last, belong together; the other regions as they come.
        which = (*(i % len(further) for i in range(len(vectors) - 1)), -1)
        between = _unit(share * vectors + (1 - share) * further[list(which)])
        made = _unit(between + NOISE * _unit(rng.normal(size=vectors.shape)))
        return tuple(map(GlobalDescriptor, made.astype(np.float32)))


def _vectors(parts: Sequence[Descriptor]) -> Any:
    return np.array([part.vector for part in parts if isinstance(part, GlobalDescriptor)])


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _halves(
    frame: LocalFeatures, other: LocalFeatures, scaling: Any, rng: np.random.Generator
) -> LocalFeatures:
    """Half of the keypoints of two full frames, in pixels of the first."""
    mine = np.flatnonzero(rng.random(len(frame)) < 0.5)
    its = np.flatnonzero(rng.random(len(other)) < 0.5)
    codes = np.concatenate([frame.codes[mine], other.codes[its]])
    coins = rng.integers(0, 256, (ANDS, *codes.shape), dtype=np.uint8)
    places = np.concatenate([frame.points_xy[mine], other.points_xy[its] * scaling])
    return LocalFeatures(
        places.astype(np.float32), codes ^ np.bitwise_and.reduce(coins), frame.scale
    )


def _inside(frame: LocalFeatures, regions: Sequence[Region]) -> tuple[Descriptor, ...]:
    """The keypoints of each region: those of the full frame that lie in it."""
    x, y = frame.points_xy.T
    made: list[Descriptor] = []
    for region in regions:
        box = region.box_xyxy
        held = (x >= box.x1) & (x < box.x2) & (y >= box.y1) & (y < box.y2)
        part = LocalFeatures(frame.points_xy[held], frame.codes[held], frame.scale)
        made.append(frame if region.is_frame else part)
    return tuple(made)


def counts_of(images: Iterable[DescribedImage]) -> Mapping[str, float]:
    """Regions and keypoints of a picture, on average."""
    some = list(images)
    local = [part[-1] for one in some for part in one.descriptors.values()]
    points = [len(frame) for frame in local if isinstance(frame, LocalFeatures)]
    return {
        "regions": float(np.mean([len(one.regions) for one in some])),
        "keypoints": float(np.mean(points)) if points else 0.0,
    }
