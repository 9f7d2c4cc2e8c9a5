"""`ObjectSearch`: the order of the flow, written once, one short method a verb."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self, Unpack

from objsearch.errors import UnreadableQueryError, UsageError
from objsearch.flow import Progress, counted, ordered_map, silent
from objsearch.index import Index
from objsearch.screening import Screen
from objsearch.screening.rules import Finder
from objsearch.search.agreeing import is_another_picture
from objsearch.search.asked import asked
from objsearch.search.comparing import Comparer, swapped
from objsearch.search.describing import Describer
from objsearch.search.false_alarms import left_out_unknown, refuse_unknown, with_false_alarms
from objsearch.search.library import open_references
from objsearch.search.queries import Interest, View, Viewer, keys_of_files
from objsearch.search.references import References
from objsearch.search.renaming import known_still, without_renamed
from objsearch.search.replaced import is_replaced, proven
from objsearch.search.retrieval import Retrieval, compare_versions
from objsearch.search.screened import screen_by
from objsearch.search.second_look import SecondLook
from objsearch.search.telling import check_there, unknown_labels, warnings_of
from objsearch.search.thumbnails import keep_thumbnails
from objsearch.settings import Search, SearchOptions, Settings, load_settings
from objsearch.settings import Where as SearchedWhere
from objsearch.sources import (
    AtHand,
    Place,
    RegionOfInterest,
    RoiMode,
    expand,
    is_made_up,
    nothing_there,
    within,
)
from objsearch.types import Answer, DescribedImage, Hit, Image, Pixels, Region, Unreadable

Given = RegionOfInterest | Region | str | Sequence[Any]
"""A part of an image: `x,y,w,h` or two corners, in pixels, fractions or percent; a `Box`."""


class ObjectSearch:
    """Which of these photos show the same object?

    >>> search = ObjectSearch.open("default").add("photos/")
    >>> answer = search.find("mug.jpg")
    """

    def __init__(self, settings: Settings | None = None, progress: Progress = silent) -> None:
        self.settings = settings or load_settings()
        self.progress = progress
        self.describer = Describer(self.settings)
        self.comparer = Comparer(self.settings)
        self.references = open_references(self.settings, self.comparer.rankers)
        known = partial(known_still, self.references, self.describer)
        self.viewer = Viewer(self.describer, partial(proven, self.references, self.describer))
        self._n_at_hand = self.n_remembered = self.n_described = 0
        self._nothing = "add some first"
        self.screen = screen_of(self.settings, type(self).open)
        self._at_hand = AtHand()
        changed = partial(is_replaced, self.references, self.describer)
        self.second_look = SecondLook(self.describer, self.comparer, known, self._at_hand, changed)

    @classmethod
    def open(
        cls,
        preset: str | Path | Mapping[str, Any] | Settings = "default",
        overrides: Mapping[str, Any] | None = None,
        progress: Progress = silent,
    ) -> Self:
        """A search by a preset's name, a YAML file, plain data or `Settings`, changed by
        `overrides`, by dotted key."""
        return cls(load_settings(preset, overrides), progress)

    def add(
        self, *sources: Any, region: Given | None = None, roi_mode: RoiMode | None = None
    ) -> Self:
        """Describe reference images and keep them. Unreadable ones are listed in `skipped`.

        `region` is the part of each that counts, in place of the settings' `input.region`; what
        names its own part (`a.jpg#xywh=10,20,200,100`) keeps that.
        """
        given = self.settings.input.region if region is None else region
        wanted = None if given is None else RegionOfInterest.of(given)
        filters, first = self.settings.input.filters, self._n_at_hand + 1
        places = expand(list(sources), filters=filters, kind="reference", first_number=first)
        if not places:
            self._nothing = nothing_there(list(sources), filters)
        self._n_at_hand += sum(is_made_up(place.ref) for place in places)
        self.screen.remember(places)
        mode, reading = roi_mode or self.settings.input.roi_mode, self.settings.input.reading
        kept = [self._at_hand.keep(p, reading) if isinstance(p, Place) else p for p in places]
        parts, told = within(kept, wanted, mode)
        self.references.told += told
        fresh = without_renamed(self.references, self.references.fresh(parts), self.describer)
        self.n_remembered += len(parts) - len(fresh)
        self.n_described += len(fresh)
        self.progress("describe", 0, len(fresh))  # seen at once; models load meanwhile
        described = counted(
            self.describer.describe_places(fresh), "describe", self.progress, len(fresh)
        )
        self.references.take(described)
        self.references.forget_vanished(sources)
        keep_thumbnails(self.references, self.describer, self.progress)
        self.references.tidy(self.progress)
        return self

    @property
    def index(self) -> Index:
        """Where the references are stored."""
        return self.references.index

    @property
    def n_references(self) -> int:
        """How many pictures a search looks among."""
        return self.index.count(self.references.where)

    @property
    def skipped(self) -> tuple[Unreadable, ...]:
        """The references that could not be read, each once, with the reason."""
        return tuple(self.references.skipped)

    @property
    def warnings(self) -> list[str]:
        """What was odd about references, with their names."""
        return warnings_of(self.references)

    def images(self) -> Iterator[DescribedImage]:
        """Every described reference, in order of adding."""
        return self.references.images()

    def is_another(self, picture: Pixels, hit: Hit) -> bool:
        """Whether a hit of a picture, its file read again, plainly shows another one.

        False where that cannot be told: nothing is let pass for being out of reach.
        """
        place = self._at_hand.place(hit.ref)
        image = None if place is None else self.describer.read(place)
        if not isinstance(image, Image) or image.size_wh != hit.size_wh:
            return False
        return is_another_picture(picture, image.pixels, hit)

    def detect(self, *sources: Any) -> Iterator[tuple[Image | Unreadable, tuple[Region, ...]]]:
        """Every image with its regions, most confident first, the full frame last."""
        filters = self.settings.input.filters
        places = expand(list(sources), filters=filters)
        if not places:
            raise UsageError(f"no images: {nothing_there(list(sources), filters)}")
        parts, workers = self.describer.unfold(places), self.settings.run.n_workers
        for image in ordered_map(self.describer.read, parts, workers=workers):
            if isinstance(image, Unreadable):
                yield image, ()
            else:
                yield image, self.describer.detector.propose(image)

    def compare(self, one: Any, other: Any) -> Hit:
        """How alike two images are, whichever comes first: the better of both directions.

        Raises UsageError when one cannot be read, is a folder, or holds several pictures.
        """
        view, other_view = map(self.viewer.single, (one, other))
        there = compare_versions(self.comparer, view, other_view.image)
        back = compare_versions(self.comparer, other_view, view.image)
        hit = there if there.score >= back.score else swapped(back, other_view.image.size_wh)
        if not self.settings.search.second_look.enabled:
            return hit
        return self.second_look.between(hit, view, other_view)

    def find(
        self,
        *query: Any,
        region: Given | None = None,
        negatives: Any = None,
        **options: Unpack[SearchOptions],
    ) -> Answer:
        """The references that show the same object as the query.

        Several query images are several views of one wanted thing; what is indexed already is not
        described again. `region` is the part of the query that counts: `x,y,w,h` or two corners,
        in pixels, fractions or percent. `negatives` are images of what is not wanted. `options`
        override the settings' `search` section.

        Raises UsageError without a readable query or without references; ConfigError.
        """
        started = time.perf_counter()
        search = asked(self.settings.search, options, region)
        references = self.references.snapshot()  # what is added meanwhile is of the next answer
        check_there(references, self._nothing)
        if not query:
            raise UsageError("no query: give at least one image to look for")
        self.screen.prepare()
        views, warnings = self.viewer.views(
            list(query), interest=Interest.of(search), weights=search.weights
        )
        refuse_unknown(search, self.comparer.scoring, len(views))
        unwanted, told = self._unwanted(search, negatives)
        search = search.model_copy(update={"negatives": tuple(str(v.image.ref) for v in unwanted)})
        retrieval = self._retrieval(references, search, views)
        hits = self._hits(retrieval, views, unwanted)
        kept, filtered = self.screen.parted([hit for hit in hits if search.wants(hit)])
        warnings = [*warnings, *told, *self._told_of(retrieval, hits)]
        answer = self._answer(retrieval, views, kept, warnings, started)
        return self.screen.marked(answer, filtered)

    def find_each(
        self,
        queries: Any,
        *,
        region: Given | None = None,
        negatives: Any = None,
        **options: Unpack[SearchOptions],
    ) -> Iterator[Answer]:
        """A separate answer a query image, in the order given; options and errors as of `find`.

        One that cannot be read has no `queries` and a warning; where none can be, it is an error.
        """
        if negatives is not None:
            negatives = self.viewer.views(negatives, kind="unwanted image")[0]
        places = expand(queries, kind="query")
        if not places:
            raise UsageError(f"no query: {nothing_there(queries)}")
        unread, n_answered = None, 0
        for place in self.describer.unfold(places):
            try:
                yield self.find(place, region=region, negatives=negatives, **options)
                n_answered += 1
            except UnreadableQueryError as error:  # those that follow are other things
                unread = error
                search = asked(self.settings.search, options, region).model_dump(mode="json")
                told = {**self.settings.answer_settings(), "search": search}
                yield Answer((), (), 0, 0, (), told, 0.0, (str(error),))
        if unread is not None and n_answered == 0:
            raise unread

    def _unwanted(self, search: Search, negatives: Any) -> tuple[list[View], list[str]]:
        given = list(search.negatives) if negatives is None else negatives
        if isinstance(given, list | tuple) and not given:
            return [], []
        return self.viewer.views(given, kind="unwanted image")

    def _told_of(self, retrieval: Retrieval, hits: Sequence[Hit]) -> Iterator[str]:
        yield from retrieval.only_queries()
        yield from unknown_labels(retrieval.references, retrieval.search.where.labels)
        yield from self.comparer.scoring.notes(hits)
        yield from left_out_unknown(retrieval.search, hits)

    def _retrieval(
        self, references: References, search: Search, views: Sequence[View]
    ) -> Retrieval:
        left_out = set() if search.include_query else keys_of_files(views)
        keeps = None if search.where == SearchedWhere() else search.where.wanted.keeps
        where = replace(references.where, but=left_out, keeps=keeps)
        return Retrieval(references, where, self.comparer, search, self.settings.run.n_workers)

    def _hits(self, retrieval: Retrieval, views: list[View], unwanted: list[View]) -> list[Hit]:
        hits, search = retrieval.hits(views, unwanted), retrieval.search
        if search.second_look.enabled:
            hits = self.second_look.over(views, hits, search, unwanted)
        scoring, n_references = self.comparer.scoring, retrieval.n_references
        return with_false_alarms(hits, search, scoring, n_references, len(views))

    def _answer(
        self,
        retrieval: Retrieval,
        views: Sequence[View],
        hits: Sequence[Hit],
        warnings: Sequence[str],
        started: float,
    ) -> Answer:
        search, references = retrieval.search, retrieval.references
        stop = None if search.top is None else search.offset + search.top
        compared = retrieval.n_references
        n_skipped, skipped = references.first_skipped(search.list_skipped)
        return Answer(
            queries=tuple(view.image for view in views),
            hits=tuple(hits[search.offset : stop]),
            scanned=compared + n_skipped,
            compared=compared,
            skipped=tuple(skipped),
            settings={**self.settings.answer_settings(), "search": search.model_dump(mode="json")},
            elapsed_seconds=time.perf_counter() - started,
            warnings=(*warnings_of(references, search.list_skipped), *warnings),
            found=len(hits),
            filtered=references.index.count(references.where) - compared,
            remembered=self.n_remembered,
        )


def screen_of(settings: Settings, open_search: Callable[..., Finder] = ObjectSearch.open) -> Screen:
    """What holds pictures against the settings' section `screening`; nothing is loaded yet."""
    return screen_by(settings, open_search)
