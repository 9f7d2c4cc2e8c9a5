"""Files, their likeness and what differs -> groups, each of a kept file and what it is a copy for.

What shows most stands first; what is the same picture, or a part or an edited copy of it, joins it.
Only what shows and tells nothing that the kept file lacks goes. No chain forms: where A is like B and
B like C but A not like C, C stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from objsearch.agree import Agreement
from objsearch.flow import Progress, silent
from objsearch.match.geometry import inverse
from objsearch.task_sections import Duplicates
from objsearch.tasks.duplicates.agreeing import Agreements
from objsearch.tasks.duplicates.keeping import Candidate, Content, best_first, why_better
from objsearch.tasks.duplicates.likeness import Likeness
from objsearch.tasks.duplicates.losses import SMALLER, WHOLE, lacking
from objsearch.tasks.duplicates.network import Network
from objsearch.tasks.duplicates.plan import RELATIONS, Action, Group, Member, Related, Relation

IDENTICAL = Likeness(1.0)
SAME: tuple[Relation, ...] = RELATIONS[:3]
"""What one file can stand for another of."""
DEEP = 8
"""Bits a sample of which an eight-bit copy shows the most significant only."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of a group: what it is to `of`, a file that stays, and what becomes of it."""

    one: Candidate
    of: Candidate
    action: Action
    relation: Relation
    likeness: Likeness
    reason: str
    agreement: Agreement | None = None
    lacks: tuple[str, ...] = ()


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
    related: list[Related] = field(default_factory=list)

    def clusters(self, progress: Progress = silent) -> list[Cluster]:
        """Every kept file that something stands beside, or that a protected copy was found of."""
        order = best_first(self.candidates, self.rules.keep)
        # One group after the other would keep one thread busy.
        nodes = self.network.firsts(one.node for one in order)
        self.network.explore(nodes, lambda _, done, total: progress("group", done, total))
        together = [_Together(self, files) for files in self._components(order)]
        self.agreements.explore((pair for one in together for pair in one.first_pairs()), progress)
        return [cluster for one in together for cluster in one.clusters()]

    def _components(self, order: Sequence[Candidate]) -> list[list[Candidate]]:
        """Files that look the same, or that lead to each other; those that stand alone are left out."""
        made: dict[object, list[Candidate]] = {}
        for one in order:
            made.setdefault(self.network.component(one.node), []).append(one)
        return [files for files in made.values() if len(files) > 1]


class _Together:
    """Files that may be copies of each other, in the order in which they are kept."""

    def __init__(self, grouper: Grouper, files: Sequence[Candidate]) -> None:
        self.of = grouper
        self.files = files
        # The largest comes first in the order by default: most of the others are compared with it.
        self.first = max(files, key=lambda one: (bool(one.file.protected), _n_pixels(one)))

    def first_pairs(self) -> Iterable[tuple[int, int]]:
        """What has to be compared in any case, as far as can be told before."""
        links = self.of.network.copies(self.first.node)
        return [(one.node, self.first.node) for one in self.files if one.node in links]

    def clusters(self) -> list[Cluster]:
        """The groups among these files: same pictures first, then what is to be reviewed beside them."""
        contents = {one.file.path: self.of.content_of(one) for one in self.files}
        contents = self._with_less(contents)
        settled: set[str] = set()
        every = []
        for keep in best_first(self.files, self.of.rules.keep, contents):
            if keep.file.path not in settled:
                settled.add(keep.file.path)
                copies = self._copies(keep, settled, contents)
                settled |= {copy.one.file.path for copy in copies if not copy.one.file.protected}
                every.append(Cluster(keep, "", tuple(copies)))
        return [
            Cluster(found.keep, self._why(found.keep, found.copies, contents), found.copies)
            for found in self._reviewed(every, contents)
            if found.copies
        ]

    def _reviewed(
        self, every: Sequence[Cluster], contents: Mapping[str, Content]
    ) -> Iterable[Cluster]:
        """Parts and edited copies join the first that they are such of, with their own copies."""
        joined: set[str] = set()
        for number, first in enumerate(every):
            if first.keep.file.path in joined:
                continue
            copies = list(first.copies)
            for other in every[number + 1 :]:
                if other.keep.file.path not in joined:
                    copy = self._review(first.keep, other.keep, contents)
                    if copy is not None:
                        joined.add(other.keep.file.path)
                        copies += [copy, *other.copies]
            yield Cluster(first.keep, first.reason, tuple(copies))

    def _review(
        self, keep: Candidate, one: Candidate, contents: Mapping[str, Content]
    ) -> Copy | None:
        links = {keep.node, *self.of.network.copies(keep.node)}
        if one.node not in links or not self.of.may_group(keep, one):
            return None
        copy = self._copy(keep, one, contents, False)
        return copy if copy is not None and copy.relation not in SAME else None

    def _with_less(self, contents: Mapping[str, Content]) -> dict[str, Content]:
        """Marks what is a cut, an enlargement or a frame of the first, or the first as one of these."""
        less: set[int] = set()
        for node in {one.node for one in self.files} - {self.first.node}:
            agreement = self.of.agreements.of(node, self.first.node)
            if agreement is not None and agreement.relation in RELATIONS:
                less |= self._lesser(node, agreement)
        return {
            one.file.path: _marked(contents[one.file.path], one.node in less) for one in self.files
        }

    def _lesser(self, node: int, agreement: Agreement) -> set[int]:
        """Which of a picture and the first shows less of the scene, or no more at more pixels."""
        first, agreements = self.first.node, self.of.agreements
        mine, its = agreement.shown
        back = inverse(agreement.transform)
        if min(mine, its) >= WHOLE:
            if agreement.scale > 1 / SMALLER and agreements.is_enlarged(node, first, agreement.transform):
                return {first}
            if agreement.scale < SMALLER and agreements.is_enlarged(first, node, back):
                return {node}
            return set()
        if mine >= WHOLE:
            around = agreements.is_laid_around(first, node, agreement.transform)
            return {first} if around else {node}
        if its >= WHOLE:
            return {node} if agreements.is_laid_around(node, first, back) else {first}
        return {node if its > mine else first}

    def _copies(
        self, keep: Candidate, settled: set[str], contents: Mapping[str, Content]
    ) -> list[Copy]:
        # A protected file is named beside each copy of it, but stands for itself only once.
        links = {keep.node, *self.of.network.copies(keep.node)}
        open_ones = [
            one
            for one in best_first(self.files, self.of.rules.keep, contents)
            if one.node in links and one.file.path not in settled and self.of.may_group(keep, one)
        ]
        self.of.agreements.explore((one.node, keep.node) for one in open_ones if one.node != keep.node)
        copies: list[Copy] = []
        n_kept = 1
        for one in open_ones:
            copy = self._copy(keep, one, contents, n_kept < self.of.rules.n_kept)
            if copy is not None and copy.relation in SAME:
                n_kept += copy.action == "keep"
                copies.append(copy)
        return copies

    def _copy(
        self, keep: Candidate, one: Candidate, contents: Mapping[str, Content], is_kept_too: bool
    ) -> Copy | None:
        mine, kept = contents[one.file.path], contents[keep.file.path]
        agreement = self.of.agreements.of(one.node, keep.node) if one.node != keep.node else None
        relation = _relation(one, keep, mine, kept, agreement)
        if relation is None:
            if agreement is not None and agreement.relation == "same-scene":
                self.of.related.append(Related(path=one.file.path, other=keep.file.path))
            return None
        likeness = self.of.network.alike(one.node, keep.node) if one.node != keep.node else None
        lacks = lacking(mine, kept, relation, agreement)
        action, reason = self._decided(one, keep, relation, lacks)
        if is_kept_too and action == "remove":
            action, reason = "keep", f"kept: {self.of.rules.n_kept} copies are wanted"
        return Copy(one, keep, action, relation, likeness or IDENTICAL, reason, agreement, lacks)

    def _decided(
        self, one: Candidate, keep: Candidate, relation: Relation, lacks: tuple[str, ...]
    ) -> tuple[Action, str]:
        what = f"{_WORDS[relation]} {keep.file.path}"
        if one.file.protected:
            return "keep", one.file.protected
        if relation in ("part", "edited"):
            if relation in self.of.rules.remove and not lacks:
                return "remove", what
            return "review", what + (f"; that one lacks {', '.join(lacks)}" if lacks else "")
        if lacks:
            return "keep", f"kept: {what}, which lacks {', '.join(lacks)}"
        return "remove", what

    def _why(
        self, keep: Candidate, copies: Sequence[Copy], contents: Mapping[str, Content]
    ) -> str:
        if keep.file.protected:
            return f"kept: {keep.file.protected}"
        return f"kept: {why_better(keep, copies[0].one, self.of.rules.keep, contents)}"


def _relation(
    one: Candidate, keep: Candidate, mine: Content, kept: Content, agreement: Agreement | None
) -> Relation | None:
    """What a file is to a kept one; None for no copy."""
    if one.file.sha256 == keep.file.sha256:
        return "identical-bytes"
    held, other = mine.holdings, kept.holdings
    if held.samples == other.samples:
        return "identical-pixels"
    if held.lost_by_conversion or other.lost_by_conversion:
        return None
    both_deep = min(held.bits, other.bits) > DEEP
    if one.node == keep.node:
        # They look the same in 8 bits, and are not: in more bits, in transparency, on other pages.
        return "edited" if both_deep or max(held.n_pictures, other.n_pictures) > 1 else "same-picture"
    if agreement is None or agreement.relation not in RELATIONS:
        return None
    relation = cast(Relation, agreement.relation)
    return "edited" if both_deep and relation == "same-picture" else relation


_WORDS: Mapping[Relation, str] = {
    "identical-bytes": "same bytes as",
    "identical-pixels": "same pixels as",
    "same-picture": "the same picture as",
    "part": "part of the same picture as",
    "edited": "an edited copy of",
}


def _marked(content: Content, is_less: bool) -> Content:
    return Content(content.holdings, content.companions, is_less)


def _n_pixels(one: Candidate) -> int:
    return one.size_wh[0] * one.size_wh[1]


def group_of(cluster: Cluster, number: int) -> Group:
    """A cluster as a group of the plan: every name of every file, the kept one first."""
    members = list(_members(Copy(cluster.keep, cluster.keep, "keep", "identical-bytes", IDENTICAL, cluster.reason)))
    members = [one.model_copy(update={"relation": None, "copy_of": ""}) for one in members]
    for copy in cluster.copies:
        members += _members(copy)
    relation = max((copy.relation for copy in cluster.copies), key=RELATIONS.index)
    return Group(group=number, relation=relation, members=tuple(members))


def _members(copy: Copy) -> list[Member]:
    one = copy.one
    first, *others = one.file.names
    reasons = [copy.reason, *(f"another name (hard link) of {first}" for _ in others)]
    differs = copy.agreement.differs[0] if copy.agreement else ()
    return [
        Member(
            path=name,
            action=copy.action,
            similarity_to_keep=round(copy.likeness.score, 6),
            identical_to_keep=copy.relation in ("identical-bytes", "identical-pixels"),
            width=one.size_wh[0],
            height=one.size_wh[1],
            bytes=one.file.bytes,
            reason=said,
            relation=copy.relation,
            differs=tuple(
                (math.floor(box.x1), math.floor(box.y1), math.ceil(box.x2), math.ceil(box.y2))
                for box in differs
            ),
            lacks=copy.lacks,
            copy_of=copy.of.file.path,
        )
        for name, said in zip(one.file.names, reasons, strict=True)
    ]
