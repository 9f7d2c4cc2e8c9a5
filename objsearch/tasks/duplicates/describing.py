"""Each picture described once, upright and mirrored, and put on disk until it is compared.

Memory holds a few vectors a picture, for choosing candidates; keypoints wait in a temporary file.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from objsearch.describe.base import Crop, Extractor
from objsearch.description import Describer
from objsearch.images.decode import opened_picture
from objsearch.images.frames import ANIMATED, tiff_pages
from objsearch.images.transform import fit
from objsearch.mirror import mirrored
from objsearch.settings import Settings
from objsearch.sources.contents import FileContent
from objsearch.tasks.duplicates.alignment import Small, tiny_versions
from objsearch.tasks.duplicates.files import File, place_of
from objsearch.types import (
    BinaryDescriptor,
    DescribedImage,
    Descriptor,
    GlobalDescriptor,
    Image,
    Pixels,
    Unreadable,
)

TINY = "(tiny)"
"""The vectors of tiny pictures, which every preset gets: they find copies of the whole frame."""

VERSION_SIDE = 512
"""Longer side of the copies that are turned: whole-picture descriptors look at fewer pixels."""

# What a first page or a first look says nothing certain about: these are compared by their bytes.
_BYTES_ONLY = ("PDF", "VIDEO", "SVG", "WMF", "EMF")

Versions = dict[str, NDArray[np.float16]]
"""By extractor, (V, D): upright first; half of them mirrored where mirror images are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """A picture and its mirror image, a small copy, and its vectors in every version."""

    upright: DescribedImage
    mirrored: DescribedImage | None
    small: Small
    versions: Versions


class Descriptions(Protocol):
    """Described pictures by number, in whatever store."""

    def __len__(self) -> int: ...

    def views(self, number: int) -> tuple[DescribedImage, ...]:
        """The picture, and its mirror image where such are looked for."""

    def small(self, number: int) -> Small:
        """Its small copy."""


class OnDisk:
    """Descriptions in a temporary file without a name: gone with the process, however it ends."""

    def __init__(self, at_hand: int = 400) -> None:
        self._file = tempfile.TemporaryFile(prefix="objsearch-")  # noqa: SIM115  (lives as long)
        self._places: list[tuple[int, int]] = []
        self._end = 0
        self.views = lru_cache(at_hand)(self._views)
        self.small = lru_cache(10 * at_hand)(self._small)

    def __len__(self) -> int:
        return len(self._places) // 2

    def close(self) -> None:
        """Give the disk back."""
        self.views.cache_clear()
        self.small.cache_clear()
        self._file.close()

    def append(self, views: tuple[DescribedImage, ...], small: Small | None) -> None:
        """Store the next picture."""
        for part in (views, small):
            data = pickle.dumps(part, protocol=pickle.HIGHEST_PROTOCOL)
            self._file.write(data)
            self._places.append((self._end, len(data)))
            self._end += len(data)
        self._file.flush()

    def _views(self, number: int) -> tuple[DescribedImage, ...]:
        views: tuple[DescribedImage, ...] = self._read(2 * number)
        return views

    def _small(self, number: int) -> Small:
        small: Small = self._read(2 * number + 1)
        return small

    def _read(self, place: int) -> Any:
        start, length = self._places[place]
        # What we have written ourselves. Threads may read at once: the file's position is not used.
        return pickle.loads(os.pread(self._file.fileno(), length, start))


class Views:
    """Describes files for a search for copies, the way some settings say."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.describer = Describer(settings)
        self.whole = tuple(
            extractor
            for extractor in self.describer.extractors
            if extractor.produces in ("global", "binary")
        )

    @property
    def exacting(self) -> tuple[str, ...]:
        """Names of the vectors that say nothing where they agree little: others know more then."""
        hashes = [one.name for one in self.whole if one.produces == "binary"]
        return (TINY, *(hashes if len(hashes) < len(self.whole) else ()))

    def describe(self, file: File) -> Described | Unreadable:
        """Read, describe and mirror one file; what cannot be read stays so."""
        image = self.describer.read(place_of(file))
        if isinstance(image, Unreadable):
            return image
        views = [image, mirrored(image)] if self.settings.geometry.mirrored else [image]
        described = self.describer.describe(views)
        versions = {one.name: self._versions(one, image, described) for one in self.whole}
        small = Small.of(image.pixels)
        tiny = tiny_versions(small).astype(np.float16)
        versions[TINY] = tiny if len(views) > 1 else tiny[: len(tiny) // 2]
        return Described(described[0], described[1] if len(views) > 1 else None, small, versions)

    def _versions(
        self, extractor: Extractor, image: Image, described: Sequence[DescribedImage]
    ) -> NDArray[np.float16]:
        made = [one.descriptors[extractor.name][-1] for one in described]
        if self.settings.duplicates.turned:
            crops = [Crop(pixels, is_frame=True) for pixels in _turned(image.pixels, len(made) > 1)]
            turned = extractor.extract_batch(crops)
            # Mirrored ones in the second half: a version's number says what it is.
            half = len(turned) // len(made)
            made = [
                one
                for side, first in enumerate(made)
                for one in (first, *turned[side * half : (side + 1) * half])
            ]
        return np.stack([_vector(one) for one in made])


def _turned(pixels: Pixels, with_mirrored: bool) -> Iterator[Pixels]:
    small = fit(pixels, VERSION_SIDE)[0] if max(pixels.shape[:2]) > VERSION_SIDE else pixels
    for side in (small, small[:, ::-1])[: 2 if with_mirrored else 1]:
        for quarter in (1, 2, 3):
            yield np.ascontiguousarray(np.rot90(side, quarter))


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
    if file.kind in _BYTES_ONLY:
        return True
    if file.kind not in ("TIFF", *ANIMATED):
        return False
    limits = settings.input.reading.limits
    with FileContent(file.path, limits.max_bytes).open() as stream:
        if file.kind == "TIFF":
            return len(tiff_pages(stream, limits)) > 1
        with opened_picture(stream, limits) as picture:
            return bool(getattr(picture, "is_animated", False))


def size_of(file: File, views: Views) -> tuple[int, int] | Unreadable:
    """Width and height of a file's first picture."""
    image = views.describer.read(place_of(file))
    return image if isinstance(image, Unreadable) else image.size_wh
