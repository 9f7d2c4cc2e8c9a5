"""Rows to put into an index, indexes to put them into, and rankers that need no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objsearch.components.registry import build, component
from objsearch.index import Index
from objsearch.index.base import Ranker
from objsearch.search.ranking import ChannelRanker
from objsearch.settings import Channel
from objsearch.types import (
    BinaryDescriptor,
    Box,
    DescribedImage,
    Descriptor,
    GlobalDescriptor,
    ImageRef,
    LocalFeatures,
    Recipe,
    Region,
    Row,
    Stamp,
    Unreadable,
)
from tests.contracts.made import spec

RECIPE = Recipe({"detector.name": "whole-image", "fake.size": "3"})


def opened(
    name: str,
    folder: Path,
    rankers: Mapping[str, Ranker] | None = None,
    recipe: Recipe = RECIPE,
    **options: Any,
) -> Index:
    """An index by its registered name; in a folder of its own where it is one that lasts."""
    fields = component("index", name).model_fields
    if "path" in fields:
        options = {"path": str(folder / "kept"), **options}
    options = {key: value for key, value in options.items() if key in fields}
    made: Index = build("index", {**spec("index", name), **options}).open(recipe, rankers or {})  # type: ignore[attr-defined]
    return made


def described(
    uri: str, *vector: float, content: str = "", label: str = "frame", **more: Any
) -> DescribedImage:
    """A picture with one short vector, under two names."""
    frame = Region(Box(0.0, 0.0, 4.0, 3.0), label, 0.0, "frame")
    values = GlobalDescriptor(np.array(vector or (1.0, 0.0), np.float32))
    ref = ImageRef.parse(uri)
    every = {"fake": (values,), "other": (values,)}
    return DescribedImage(ref, (4, 3), (frame,), every, content, **more)


def row(uri: str, *vector: float, stamp: Stamp = (1, 2), content: str = "", **more: Any) -> Row:
    """The row of such a picture; its key is the ref's text."""
    image = described(uri, *vector, content=content, **more)
    return Row(uri, image.ref, stamp, image)


def unread(uri: str, reason: str = "it is broken", stamp: Stamp = (0, 9)) -> Row:
    """The row of a picture that could not be read."""
    ref = ImageRef.parse(uri)
    return Row(uri, ref, stamp, Unreadable(ref, reason))


def rich_row(uri: str, seed: int, n_regions: int = 3, n_points: int = 40, size: int = 16) -> Row:
    """A row with descriptors of every kind, made by a seed."""
    rng = np.random.default_rng(seed)
    boxes = [Box(0.1 * i, 1.0, 3.3 + i, 9.0) for i in range(n_regions - 1)]
    regions = [Region(box, f"thing {seed % 3}", 1 / 3, "detector") for box in boxes]
    regions.append(Region(Box(0, 0, 12, 9), "frame", 0.0, "frame"))
    vectors = rng.normal(size=(n_regions, size)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    every: dict[str, tuple[Descriptor, ...]] = {
        "vectors/1": tuple(GlobalDescriptor(vector) for vector in vectors),
        "orb": tuple(points(rng, n_points, np.uint8) for _ in regions),
        "bits": tuple(BinaryDescriptor(codes(rng, 1)[0], 0.1 * i) for i in range(n_regions)),
        "real": tuple(points(rng, 5 * i, np.float32) for i in range(n_regions)),
    }
    more = f"hash {seed}", ("odd",), "a note", {"known": f'"{seed}"'}
    image = DescribedImage(ImageRef.parse(uri), (12, 9), tuple(regions), every, *more)
    return Row(uri, image.ref, (seed, seed * 10**9), image)


def codes(rng: np.random.Generator, count: int) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (count, 32), dtype=np.uint8)


def points(rng: np.random.Generator, count: int, dtype: Any) -> LocalFeatures:
    """Keypoints with binary codes, or with vectors."""
    places = rng.random((count, 2)).astype(np.float32) * 100
    values = codes(rng, count) if dtype == np.uint8 else rng.random((count, 8)).astype(np.float32)
    return LocalFeatures(places, values, 1.7)


@dataclass(frozen=True)
class By:
    """Ranks by one number of the frame's vector."""

    axis: int
    alias: str = "fake"

    def stacked(self, images: Sequence[DescribedImage]) -> Any:
        return [image.descriptors[self.alias][-1] for image in images]

    def rank(self, query: DescribedImage, stack: Any) -> NDArray[np.float64]:
        return np.array([float(one.vector[self.axis]) for one in stack])


@dataclass(frozen=True)
class ByCosine:
    """Ranks by the best region's cosine with the query's frame."""

    alias: str

    def stacked(self, images: Sequence[DescribedImage]) -> Any:
        return [
            np.stack([d.vector for d in image.descriptors[self.alias]])  # type: ignore[union-attr]
            for image in images
        ]

    def rank(self, query: DescribedImage, stack: Any) -> NDArray[np.float64]:
        own = query.descriptors[self.alias][-1].vector  # type: ignore[union-attr]
        return np.array([float(np.clip((one @ own).max(), 0, 1)) for one in stack])


def by_vectors(alias: str) -> ChannelRanker:
    """The ranker of a search, by vectors under an alias."""
    return ChannelRanker(Channel.model_validate({"extractor": "embedding", "alias": alias}))


def is_same(one: DescribedImage, other: DescribedImage) -> bool:
    """Whether two pictures are equal, vectors to within half floats."""
    told = [
        (i.ref, i.size_wh, i.regions, i.content, i.warnings, i.note, dict(i.facts))
        for i in (one, other)
    ]
    if told[0] != told[1] or list(one.descriptors) != list(other.descriptors):
        return False
    return all(
        len(mine) == len(its) and all(map(_is_same_descriptor, mine, its))
        for mine, its in zip(one.descriptors.values(), other.descriptors.values(), strict=True)
    )


def _is_same_descriptor(one: Descriptor, other: Descriptor) -> bool:
    if isinstance(one, GlobalDescriptor) and isinstance(other, GlobalDescriptor):
        are_near = np.allclose(one.vector, other.vector, rtol=1e-3, atol=1e-4)
        return are_near and one.vector.dtype == other.vector.dtype
    if isinstance(one, BinaryDescriptor) and isinstance(other, BinaryDescriptor):
        return bool(np.array_equal(one.code, other.code) and one.quality == other.quality)
    if not (isinstance(one, LocalFeatures) and isinstance(other, LocalFeatures)):
        return False
    pairs = ((one.points_xy, other.points_xy), (one.codes, other.codes))
    are_equal = all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)
    return bool(are_equal and one.scale == other.scale)
