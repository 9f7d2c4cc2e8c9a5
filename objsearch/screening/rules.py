"""Known images, examples and classifiers: each one way to look at a picture.

Whatever is missing is an error: a picture is called clean only when every rule has looked at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from objsearch.classify.base import Classifier
from objsearch.components.registry import build
from objsearch.describe.base import Crop, Extractor
from objsearch.errors import UsageError
from objsearch.images.flatness import shows_nothing
from objsearch.images.transform import crop
from objsearch.screening.options import Screening
from objsearch.screening.within import pictures_within
from objsearch.sources import Place, Reading, expand, is_url, read_image, unfold
from objsearch.types import Answer, DescribedImage, Flag, Hit, Image, ImageRef, Pixels, Unreadable

PART = ", shown in a part of it"
CLOSEST = 5
"""So many blocked images that look alike are looked at again, where one is not the picture."""


class Finder(Protocol):
    """What the block list needs of a search."""

    def add(self, *sources: Any) -> Any:
        """Take in reference images."""

    @property
    def skipped(self) -> Sequence[Unreadable]:
        """Those that could not be read."""

    def images(self) -> Iterable[DescribedImage]:
        """Those that could."""

    def find(self, *query: Any, **options: Any) -> Answer:
        """The references that show the same as the query."""

    def is_another(self, picture: Pixels, hit: Hit) -> bool:
        """Whether a hit, looked at again, plainly is another picture."""


class Rule(Protocol):
    """One way to look at a picture."""

    def flag(self, picture: Pixels) -> Flag | None:
        """What is to be said against a picture, or None."""


@dataclass(frozen=True, slots=True)
class BlockList:
    """Copies of known images, also cropped, mirrored, recoloured or with something laid over."""

    search: Finder
    threshold: float
    blank: frozenset[ImageRef] = frozenset()
    """Pages and frames of nothing among others, of which nothing is a copy."""

    @classmethod
    def of(
        cls, section: Screening, reading: Reading, open_search: Callable[[str], Finder]
    ) -> BlockList:
        """All pages and frames of the files of a list.

        Raises UsageError when an image of it cannot be read, or a file holds more pictures than are
        looked at: their copies would pass. And when a file shows nothing: copies of a blank page
        are all blank pages.
        """
        places = expand(list(section.block), kind="blocked image")
        if not places:
            raise UsageError("the block list holds no image: nothing could be called clean")
        # What is far away is not fetched twice.
        near = [place for place in places if not is_url(place.ref.uri)]
        _check_length(near, reading, section.max_frames)
        search = open_search(section.block_preset)
        search.add(*places)
        _check_complete(search.skipped, "block list")
        blank = _blank(
            ((image.ref, bool(image.note)) for image in search.images()), "blocked image"
        )
        return cls(search, section.block_threshold, blank)

    def flag(self, picture: Pixels) -> Flag | None:
        whole = self._flag(picture)
        if whole is not None:
            return whole
        # Fewer keypoints than are to be found lie on a picture that fills a part of a screenshot.
        flags = (
            self._flag(np.ascontiguousarray(crop(picture, box)), PART)
            for box in pictures_within(picture)
        )
        return next((flag for flag in flags if flag is not None), None)

    def _flag(self, picture: Pixels, where: str = "") -> Flag | None:
        options = {
            "top": CLOSEST + len(self.blank),
            "include_query": True,
            "second_look": {"enabled": False},
        }
        hits = self.search.find(picture, threshold=self.threshold, **options).hits
        for hit in hits:
            if hit.ref not in self.blank and not self.search.is_another(picture, hit):
                return Flag("block-list", hit.score, f"a copy of {hit.ref}{where}")
        return None


@dataclass(frozen=True, slots=True)
class Examples:
    """Pictures that look like examples of what is unwanted, to a network that knows things."""

    extractor: Extractor
    refs: tuple[ImageRef, ...]
    vectors: NDArray[np.float32] = field(repr=False)
    threshold: float = 0.0

    @classmethod
    def of(cls, section: Screening, reading: Reading) -> Examples:
        """Raises UsageError when an example cannot be read, or a file of them shows nothing.

        A blank page among others is no example of anything.
        """
        extractor = cast(Extractor, build("describe", "embedding"))
        places = expand(list(section.examples), kind="example")
        _check_length(places, reading, section.max_frames, "example")
        read = [
            place if isinstance(place, Unreadable) else read_image(place, reading)
            for place in unfold(places, reading)
        ]
        _check_complete([result for result in read if isinstance(result, Unreadable)], "examples")
        images = [result for result in read if isinstance(result, Image)]
        if not images:
            raise UsageError("the examples hold no image: nothing could be called clean")
        blank = _blank(((image.ref, shows_nothing(image.pixels)) for image in images), "example")
        images = [image for image in images if image.ref not in blank]
        vectors = np.stack([_vector(extractor, image.pixels) for image in images])
        refs = tuple(image.ref for image in images)
        return cls(extractor, refs, vectors, section.examples_threshold)

    def flag(self, picture: Pixels) -> Flag | None:
        likeness = self.vectors @ _vector(self.extractor, picture)
        best = int(likeness.argmax())
        score = float(likeness[best])
        if score < self.threshold:
            return None
        return Flag("examples", score, f"like {self.refs[best]}")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a classifier holds unwanted."""

    classifier: Classifier

    def flag(self, picture: Pixels) -> Flag | None:
        judgement = self.classifier.judge(picture)
        if judgement.score < self.classifier.threshold:
            return None
        return Flag(self.classifier.name, judgement.score, judgement.seen)


def _vector(extractor: Extractor, picture: Pixels) -> NDArray[np.float32]:
    [described] = extractor.extract_batch([Crop(picture, is_frame=True)])
    return np.asarray(described.vector, np.float32)  # type: ignore[union-attr]


def _check_complete(skipped: Sequence[Unreadable], name: str) -> None:
    if skipped:
        unreadable = skipped[0]
        raise UsageError(
            f"{len(skipped)} of the {name} cannot be read, so that nothing could be called clean; "
            f"the first: {unreadable.ref}: {unreadable.reason}"
        )


def _check_length(
    places: Sequence[Place | Unreadable], reading: Reading, most: int, name: str = "blocked"
) -> None:
    for place in places:
        if sum(1 for _ in islice(unfold([place], reading), most + 1)) > most:
            raise UsageError(
                f"the {name} file {place.ref} holds more than {most} pictures: name those that "
                "count, such as film.mp4#frame=10, or raise screening.max_frames"
            )


def _blank(pictures: Iterable[tuple[ImageRef, bool]], name: str) -> frozenset[ImageRef]:
    """The pages and frames that show nothing, as is said; an error where that is all of a file."""
    by_file: dict[str, dict[ImageRef, bool]] = {}
    for ref, is_blank in pictures:
        by_file.setdefault(ref.uri, {})[ref] = is_blank
    for file in by_file.values():
        if all(file.values()):
            raise UsageError(
                f"the {name} {next(iter(file))} is blank, or shows too little to be known again: "
                "take it out of the list"
            )
    return frozenset(ref for file in by_file.values() for ref, is_blank in file.items() if is_blank)
