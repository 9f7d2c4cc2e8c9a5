"""Query images -> views: read and described, or taken from the index as they stand there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from objsearch.errors import UnreadableQueryError, UsageError
from objsearch.flow import ordered_map
from objsearch.images.grounds import other_grounds
from objsearch.search.describing import Describer
from objsearch.search.mirror import mirrored
from objsearch.settings import Search
from objsearch.sources import (
    AtHand,
    Place,
    RegionOfInterest,
    RoiMode,
    each_input,
    expand,
    is_made_up,
    key_of,
    nothing_there,
    within,
)
from objsearch.types import DescribedImage, Image, ImageRef, Unreadable

Known = Callable[[ImageRef], DescribedImage | None]
"""The description of an image that is indexed already."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One query image, upright and, where mirrored ones are looked for, as in a mirror.

    `grounds` are further versions of a transparent one, each laid on another ground. `picture` is
    what was read, where it was not taken from the index; `place` leads to all of its pixels, also
    of what was in memory.
    """

    versions: tuple[DescribedImage, ...]
    weight: float = 1.0
    grounds: tuple[DescribedImage, ...] = ()
    picture: Image | None = None
    place: Place | None = None

    @property
    def image(self) -> DescribedImage:
        return self.versions[0]


@dataclass(frozen=True, slots=True)
class Interest:
    """Which part of the queries counts, and how."""

    region: RegionOfInterest | None = None
    roi_mode: RoiMode = "replace"

    @classmethod
    def of(cls, search: Search) -> Interest:
        """What the settings' section `search` says."""
        wanted = None if search.region is None else RegionOfInterest.of(search.region)
        return cls(wanted, search.roi_mode)


BLANK = "it is blank, or shows too little to be recognised: nothing can be found by it"
"""What is said of a query with too little structure."""


class Viewer:
    """Makes views the way some settings say."""

    def __init__(self, describer: Describer, known: Known) -> None:
        self.describer = describer
        self.known = known
        self.settings = describer.settings

    def views(
        self,
        sources: Any,
        kind: str = "query",
        interest: Interest = Interest(),
        weights: Sequence[float] = (),
    ) -> tuple[list[View], list[str]]:
        """A view a readable image, each image once, and warnings about them.

        `weights` are one an input; all pages of an input have its weight, and an image named twice
        the greater of both. Raises UsageError when there is none, or none can be read.
        """
        inputs = list(each_input(sources))
        if weights and len(weights) != len(inputs):
            raise UsageError(
                f"{len(weights)} weights for {len(inputs)} query images: "
                "give one for each, in their order"
            )
        views: dict[str, View] = {}
        reasons: list[str] = []
        for number, place in self._places(inputs, kind, interest, reasons):
            weight = weights[number] if weights else 1.0
            for view in self._views_of(place, reasons):
                if view.image.note:
                    reasons.append(f"{view.image.ref}: {BLANK}")
                key = key_of(view.image.ref)
                known = views.get(key)
                if known is None or known.weight < weight:
                    views[key] = replace(view, weight=weight)
        if not views:
            if not inputs:
                raise UsageError(f"no {kind}: give at least one image")
            told = "; ".join(reasons) or nothing_there(inputs)
            raise UnreadableQueryError(f"no {kind} can be read: {told}")
        return list(views.values()), reasons

    def single(self, source: Any) -> View:
        """The view of the one picture that a source holds.

        Raises UsageError for a folder and for a file of several: which one is meant?
        """
        if isinstance(source, str | os.PathLike) and os.path.isdir(source):
            raise UsageError(
                f"'{os.fspath(source)}' is a folder, and a comparison takes one picture on each "
                "side; search a folder with 'objsearch find PHOTO --in FOLDER'"
            )
        parts = list(self.describer.unfold(expand(source, kind="picture")))
        if len(parts) > 1:
            raise UsageError(
                f"{_named(source)} holds {len(parts)} pictures, and a comparison takes one on each "
                f"side; name it, such as '{parts[-1].ref}', or search them all with "
                "'objsearch find PHOTO --in FILE'"
            )
        return self.views(parts, kind="picture")[0][0]

    def _places(
        self, inputs: Sequence[Any], kind: str, interest: Interest, reasons: list[str]
    ) -> Iterator[tuple[int, Place | Unreadable | View]]:
        """The places of each input, with its number."""
        n_made_up = 0
        for number, source in enumerate(inputs):
            if isinstance(source, View | Unreadable):
                yield number, source
                continue
            places = expand(self._ref_of(source), kind=kind, first_number=n_made_up + 1)
            if not isinstance(source, Place | ImageRef | str):
                n_made_up += sum(isinstance(p, Place) and is_made_up(p.ref) for p in places)
            parts, told = within(places, interest.region, interest.roi_mode)
            reasons += told
            yield from ((number, part) for part in parts)

    def _ref_of(self, source: Any) -> Any:
        """A name such as `<bytes:1>` leads nowhere, unless it is one of the index."""
        is_name = isinstance(source, str) and is_made_up(ImageRef(source))
        return ImageRef(source) if is_name and self.known(ImageRef(source)) else source

    def _views_of(self, place: Place | Unreadable | View, reasons: list[str]) -> Iterator[View]:
        if isinstance(place, View):
            yield place
            return
        stored = self._stored(place)
        if stored is not None:
            if self.settings.geometry.mirrored:
                reasons.append(
                    f"{stored.ref}: its mirror image needs pixels, and is not looked for"
                )
            yield View((stored,))
            return
        workers = self.settings.run.n_workers
        at_hand = AtHand()
        if isinstance(place, Place):
            place = at_hand.keep(place, self.describer.reading)
        for image in ordered_map(self._read, self.describer.unfold([place]), workers=workers):
            if isinstance(image, Unreadable):
                reasons.append(f"{image.ref}: {image.reason}")
                continue
            view = replace(self._view(image), place=at_hand.place(image.ref))
            reasons += [f"{view.image.ref}: {warning}" for warning in view.image.warnings]
            yield view

    def _read(self, place: Place | Unreadable) -> Image | DescribedImage | Unreadable:
        return self._stored(place) or self.describer.read_working(place)

    def _stored(self, place: Place | Unreadable) -> DescribedImage | None:
        """What the index holds of a place; nothing where pixels are needed all the same."""
        if isinstance(place, Unreadable) or place.region:
            return None
        if place.ref.xywh and place.roi_mode != self.settings.input.roi_mode:
            return None
        if is_made_up(place.ref):
            return self.known(place.ref) if place.content is None else None
        return None if self.settings.geometry.mirrored else self.known(place.ref)

    def _view(self, image: Image | DescribedImage) -> View:
        if isinstance(image, DescribedImage):
            return View((image,))
        versions: Iterable[Image] = [image]
        if self.settings.geometry.mirrored:
            versions = [image, mirrored(image)]
        grounds = other_grounds(image) if image.within_xyxy is None else ()
        return View(
            tuple(self.describer.describe(list(versions))),
            grounds=tuple(self.describer.describe(list(grounds))),
            picture=image,
        )


def _named(source: Any) -> str:
    """What a person gave, in a sentence: bytes and arrays have no name, and may be megabytes."""
    if isinstance(source, ImageRef):
        return f"'{source}'"
    return f"'{os.fspath(source)}'" if isinstance(source, str | os.PathLike) else "what was given"


def keys_of_files(views: Sequence[View]) -> set[str]:
    """What tells the queries' files, pages and frames: a part of a picture is still the same one.

    What was at hand has no file: its made-up name may be that of a reference, too. The first page
    of a file goes by the file's name as well.
    """
    refs = [replace(view.image.ref, xywh=None) for view in views]
    named = [ref for ref in refs if not is_made_up(ref)]
    return {key_of(ref) for ref in named} | {key for ref in named for key in _first_parts(ref)}


def _first_parts(ref: ImageRef) -> list[str]:
    """The other names of the first picture in a file."""
    bare = ImageRef(ref.uri)
    firsts = [replace(bare, page=1), replace(bare, frame=0), replace(bare, seconds=0.0)]
    if ref == bare:
        return [key_of(first) for first in firsts]
    return [key_of(bare)] if ref in firsts else []
