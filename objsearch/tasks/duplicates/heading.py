"""What may head a group: nothing that is less than one of the others, at more pixels or bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from objsearch.agree import Agreement
from objsearch.settings import Duplicates
from objsearch.tasks.duplicates.agreeing import Agreements
from objsearch.tasks.duplicates.copying import REVIEWED, SAME
from objsearch.tasks.duplicates.keeping import Candidate, Content, looks_at_quality
from objsearch.tasks.duplicates.lesser import is_made_of, lesser
from objsearch.tasks.duplicates.network import Network
from objsearch.types.plans import Relation


@dataclass(slots=True)
class Heading:
    """Compares what would be kept with the others; `made` gathers what was made of another."""

    rules: Duplicates
    network: Network
    agreements: Agreements
    made: set[int] = field(default_factory=set)

    def is_less(
        self,
        keep: Candidate,
        others: Sequence[Candidate],
        relations: Sequence[Relation],
        contents: Mapping[str, Content],
    ) -> bool:
        """Whether one of the others is more than what would be kept, at fewer pixels or bytes.

        An enlargement, a collage or a screenshot has the most pixels, and stands for nothing. What
        was compressed hard and saved again without loss has the most bytes.
        """
        if keep.file.protected:
            return False
        self.network.explore([keep.node])
        links = self.network.copies(keep.node)
        linked = [
            candidate
            for candidate in others
            if candidate.node in links
            and (relations is REVIEWED or self.agreements.may_be_same(candidate.node, keep.node))
        ]
        self.agreements.explore((candidate.node, keep.node) for candidate in linked)
        for other in linked:
            agreement = self.agreements.of(other.node, keep.node)
            if agreement is None or agreement.relation not in relations:
                continue
            if other.node in self.made:
                continue  # it is no better than what it was made of, which is here, too
            has_more = agreement.shown[0] == 1 > agreement.shown[1] or relations is SAME
            if has_more and keep.node in lesser(self.agreements, other.node, keep.node, agreement):
                return True
            if relations is SAME and self._is_made_of(keep, other, agreement, contents):
                self.made.add(keep.node)
                return True
        return False

    def _is_made_of(
        self,
        keep: Candidate,
        other: Candidate,
        agreement: Agreement,
        contents: Mapping[str, Content],
    ) -> bool:
        """Whether what would be kept is another picture, stored once more."""
        if not looks_at_quality(self.rules.keep):
            return False
        is_equal = contents[keep.file.path].key == contents[other.file.path].key
        return is_made_of(self.agreements, keep.node, other.node, agreement, is_equal=is_equal)
