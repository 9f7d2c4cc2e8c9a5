"""Share of equal bits of two binary codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from objsearch.match.base import Matcher
from objsearch.types import BinaryDescriptor, Descriptor, Scores


class Hamming(Matcher):
    """1 for equal codes, 0.5 for unrelated ones; 0 where a code rests on too little structure."""

    name = "hamming"
    accepts = frozenset({"binary"})

    min_quality: float = Field(
        0.5, ge=0, le=1, description="codes below this quality match nothing (PDQ advises 0.5)"
    )

    def score_pairs(self, query: Sequence[Descriptor], reference: Sequence[Descriptor]) -> Scores:
        q_bits, q_usable = self._stacked(query)
        r_bits, r_usable = self._stacked(reference)
        different = np.bitwise_count(q_bits[:, None, :] ^ r_bits[None, :, :]).sum(axis=2)
        scores = 1.0 - different / (8.0 * q_bits.shape[1])
        return np.asarray(np.where(np.outer(q_usable, r_usable), scores, 0.0))

    def _stacked(self, descriptors: Sequence[Descriptor]) -> tuple[np.ndarray, np.ndarray]:
        binary = [
            descriptor for descriptor in descriptors if isinstance(descriptor, BinaryDescriptor)
        ]
        usable = np.array([descriptor.quality >= self.min_quality for descriptor in binary])
        return np.stack([descriptor.code for descriptor in binary]), usable
