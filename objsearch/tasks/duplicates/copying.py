"""What a file is to one that stays, what becomes of it, and why, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from objsearch.agree import Agreement
from objsearch.settings import Duplicates
from objsearch.tasks.duplicates.agreeing import Agreements
from objsearch.tasks.duplicates.companions import is_called_raw
from objsearch.tasks.duplicates.keeping import Candidate, Content
from objsearch.tasks.duplicates.lesser import is_finer, is_other_shot, is_unclear, worn
from objsearch.tasks.duplicates.likeness import Likeness
from objsearch.tasks.duplicates.losses import SMALLER, is_told_otherwise, lacking
from objsearch.tasks.duplicates.network import Network
from objsearch.types.plans import RELATIONS, Action, Related, Relation

IDENTICAL = Likeness(1.0)
SAME: tuple[Relation, ...] = RELATIONS[:3]
"""What one file can stand for another of."""
REVIEWED: tuple[Relation, ...] = ("part", "edited")
"""What a person has to decide on."""
DEEP = 8
"""Bits a sample of which an eight-bit copy shows the most significant only."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of a group: what it is to `of`, a file that stays, and what becomes of it."""

    candidate: Candidate
    of: Candidate
    action: Action
    relation: Relation
    likeness: Likeness
    reason: str
    agreement: Agreement | None = None
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copying:
    """Compares a file with one that stays; `related` gathers what shows the same scene alone."""

    rules: Duplicates
    network: Network
    agreements: Agreements
    related: list[Related] = field(default_factory=list)

    def copy(
        self,
        keep: Candidate,
        candidate: Candidate,
        contents: Mapping[str, Content],
        is_kept_too: bool,
    ) -> Copy | None:
        """What a file is to one that stays; None for no copy. `is_kept_too`: as copies are wanted.

        What shows the same scene goes into `related`.
        """
        mine, kept = contents[candidate.file.path], contents[keep.file.path]
        agreement = (
            self.agreements.of(candidate.node, keep.node) if candidate.node != keep.node else None
        )
        relation = _relation(candidate, keep, mine, kept, agreement)
        if self.rules.exact_only and relation not in RELATIONS[:2]:
            relation = None
        if relation is None:
            if agreement is not None and agreement.relation == "same-scene":
                self.related.append(Related(path=candidate.file.path, other=keep.file.path))
            return None
        likeness = (
            self.network.alike(candidate.node, keep.node) if candidate.node != keep.node else None
        )
        if likeness is None and agreement is not None:
            likeness = Likeness(agreement.same_shot)
        is_worn = self._is_worn(keep, candidate, agreement)
        lacks = lacking(mine, kept, relation, agreement, is_worn=is_worn)
        what = f"{_WORDS[relation]} {keep.file.path}{_how(agreement)}"
        told_otherwise = is_told_otherwise(mine, kept, relation)
        action, reason = self._decided(candidate, what, relation, lacks, told_otherwise)
        if action == "remove":
            action, reason = self._doubted(keep, candidate, what, agreement)
        if is_kept_too and action == "remove":
            action, reason = "keep", f"kept: {self.rules.n_kept} copies are wanted"
        return Copy(
            candidate, keep, action, relation, likeness or IDENTICAL, reason, agreement, lacks
        )

    def _is_worn(self, keep: Candidate, candidate: Candidate, agreement: Agreement | None) -> bool:
        """Whether the kept one lost something that this one has."""
        if agreement is None or agreement.relation not in ("same-picture", "edited"):
            return False
        return worn(self.agreements, candidate.node, keep.node, agreement) == keep.node

    def _doubted(
        self, keep: Candidate, candidate: Candidate, what: str, agreement: Agreement | None
    ) -> tuple[Action, str]:
        """What happens to a copy that would go."""
        if agreement is not None:
            for doubt, words in _DOUBTS:
                if doubt(self.agreements, candidate.node, keep.node, agreement):
                    return "review", f"{what}; {words}"
        if is_called_raw(candidate.file.path) > is_called_raw(keep.file.path):
            return "keep", f"kept: {what}, but called camera raw"
        return "remove", what

    def _decided(
        self,
        candidate: Candidate,
        what: str,
        relation: Relation,
        lacks: tuple[str, ...],
        told_otherwise: bool,
    ) -> tuple[Action, str]:
        if candidate.file.protected:
            return "keep", candidate.file.protected
        is_alike = relation not in ("part", "edited")
        if not lacks:
            goes = is_alike or relation in self.rules.remove
            return ("remove" if goes else "review"), what
        if is_alike and not told_otherwise:
            return "keep", f"kept: {what}, which lacks {', '.join(lacks)}"
        return "review", f"{what}; that one lacks {', '.join(lacks)}"


def _relation(
    candidate: Candidate, keep: Candidate, mine: Content, kept: Content, agreement: Agreement | None
) -> Relation | None:
    """What a file is to a kept one; None for no copy."""
    if candidate.file.sha256 == keep.file.sha256:
        return "identical-bytes"
    held, other = mine.holdings, kept.holdings
    if held.samples == other.samples:
        return "identical-pixels" if held.timing == other.timing else "edited"
    if held.lost_by_conversion or other.lost_by_conversion or held.is_clear != other.is_clear:
        return None
    both_deep = min(held.bits, other.bits) > DEEP
    if candidate.node == keep.node:
        # They look the same in 8 bits, and are not: in more bits, in transparency, on other pages.
        return (
            "edited" if both_deep or max(held.n_pictures, other.n_pictures) > 1 else "same-picture"
        )
    if agreement is None or agreement.relation not in RELATIONS:
        return None
    relation = cast(Relation, agreement.relation)
    return "edited" if both_deep and relation == "same-picture" else relation


_DOUBTS = (
    (is_unclear, "which of the two was resized cannot be told"),
    (is_finer, "which of the two was smoothed or sharpened cannot be told"),
    (is_other_shot, "they share no grain: each seems to be a shot of its own"),
)
_WORDS: Mapping[Relation, str] = {
    "identical-bytes": "same bytes as",
    "identical-pixels": "same pixels as",
    "same-picture": "the same picture as",
    "part": "part of the same picture as",
    "edited": "an edited copy of",
}


def _how(agreement: Agreement | None) -> str:
    """How a picture differs from the kept one: `: mirrored, turned by 25°, showing 49% of it`."""
    if agreement is None:
        return ""
    n_places = len(agreement.differs[0])
    told = {
        "mirrored": agreement.mirrored,
        f"turned by {agreement.degrees:.0f}°": agreement.degrees >= 1.5,
        f"at {1 / agreement.scale:.0%} of its scale": not SMALLER < agreement.scale < 1 / SMALLER,
        f"showing {min(0.99, agreement.shown[1]):.0%} of it": agreement.shown[1] < 1,
        f"differing in {n_places} {'place' if n_places == 1 else 'places'}": agreement.relation
        == "edited"
        and n_places > 0,
    }
    words = [word for word, holds in told.items() if holds]
    return f": {', '.join(words)}" if words else ""
