"""Which calibration makes a score: the one of the descriptors that both sides have.

Where one side has fewer than the settings say, such as a query described otherwise, the calibration
fitted for those in common counts, if there is one, and else the stated fallback, which spreads
the weights over them. The answer says so, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from objsearch.match.calibration import Calibration
from objsearch.match.ratio_test import RatioTest
from objsearch.settings import Settings
from objsearch.types import DescribedImage, Hit

Aliases = frozenset[str]

NOTHING_IN_COMMON = "nothing_in_common"
"""The note of a hit whose two sides have no descriptor of the same alias."""


class Scoring:
    """The calibrations of some settings, by the descriptors that count."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        channels = settings.descriptors
        self.local = tuple(c for c in channels if isinstance(c.matcher, RatioTest))
        self.whole = tuple(c for c in channels if c not in self.local)
        self.every: Aliases = frozenset(channel.alias for channel in settings.descriptors)
        self._known = {self.every: settings.load_calibration()}

    def of(self, aliases: Aliases) -> Calibration:
        """The calibration of a comparison by some descriptors."""
        known = self._known.get(aliases)
        if known is None:
            known = self._known[aliases] = self.settings.calibration_of(aliases)
        return known

    def common(self, query: DescribedImage, reference: DescribedImage) -> Aliases:
        """The aliases that both sides have descriptors of."""
        of_query, of_reference = query.descriptors, reference.descriptors
        return frozenset(
            alias for alias in self.every if of_query.get(alias) and of_reference.get(alias)
        )

    def light(
        self, query: DescribedImage, scores: Sequence[Mapping[str, float]]
    ) -> NDArray[np.float64]:
        """(N,) what whole-crop descriptors alone make of candidates; 0 without any."""
        local = {c.alias for c in self.local if query.descriptors.get(c.alias)}
        places: dict[tuple[str, ...], list[int]] = {}
        for i, known in enumerate(scores):
            places.setdefault(tuple(known), []).append(i)
        light = np.zeros(len(scores))
        for scored, at in places.items():
            aliases = [c.alias for c in self.whole if c.alias in scored]
            if aliases:
                features = {alias: np.array([scores[i][alias] for i in at]) for alias in aliases}
                light[at] = self.of(frozenset(aliases) | local).probabilities(features)
        return light

    def notes(self, hits: Iterable[Hit]) -> list[str]:
        """What is to be said of how hits were scored, each thing once; mostly nothing."""
        sets = {self.every, *(frozenset(hit.aliases) for hit in hits)}
        notes = [self._note(aliases) for aliases in sorted(sets, key=_largest_first)]
        return [note for note in notes if note]

    def _note(self, aliases: Aliases) -> str:
        missing = _listed(self.every - aliases)
        if not aliases:
            return f"some were not compared: of {missing} both sides have none in common"
        is_fallback = self.of(aliases).is_fallback
        if aliases == self.every:
            return FALLBACK_TOLD.format(_listed(aliases)) if is_fallback else ""
        how = "the stated fallback, which nobody fitted" if is_fallback else "the calibration"
        return (
            f"some were compared without {missing}, which one side lacks: "
            f"their scores are by {how} for {_listed(aliases)}"
        )


FALLBACK_TOLD = (
    "no calibration was fitted for {}: scores are by the stated fallback; 'objsearch calibrate' "
    "fits one to your photos"
)


def _largest_first(aliases: Aliases) -> tuple[int, list[str]]:
    return -len(aliases), sorted(aliases)


def _listed(aliases: Aliases) -> str:
    return " and ".join(f"'{alias}'" for alias in sorted(aliases))
