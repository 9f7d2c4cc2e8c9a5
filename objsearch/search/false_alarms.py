"""How many wrong hits as good as this one are to be expected: rates of different pairs, added up.

A search among n references compares n different pairs, or one less; the tail of the calibration
says which part of such pairs reaches a score (`match.tail`). Expected numbers add up, whether or
not the references have to do with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from objsearch.errors import ConfigError
from objsearch.match.tail import Tail
from objsearch.search.scoring import Scoring
from objsearch.settings import Search
from objsearch.types import Hit

UNKNOWN = (
    "search.max_false_alarms: nobody has measured what different photos score by {}; "
    "'objsearch calibrate' measures it on photos of yours"
)
BY_RANK = (
    "search.max_false_alarms: scores by 'fusion: rrf' are made of ranks, and how often different "
    "photos reach one is not known; take max, mean or min"
)


def refuse_unknown(search: Search, scoring: Scoring, n_views: int) -> None:
    """Raises ConfigError where hits are to be left out by what nobody knows."""
    if search.max_false_alarms is None:
        return
    if _is_by_rank(search, n_views):
        raise ConfigError(BY_RANK)
    if scoring.of(scoring.every).tail is None:
        raise ConfigError(UNKNOWN.format(" and ".join(sorted(scoring.every))))


def with_false_alarms(
    hits: Iterable[Hit], search: Search, scoring: Scoring, n_references: int, n_views: int
) -> list[Hit]:
    """The hits with what is to be expected among so many references, where it is known.

    Of several views the fused score is reached where one view's is, but for the least of all
    (`min`): so the rates of the views are added. A score lowered for what is not wanted was higher
    before: what is said is too much then, not too little.
    """
    if _is_by_rank(search, n_views):
        return list(hits)
    n_pairs = n_references * (1 if search.fusion == "min" else n_views)
    return [replace(hit, false_alarms=_expected(hit, scoring, n_pairs)) for hit in hits]


def _expected(hit: Hit, scoring: Scoring, n_pairs: int) -> float | None:
    if hit.score >= 1.0:  # equal pixels, whatever they were described by
        return 0.0
    tail: Tail | None = scoring.of(frozenset(hit.aliases)).tail
    return None if tail is None else tail.false_alarms(hit.score, n_pairs, hit.verdict == "same")


def _is_by_rank(search: Search, n_views: int) -> bool:
    return search.fusion == "rrf" and n_views > 1


def left_out_unknown(search: Search, hits: Sequence[Hit]) -> list[str]:
    """What is to be said of hits that `max_false_alarms` leaves out for being unknown."""
    n_unknown = sum(hit.false_alarms is None and hit.score >= search.threshold for hit in hits)
    if search.max_false_alarms is None or not n_unknown:
        return []
    return [
        f"{n_unknown} left out by search.max_false_alarms: compared by fewer descriptors, for "
        "which nobody has measured what different photos score"
    ]
