"""Many images ranked by one descriptor, for choosing candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objsearch.flow import batches, ordered_map
from objsearch.match.base import Matcher
from objsearch.settings import Channel
from objsearch.types import DescribedImage, Descriptor

RANKED_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Images made ready: `has` (N,) those with such a descriptor, and what these are to a
    matcher."""

    has: NDArray[np.bool_]
    stack: Any


@dataclass(frozen=True, slots=True)
class ChannelRanker:
    """Ranks many images by one descriptor, on several threads where each takes a while.

    An image without it, or all for a query without it, has no number (NaN): nothing is known.
    """

    channel: Channel
    n_workers: int = 1

    def stacked(self, images: Sequence[DescribedImage]) -> Ranked:
        every = [image.descriptors.get(self.channel.alias) for image in images]
        known = [descriptors for descriptors in every if descriptors]
        has = np.fromiter(map(bool, every), bool, len(every))
        return Ranked(has, matcher_of(self.channel).stacked(known))

    def rank(self, query: DescribedImage, stack: Ranked) -> NDArray[np.float64]:
        own = query.descriptors.get(self.channel.alias)
        scores = np.full(len(stack.has), np.nan)
        if own:
            scores[stack.has] = self._ranked(own, stack.stack)
        return scores

    def _ranked(self, own: Sequence[Descriptor], stack: Any) -> NDArray[np.float64]:
        coarse = partial(matcher_of(self.channel).coarse, own)
        if not isinstance(stack, list):
            return coarse(stack)
        parts = ordered_map(coarse, batches(stack, RANKED_AT_ONCE), workers=self.n_workers)
        return np.concatenate([*parts, np.zeros(0)])


def matcher_of(channel: Channel) -> Matcher:
    """The matcher that compares a channel's descriptors."""
    assert channel.matcher is not None  # the validators of Channel see to it
    return channel.matcher
