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
from objsearch.types import DescribedImage

RANKED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class ChannelRanker:
    """Ranks many images by one descriptor, on several threads where each takes a while."""

    channel: Channel
    n_workers: int = 1

    def stacked(self, images: Sequence[DescribedImage]) -> Any:
        name = self.channel.extractor.name
        return matcher_of(self.channel).stacked([image.descriptors[name] for image in images])

    def rank(self, query: DescribedImage, stack: Any) -> NDArray[np.float64]:
        matcher, own = matcher_of(self.channel), query.descriptors[self.channel.extractor.name]
        if not isinstance(stack, list):
            return matcher.coarse(own, stack)
        parts = ordered_map(
            partial(matcher.coarse, own), batches(stack, RANKED_AT_ONCE), workers=self.n_workers
        )
        return np.concatenate([*parts, np.zeros(0)])


def matcher_of(channel: Channel) -> Matcher:
    """The matcher that compares a channel's descriptors."""
    assert channel.matcher is not None  # the validators of Channel see to it
    return channel.matcher
