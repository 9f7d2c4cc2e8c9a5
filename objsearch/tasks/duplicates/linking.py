"""Pictures -> the network of copies: whole frames first, then keypoints of what is left apart.

Most copies show the whole frame: resized, recompressed, flipped. Small pictures tell these, and
only one of them is described for being compared with others; so one that stands alone costs most.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from objsearch.flow import Progress, batches, counted, ordered_map
from objsearch.search.comparing import Comparer
from objsearch.settings import Settings
from objsearch.tasks.duplicates.by_words import Codes, codes_of, pairs_by_words
from objsearch.tasks.duplicates.candidates import Pair, nearest_pairs
from objsearch.tasks.duplicates.describing import Described, Look, Views
from objsearch.tasks.duplicates.folders import File
from objsearch.tasks.duplicates.likeness import DIRECT, Judge, Likeness
from objsearch.tasks.duplicates.network import Network, Task
from objsearch.tasks.duplicates.remembering import AT_ONCE, Memory
from objsearch.tasks.duplicates.rows import row_of_view, view_of
from objsearch.tasks.duplicates.storing import OnDisk

HASHES = 0.3
"""Hashes that agree less, agree by chance: 90 of 256 bits differ."""
MIRRORED = 1
"""How many of the nearest, by each descriptor, are also compared as seen in a mirror."""

SOURCES, AGAINST, BOTH = 1, 2, 3
"""Which sides the files of a picture lie on."""


@dataclass(slots=True, eq=False)
class Pictures:
    """What was looked at: pictures of the same pixels are one, under one number.

    `is_plain` tells those with too little structure: only identical ones are copies of them.
    """

    views: Views
    memory: Memory
    files: list[File] = field(default_factory=list)
    content: list[str] = field(default_factory=list)
    is_plain: list[bool] = field(default_factory=list)
    tiny: list[NDArray[np.float16]] = field(default_factory=list)
    number: dict[str, int] = field(default_factory=dict)
    stored: OnDisk = field(init=False)

    def __post_init__(self) -> None:
        self.stored = OnDisk(self._described)

    def _described(self, number: int, is_mirrored: bool) -> Described | None:
        file, shelf = self.files[number], self.memory.views(is_mirrored)
        row = shelf.known([file]).get(file.path)
        if row is not None:
            made: Described | None = view_of(row, self.views, is_mirrored)
        else:
            made = self._anew(number, is_mirrored)
        if made is not None:
            shelf.note(file, row_of_view(file, made))
        return made

    def _anew(self, number: int, is_mirrored: bool) -> Described | None:
        file, size_wh = self.files[number], self.stored.small(number).size_wh
        if not is_mirrored:
            return self.views.describe(file, size_wh)
        upright = self.stored.view(number, False)
        return upright and self.views.describe_mirrored(file, size_wh, upright)

    def recall(self, numbers: Iterable[int], is_mirrored: bool) -> None:
        """Have descriptions at hand that are known, many at a time."""
        shelf = self.memory.views(is_mirrored)
        for some in batches(numbers, AT_ONCE):
            files = {self.files[number]: number for number in some}
            rows = shelf.known(list(files))
            for file, number in files.items():
                if file.path in rows:
                    made = view_of(rows[file.path], self.views, is_mirrored)
                    self.stored.keep(number, is_mirrored, made)
                    shelf.note(file, row_of_view(file, made))

    def add(self, look: Look, file: File) -> int:
        """The picture's number, a new one unless its pixels were seen before."""
        if look.content not in self.number:
            self.number[look.content] = len(self.files)
            self.files.append(file)
            self.content.append(look.content)
            self.is_plain.append(look.is_flat)
            self.tiny.append(look.tiny)
            self.stored.append(look.small)
        return self.number[look.content]

    def add_opaque(self, file: File, samples: str = "") -> int:
        """A number for what is known as a whole alone; one for all that show the same samples."""
        key = f"whole:{samples}"
        if samples:
            if key in self.number:
                return self.number[key]
            self.number[key] = len(self.files)
        self.files.append(file)
        self.content.append("")
        self.is_plain.append(True)
        self.tiny.append(np.zeros((0, 0), np.float16))
        self.stored.append(None)
        return len(self.files) - 1


class Standing(NamedTuple):
    """A picture among the others: its sides, whether one of its files may go, and its pixels."""

    sides: int
    is_free: bool
    pixels: int


class Linker:
    """Finds out which pictures are copies of each other."""

    def __init__(
        self, settings: Settings, views: Views, pictures: Pictures, progress: Progress
    ) -> None:
        self.settings = settings
        self.views = views
        self.pictures = pictures
        self.progress = progress
        self.judge = Judge(settings, pictures.stored, pictures.tiny)
        self.count = settings.duplicates.candidates

    def linked(self, standings: list[Standing]) -> Network:
        """The network of all that may be paired; `standings` by number."""
        network = Network(
            self._judged, partial(self._may_pair, standings), self.settings.run.n_workers
        )
        usable = [i for i, plain in enumerate(self.pictures.is_plain) if not plain]
        if len(usable) < 2 or self.settings.duplicates.exact_only:
            return network
        tiny = [self.pictures.tiny[i] for i in usable]
        network.verify(self._near(usable, tiny, standings, DIRECT), self.progress, by="frames")
        best = sorted(usable, key=lambda i: (-standings[i].pixels, i))
        leaders = network.leaders(best, [standing[:2] for standing in standings])
        self._compare_in_full(network, self._described(leaders), standings)
        return network

    def _judged(self, task: Task) -> Likeness | None:
        return self.judge.judge(*task.pair, task.by, task.hints)

    def _may_pair(self, standings: list[Standing], i: int, j: int) -> bool:
        first, second = standings[i], standings[j]
        crosses = bool(first.sides & SOURCES and second.sides & AGAINST) or bool(
            second.sides & SOURCES and first.sides & AGAINST
        )
        plain = self.pictures.is_plain
        return crosses and (first.is_free or second.is_free) and not (plain[i] or plain[j])

    def _described(self, numbers: list[int]) -> dict[int, dict[str, NDArray[np.float16]]]:
        """The vectors of those that can still be read; what else they hold is on disk then."""
        self.pictures.recall(numbers, False)
        made = ordered_map(self._versions, numbers, workers=self.settings.run.n_workers)
        told = counted(made, "describe", self.progress, len(numbers))
        made_of = {
            number: versions
            for number, versions in zip(numbers, told, strict=True)
            if versions is not None
        }
        self.pictures.memory.views(False).write()
        return made_of

    def _versions(self, number: int) -> dict[str, NDArray[np.float16]] | None:
        described = self.pictures.stored.view(number, False)
        return None if described is None else described.versions

    def _compare_in_full(
        self,
        network: Network,
        vectors: dict[int, dict[str, NDArray[np.float16]]],
        standings: list[Standing],
    ) -> None:
        """Candidates by their vectors, surest kind first; mirror images when all else failed."""
        numbers = list(vectors)
        likely: list[list[Pair]] = []
        # Where there is a network, hashes are for what they are sure of.
        whole = sorted(self.views.whole, key=lambda channel: channel.extractor.produces != "binary")
        for channel in whole:
            kind, last = channel.extractor.produces, whole[-1].extractor.produces
            is_sure = kind == "binary" and last != "binary"
            versions = [vectors[i][channel.alias] for i in numbers]
            rounds = self._near(numbers, versions, standings, HASHES if is_sure else -1.0)
            network.verify(rounds, self.progress)
            likely += rounds[:MIRRORED]
        if whole:
            network.verify(pairs_by_words(self._codes(numbers)), self.progress)
        else:
            network.verify([self._by_keypoints(numbers, False)], self.progress)
        if self.settings.geometry.mirrored:
            likely = likely if whole else [self._by_keypoints(numbers, True)]
            self.pictures.recall(sorted({i for pairs in likely for i, _ in pairs}), True)
            network.verify(likely, self.progress, by="mirror")

    def _codes(self, numbers: list[int]) -> dict[int, Codes]:
        views = ((number, self.pictures.stored.view(number, False)) for number in numbers)
        return {number: codes_of(described.image) for number, described in views if described}

    def _near(
        self,
        numbers: list[int],
        vectors: list[NDArray[np.float16]],
        standings: list[Standing],
        floor: float,
    ) -> list[list[Pair]]:
        """First each picture with its nearest, then with the second nearest, and so on."""
        if not numbers:
            return []
        sides = np.array([standings[i].sides for i in numbers], np.int8)
        rounds = nearest_pairs(
            np.stack(vectors),
            self.count,
            groups=sides,
            floor=floor,
            workers=self.settings.run.n_workers,
        )
        return [[(numbers[i], numbers[j]) for i, j in pairs] for pairs in rounds]

    def _by_keypoints(self, numbers: list[int], is_mirrored: bool) -> list[Pair]:
        """Without a descriptor of whole pictures: keypoints of all against all choose."""
        rankers = Comparer(self.settings).rankers()
        view = self.pictures.stored.view
        upright = {i: described.image for i in numbers if (described := view(i, False))}
        stacks = {name: ranker.stacked(list(upright.values())) for name, ranker in rankers.items()}
        pairs: set[Pair] = set()
        for i in upright:
            described = view(i, is_mirrored)
            for name, ranker in rankers.items() if described else ():
                assert described is not None
                order = np.argsort(-ranker.rank(described.image, stacks[name]), kind="stable")
                near = [j for j in np.array(list(upright))[order[: self.count + 1]] if j != i]
                pairs |= {(min(i, int(j)), max(i, int(j))) for j in near[: self.count]}
        return sorted(pairs)
