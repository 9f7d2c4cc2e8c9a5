"""`ObjectSearch`: the order of the flow, written once, one short method a verb."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from objsearch.comparison import Comparer, swapped
from objsearch.config import load_settings
from objsearch.description import Describer
from objsearch.errors import UsageError
from objsearch.flow import Progress, batches, counted, ordered_map, silent
from objsearch.index.base import Ranker
from objsearch.mirror import compare_mirrored, mirrored
from objsearch.rank.fusion import fuse
from objsearch.settings import Search, Settings
from objsearch.sources import Place, expand, is_made_up, key_of, region_of
from objsearch.sources.regions import RegionOfInterest
from objsearch.types import Answer, DescribedImage, Hit, Image, ImageRef, Region, Unreadable

RANKED_AT_ONCE = 64


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
        # An index of its own: settings are values, and two searches by the same share no images.
        self.index = type(self.settings.index).model_validate(self.settings.index.spec())
        self._skipped: dict[ImageRef, Unreadable] = {}
        self.warnings: list[str] = []
        self._keys: dict[ImageRef, str] = {}
        self._n_at_hand = 0

    @classmethod
    def open(
        cls,
        preset: str | Path | Mapping[str, Any] = "default",
        overrides: Mapping[str, Any] | None = None,
        progress: Progress = silent,
    ) -> Self:
        """A search by a preset's name, a YAML file or plain settings; `overrides` by dotted key."""
        return cls(load_settings(preset, overrides), progress)

    def add(self, *sources: Any) -> Self:
        """Describe reference images and keep them. Unreadable ones are listed in `skipped`."""
        places = expand(
            list(sources),
            filters=self.settings.input.filters,
            kind="reference",
            first_number=self._n_at_hand + 1,
        )
        self._n_at_hand += sum(is_made_up(place.ref) for place in places)
        described = counted(
            self.describer.describe_places(places), "describe", self.progress, len(places)
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
            self._keys[one.ref] = key_of(one.ref)
            self.warnings += [f"{one.ref}: {warning}" for warning in one.warnings]
            yield one

    def detect(self, *sources: Any) -> Iterator[tuple[Image | Unreadable, tuple[Region, ...]]]:
        """Every image with its regions, most confident first, the full frame last."""
        for image in self._read(expand(list(sources))):
            if isinstance(image, Unreadable):
                yield image, ()
            else:
                yield image, self.describer.detector.propose(image)

    def _read(self, places: Iterable[Place | Unreadable]) -> Iterator[Image | Unreadable]:
        unfolded = self.describer.unfold(places)
        return ordered_map(self.describer.read, unfolded, workers=self.settings.run.n_workers)

    def compare(self, one: Any, other: Any) -> Hit:
        """How alike two images are, whichever comes first: the better of both directions.

        Raises UsageError when one cannot be read.
        """
        view, other_view = (self._query([source], None)[0] for source in (one, other))
        there = self._compared(view, other_view[0])
        back = self._compared(other_view, view[0])
        return there if there.score >= back.score else swapped(back, other_view[0].size_wh)

    def find(
        self,
        *query: Any,
        region: RegionOfInterest | str | Sequence[float] | None = None,
        **options: Any,
    ) -> Answer:
        """The references that show the same object as the query.

        Several query images are several views of one wanted thing. `region` is the part of the
        query that counts: `x,y,w,h` in pixels, fractions or percent. `options` override the
        settings' `search` section: threshold, top, offset, shortlist, fusion, include_query.

        Raises UsageError without a readable query or without references.
        """
        started = time.perf_counter()
        search = self._search(options)
        self._check_references()
        warnings: list[str] = []
        places = expand(list(query), kind="query") if query else []
        views = self._query(places, region, warnings)
        left_out = set() if search.include_query else _keys_of_files(views)
        hits = self._hits(views, search, left_out)
        found = [hit for hit in hits if hit.score >= search.threshold]
        stop = None if search.top is None else search.offset + search.top
        return Answer(
            queries=tuple(view[0] for view in views),
            hits=tuple(found[search.offset : stop]),
            scanned=len(self.index) + len(self.skipped),
            compared=len(self.index),
            skipped=self.skipped,
            settings={**self.settings.answer_settings(), "search": search.model_dump(mode="json")},
            elapsed_seconds=time.perf_counter() - started,
            warnings=(*self.warnings, *warnings),
            found=len(found),
        )

    def find_each(self, queries: Any, **options: Any) -> Iterator[Answer]:
        """A separate answer a query image, in the order given."""
        for place in self.describer.unfold(expand(queries, kind="query")):
            yield self.find(place, **options)

    def _search(self, options: Mapping[str, Any]) -> Search:
        given = {key: value for key, value in options.items() if value is not None}
        merged = load_settings({"search": {**self.settings.search.model_dump(), **given}})
        return merged.search

    def _check_references(self) -> None:
        if len(self.index) == 0:
            if self.skipped:
                one = self.skipped[0]
                raise UsageError(
                    f"none of the {len(self.skipped)} references can be read; "
                    f"the first: {one.ref}: {one.reason}"
                )
            raise UsageError("no references: the place searched holds no files")

    def _query(
        self, sources: Sequence[Any], region: Any, warnings: list[str] | None = None
    ) -> list[tuple[DescribedImage, ...]]:
        """A view a readable query image: upright, and mirrored when that is asked for."""
        if not sources:
            raise UsageError("no query: give at least one image to look for")
        wanted = None if region is None else RegionOfInterest.of(region)
        views, reasons = [], []
        for image in self._read(expand(list(sources), kind="query")):
            if isinstance(image, Image):
                part = (
                    image if wanted is None else region_of(image, wanted.in_pixels(image.size_wh))
                )
                views.append(self._view(part))
                reasons += [f"{part.ref}: {warning}" for warning in part.warnings]
            else:
                reasons.append(f"{image.ref}: {image.reason}")
        if not views:
            raise UsageError(f"no query can be read: {'; '.join(reasons)}")
        if warnings is not None:
            warnings += reasons
        return views

    def _view(self, image: Image) -> tuple[DescribedImage, ...]:
        versions = [image]
        if self.settings.geometry.mirrored:
            versions.append(mirrored(image))
        return tuple(self.describer.describe(versions))

    def _hits(
        self, views: list[tuple[DescribedImage, ...]], search: Search, left_out: set[str]
    ) -> list[Hit]:
        """Every compared reference, best first, ties by ref."""
        by_view = [self._hits_of_view(view, search, left_out) for view in views]
        if len(by_view) == 1:
            return sorted(by_view[0].values(), key=_rank_key)
        scores = fuse([{k: h.score for k, h in hits.items()} for hits in by_view], search.fusion)
        return sorted((_fused(by_view, ref, score) for ref, score in scores.items()), key=_rank_key)

    def _hits_of_view(
        self, view: tuple[DescribedImage, ...], search: Search, left_out: set[str]
    ) -> dict[str, Hit]:
        """Full comparisons of the shortlist; of the others, what looks like a hit even without."""
        shortlist = self._shortlist(view, search, left_out)
        listed = {one.ref for one in shortlist}
        rest = [
            one
            for one in self.index
            if one.ref not in listed and self._key(one.ref) not in left_out
        ]
        scores = self.comparer.light_scores(view[0], rest)
        light = [one for one, s in zip(rest, scores, strict=True) if s >= search.threshold]
        workers = self.settings.run.n_workers
        compare_light = partial(self.comparer.compare, view[0], keypoints=False)
        hits = [
            *ordered_map(partial(self._compared, view), shortlist, workers=workers),
            *ordered_map(compare_light, light, workers=workers),
        ]
        return {str(hit.ref): hit for hit in hits}

    def _shortlist(
        self, view: tuple[DescribedImage, ...], search: Search, left_out: set[str]
    ) -> list[DescribedImage]:
        # More than asked for: the query itself may be among them, and is not compared.
        limit = None if search.shortlist is None else search.shortlist + len(left_out)
        chosen: dict[ImageRef, DescribedImage] = {}
        for version in view:
            found = self.index.candidates(version, limit, self._rankers())
            chosen.update((one.ref, one) for one in found)
        return [one for one in chosen.values() if self._key(one.ref) not in left_out]

    def _rankers(self) -> list[Ranker]:
        """The comparer's rankers, each spread over the workers."""
        workers = self.settings.run.n_workers

        def spread(ranker: Ranker) -> Ranker:
            def rank(
                query: DescribedImage, stored: Sequence[DescribedImage]
            ) -> NDArray[np.float64]:
                parts = batches(stored, RANKED_AT_ONCE)
                return np.concatenate(
                    [*ordered_map(partial(ranker, query), parts, workers=workers), np.zeros(0)]
                )

            return rank

        return [spread(ranker) for ranker in self.comparer.rankers()]

    def _compared(self, view: tuple[DescribedImage, ...], reference: DescribedImage) -> Hit:
        hits = [self.comparer.compare(view[0], reference)]
        if len(view) > 1:
            hits.append(compare_mirrored(self.comparer.compare, view[1], reference))
        return max(hits, key=lambda hit: hit.score)

    def _key(self, ref: ImageRef) -> str:
        if ref not in self._keys:
            self._keys[ref] = Place(ref).key
        return self._keys[ref]


def _keys_of_files(views: Sequence[tuple[DescribedImage, ...]]) -> set[str]:
    """What tells the queries' files, pages and frames: a part of a picture is still the same one.

    What was at hand has no file: its made-up name may be that of a reference, too.
    """
    refs = [replace(view[0].ref, xywh=None) for view in views]
    return {key_of(ref) for ref in refs if not is_made_up(ref)}


def _rank_key(hit: Hit) -> tuple[float, str]:
    return -hit.score, str(hit.ref)


def _fused(by_view: list[dict[str, Hit]], ref: str, score: float) -> Hit:
    """The best view's hit with the fused score and what each view said."""
    of_view = [(hits[ref], number) for number, hits in enumerate(by_view) if ref in hits]
    best = min(of_view, key=lambda one: (-one[0].score, str(one[0].query)))[0]
    said = {str(hit.query): hit.score for hit, _ in of_view}
    return replace(best, score=score, view_scores=said)
