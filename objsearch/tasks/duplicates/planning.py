"""Folders -> a plan: hash, describe what differs, choose candidates, compare, group. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from objsearch.errors import UnreadableImageError
from objsearch.flow import Progress, silent
from objsearch.images.holdings import Holdings, holdings_of
from objsearch.report.as_json import plain
from objsearch.search.scoring import Scoring
from objsearch.settings import Settings, load_settings
from objsearch.tasks.duplicates.agreeing import Agreements
from objsearch.tasks.duplicates.companions import belonging_to, companions_of
from objsearch.tasks.duplicates.decisions import Content as DecidedContent
from objsearch.tasks.duplicates.decisions import Decisions, decisions_path, load_decisions
from objsearch.tasks.duplicates.describing import Views
from objsearch.tasks.duplicates.folders import File, Listing, Sides, find_files, place_of
from objsearch.tasks.duplicates.grouping import Cluster, Grouper
from objsearch.tasks.duplicates.keeping import Candidate, Content
from objsearch.tasks.duplicates.linking import (
    AGAINST,
    BOTH,
    SOURCES,
    Linker,
    Pictures,
    Standing,
)
from objsearch.tasks.duplicates.looking import Looking
from objsearch.tasks.duplicates.members import group_of
from objsearch.tasks.duplicates.network import Network
from objsearch.tasks.duplicates.remembering import Memory
from objsearch.types import Image, Unreadable
from objsearch.types.plans import Fingerprint, Group, Passed, Plan

PRESET = "copies"
"""What copies are looked for with, unless another preset is named."""


class Planner:
    """One search for copies, from folders to a plan."""

    def __init__(
        self, sides: Sides, settings: Settings, progress: Progress, library: Path | None = None
    ) -> None:
        if settings.duplicates.references:
            every = (*sides.references, *settings.duplicates.references)
            sides = replace(sides, references=tuple(dict.fromkeys(every)))
        self.sides = sides
        self.settings = settings
        self.progress = progress
        self.decisions: Decisions = load_decisions(decisions_path(settings))
        self.views = Views(settings)
        self.memory = Memory(settings, library)
        self.pictures = Pictures(self.views, self.memory)
        self.looking = Looking(self.views, self.pictures, self.memory, progress)
        self.ignored: set[frozenset[str]] = set()

    def plan(self) -> Plan:
        """Look at everything and decide. Raises UsageError and ConfigError."""
        with closing(self.pictures.stored):
            listing = find_files(self.sides, self.settings, self.progress, self.memory.looks.prints)
            try:
                made = self._planned(listing)
            except BaseException:
                self.memory.write()  # what was done stays
                raise
            every = (*self.sides.sources, *self.sides.references, *self.sides.against)
            self.memory.close(every, [file.path for file in listing.files])
            told = (*self.memory.told, *made.warnings)
            return made.model_copy(update={"warnings": told})

    def links(self) -> list[tuple[str, str, NDArray[np.float64]]]:
        """Pairs of files that may be copies, with (3, 3) from the first to the second."""
        with closing(self.pictures.stored):
            files = find_files(self.sides, self.settings, self.progress).files
            network = self._network(list(self.looking.candidates(files, {})))
            network.explore(network.firsts(range(len(self.pictures.files))))
            names = [file.path for file in self.pictures.files]
            return [
                (names[i], names[j], likeness.transform)
                for i in range(len(names))
                for j in sorted(network.copies(i))
                if i < j and (likeness := network.alike(i, j)) and likeness.transform is not None
            ]

    def _planned(self, listing: Listing) -> Plan:
        skipped = dict(listing.skipped)
        candidates = list(self.looking.candidates(listing.files, skipped))
        belonging = belonging_to(candidate.file.path for candidate in candidates)
        skipped = {path: why for path, why in skipped.items() if path not in belonging}
        network = self._network(candidates)
        rules = self.settings.duplicates
        agreements = Agreements(
            self._read,
            self._sizes(candidates),
            network,
            self.settings.run.n_workers,
            is_thorough=bool(rules.remove),
        )
        grouper = Grouper(candidates, rules, network, agreements, self._may_group, self._content_of)
        clusters = grouper.clusters(self.progress)
        clusters.sort(key=lambda cluster: cluster.keep.file.path)
        groups = tuple(group_of(cluster, number) for number, cluster in enumerate(clusters, 1))
        return Plan(
            groups=groups,
            files=_fingerprints(clusters, groups),
            protected=self.sides.protected,
            scanned=sum(len(file.names) for file in listing.files) + len(listing.skipped),
            compared=sum(len(candidate.file.names) for candidate in candidates),
            skipped=tuple(Passed(path=p, reason=why) for p, why in sorted(skipped.items())),
            ignored=len(self.ignored),
            related=tuple(grouper.related) if rules.related else (),
            warnings=tuple(self._warnings(belonging)),
            remembered=self.looking.n_remembered,
            settings=plain(
                {**self.settings.answer_settings(), "duplicates": rules.model_dump(mode="json")}
            ),
        )

    def _warnings(self, belonging: set[str]) -> Iterator[str]:
        yield from Scoring(self.settings).notes(())
        yield from self.looking.warnings
        as_a_whole = [path for path in self.looking.as_a_whole if path not in belonging]
        if as_a_whole:
            yield (
                f"{len(as_a_whole):,} files of several pages, frames or of drawings, such as "
                f"'{as_a_whole[0]}', were compared as a whole: only equal ones are copies"
            )

    def _network(self, candidates: list[Candidate]) -> Network:
        n = len(self.pictures.files)
        sides, free, pixels = [0] * n, [False] * n, [0] * n
        for candidate in candidates:
            sides[candidate.node] |= AGAINST if candidate.file.is_against else SOURCES
            free[candidate.node] |= not candidate.file.protected
            pixels[candidate.node] = candidate.size_wh[0] * candidate.size_wh[1]
        if not self.sides.against:
            sides = [BOTH] * n
        return Linker(self.settings, self.views, self.pictures, self.progress).linked(
            [Standing(*values) for values in zip(sides, free, pixels, strict=True)]
        )

    def _read(self, number: int, long_side: int | None) -> Image | Unreadable:
        file = self.pictures.files[number]
        return self.views.describer.read(place_of(file), long_side=long_side)

    def _sizes(self, candidates: list[Candidate]) -> list[tuple[int, int]]:
        sizes = [(0, 0)] * len(self.pictures.files)
        for candidate in candidates:
            sizes[candidate.node] = candidate.size_wh
        return sizes

    def _content_of(self, candidate: Candidate) -> Content:
        """What a file shows and tells; what cannot be looked at so is one of its kind."""
        known = self.memory.holdings(candidate.file)
        n_pixels = candidate.size_wh[0] * candidate.size_wh[1]
        return Content(
            known or self._held(candidate.file), n_pixels, companions_of(candidate.file.path)
        )

    def _held(self, file: File) -> Holdings:
        try:
            holdings = holdings_of(file.path, self.settings.input.reading.limits)
        except (UnreadableImageError, OSError):
            return Holdings(f"bytes:{file.sha256}", has_more=True)
        self.memory.note_holdings(file, holdings)
        return holdings

    def _may_group(self, keep: Candidate, other: Candidate) -> bool:
        if self.sides.against and keep.file.is_against == other.file.is_against:
            return False
        if self.decisions.apart(*map(self._decided_on, (keep, other))):
            self.ignored.add(frozenset((keep.file.path, other.file.path)))
            return False
        return True

    def _decided_on(self, candidate: Candidate) -> DecidedContent:
        return DecidedContent(candidate.file.sha256, self.pictures.content[candidate.node])


def _fingerprints(clusters: list[Cluster], groups: tuple[Group, ...]) -> dict[str, Fingerprint]:
    """What tells whether each file of the plan is still the same."""
    made: dict[str, Fingerprint] = {}
    for cluster in clusters:
        kept = {copy.candidate.file.path: copy.of.file.path for copy in cluster.copies}
        for candidate in (cluster.keep, *(copy.candidate for copy in cluster.copies)):
            keep = kept.get(candidate.file.path, "")
            print_of = partial(
                Fingerprint,
                sha256=candidate.file.sha256,
                bytes=candidate.file.bytes,
                mtime_ns=candidate.file.mtime_ns,
            )
            for name in candidate.file.names:
                link_of = "" if name == candidate.file.path else candidate.file.path
                made.setdefault(name, print_of(keep=keep, same_file_as=link_of))
    listed = {member.path for group in groups for member in group.members}
    return {path: made[path] for path in sorted(listed)}


def plan_duplicates(
    sources: list[str] | str,
    settings: Settings | None = None,
    *,
    references: list[str] | tuple[str, ...] = (),
    against: list[str] | tuple[str, ...] = (),
    progress: Progress = silent,
    library: str | Path | None = None,
) -> Plan:
    """Which files are copies, and which of them is best kept. Changes none of them.

    Nothing in `references` is ever removed. With `against`, only copies of what lies there are
    looked for (photos of a training set that are in the test set), and nothing there is removed.
    What was found out about files is remembered in the folder `library`, such as `library_dir()`,
    where one is named; what is wrong with that is one of the plan's warnings. Raises UsageError
    for what is no file or folder.
    """
    given = [sources] if isinstance(sources, str) else list(sources)
    sides = Sides(tuple(map(str, given)), tuple(map(str, references)), tuple(map(str, against)))
    folder = None if library is None else Path(library).expanduser()
    return Planner(sides, settings or load_settings(PRESET), progress, folder).plan()
