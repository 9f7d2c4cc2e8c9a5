"""What screening says of a picture."""

from __future__ import annotations

from dataclasses import dataclass

UNSCREENED = "unscreened"
"""The rule of a picture that could not be looked at: it is never called clean."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A rule that a picture is caught by, with the rule's score and its reason in words.

    `rule` is `block-list`, `examples`, a classifier's name, or `unscreened`.
    """

    rule: str
    score: float
    reason: str
