"""Folders -> a plan: hash, describe what differs, choose candidates, compare, group. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from objsearch.comparison import Comparer
from objsearch.config import load_settings
from objsearch.errors import UnreadableImageError
from objsearch.flow import Progress, counted, ordered_map, silent
from objsearch.settings import Settings
from objsearch.tasks.duplicates.candidates import Pairs, nearest_pairs
from objsearch.tasks.duplicates.decisions import (
    Content,
    Decisions,
    decisions_path,
    load_decisions,
)
from objsearch.tasks.duplicates.describing import (
    Described,
    OnDisk,
    Versions,
    Views,
    by_bytes_alone,
    size_of,
)
from objsearch.tasks.duplicates.files import File, Sides, find_files
from objsearch.tasks.duplicates.grouping import Cluster, Grouper, group_of
from objsearch.tasks.duplicates.keeping import Candidate
from objsearch.tasks.duplicates.likeness import Judge
from objsearch.tasks.duplicates.network import Network
from objsearch.tasks.duplicates.plan import Fingerprint, Group, Passed, Plan
from objsearch.types import Unreadable

PRESET = "copies"
"""What copies are looked for with, unless another preset is named."""

FLOOR = 0.3
"""Of hashes and tiny pictures: what agrees less, agrees by chance (90 of 256 bits differ)."""

SOURCES, AGAINST, BOTH = 1, 2, 3
"""Which sides the files of a picture lie on."""


@dataclass(slots=True, eq=False)
class _Pictures:
    """What was described: pictures of the same pixels are one, under one number.

    `is_plain` tells those with too little structure: only identical ones are copies of them.
    """

    stored: OnDisk = field(default_factory=OnDisk)
    versions: list[Versions] = field(default_factory=list)
    content: list[str] = field(default_factory=list)
    is_plain: list[bool] = field(default_factory=list)
    number: dict[str, int] = field(default_factory=dict)

    def add(self, described: Described) -> int:
        """The picture's number, a new one unless its pixels were seen before."""
        upright = described.upright
        if upright.content not in self.number:
            self.number[upright.content] = len(self.content)
            self.content.append(upright.content)
            self.is_plain.append(bool(upright.note))
            self.versions.append(described.versions)
            views = (upright, described.mirrored) if described.mirrored else (upright,)
            self.stored.append(views, described.small)
        return self.number[upright.content]

    def add_opaque(self) -> int:
        """A number for what is known by its bytes alone."""
        self.content.append("")
        self.is_plain.append(True)
        self.versions.append({})
        self.stored.append((), None)
        return len(self.content) - 1


class Planner:
    """One search for copies, from folders to a plan."""

    def __init__(self, sides: Sides, settings: Settings, progress: Progress) -> None:
        if settings.duplicates.references:
            every = (*sides.references, *settings.duplicates.references)
            sides = replace(sides, references=tuple(dict.fromkeys(every)))
        self.sides = sides
        self.settings = settings
        self.progress = progress
        self.decisions: Decisions = load_decisions(decisions_path(settings))
        self.views = Views(settings)
        self.pictures = _Pictures()
        self.warnings: list[str] = []
        self.ignored: set[frozenset[str]] = set()

    def plan(self) -> Plan:
        """Look at everything and decide. Raises UsageError and ConfigError."""
        with closing(self.pictures.stored):
            return self._planned()

    def _planned(self) -> Plan:
        found = find_files(self.sides, self.settings, self.progress)
        skipped = dict(found.skipped)
        candidates = list(self._candidates(found.files, skipped))
        network = self._network(candidates)
        rules = self.settings.duplicates
        clusters = Grouper(candidates, rules, network, self._may_group).clusters()
        clusters.sort(key=lambda cluster: cluster.keep.file.path)
        groups = tuple(group_of(cluster, number) for number, cluster in enumerate(clusters, 1))
        return Plan(
            groups=groups,
            files=_fingerprints(clusters, groups),
            protected=self.sides.protected,
            scanned=sum(len(file.names) for file in found.files) + len(found.skipped),
            compared=sum(len(one.file.names) for one in candidates),
            skipped=tuple(Passed(path=p, reason=why) for p, why in sorted(skipped.items())),
            ignored=len(self.ignored),
            warnings=tuple(self.warnings),
            settings={
                **self.settings.answer_settings(),
                "duplicates": rules.model_dump(mode="json"),
            },
        )

    def _candidates(self, files: list[File], skipped: dict[str, str]) -> Iterator[Candidate]:
        """Every readable file with its size and the number of its picture."""
        classes: dict[str, list[File]] = {}
        for file in files:
            classes.setdefault(file.sha256, []).append(file)
        every = list(classes.values())
        looked_at = ordered_map(self._looked_at, every, workers=self.settings.run.n_workers)
        for same, result in zip(
            every, counted(looked_at, "describe", self.progress, len(every)), strict=True
        ):
            if isinstance(result, Unreadable):
                skipped.update((name, result.reason) for file in same for name in file.names)
                continue
            size_wh, number = self._numbered(result)
            yield from (Candidate(file, size_wh, number) for file in same)

    def _looked_at(self, same: list[File]) -> Described | tuple[int, int] | Unreadable:
        """One picture for files of the same bytes; its size alone where bytes must do."""
        file = same[0]
        try:
            if by_bytes_alone(file, self.settings):
                return size_of(file, self.views) if len(same) > 1 else (0, 0)
            return self.views.describe(file)
        except (UnreadableImageError, OSError):
            return self.views.describe(file)  # which says why

    def _numbered(self, result: Described | tuple[int, int]) -> tuple[tuple[int, int], int]:
        if not isinstance(result, Described):
            return result, self.pictures.add_opaque()
        upright = result.upright
        self.warnings += [f"{upright.ref}: {warning}" for warning in upright.warnings]
        return upright.size_wh, self.pictures.add(result)

    def _network(self, candidates: list[Candidate]) -> Network:
        sides = [0] * len(self.pictures.content)
        free = [False] * len(sides)
        for one in candidates:
            sides[one.node] |= AGAINST if one.file.is_against else SOURCES
            free[one.node] |= not one.file.protected
        if not self.sides.against:
            sides = [BOTH] * len(sides)
        plain = self.pictures.is_plain

        def may_pair(i: int, j: int) -> bool:
            crosses = bool(sides[i] & SOURCES and sides[j] & AGAINST) or bool(
                sides[j] & SOURCES and sides[i] & AGAINST
            )
            return crosses and (free[i] or free[j]) and not (plain[i] or plain[j])

        judge = Judge(self.settings, self.pictures.stored)
        network = Network(judge.judge, may_pair, self.settings.run.n_workers)
        network.verify(self._pairs(sides), self.progress)
        return network

    def _pairs(self, sides: list[int]) -> Pairs:
        """Candidates among the pictures that have structure."""
        usable = [i for i, plain in enumerate(self.pictures.is_plain) if not plain]
        if len(usable) < 2:
            return {}
        names = self.pictures.versions[usable[0]]
        floors = {name: FLOOR for name in names if name in self.views.exacting}
        near = nearest_pairs(
            {name: np.stack([self.pictures.versions[i][name] for i in usable]) for name in names},
            self.settings.duplicates.candidates,
            with_mirrored=self.settings.geometry.mirrored,
            groups=np.array([sides[i] for i in usable], np.int8),
            floors=floors,
        )
        pairs = {(usable[i], usable[j]): flag for (i, j), flag in near.items()}
        return pairs if self.views.whole else {**self._exhaustive(usable), **pairs}

    def _exhaustive(self, usable: list[int]) -> Pairs:
        """Without a descriptor of whole pictures: keypoints of all against all choose."""
        rankers = Comparer(self.settings).rankers()
        count = self.settings.duplicates.candidates
        stored = [self.pictures.stored.views(i)[0] for i in usable]
        pairs: Pairs = {}
        for i in usable:
            for is_mirrored, view in enumerate(self.pictures.stored.views(i)):
                for ranker in rankers:
                    order = np.argsort(-ranker(view, stored), kind="stable")[: count + 1]
                    near = [usable[int(k)] for k in order if usable[int(k)] != i][:count]
                    for j in near:
                        pairs.setdefault((min(i, j), max(i, j)), bool(is_mirrored))
        return dict(sorted(pairs.items()))

    def _may_group(self, keep: Candidate, other: Candidate) -> bool:
        if self.sides.against and keep.file.is_against == other.file.is_against:
            return False
        if self.decisions.apart(*map(self._content, (keep, other))):
            self.ignored.add(frozenset((keep.file.path, other.file.path)))
            return False
        return True

    def _content(self, one: Candidate) -> Content:
        return Content(one.file.sha256, self.pictures.content[one.node])


def _fingerprints(clusters: list[Cluster], groups: tuple[Group, ...]) -> dict[str, Fingerprint]:
    """What tells whether each file of the plan is still the same."""
    made: dict[str, Fingerprint] = {}
    for cluster in clusters:
        for one in (cluster.keep, *(copy.one for copy in cluster.copies)):
            keep = "" if one is cluster.keep else cluster.keep.file.path
            print_of = partial(
                Fingerprint,
                sha256=one.file.sha256,
                bytes=one.file.bytes,
                mtime_ns=one.file.mtime_ns,
            )
            for name in one.file.names:
                link_of = "" if name == one.file.path else one.file.path
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
) -> Plan:
    """Which files are copies, and which of them is best kept. Changes nothing.

    Nothing in `references` is ever removed. With `against`, only copies of what lies there are
    looked for (photos of a training set that are in the test set), and nothing there is removed.
    Raises UsageError for what is no file or folder.
    """
    given = [sources] if isinstance(sources, str) else list(sources)
    sides = Sides(tuple(map(str, given)), tuple(map(str, references)), tuple(map(str, against)))
    return Planner(sides, settings or load_settings(PRESET), progress).plan()
