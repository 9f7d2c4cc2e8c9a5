"""What agrees and what differs between two pictures laid over each other, and what follows.

    agreement = agree(one, other, transform)
    agreement.relation, agreement.differs

Keypoints and vectors tell what two pictures share. Whether one is a copy of the other is told by
what they do not share, and that is no average: an entry in a form, a closed eye are small.
"""

from objsearch.agree.agreement import agree
from objsearch.agree.base import Agreement, Relation

__all__ = ["Agreement", "Relation", "agree"]
