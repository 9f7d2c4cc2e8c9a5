"""Files and their likeness -> groups, each of a kept file and what is alike to that very file.

The best file of all stands first; what is alike to it goes in its favour. So no chain forms:
where A is like B and B like C but A not like C, C stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from objsearch.flow import Progress, silent
from objsearch.task_sections import Duplicates
from objsearch.tasks.duplicates.keeping import Candidate, best_first, why_better
from objsearch.tasks.duplicates.likeness import Likeness
from objsearch.tasks.duplicates.network import Network
from objsearch.tasks.duplicates.plan import Action, Group, Member, Relation

IDENTICAL = Likeness(1.0)


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of a group: what it is to the kept one, and what becomes of it."""

    one: Candidate
    action: Action
    relation: Relation
    likeness: Likeness
    reason: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A kept file with its copies, best first."""

    keep: Candidate
    reason: str
    copies: tuple[Copy, ...]


class Grouper:
    """Puts files into groups, best first."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        rules: Duplicates,
        network: Network,
        may_group: Callable[[Candidate, Candidate], bool],
    ) -> None:
        self.order = best_first(candidates, rules.keep)
        self.rules = rules
        self.network = network
        self.may_group = may_group
        self.rank = {one.file.path: number for number, one in enumerate(self.order)}
        self.of_node: dict[int, list[Candidate]] = {}
        for one in self.order:
            self.of_node.setdefault(one.node, []).append(one)

    def clusters(self, progress: Progress = silent) -> list[Cluster]:
        """Every kept file that something goes for, or that a protected copy was found of."""
        # One group after the other would keep one thread busy.
        self.network.explore(
            self.network.firsts(one.node for one in self.order),
            lambda _, done, total: progress("group", done, total),
        )
        settled: set[str] = set()
        found = []
        for keep in self.order:
            if keep.file.path in settled:
                continue
            settled.add(keep.file.path)
            copies = self._copies(keep, settled)
            if copies:
                settled |= {copy.one.file.path for copy in copies if not copy.one.file.protected}
                found.append(Cluster(keep, self._why(keep, copies), tuple(copies)))
        return found

    def _copies(self, keep: Candidate, settled: set[str]) -> list[Copy]:
        self.network.explore([keep.node])
        # A protected file is named beside each copy of it, but stands for itself only once.
        open_ones = [
            one
            for node in (keep.node, *self.network.copies(keep.node))
            for one in self.of_node.get(node, ())
            if one.file.path not in settled and self.may_group(keep, one)
        ]
        copies: list[Copy] = []
        n_kept = 1
        for one in sorted(open_ones, key=lambda other: self.rank[other.file.path]):
            copy = self._copy(keep, one, n_kept < self.rules.n_kept)
            n_kept += copy.action == "keep"
            copies.append(copy)
        return copies

    def _copy(self, keep: Candidate, one: Candidate, is_kept_too: bool) -> Copy:
        likeness = self.network.alike(one.node, keep.node) if one.node != keep.node else None
        relation: Relation = "near"
        if one.node == keep.node:
            relation = "bytes" if one.file.sha256 == keep.file.sha256 else "pixels"
        found = likeness or IDENTICAL
        if one.file.protected:
            return Copy(one, "keep", relation, found, one.file.protected)
        if is_kept_too:
            reason = f"kept: {self.rules.n_kept} copies are wanted"
            return Copy(one, "keep", relation, found, reason)
        return Copy(one, "remove", relation, found, _reason(relation, found, keep))

    def _why(self, keep: Candidate, copies: Sequence[Copy]) -> str:
        if keep.file.protected:
            return f"kept: {keep.file.protected}"
        return f"kept: {why_better(keep, copies[0].one, self.rules.keep)}"


def _reason(relation: Relation, likeness: Likeness, keep: Candidate) -> str:
    if relation != "near":
        return f"same {relation} as {keep.file.path}"
    words = likeness.words()
    return f"near copy of {keep.file.path}" + (f": {words}" if words else "")


_LOOSER: dict[Relation, int] = {"bytes": 0, "pixels": 1, "near": 2}


def group_of(cluster: Cluster, number: int) -> Group:
    """A cluster as a group of the plan: every name of every file, the kept one first."""
    members = list(_members(cluster.keep, "keep", IDENTICAL, True, cluster.reason))
    for copy in cluster.copies:
        identical = copy.relation != "near"
        members += _members(copy.one, copy.action, copy.likeness, identical, copy.reason)
    relation = max((copy.relation for copy in cluster.copies), key=_LOOSER.__getitem__)
    return Group(group=number, relation=relation, members=tuple(members))


def _members(
    one: Candidate, action: Action, likeness: Likeness, identical: bool, reason: str
) -> list[Member]:
    first, *others = one.file.names
    reasons = [reason, *(f"another name (hard link) of {first}" for _ in others)]
    return [
        Member(
            path=name,
            action=action,
            similarity_to_keep=round(likeness.score, 6),
            identical_to_keep=identical,
            width=one.size_wh[0],
            height=one.size_wh[1],
            bytes=one.file.bytes,
            reason=said,
        )
        for name, said in zip(one.file.names, reasons, strict=True)
    ]
