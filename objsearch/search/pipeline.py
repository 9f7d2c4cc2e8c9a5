"""`ObjectSearch`: the order of the flow, written once, one short method a verb."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, Unpack

from objsearch.errors import UsageError
from objsearch.flow import Progress, counted, ordered_map, silent
from objsearch.screening import Screen
from objsearch.screening.rules import Finder
from objsearch.search.comparing import Comparer, swapped
from objsearch.search.describing import Describer
from objsearch.search.queries import Interest, View, Viewer, keys_of_files
from objsearch.search.retrieval import Retrieval, compare_versions
from objsearch.search.second_look import SecondLook
from objsearch.settings import Search, SearchOptions, Settings, Where, load_settings
from objsearch.sources import (
    AtHand,
    Place,
    RegionOfInterest,
    RoiMode,
    Stamp,
    expand,
    is_made_up,
    key_of,
    nothing_there,
    stamp_of,
)
from objsearch.types import Answer, DescribedImage, Hit, Image, ImageRef, Region, Unreadable

Given = RegionOfInterest | str | Sequence[Any]
"""A part of an image: `x,y,w,h` or two corners, in pixels, fractions or percent."""


class ObjectSearch:
    """Which of these photos show the same object?

    >>> search = ObjectSearch.open("default").add("photos/")
    >>> answer = search.find("mug.jpg")
    """

    def __init__(self, settings: Settings | None = None, progress: Progress = silent) -> None:
        self.settings = settings or load_settings()
        self.progress = progress
        self.describer = Describer(self.settings)
        self.viewer = Viewer(self.describer, self._known)
        self.comparer = Comparer(self.settings)
        # An index of its own: settings are values, and two searches by the same share no images.
        self.index = type(self.settings.index).model_validate(self.settings.index.spec())
        self._skipped: dict[ImageRef, Unreadable] = {}
        self.warnings: list[str] = []
        self._keys: dict[ImageRef, str] = {}
        self._refs: dict[str, ImageRef] = {}
        self._stamps: dict[ImageRef, Stamp] = {}
        self._n_at_hand = 0
        self._nothing = "add some first"
        self.screen = screen_of(self.settings, type(self).open)
        self._at_hand = AtHand()
        self.second_look = SecondLook(self.describer, self.comparer, self._known, self._at_hand)

    @classmethod
    def open(
        cls,
        preset: str | Path | Mapping[str, Any] = "default",
        overrides: Mapping[str, Any] | None = None,
        progress: Progress = silent,
    ) -> Self:
        """A search by a preset's name, a YAML file or plain settings; `overrides` by dotted key."""
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
        places = expand(
            list(sources),
            filters=self.settings.input.filters,
            kind="reference",
            first_number=self._n_at_hand + 1,
        )
        if not places:
            self._nothing = nothing_there(list(sources), self.settings.input.filters)
        self._n_at_hand += sum(is_made_up(place.ref) for place in places)
        self.screen.remember(places)
        mode, reading = roi_mode or self.settings.input.roi_mode, self.settings.input.reading
        parts = [
            self._at_hand.keep(one, reading).within(wanted, mode) if isinstance(one, Place) else one
            for one in places
        ]
        self.progress("describe", 0, len(parts))  # seen at once; models load meanwhile
        described = counted(
            self.describer.describe_places(parts), "describe", self.progress, len(parts)
        )
        self.index.add(self._readable(described))
        return self

    @property
    def skipped(self) -> tuple[Unreadable, ...]:
        """The references that could not be read, each once, with the reason."""
        return tuple(self._skipped.values())

    def _readable(
        self, described: Iterable[DescribedImage | Unreadable]
    ) -> Iterator[DescribedImage]:
        for one in described:
            if isinstance(one, Unreadable):
                self._skipped[one.ref] = one
                self.index.remove([one.ref])
                continue
            self._skipped.pop(one.ref, None)
            self._keys[one.ref] = key = key_of(one.ref)
            self._refs[key] = one.ref
            self._stamps[one.ref] = stamp_of(one.ref)
            self.warnings += [f"{one.ref}: {warning}" for warning in one.warnings]
            yield one

    def _known(self, ref: ImageRef) -> DescribedImage | None:
        """What the index holds of an image, unless its file has changed since."""
        stored = self._refs.get(key_of(ref), ref)
        now, then = stamp_of(stored), self._stamps.get(stored)
        has_changed = now is not None and then is not None and now != then
        return None if has_changed else self.index.get(stored)

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
        search = self._search(options, region)
        self._check_references()
        if not query:
            raise UsageError("no query: give at least one image to look for")
        self.screen.prepare()
        views, warnings = self.viewer.views(
            list(query), interest=Interest.of(search), weights=search.weights
        )
        unwanted, told = self._unwanted(search, negatives)
        retrieval = self._retrieval(search, views)
        hits = retrieval.hits(views, unwanted)
        if search.second_look.enabled:
            hits = self.second_look.over(views, hits, search.second_look)
        found = [hit for hit in hits if search.wants(hit)]
        kept, filtered = self.screen.parted(found)
        answer = self._answer(
            search.model_copy(update={"negatives": tuple(str(one.image.ref) for one in unwanted)}),
            views,
            kept,
            (*warnings, *told, *self._filter_warnings(search)),
            started,
        )
        return self.screen.marked(answer, filtered)

    def find_each(
        self,
        queries: Any,
        *,
        region: Given | None = None,
        negatives: Any = None,
        **options: Unpack[SearchOptions],
    ) -> Iterator[Answer]:
        """A separate answer a query image, in the order given; options as those of `find`."""
        if negatives is not None:
            negatives = self.viewer.views(negatives, kind="unwanted image")[0]
        places = expand(queries, kind="query")
        if not places:
            raise UsageError(f"no query: {nothing_there(queries)}")
        for place in self.describer.unfold(places):
            yield self.find(place, region=region, negatives=negatives, **options)

    def _search(self, options: Mapping[str, Any], region: Given | None) -> Search:
        given = {f"search.{key}": one for key, one in options.items() if one is not None}
        if region is not None:
            given["search.region"] = RegionOfInterest.of(region).text
        called = {key: f"find({key.removeprefix('search.')}=...)" for key in given}
        section = {"search": self.settings.search.model_dump()}
        return load_settings(section, given, called).search

    def _check_references(self) -> None:
        if len(self.index) == 0:
            if self.skipped:
                one = self.skipped[0]
                raise UsageError(
                    f"none of the {len(self.skipped)} references can be read; "
                    f"the first: {one.ref}: {one.reason}"
                )
            raise UsageError(f"no references: {self._nothing}")

    def _unwanted(self, search: Search, negatives: Any) -> tuple[list[View], list[str]]:
        given = list(search.negatives) if negatives is None else negatives
        if isinstance(given, list | tuple) and not given:
            return [], []
        return self.viewer.views(given, kind="unwanted image")

    def _retrieval(self, search: Search, views: Sequence[View]) -> Retrieval:
        left_out = set() if search.include_query else keys_of_files(views)
        wanted = search.where.wanted

        def keeps(image: DescribedImage) -> bool:
            return self._key(image.ref) not in left_out and wanted.keeps(image)

        workers = self.settings.run.n_workers
        return Retrieval(self.index, self.comparer, search, workers, keeps)

    def _filter_warnings(self, search: Search) -> list[str]:
        """Labels that no indexed image bears, with those that some do."""
        wanted = search.where.labels
        if not wanted:
            return []
        seen = {region.label for one in self.index for region in one.regions}
        known = ", ".join(sorted(seen - {"frame", "tile"})) or "none"
        return [
            f"no reference has the label '{label}' (labels there are: {known})"
            for label in wanted
            if label not in seen
        ]

    def _answer(
        self,
        search: Search,
        views: Sequence[View],
        found: Sequence[Hit],
        warnings: Sequence[str],
        started: float,
    ) -> Answer:
        stop = None if search.top is None else search.offset + search.top
        every = search.where == Where()
        compared = len(self.index) if every else sum(map(search.where.wanted.keeps, self.index))
        return Answer(
            queries=tuple(view.image for view in views),
            hits=tuple(found[search.offset : stop]),
            scanned=compared + len(self.skipped),
            compared=compared,
            skipped=self.skipped,
            settings={**self.settings.answer_settings(), "search": search.model_dump(mode="json")},
            elapsed_seconds=time.perf_counter() - started,
            warnings=(*self.warnings, *warnings),
            found=len(found),
            filtered=len(self.index) - compared,
        )

    def _key(self, ref: ImageRef) -> str:
        if ref not in self._keys:
            self._keys[ref] = key_of(ref)
        return self._keys[ref]


def screen_of(
    settings: Settings, open_search: Callable[[str], Finder] = ObjectSearch.open
) -> Screen:
    """What holds pictures against the settings' section `screening`; nothing is loaded yet."""
    reading, n_workers = settings.input.reading, settings.run.n_workers
    return Screen(settings.screening, reading, n_workers, open_search)
