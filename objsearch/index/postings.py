"""An inverted file: which images hold a visual word. Arrays in, arrays out; it knows no files.

Images are voted for by keypoints of the same word whose signatures agree (Hamming embedding:
Jegou, Douze, Schmid, ECCV 2008), rare words count more, and a keypoint with many votes counts less
(burstiness: Jegou, Douze, Schmid, CVPR 2009).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from objsearch.index.filed import Filed

LONG_RUN = 200
"""Entries of a word, on average, from which on each word is gone through by itself."""

ENTRIES_AT_ONCE = 1 << 20
"""Entries compared at a time; bounds the memory of a query, whatever the number of images."""


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """Entries in the order of words, and of images within a word.

    `starts` (W + 1,) int64: the entries of word w are starts[w] to starts[w + 1]; `images` (E,)
    int32 and `signatures` (E, S) uint64 of each entry, which may lie in files; `rarity` (W,)
    float32 weight of a word; `n_points` (N,) int32 keypoints of each image.
    """

    starts: NDArray[np.int64]
    images: NDArray[np.int32] | Filed
    signatures: NDArray[np.uint64] | Filed
    rarity: NDArray[np.float32]
    n_points: NDArray[np.int32]

    @property
    def n_bytes(self) -> int:
        arrays = (self.starts, self.images, self.signatures, self.rarity, self.n_points)
        return sum(array.nbytes for array in arrays)


def build_postings(
    words: NDArray[np.int32],
    signatures: NDArray[np.uint64],
    n_points: NDArray[np.int32],
    n_words: int,
) -> Postings:
    """Sort keypoints by word.

    `words` (E,) and `signatures` (E, S) of all keypoints, image after image; `n_points` (N,) how
    many each image has.
    """
    # Sorting two-byte numbers takes one pass each byte, however many there are.
    keys = words.astype(np.uint16) if n_words <= 1 << 16 else words
    order = np.argsort(keys, kind="stable")
    images = np.repeat(np.arange(len(n_points), dtype=np.int32), n_points)[order]
    starts = np.zeros(n_words + 1, np.int64)
    np.cumsum(np.bincount(words, minlength=n_words), out=starts[1:])
    rarity = _rarity(starts, images, len(n_points))
    return Postings(starts, images, signatures[order], rarity, n_points.astype(np.int32))


def _rarity(
    starts: NDArray[np.int64], images: NDArray[np.int32], n_images: int
) -> NDArray[np.float32]:
    """(W,) log(1 + images / images with the word)."""
    is_first = np.ones(len(images) + 1, np.int64)
    is_first[1:-1] = images[1:] != images[:-1]
    is_first[starts] = 1  # an image that ends one word may begin the next
    before = np.concatenate([[0], np.cumsum(is_first[:-1])])
    return weight_of(before[starts[1:]] - before[starts[:-1]], n_images)


def weight_of(holding: NDArray[np.int64], n_images: int) -> NDArray[np.float32]:
    """(W,) weight of words by how many images hold each."""
    return np.asarray(np.log1p(n_images / np.maximum(holding, 1)), np.float32)


@dataclass(frozen=True, eq=False)
class Segment:
    """Postings of some images: `places` (N,) int64, which of all images each is; -1: none now."""

    postings: Postings
    places: NDArray[np.int64]

    @cached_property
    def is_whole(self) -> bool:
        """Whether every image is there."""
        return bool((self.places >= 0).all())

    @cached_property
    def holding(self) -> NDArray[np.int64]:
        """(W,) images that are there and have a word. Looks at every entry, some at a time."""
        starts, images = self.postings.starts, self.postings.images
        counted = np.zeros(len(starts) - 1, np.int64)
        bounds = np.searchsorted(starts, np.arange(0, starts[-1], ENTRIES_AT_ONCE))
        for a, b in pairwise(np.unique([*bounds, len(counted)]).tolist()):
            own = starts[a : b + 1] - starts[a]
            part = np.asarray(images[starts[a] : starts[b]])
            counts = np.ones(len(part) + 1, bool)
            counts[1:-1] = part[1:] != part[:-1]
            counts[own] = True  # an image that ends one word may begin the next
            counts[:-1] &= self.places[part] >= 0
            before = np.concatenate([[0], np.cumsum(counts[:-1])])
            counted[a:b] = before[own[1:]] - before[own[:-1]]
        return counted


def votes(
    postings: Postings,
    words: NDArray[np.int32],
    signatures: NDArray[np.uint64],
    max_distance: int,
    reach: float,
) -> NDArray[np.float64]:
    """(N,) how much the keypoints of a query speak for each image, 0 and up.

    `words` (Q, M) the words each keypoint is looked up under, `signatures` (Q, S). An entry counts
    exp(-(d / reach)^2) where its signature differs in d <= max_distance bits. A keypoint votes once
    an image, by its best entry, and the votes of one are divided by the root of their sum.
    """
    n_images = len(postings.n_points)
    whole = Segment(postings, np.arange(n_images))
    return votes_of([whole], n_images, words, signatures, max_distance, reach)


def votes_of(
    segments: Sequence[Segment],
    n_images: int,
    words: NDArray[np.int32],
    signatures: NDArray[np.uint64],
    max_distance: int,
    reach: float,
) -> NDArray[np.float64]:
    """The same of images that are spread over several segments, each in one of them."""
    total, n_points = np.zeros(n_images), np.zeros(n_images)
    rarity = _shared_rarity(segments, n_images)
    for segment in segments:
        is_there = segment.places >= 0
        n_points[segment.places[is_there]] = segment.postings.n_points[is_there]
    for part in _parts(segments, words):
        entries = [
            _said(segment, words[part], signatures[part], rarity, (max_distance, reach), n_images)
            for segment in segments
        ]
        rows, images, weights = (np.concatenate(parts) for parts in zip(*entries, strict=True))
        said = np.bincount(rows, weights=weights, minlength=1)
        total += np.bincount(images, weights=weights / np.sqrt(said[rows]), minlength=n_images)
    # Of two images with as many votes, the one with fewer keypoints to win them is likelier.
    return np.asarray(total / np.sqrt(np.maximum(n_points, 1)))


def _shared_rarity(segments: Sequence[Segment], n_images: int) -> NDArray[np.float32]:
    """(W,) what the rarity would be of one file of all images that are there."""
    if len(segments) == 1 and segments[0].is_whole:
        return segments[0].postings.rarity
    return weight_of(np.sum([segment.holding for segment in segments], axis=0), n_images)


def _said(
    segment: Segment,
    words: NDArray[np.int32],
    signatures: NDArray[np.uint64],
    rarity: NDArray[np.float32],
    fading: tuple[int, float],
    n_images: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Of each keypoint and image of a segment that speak for each other: both, and how much."""
    postings, (max_distance, reach) = segment.postings, fading
    n_entries = int((postings.starts[words + 1] - postings.starts[words]).sum())
    is_long = n_entries > LONG_RUN * words.size or isinstance(postings.signatures, Filed)
    meet = _met_by_runs if is_long else _met
    rows, met, looked_up, distances = meet(postings, words, signatures, max_distance)
    images = segment.places[met]
    weights = np.exp(-((distances / reach) ** 2)) * rarity[looked_up]
    is_there = images >= 0
    if not is_there.all():
        rows, images, weights = rows[is_there], images[is_there], weights[is_there]
    return _best_only(rows, images, np.asarray(weights, np.float64), n_images)


Met = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.uint16]]
"""Keypoints and images of entries near each other, the words they meet under, the distances."""


def _met(
    postings: Postings, words: NDArray[np.int32], signatures: NDArray[np.uint64], most: int
) -> Met:
    """All at once: for words with few entries each."""
    assert isinstance(postings.signatures, np.ndarray) and isinstance(postings.images, np.ndarray)
    rows, entries, looked_up = _entries(postings, words)
    distances = _differing(postings.signatures[entries], signatures[rows])
    near = distances <= most
    return rows[near], postings.images[entries[near]], looked_up[near], distances[near]


def _met_by_runs(
    postings: Postings, words: NDArray[np.int32], signatures: NDArray[np.uint64], most: int
) -> Met:
    """Word after word: the entries of one lie side by side, and few of them are worth a copy."""
    stored, its_images, flat = postings.signatures, postings.images, words.ravel()
    starts, ends = postings.starts[flat].tolist(), postings.starts[flat + 1].tolist()
    counts = np.zeros(len(flat), np.int64)
    images, distances = [np.zeros(0, np.int32)], [np.zeros(0, np.uint16)]
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        differing = _differing(stored[start:end], signatures[i // words.shape[1]])
        near = np.flatnonzero(differing <= most)
        counts[i] = len(near)
        if len(near):
            distances.append(differing[near])
            images.append(its_images[start:end][near])
    at = np.repeat(np.arange(len(flat)), counts)
    return at // words.shape[1], np.concatenate(images), flat[at], np.concatenate(distances)


def _parts(segments: Sequence[Segment], words: NDArray[np.int32]) -> Iterator[slice]:
    """Runs of keypoints with about ENTRIES_AT_ONCE entries together; one keypoint at least."""
    lengths = np.zeros(words.shape, np.int64)
    for segment in segments:
        lengths += segment.postings.starts[words + 1] - segment.postings.starts[words]
    before = np.cumsum(lengths.sum(axis=1)) // ENTRIES_AT_ONCE
    edges = np.flatnonzero(np.diff(before)) + 1
    bounds = [0, *edges.tolist(), len(words)]
    for start, end in pairwise(bounds):
        yield slice(start, end)


def _entries(
    postings: Postings, words: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Every entry that a keypoint meets: the keypoint, the entry, the word they meet under."""
    flat = words.ravel()
    starts = postings.starts[flat]
    lengths = postings.starts[flat + 1] - starts
    shift = starts - np.concatenate([[0], np.cumsum(lengths)[:-1]])
    entries = np.repeat(shift, lengths) + np.arange(lengths.sum())
    rows = np.repeat(np.repeat(np.arange(len(words)), words.shape[1]), lengths)
    return rows, entries, np.repeat(flat, lengths)


def _differing(stored: NDArray[np.uint64], asked: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """(N,) bits that differ, of signatures (N, S) and others, or one, (S,)."""
    # Column by column: numpy is slow along an axis of two.
    total = np.bitwise_count(stored[:, 0] ^ asked[..., 0]).astype(np.uint16)
    for k in range(1, stored.shape[1]):
        total += np.bitwise_count(stored[:, k] ^ asked[..., k])
    return np.asarray(total)


def _best_only(
    rows: NDArray[np.int64],
    images: NDArray[np.int64],
    weights: NDArray[np.float64],
    n_images: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The greatest weight of each keypoint and image."""
    keys = rows * n_images + images
    order = np.lexsort((-weights, keys))
    keys, weights = keys[order], weights[order]
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    keys = keys[first]
    return keys // max(n_images, 1), keys % max(n_images, 1), weights[first]
