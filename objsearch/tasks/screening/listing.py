"""Every picture of some places, held against the rules of the settings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from objsearch.errors import UsageError
from objsearch.flags import Flag
from objsearch.flow import Progress, counted, ordered_map, silent
from objsearch.pipeline import ObjectSearch
from objsearch.screening import Screen
from objsearch.settings import Settings
from objsearch.sources import Place, expand, nothing_there, read_image, unfold
from objsearch.types import ImageRef, Unreadable


@dataclass(frozen=True, slots=True)
class Screened:
    """A picture and every rule that it is caught by; without any it is clean."""

    ref: ImageRef
    size_wh: tuple[int, int]
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """What screening found: `scanned = len(images) + len(skipped)`.

    What is skipped was not looked at, and is neither clean nor flagged.
    """

    images: tuple[Screened, ...]
    skipped: tuple[Unreadable, ...]
    settings: Mapping[str, object]
    elapsed_seconds: float

    @property
    def scanned(self) -> int:
        return len(self.images) + len(self.skipped)

    @property
    def flagged(self) -> tuple[Screened, ...]:
        return tuple(one for one in self.images if one.flags)

    @property
    def clean(self) -> tuple[Screened, ...]:
        return tuple(one for one in self.images if not one.flags)

    @property
    def kept(self) -> tuple[Screened, ...]:
        """What the action lets through."""
        return {"flag": self.images, "exclude": self.clean, "only": self.flagged}[self._action]

    @property
    def filtered(self) -> tuple[Screened, ...]:
        """What the action filters out."""
        return {"flag": (), "exclude": self.flagged, "only": self.clean}[self._action]

    @property
    def _action(self) -> str:
        return str(self.settings["action"])


def screen_images(inputs: Any, settings: Settings, progress: Progress = silent) -> Listing:
    """Hold files, folders, globs, URLs and pictures at hand against the section `screening`.

    Raises UsageError when no rule is set, or a part of one is missing or cannot be read;
    MissingDependencyError and WeightsError when a classifier could not judge.
    """
    started = time.monotonic()
    if not settings.screening.has_rules:
        raise UsageError(
            "nothing to screen by: name a block list, examples or a classifier "
            "(--block, --examples, --classifier, or the section screening of a settings file)"
        )
    screen = Screen(settings, ObjectSearch)
    screen.prepare()
    workers = settings.run.n_workers
    reading = settings.input.reading
    places = expand(inputs, filters=settings.input.filters)
    if not places:
        raise UsageError(f"nothing to screen: {nothing_there(inputs, settings.input.filters)}")
    results = ordered_map(
        partial(_screened, screen), unfold(places, reading, workers=workers), workers=workers
    )
    told = list(counted(results, "screen", progress, len(places)))
    return Listing(
        images=tuple(one for one in told if isinstance(one, Screened)),
        skipped=tuple(one for one in told if isinstance(one, Unreadable)),
        settings=settings.screening.model_dump(mode="json"),
        elapsed_seconds=time.monotonic() - started,
    )


def _screened(screen: Screen, place: Place | Unreadable) -> Screened | Unreadable:
    if isinstance(place, Unreadable):
        return place
    image = read_image(place, screen.settings.input.reading)
    if isinstance(image, Unreadable):
        return image
    return Screened(image.ref, image.size_wh, screen.flags(image.pixels))
