"""Looking at a picture, which is quick; and describing it, upright or mirrored, which is not.

Every picture is looked at. Described is only what has to be compared by more than its whole frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from objsearch.describe.base import Crop
from objsearch.images.decode import opened_picture
from objsearch.images.flatness import is_flat
from objsearch.images.frames import ANIMATED, tiff_pages
from objsearch.images.holdings import holdings_of
from objsearch.images.transform import shrunk
from objsearch.index.halves import as_kept
from objsearch.search.describing import Describer, content_hash, enlarged
from objsearch.search.mirror import mirrored
from objsearch.settings import Channel, Settings
from objsearch.sources.contents import FileContent
from objsearch.tasks.duplicates.folders import File, place_of
from objsearch.tasks.duplicates.small_copies import Small, tiny_versions
from objsearch.types import (
    BinaryDescriptor,
    DescribedImage,
    Descriptor,
    GlobalDescriptor,
    Image,
    Pixels,
    Unreadable,
)

VERSION_SIDE = 512
"""Longer side of the copies that are turned: whole-picture descriptors look at fewer pixels."""

BYTES_ONLY = ("PDF", "VIDEO", "SVG", "WMF", "EMF")
"""What a first page or a first look says nothing certain about is compared by its bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a first look tells: `content` of all pixels, a small copy, and whether it is flat.

    `tiny` (V, D) are vectors of the whole frame, turned and mirrored: see `tiny_versions`.
    """

    size_wh: tuple[int, int]
    content: str
    small: Small
    tiny: NDArray[np.float16]
    is_flat: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """A described picture, and how extractors of whole pictures describe it turned by quarters.

    Vectors are what a stored index gives back of them, so that it does not matter which they are.
    """

    image: DescribedImage
    turned: Mapping[str, tuple[Descriptor, ...]]

    @property
    def versions(self) -> dict[str, NDArray[np.float16]]:
        """(V, D) vectors by extractor: upright first, then turned ones."""
        return {
            name: np.stack(
                [_vector(descriptor) for descriptor in (self.image.descriptors[name][-1], *turned)]
            )
            for name, turned in self.turned.items()
        }


class Views:
    """Looks at files and describes them for a search for copies, the way some settings say."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.describer = Describer(settings)
        self.whole = tuple(
            channel
            for channel in settings.descriptors
            if channel.extractor.produces in ("global", "binary")
        )

    def look(self, file: File) -> Look | Unreadable:
        """Read a file and look at it; what cannot be read stays so."""
        image = self.describer.read(place_of(file))
        if isinstance(image, Unreadable):
            return image
        return self.seen(Small.of(image.pixels), content_hash(image), image.warnings)

    def seen(self, small: Small, content: str, warnings: tuple[str, ...]) -> Look:
        """All that a look tells, by its small copy and the hash of all pixels."""
        tiny = tiny_versions(small).astype(np.float16)
        mirrored = self.settings.geometry.mirrored
        return Look(
            small.size_wh,
            content,
            small,
            tiny if mirrored else tiny[: len(tiny) // 2],
            is_flat(small.gray),
            warnings,
        )

    def describe(self, file: File, size_wh: tuple[int, int]) -> Described | None:
        """Read a file of a known size again and describe it; None when it cannot be read any more.

        Should it show something else by now, nothing is lost: a copy is proved by what was seen at
        first.
        """
        reduced = self._reduced(file)
        if reduced is None:
            return None
        [image] = self.describer.describe([reduced])
        made = _kept(image, size_wh)
        return Described(
            made, {channel.alias: self._turned(channel, reduced) for channel in self.whole}
        )

    def describe_mirrored(
        self, file: File, size_wh: tuple[int, int], upright: Described
    ) -> Described | None:
        """The same, as seen in a mirror.

        What a mirror changes, networks hardly see: of a whole frame, only keypoints are new.
        """
        reduced = self._reduced(file)
        if reduced is None:
            return None
        known = upright.image.descriptors if len(upright.image.regions) == 1 else {}
        whole = {
            channel.alias: known[channel.alias] for channel in self.whole if channel.alias in known
        }
        describer = self._by_keypoints if whole and self._by_keypoints else self.describer
        [image] = describer.describe([mirrored(reduced)])
        return Described(
            _kept(replace(image, descriptors={**whole, **image.descriptors}), size_wh), {}
        )

    @cached_property
    def _by_keypoints(self) -> Describer | None:
        """Describes by keypoints alone; None where the settings know none."""
        local = tuple(channel for channel in self.settings.descriptors if channel not in self.whole)
        if not local:
            return None
        return Describer(self.settings.model_copy(update={"descriptors": local}))

    def _reduced(self, file: File) -> Image | None:
        long_side = self.settings.duplicates.long_side
        image = self.describer.read(place_of(file), long_side=long_side)
        if isinstance(image, Unreadable):
            return None
        if long_side is None:
            return image
        return replace(image, pixels=shrunk(image.pixels, long_side))

    def _turned(self, channel: Channel, image: Image) -> tuple[Descriptor, ...]:
        if not self.settings.duplicates.turned:
            return ()
        crops = [Crop(pixels, is_frame=True) for pixels in _turned(image.pixels)]
        return tuple(map(_as_kept, channel.extractor.extract_batch(crops)))


def _turned(pixels: Pixels) -> Iterator[Pixels]:
    small = shrunk(pixels, VERSION_SIDE)
    for quarter in (1, 2, 3):
        yield np.ascontiguousarray(np.rot90(small, quarter))


def _kept(image: DescribedImage, size_wh: tuple[int, int]) -> DescribedImage:
    """What is kept of a description, in pixels of the file."""
    kept = {name: tuple(map(_as_kept, parts)) for name, parts in image.descriptors.items()}
    return replace(enlarged(replace(image, descriptors=kept), size_wh), content="")


def _as_kept(descriptor: Descriptor) -> Descriptor:
    if not isinstance(descriptor, GlobalDescriptor):
        return descriptor
    return GlobalDescriptor(as_kept(descriptor.vector))


def _vector(descriptor: Descriptor) -> NDArray[np.float16]:
    """A unit vector whose product with another grows as the two are more alike."""
    if isinstance(descriptor, GlobalDescriptor):
        return descriptor.vector.astype(np.float16)
    assert isinstance(descriptor, BinaryDescriptor)
    signs = np.unpackbits(descriptor.code).astype(np.float32) * 2 - 1
    return np.asarray(signs / np.sqrt(len(signs)), dtype=np.float16)


def by_bytes_alone(file: File, settings: Settings) -> bool:
    """Whether a file holds several pictures, or a drawing: no one picture of it stands for it.

    Raises UnreadableImageError and OSError.
    """
    if file.kind in BYTES_ONLY:
        return True
    if file.kind not in ("TIFF", *ANIMATED):
        return False
    limits = settings.input.reading.limits
    with FileContent(file.path, limits.max_bytes).open() as stream:
        if file.kind == "TIFF":
            return len(tiff_pages(stream, limits)) > 1
        with opened_picture(stream, limits) as picture:
            return bool(getattr(picture, "is_animated", False))


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that no one picture stands for: the size of its first, a hash of all samples."""

    size_wh: tuple[int, int]
    samples: str = ""


def whole_of(file: File, views: Views, *, is_alone: bool) -> Whole | Unreadable:
    """Looks at all pages and frames; at documents and films only where others have their bytes."""
    by_samples = file.kind not in BYTES_ONLY
    if is_alone and not by_samples:
        return Whole((0, 0))
    image = views.describer.read(place_of(file))
    if isinstance(image, Unreadable):
        return image
    limits = views.settings.input.reading.limits
    if not by_samples:
        return Whole(image.size_wh)
    held = holdings_of(file.path, limits)
    # The same pictures as pages do not move.
    samples = "" if held.samples.startswith("bytes:") else f"{held.samples} {held.is_animated}"
    return Whole(image.size_wh, samples)
