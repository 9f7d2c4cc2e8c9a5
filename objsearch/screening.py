"""Is a picture unwanted? Known images, examples and classifiers, as the settings say.

Whatever is missing is an error: a picture is called clean only when every rule has looked at it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from objsearch.classify.base import Classifier
from objsearch.components.registry import build
from objsearch.describe.base import Crop, Extractor
from objsearch.errors import UsageError
from objsearch.flow import ordered_map
from objsearch.settings import SecondLook, Settings, load_settings
from objsearch.sources import Place, Reading, expand, is_made_up, read_image, unfold
from objsearch.types import (
    UNSCREENED,
    Answer,
    DescribedImage,
    Flag,
    Hit,
    Image,
    ImageRef,
    Pixels,
    Unreadable,
)

Flags = tuple[Flag, ...]


class Finder(Protocol):
    """What the block list needs of a search."""

    def add(self, *sources: Any) -> Any:
        """Take in reference images."""

    @property
    def skipped(self) -> Sequence[Unreadable]:
        """Those that could not be read."""

    @property
    def index(self) -> Iterable[DescribedImage]:
        """Those that could."""

    def find(self, *query: Any, **options: Any) -> Answer:
        """The references that show the same as the query."""


class Screen:
    """Looks at pictures the way some settings say. Nothing is loaded before the first one.

    `open_search` makes the search that finds copies of blocked images.
    """

    def __init__(self, settings: Settings, open_search: Callable[[Settings], Finder]) -> None:
        self.settings = settings
        self.section = settings.screening
        self._open_search = open_search
        self._rules: tuple[Rule, ...] | None = None
        self._seen: dict[ImageRef, Flags] = {}
        self._at_hand: dict[ImageRef, Place] = {}
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Load what the rules need; nothing where there are none.

        Raises UsageError, MissingDependencyError and WeightsError when anything of it is missing.
        """
        with self._lock:
            if self._rules is None:
                self._rules = tuple(self._made())

    def _made(self) -> Iterator[Rule]:
        section = self.section
        for classifier in section.classifiers:
            classifier.require()
        if section.block:
            yield BlockList.of(self.settings, self._open_search)
        if section.examples:
            yield Examples.of(self.settings)
        yield from (Judged(classifier) for classifier in section.classifiers)

    def remember(self, places: Sequence[Place | Unreadable]) -> None:
        """Keep what is in memory, which no one could open again."""
        if self.section.has_rules:
            self._at_hand |= {
                one.ref: one for one in places if isinstance(one, Place) and is_made_up(one.ref)
            }

    def flags(self, picture: Pixels) -> Flags:
        """Every rule that a picture is caught by; none: all have looked, and let it pass."""
        self.prepare()
        found = (rule.flag(picture) for rule in self._rules or ())
        return tuple(flag for flag in found if flag is not None)

    def flags_of(self, ref: ImageRef) -> Flags:
        """The same of all that an image's file shows, remembered: `looked_at` at its ref."""
        whole = replace(ref, xywh=None)
        if whole not in self._seen:
            flags: Flags = ()
            for look in self.looked_at([self._at_hand.get(whole, Place(whole))]):
                flags = worst(flags, look.flags if isinstance(look, Look) else _unscreened(look))
            self._seen[whole] = flags
        return self._seen[whole]

    @property
    def reading(self) -> Reading:
        """How files are opened: with all their pages and frames, whatever a search looks at."""
        return replace(self.settings.input.reading, pages="all", frames="all")

    def looked_at(self, places: Iterable[Place | Unreadable]) -> Iterator[Look | Unreadable]:
        """Every page and frame of some places, in order, each file to its `max_frames` at most."""
        workers = self.settings.run.n_workers
        parts = self._bounded(unfold(places, self.reading, workers=workers))
        return ordered_map(self._look, parts, workers=workers)

    def _bounded(
        self, parts: Iterable[Place | Unreadable]
    ) -> Iterator[tuple[Place | Unreadable, bool]]:
        """The parts of each file up to the limit, and one more of which is said that it is over."""
        uri, number = "", 0
        for part in parts:
            number = number + 1 if part.ref.uri == uri else 1
            uri = part.ref.uri
            if number <= self.section.max_frames + 1:
                yield part, number > self.section.max_frames

    def _look(self, bounded: tuple[Place | Unreadable, bool]) -> Look | Unreadable:
        place, is_over = bounded
        if isinstance(place, Unreadable):
            return place
        if is_over:
            most = self.section.max_frames
            return Look(
                place.ref, (0, 0), left_out=f"only its first {most} pictures were looked at"
            )
        image = read_image(place, self.reading)
        if isinstance(image, Unreadable):
            return image
        return Look(image.ref, image.size_wh, self.flags(image.pixels))

    def parted(self, found: Sequence[Hit]) -> tuple[list[Hit], tuple[ImageRef, ...]]:
        """The hits that the action keeps, and the refs of those that it filters out."""
        if not self.section.has_rules or self.section.action == "flag":
            return list(found), ()
        wants_flagged = self.section.action == "only"
        kept = [hit for hit in found if bool(self.flags_of(hit.ref)) == wants_flagged]
        refs = {hit.ref for hit in kept}
        return kept, tuple(hit.ref for hit in found if hit.ref not in refs)

    def marked(self, answer: Answer, filtered: tuple[ImageRef, ...]) -> Answer:
        """An answer with what there is against its queries, its hits, and those filtered out."""
        if not self.section.has_rules:
            return answer
        refs = [*(one.ref for one in answer.queries), *(one.ref for one in answer.hits), *filtered]
        said = {ref: self.flags_of(ref) for ref in refs}
        flags = {ref: flags for ref, flags in said.items() if flags}
        return replace(answer, flags=flags, screened_out=filtered)


@dataclass(frozen=True, slots=True)
class Look:
    """A picture, page or frame that was looked at, or what is said in its place of a long file."""

    ref: ImageRef
    size_wh: tuple[int, int]
    flags: Flags = ()
    left_out: str = ""


def _unscreened(one: Unreadable) -> Flags:
    return (Flag(UNSCREENED, 1.0, f"it cannot be read again: {one.reason}"),)


def worst(some: Flags, others: Flags) -> Flags:
    """Of each rule the flag with the highest score, in the order of the rules."""
    best: dict[str, Flag] = {}
    for flag in (*some, *others):
        if flag.rule not in best or flag.score > best[flag.rule].score:
            best[flag.rule] = flag
    return tuple(best.values())


class Rule(Protocol):
    """One way to look at a picture."""

    def flag(self, picture: Pixels) -> Flag | None:
        """What is to be said against a picture, or None."""


@dataclass(frozen=True, slots=True)
class BlockList:
    """Copies of known images, also cropped, mirrored, recoloured or with something laid over."""

    search: Finder
    threshold: float

    @classmethod
    def of(cls, settings: Settings, open_search: Callable[[Settings], Finder]) -> BlockList:
        """Raises UsageError when an image of the list cannot be read: its copies would pass.

        And when it shows nothing: copies of a blank page are all blank pages.
        """
        section = settings.screening
        places = expand(list(section.block), kind="blocked image")
        if not places:
            raise UsageError("the block list holds no image: nothing could be called clean")
        search = open_search(load_settings(section.block_preset))
        search.add(*places)
        _check_complete(search.skipped, "block list")
        _check_content(search.index)
        return cls(search, section.block_threshold)

    def flag(self, picture: Pixels) -> Flag | None:
        options = {"top": 1, "include_query": True, "second_look": SecondLook(enabled=False)}
        hits = self.search.find(picture, threshold=self.threshold, **options).hits
        if not hits:
            return None
        return Flag("block-list", hits[0].score, f"a copy of {hits[0].ref}")


@dataclass(frozen=True, slots=True)
class Examples:
    """Pictures that look like examples of what is unwanted, to a network that knows things."""

    extractor: Extractor
    refs: tuple[ImageRef, ...]
    vectors: NDArray[np.float32] = field(repr=False)
    threshold: float = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Examples:
        """Raises UsageError when an example cannot be read."""
        reading = settings.input.reading
        extractor = cast(Extractor, build("describe", "embedding"))
        read = [
            one if isinstance(one, Unreadable) else read_image(one, reading)
            for one in unfold(expand(list(settings.screening.examples), kind="example"), reading)
        ]
        _check_complete([one for one in read if isinstance(one, Unreadable)], "examples")
        images = [one for one in read if isinstance(one, Image)]
        if not images:
            raise UsageError("the examples hold no image: nothing could be called clean")
        vectors = np.stack([_vector(extractor, one.pixels) for one in images])
        refs = tuple(one.ref for one in images)
        return cls(extractor, refs, vectors, settings.screening.examples_threshold)

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
        one = skipped[0]
        raise UsageError(
            f"{len(skipped)} of the {name} cannot be read, so that nothing could be called clean; "
            f"the first: {one.ref}: {one.reason}"
        )


def _check_content(blocked: Iterable[DescribedImage]) -> None:
    blank = [one.ref for one in blocked if one.note]
    if blank:
        raise UsageError(
            f"the blocked image {blank[0]} is blank, or shows too little to be known again: "
            "take it out of the block list"
        )
