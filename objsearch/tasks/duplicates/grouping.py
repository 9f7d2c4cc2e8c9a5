"""Files, their likeness and what differs -> groups, each of a kept file and what it is a copy for.

What shows most stands first; what is the same picture, or a part or an edited copy of it, joins it.
Only what shows and tells nothing that the kept file lacks goes. No chain forms: where A is like B
and B like C but A not like C, C stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from objsearch.flow import Progress, silent
from objsearch.settings import Duplicates
from objsearch.tasks.duplicates.agreeing import Agreements
from objsearch.tasks.duplicates.copying import REVIEWED, SAME, Copy, Copying
from objsearch.tasks.duplicates.heading import Heading
from objsearch.tasks.duplicates.keeping import (
    Candidate,
    Content,
    best_first,
    why_better,
)
from objsearch.tasks.duplicates.lesser import lesser
from objsearch.tasks.duplicates.network import Network
from objsearch.types.plans import RELATIONS, Related


@dataclass(frozen=True, slots=True)
class Cluster:
    """A kept file with its copies, best first."""

    keep: Candidate
    reason: str
    copies: tuple[Copy, ...]


@dataclass(slots=True)
class Grouper:
    """Puts files into groups, best first; `content_of` says what a file shows and tells."""

    candidates: Sequence[Candidate]
    rules: Duplicates
    network: Network
    agreements: Agreements
    may_group: Callable[[Candidate, Candidate], bool]
    content_of: Callable[[Candidate], Content]
    copying: Copying = field(init=False)
    heading: Heading = field(init=False)

    def __post_init__(self) -> None:
        self.copying = Copying(self.rules, self.network, self.agreements)
        self.heading = Heading(self.rules, self.network, self.agreements)

    @property
    def related(self) -> list[Related]:
        """What shows the same scene, and is no copy."""
        return self.copying.related

    def clusters(self, progress: Progress = silent) -> list[Cluster]:
        """Every kept file that something stands beside, or that a protected copy was found of."""
        order = best_first(self.candidates, self.rules.keep)
        # One group after the other would keep one thread busy.
        nodes = self.network.firsts(candidate.node for candidate in order)
        self.network.explore(nodes, lambda _, done, total: progress("group", done, total))
        together = [_Together(self, files) for files in self._components(order)]
        self.network.explore([component.first.node for component in together])
        self.agreements.explore(
            (pair for component in together for pair in component.first_pairs()), progress
        )
        return [cluster for component in together for cluster in component.clusters()]

    def _components(self, order: Sequence[Candidate]) -> list[list[Candidate]]:
        """Files that look the same or lead to each other, without those that stand alone."""
        made: dict[object, list[Candidate]] = {}
        for candidate in order:
            made.setdefault(self.network.component(candidate.node), []).append(candidate)
        return [files for files in made.values() if len(files) > 1]


class _Together:
    """Files that may be copies of each other, in the order in which they are kept."""

    def __init__(self, grouper: Grouper, files: Sequence[Candidate]) -> None:
        self.of = grouper
        self.files = files
        # Most of the others are compared with it: best the one that will be kept. That is most
        # often the largest of those that most others are alike to, upright: what others are
        # mirrored or turned by some degrees to was made from them.
        degree = {
            candidate.node: len(grouper.network.copies(candidate.node)) for candidate in files
        }
        most = max(degree.values())
        central = [candidate for candidate in files if 2 * degree[candidate.node] >= most]
        self.first = max(central, key=self._standing)

    def _standing(self, candidate: Candidate) -> tuple[bool, int, int]:
        alike = (
            self.of.network.alike(candidate.node, node)
            for node in self.of.network.copies(candidate.node)
        )
        n_upright = sum(likeness is not None and likeness.is_upright for likeness in alike)
        return bool(candidate.file.protected), n_upright, _n_pixels(candidate)

    def first_pairs(self) -> Iterable[tuple[int, int]]:
        """What has to be compared in any case, as far as can be told before."""
        links = self.of.network.copies(self.first.node)
        return [
            (candidate.node, self.first.node) for candidate in self.files if candidate.node in links
        ]

    def clusters(self) -> list[Cluster]:
        """The groups among these files: same pictures first, then what is to be reviewed."""
        contents = {candidate.file.path: self.of.content_of(candidate) for candidate in self.files}
        contents = self._with_less(contents)
        settled: set[str] = set()
        every: dict[str, tuple[Candidate, dict[str, Copy]]] = {}
        named: dict[str, str] = {}
        """What stays beside a kept file, by the file that it is named with."""
        waiting = best_first(self.files, self.of.rules.keep, contents)
        passed: set[int] = set()
        while waiting:
            keep, *waiting = waiting
            if keep.file.path in settled:
                continue
            left = [candidate for candidate in waiting if candidate.file.path not in settled]
            if keep.node not in passed and self.of.heading.is_less(keep, left, SAME, contents):
                passed.add(keep.node)
                waiting.append(keep)
                continue
            settled.add(keep.file.path)
            head = named.get(keep.file.path, keep.file.path)
            _, told = every.setdefault(head, (keep, {}))
            for copy in self._copies(keep, settled, contents, is_named=head != keep.file.path):
                path = copy.candidate.file.path
                if copy.action == "remove":
                    settled.add(path)
                    # It goes for this one, and no longer stays beside another.
                    every[named.pop(path, head)][1].pop(path, None)
                elif path in named:
                    continue  # it stays beside both, and is told once
                elif not copy.candidate.file.protected:
                    named[path] = head
                told[path] = copy
        clusters = [Cluster(keep, "", tuple(told.values())) for keep, told in every.values()]
        return [
            Cluster(cluster.keep, self._why(cluster.keep, cluster.copies, contents), cluster.copies)
            for cluster in self._reviewed(clusters, contents)
            if cluster.copies
        ]

    def _reviewed(
        self, every: Sequence[Cluster], contents: Mapping[str, Content]
    ) -> Iterable[Cluster]:
        """Parts and edited copies join the first that they are such of, with their own copies."""
        waiting = list(every)
        passed: set[int] = set()
        while waiting:
            first, *waiting = waiting
            copies = list(first.copies)
            self.of.network.explore([first.keep.node])
            others = [cluster.keep for cluster in waiting]
            if first.keep.node not in passed and self.of.heading.is_less(
                first.keep, others, REVIEWED, contents
            ):
                passed.add(first.keep.node)
                waiting.append(first)
                continue
            # What joined may lead on to others; each of these is compared with the kept one itself.
            by = [first.keep.node]
            while by:
                joining = self._joining(first.keep, waiting, by, contents)
                by = [copy.candidate.node for copy, _ in joining]
                taken = {copy.candidate.file.path for copy, _ in joining}
                waiting = [other for other in waiting if other.keep.file.path not in taken]
                for copy, other in joining:
                    copies += [copy, *other.copies]
            yield Cluster(first.keep, first.reason, tuple(copies))

    def _joining(
        self,
        keep: Candidate,
        waiting: Sequence[Cluster],
        by: Sequence[int],
        contents: Mapping[str, Content],
    ) -> list[tuple[Copy, Cluster]]:
        """Copies that are linked to the kept one, or led to it by what has joined."""
        pairs = [
            (cluster.keep.node, keep.node) for cluster in waiting if self._is_led(cluster, keep, by)
        ]
        self.of.agreements.explore(pairs)
        led = {pair[0] for pair in pairs}
        joining = []
        for other in waiting:
            candidate = other.keep
            if candidate.node not in led or not self.of.may_group(keep, candidate):
                continue
            copy = self.of.copying.copy(keep, candidate, contents, False)
            # What others stand in for cannot go itself.
            if copy is not None and not (copy.action == "remove" and other.copies):
                joining.append((copy, other))
        return joining

    def _is_led(self, cluster: Cluster, keep: Candidate, by: Sequence[int]) -> bool:
        node = cluster.keep.node
        if keep.node in by and (node == keep.node or node in self.of.network.copies(keep.node)):
            return True
        return any(self.of.agreements.lead(node, other, keep.node) for other in by)

    def _with_less(self, contents: Mapping[str, Content]) -> dict[str, Content]:
        """Marks what is a cut, an enlargement or a frame of the first, or the first itself."""
        less: set[int] = set()
        mirrored: set[int] = set()
        nodes = {candidate.node for candidate in self.files}
        for node in nodes - {self.first.node}:
            agreement = self.of.agreements.of(node, self.first.node)
            if agreement is not None and agreement.relation in RELATIONS:
                less |= lesser(self.of.agreements, node, self.first.node, agreement)
                mirrored |= {node} if agreement.mirrored else set()
        if 2 * len(mirrored) < len(nodes):
            less |= mirrored  # more pictures show it the other way round
        return {
            candidate.file.path: _marked(contents[candidate.file.path], candidate.node in less)
            for candidate in self.files
        }

    def _copies(
        self,
        keep: Candidate,
        settled: set[str],
        contents: Mapping[str, Content],
        *,
        is_named: bool,
    ) -> list[Copy]:
        """What a file that stays is the same as; `is_named`: beside another, and no better."""
        self.of.network.explore([keep.node])
        # A protected file is named beside each copy of it, but stands for itself only once.
        links = {
            keep.node,
            *(
                node
                for node in self.of.network.copies(keep.node)
                if self.of.agreements.may_be_same(node, keep.node)
            ),
        }
        left = [
            candidate
            for candidate in best_first(self.files, self.of.rules.keep, contents)
            if candidate.node in links
            and candidate.file.path not in settled
            and self.of.may_group(keep, candidate)
        ]
        self.of.agreements.explore(
            (candidate.node, keep.node) for candidate in left if candidate.node != keep.node
        )
        copies: list[Copy] = []
        n_kept = self.of.rules.n_kept if is_named else 1
        for candidate in left:
            copy = self.of.copying.copy(keep, candidate, contents, n_kept < self.of.rules.n_kept)
            if copy is not None and copy.relation in SAME:
                n_kept += copy.action == "keep"
                copies.append(copy)
        return copies

    def _why(self, keep: Candidate, copies: Sequence[Copy], contents: Mapping[str, Content]) -> str:
        if keep.file.protected:
            return f"kept: {keep.file.protected}"
        if copies[0].candidate.node in self.of.heading.made:
            return "kept: the others were made of it"
        return f"kept: {why_better(keep, copies[0].candidate, self.of.rules.keep, contents)}"


def _marked(content: Content, is_less: bool) -> Content:
    return replace(content, is_less=is_less)


def _n_pixels(candidate: Candidate) -> int:
    return candidate.size_wh[0] * candidate.size_wh[1]
