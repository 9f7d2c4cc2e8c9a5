"""Places -> described images: decode, detect, cut, extract, on several threads."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain

import numpy as np

from objsearch.detect.base import Detector
from objsearch.flow import batches, ordered_map
from objsearch.images.flatness import shows_nothing
from objsearch.images.transform import crop
from objsearch.search.drafts import Draft, finished
from objsearch.settings import Channel, Settings
from objsearch.sources import Place, read_image, read_working, unfold
from objsearch.types import (
    Box,
    DescribedImage,
    Descriptor,
    Image,
    LocalFeatures,
    Pixels,
    Region,
    Unreadable,
)

TOO_FEW_FEATURES = "too_few_features"

CLOSE_SIDE = 4096
"""Pictures of twice this side or more are reduced even where all pixels count, to save memory."""

MIN_KEYPOINTS = 8


class Describer:
    """Describes images the way some settings say."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.detector: Detector = settings.detector
        self.reading = settings.input.reading

    def read(
        self, place: Place | Unreadable, *, long_side: int | None = None
    ) -> Image | Unreadable:
        """Decode one place, for a `long_side` if wanted; what is unreadable already stays so."""
        if isinstance(place, Unreadable):
            return place
        return read_image(place, self.reading, long_side=long_side)

    def read_working(self, place: Place | Unreadable) -> Image | Unreadable:
        """Decode one place to be described: a huge picture at a reduced scale."""
        side = self.settings.input.working_side
        if isinstance(place, Unreadable) or side is None:
            return self.read(place)
        return read_working(place, self.reading, side)

    def read_closely(self, place: Place | Unreadable) -> Image | Unreadable:
        """Decode one place to be looked at again: with all its pixels, unless it is huge."""
        side = self.settings.input.working_side
        if isinstance(place, Unreadable) or side is None:
            return self.read(place)
        return read_working(place, self.reading, max(side, CLOSE_SIDE))

    def unfold(self, places: Iterable[Place | Unreadable]) -> Iterator[Place | Unreadable]:
        """Pages and frames in the place of files that hold several, as they are asked for."""
        return unfold(places, self.reading, workers=self._n_workers)

    def describe_places(
        self, places: Iterable[Place | Unreadable]
    ) -> Iterator[DescribedImage | Unreadable]:
        """One result an image, page or frame, in order; workers and batch size bound the memory.

        Where an extractor wants more crops at a time than an image has, it gets those of several.
        """
        groups = batches(self.unfold(places), self.settings.run.batch_size)
        drafts = chain.from_iterable(
            ordered_map(self._read_and_draft, groups, workers=self._n_workers)
        )
        for first in drafts:
            if not isinstance(first, Unreadable):  # by now it is known who wants crops of several
                yield from finished(chain([first], drafts), self.settings, self.gathering)
                return
            yield first

    @property
    def _n_workers(self) -> int:
        return self.settings.run.n_workers

    @cached_property
    def gathering(self) -> Mapping[str, int]:
        """By alias, how many crops of several images an extractor wants at a time."""
        wanted = {
            channel.alias: channel.extractor.crops_wanted()
            for channel in self.settings.descriptors
            if channel.extractor.produces in ("global", "binary")
        }
        return {alias: n for alias, n in wanted.items() if n > 1}

    def _read_and_draft(self, places: list[Place | Unreadable]) -> list[Draft | Unreadable]:
        read = [self.read_working(place) for place in places]
        images = [image for image in read if isinstance(image, Image)]
        gathering = self.gathering if images else {}
        drafts = iter(self._drafts(images, gathering))
        return [image if isinstance(image, Unreadable) else next(drafts) for image in read]

    def describe(self, images: list[Image]) -> list[DescribedImage]:
        """Detect and extract, for pixels at hand."""
        return [draft.described for draft in self._drafts(images, ())]

    def _drafts(self, images: list[Image], gathering: Collection[str]) -> Iterator[Draft]:
        """Images with all but the descriptors that are made of crops of several."""
        proposals = self.detector.propose_batch(images) if images else []
        for image, proposed in zip(images, proposals, strict=True):
            regions = _inside(proposed, image.within_xyxy)
            crops = {
                channel.alias: channel.extractor.crops_of(image, regions, self._as_frame(channel))
                for channel in self.settings.descriptors
                if channel.alias in gathering
            }
            yield Draft(self._extracted(image, regions, gathering), crops)

    def _extracted(
        self, image: Image, regions: tuple[Region, ...], gathering: Collection[str]
    ) -> DescribedImage:
        descriptors = {
            channel.alias: self._descriptors(channel, image, regions)
            for channel in self.settings.descriptors
            if channel.alias not in gathering
        }
        described = DescribedImage(
            image.ref,
            image.size_wh,
            regions,
            descriptors,
            content=content_hash(image),
            warnings=image.warnings,
            note=_note(image, descriptors, are_all=not gathering),
        )
        if image.full_size_wh is None:
            return described
        if image.reduction > 1:
            return enlarged(described, image.full_size_wh)
        return _in_full_image(described, image)

    def _descriptors(
        self, channel: Channel, image: Image, regions: tuple[Region, ...]
    ) -> tuple[Descriptor, ...]:
        return tuple(channel.extractor.extract_regions(image, regions, self._as_frame(channel)))

    def _as_frame(self, channel: Channel) -> bool:
        # Where frames do not match as such, a frame is one more object to whole-crop descriptors;
        # keypoints need its full size all the same, to locate things in it.
        return self.settings.assignment.frames or channel.extractor.produces.startswith("local")


def _inside(regions: tuple[Region, ...], within: Box | None) -> tuple[Region, ...]:
    """Of a part that counts: the regions that lie in it all but a fifth, and itself as frame."""
    if within is None:
        return regions
    objects = (region for region in regions if not region.is_frame)
    kept = [r for r in objects if r.box_xyxy.intersection(within) >= 0.8 * r.box_xyxy.area]
    return (*kept, Region(within, "frame", 0.0, "frame"))


def content_hash(image: Image) -> str:
    """Hex SHA-256 of size and pixels: equal for the same picture, whatever file it came in."""
    pixels = _that_count(image)
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _that_count(image: Image) -> Pixels:
    return crop(image.pixels, image.within_xyxy or image.frame)


def _note(image: Image, descriptors: Mapping[str, tuple[Descriptor, ...]], *, are_all: bool) -> str:
    """`too_few_features` for a flat or smooth picture, or where there are but keypoints, and none.

    What is not among the descriptors, if they are not all, describes whole crops.
    """
    if shows_nothing(_that_count(image)):
        return TOO_FEW_FEATURES
    frames = [parts[-1] for parts in descriptors.values()]
    local = [len(descriptor) for descriptor in frames if isinstance(descriptor, LocalFeatures)]
    if are_all and local and len(local) == len(frames) and max(local) < MIN_KEYPOINTS:
        return TOO_FEW_FEATURES
    return ""


def _in_full_image(described: DescribedImage, image: Image) -> DescribedImage:
    """Boxes and keypoints of a part of an image, in pixels of the whole."""
    dx, dy = image.offset_xy
    assert image.full_size_wh is not None
    return replace(
        described,
        size_wh=image.full_size_wh,
        regions=tuple(replace(r, box_xyxy=r.box_xyxy.moved(dx, dy)) for r in described.regions),
        descriptors={
            name: tuple(_moved(descriptor, dx, dy) for descriptor in parts)
            for name, parts in described.descriptors.items()
        },
    )


def enlarged(described: DescribedImage, size_wh: tuple[int, int]) -> DescribedImage:
    """Boxes and keypoints of a reduced picture, in pixels of the whole."""
    sx, sy = (size / reduced for size, reduced in zip(size_wh, described.size_wh, strict=True))
    scale = np.array([sx, sy], np.float32)

    def moved(descriptor: Descriptor) -> Descriptor:
        if not isinstance(descriptor, LocalFeatures):
            return descriptor
        points = (descriptor.points_xy + np.float32(0.5)) * scale - np.float32(0.5)
        return replace(descriptor, points_xy=points, scale=descriptor.scale * max(sx, sy))

    def box(place: Box) -> Box:
        return Box(place.x1 * sx, place.y1 * sy, place.x2 * sx, place.y2 * sy)

    return replace(
        described,
        size_wh=size_wh,
        regions=tuple(
            replace(region, box_xyxy=box(region.box_xyxy)) for region in described.regions
        ),
        descriptors={
            name: tuple(map(moved, parts)) for name, parts in described.descriptors.items()
        },
    )


def _moved(descriptor: Descriptor, dx: float, dy: float) -> Descriptor:
    if not isinstance(descriptor, LocalFeatures):
        return descriptor
    return replace(descriptor, points_xy=descriptor.points_xy + np.array([dx, dy], np.float32))
