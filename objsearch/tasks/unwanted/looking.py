"""Every picture of some places, held against the rules of the settings."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from objsearch.errors import UsageError
from objsearch.flow import Progress, counted, silent
from objsearch.screening import Look, Screen, worst
from objsearch.search.pipeline import screen_of
from objsearch.search.recalling import Recalling
from objsearch.settings import Settings, load_settings
from objsearch.sources import expand, nothing_there
from objsearch.types import Flag, ImageRef, Unreadable
from objsearch.types.addresses import data_without_secrets


@dataclass(frozen=True, slots=True)
class Screened:
    """A file and every rule that any of its pages and frames is caught by; without any it is clean.

    `size_wh` is that of its first picture.
    """

    ref: ImageRef
    size_wh: tuple[int, int]
    flags: tuple[Flag, ...]
    left_out: str = ""
    """What of a long file was not looked at, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """What screening found: `scanned = len(images) + len(skipped)`.

    What is skipped was not looked at, and is neither clean nor flagged.
    """

    images: tuple[Screened, ...]
    skipped: tuple[Unreadable, ...]
    settings: Mapping[str, object]
    elapsed_seconds: float
    remembered: int = 0
    """Files of the block list that had been described before."""
    warnings: tuple[str, ...] = ()
    """What there is to say of a library that could not be used as it should."""

    @property
    def scanned(self) -> int:
        return len(self.images) + len(self.skipped)

    @property
    def flagged(self) -> tuple[Screened, ...]:
        return tuple(image for image in self.images if image.flags)

    @property
    def clean(self) -> tuple[Screened, ...]:
        return tuple(image for image in self.images if not image.flags)

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


def screen_images(
    inputs: Any,
    settings: Settings,
    progress: Progress = silent,
    *,
    library: str | Path | None = None,
) -> Listing:
    """Hold files, folders, globs, URLs and pictures at hand against the section `screening`.

    Descriptions of the block list are remembered in the folder `library`, where one is named;
    what is screened is looked at each time. Raises UsageError when no rule is set, or a part of one
    is missing or cannot be read; MissingDependencyError and WeightsError when a classifier could
    not judge.
    """
    started = time.monotonic()
    if not settings.screening.has_rules:
        raise UsageError(
            "nothing to screen by: name a block list, examples or a classifier "
            "(--block, --examples, --classifier, or the section screening of a settings file)"
        )
    opened: list[Recalling] = []
    screen = _screen_of(settings, library, opened)
    screen.prepare()
    places = expand(inputs, filters=settings.input.filters)
    if not places:
        raise UsageError(f"nothing to screen: {nothing_there(inputs, settings.input.filters)}")
    named = {place.ref for place in places}
    results = _by_file(screen.looked_at(places), named)
    told = list(counted(results, "screen", progress, len(places)))
    return Listing(
        images=tuple(result for result in told if isinstance(result, Screened)),
        skipped=tuple(result for result in told if isinstance(result, Unreadable)),
        settings=data_without_secrets(settings.screening.model_dump(mode="json")),
        elapsed_seconds=time.monotonic() - started,
        remembered=sum(recalling.n_remembered for recalling in opened),
        warnings=tuple(dict.fromkeys(told for recalling in opened for told in recalling.told)),
    )


def _screen_of(settings: Settings, library: str | Path | None, opened: list[Recalling]) -> Screen:
    """A screen whose block list comes from a library as far as it can; `opened` gets what is."""
    if library is None:
        return screen_of(settings)
    folder = Path(library).expanduser()

    def recalling(preset: str, overrides: Mapping[str, Any]) -> Recalling:
        opened.append(Recalling(load_settings(preset, overrides), folder))
        return opened[-1]

    return screen_of(settings, recalling)


def _by_file(
    looks: Iterable[Look | Unreadable], named: Collection[ImageRef]
) -> Iterator[Screened | Unreadable]:
    """One result a file, by the worst of its pages and frames; a part named as such is by itself.

    A page or frame that cannot be read is one more, `Unreadable`.
    """

    def key(look: Look | Unreadable) -> ImageRef:
        return look.ref if look.ref in named else ImageRef(look.ref.uri)

    for ref, group in groupby(looks, key):
        read: Screened | None = None
        for look in group:
            if isinstance(look, Unreadable):
                yield look
                continue
            flags = tuple(_placed(flag, look.ref, ref) for flag in look.flags)
            read = _joined(read, Screened(ref, look.size_wh, flags, look.left_out))
        if read is not None:
            yield read


def _placed(flag: Flag, ref: ImageRef, whole: ImageRef) -> Flag:
    where = str(ref).removeprefix(str(whole)).lstrip("#")
    return replace(flag, reason=f"{flag.reason} ({where})") if where else flag


def _joined(read: Screened | None, more: Screened) -> Screened:
    if read is None:
        return more
    left_out = read.left_out or more.left_out
    return replace(read, flags=worst(read.flags, more.flags), left_out=left_out)
