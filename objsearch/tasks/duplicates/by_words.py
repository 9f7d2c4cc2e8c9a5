"""Candidates by keypoints: what no vector of a whole picture leads to.

A corner of a picture, a collage that holds it, a wide frame around it look like something else as a
whole; a few hundred keypoints filed under visual words (`objsearch.index.postings`) lead to it in
two milliseconds. They only propose: pairs are verified as all others are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from objsearch.index.postings import build_postings, votes
from objsearch.index.visual_words import VisualWords
from objsearch.index.vocabulary import CODE_BYTES, load_vocabulary
from objsearch.tasks.duplicates.candidates import Pair
from objsearch.types import DescribedImage, LocalFeatures

WORDS = VisualWords()
"""How keypoints are filed and told apart: as that index does it."""
CANDIDATES = 2
LEAST_VOTES = 0.03
"""Of strangers, the best has a third of that as a rule; of copies, ten times as much."""
MOST_ENTRIES = 20_000_000
"""Keypoints that are filed, about 20 bytes each: of very many pictures, the first of each."""

Codes = NDArray[np.uint8]


def codes_of(image: DescribedImage) -> Codes:
    """(K, 32) codes of the full frame; none where there are no such keypoints."""
    for parts in image.descriptors.values():
        frame = parts[-1] if parts else None
        if isinstance(frame, LocalFeatures) and frame.codes.dtype == np.uint8:
            codes = np.asarray(frame.codes, np.uint8)
            if codes.ndim == 2 and codes.shape[1] == CODE_BYTES:
                return codes
    return np.zeros((0, CODE_BYTES), np.uint8)


def pairs_by_words(codes: Mapping[int, Codes]) -> list[list[Pair]]:
    """Rounds of pairs (i, j), i < j: each picture with what most of its keypoints speak for."""
    numbers = list(codes)
    most = MOST_ENTRIES // max(1, len(numbers))
    filed = [codes[number][:most] for number in numbers]
    if len(numbers) < 2 or not any(map(len, filed)):
        return []
    vocabulary = load_vocabulary(WORDS.vocabulary)
    words = [vocabulary.words(own)[:, 0] for own in filed]
    signatures = [vocabulary.signatures(own) for own in filed]
    postings = build_postings(
        np.concatenate(words),
        np.concatenate(signatures),
        np.array([len(own) for own in filed], np.int32),
        vocabulary.n_words,
    )
    rounds: list[dict[Pair, None]] = [{} for _ in range(CANDIDATES)]
    for place, number in enumerate(numbers):
        asked = words[place][:, None], signatures[place]
        said = votes(postings, *asked, WORDS.max_distance, WORDS.reach)
        said[place] = 0.0
        for rank, other in enumerate(_best(said)):
            first, second = sorted((number, numbers[other]))
            rounds[rank][first, second] = None
    return [list(pairs) for pairs in rounds]


def _best(said: NDArray[np.float64]) -> Sequence[int]:
    """Places of the most votes, best first, that are enough."""
    count = min(CANDIDATES, len(said))
    best = np.argpartition(-said, count - 1)[:count]
    best = best[np.argsort(-said[best], kind="stable")]
    return [int(place) for place in best if said[place] >= LEAST_VOTES]
