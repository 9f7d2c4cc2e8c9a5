"""Is a picture unwanted? Every rule looks at it, and at all that its file shows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from objsearch.flow import ordered_map
from objsearch.images.behind import left_out_in
from objsearch.screening.options import Screening
from objsearch.screening.rules import BlockList, Examples, Finder, Judged, Rule
from objsearch.sources import Place, Reading, is_made_up, key_of, read_image, stamp_of, unfold
from objsearch.types import UNSCREENED, Answer, Flag, Hit, ImageRef, Key, Pixels, Stamp, Unreadable

Flags = tuple[Flag, ...]


class Screen:
    """Looks at pictures the way a section says. Nothing is loaded before the first one.

    `open_search` makes the search that finds copies of blocked images, by the name of a preset.
    """

    def __init__(
        self,
        section: Screening,
        reading: Reading,
        n_workers: int,
        open_search: Callable[[str], Finder],
    ) -> None:
        self.section = section
        self.n_workers = n_workers
        self._reading = reading
        self._open_search = open_search
        self._rules: tuple[Rule, ...] | None = None
        self._seen: dict[tuple[Key, Stamp], Flags] = {}
        self._at_hand: dict[ImageRef, Place] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """What rules need is loaded again where it is used."""
        return {**self.__dict__, "_rules": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

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
            yield BlockList.of(section, self.reading, self._open_search)
        if section.examples:
            yield Examples.of(section, self.reading)
        yield from (Judged(classifier) for classifier in section.classifiers)

    def remember(self, places: Sequence[Place | Unreadable]) -> None:
        """Keep what is in memory, which no one could open again."""
        if self.section.has_rules:
            self._at_hand |= {
                place.ref: place
                for place in places
                if isinstance(place, Place) and is_made_up(place.ref)
            }

    def flags(self, picture: Pixels) -> Flags:
        """Every rule that a picture is caught by; none: all have looked, and let it pass."""
        self.prepare()
        flags = (rule.flag(picture) for rule in self._rules or ())
        return tuple(flag for flag in flags if flag is not None)

    def flags_of(self, ref: ImageRef) -> Flags:
        """The same of all that an image's file shows, remembered: `looked_at` at its ref."""
        whole = replace(ref, xywh=None)
        seen = key_of(whole), stamp_of(whole)  # another file by the same name is looked at anew
        if seen not in self._seen:
            flags: Flags = ()
            for look in self.looked_at([self._at_hand.get(whole, Place(whole))]):
                flags = worst(flags, look.flags if isinstance(look, Look) else _unscreened(look))
            self._seen[seen] = flags
        return self._seen[seen]

    @property
    def reading(self) -> Reading:
        """How files are opened: with all their pages and frames, whatever a search looks at."""
        return replace(self._reading, pages="all", frames="all")

    def looked_at(self, places: Iterable[Place | Unreadable]) -> Iterator[Look | Unreadable]:
        """Every page and frame of some places, in order, each file to its `max_frames` at most."""
        parts = self._bounded(unfold(places, self.reading, workers=self.n_workers))
        return ordered_map(self._look, parts, workers=self.n_workers)

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
        left_out = left_out_in(image.warnings)
        return Look(image.ref, image.size_wh, self.flags(image.pixels), left_out)

    def parted(self, hits: Sequence[Hit]) -> tuple[list[Hit], tuple[ImageRef, ...]]:
        """The hits that the action keeps, and the refs of those that it filters out."""
        if not self.section.has_rules or self.section.action == "flag":
            return list(hits), ()
        wants_flagged = self.section.action == "only"
        kept = [hit for hit in hits if bool(self.flags_of(hit.ref)) == wants_flagged]
        refs = {hit.ref for hit in kept}
        return kept, tuple(hit.ref for hit in hits if hit.ref not in refs)

    def marked(self, answer: Answer, filtered: tuple[ImageRef, ...]) -> Answer:
        """An answer with what there is against its queries, its hits, and those filtered out."""
        if not self.section.has_rules:
            return answer
        refs = [
            *(image.ref for image in answer.queries),
            *(hit.ref for hit in answer.hits),
            *filtered,
        ]
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


def _unscreened(unreadable: Unreadable) -> Flags:
    return (Flag(UNSCREENED, 1.0, f"it cannot be read again: {unreadable.reason}"),)


def worst(some: Flags, others: Flags) -> Flags:
    """Of each rule the flag with the highest score, in the order of the rules."""
    best: dict[str, Flag] = {}
    for flag in (*some, *others):
        if flag.rule not in best or flag.score > best[flag.rule].score:
            best[flag.rule] = flag
    return tuple(best.values())
