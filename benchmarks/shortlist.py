"""Does the shortlist hold the right photo, and what does a query cost? Prints Markdown tables.

    python benchmarks/shortlist.py DATA_DIR [--parts words,verified,times] [--every 4]

DATA_DIR holds `eval/smvs_dvd` (phone photos of covers, with a groundtruth.csv), and the other
photos: `eval/distractors`, `det/val/images`, and as many of `det/train/images` as make 900, drawn
by a fixed seed from those that the vocabulary was not learned on (an even CRC-32 of the name). A
query is right within the first n when fewer than n images have a score as high as its cover's.
"""

from __future__ import annotations

import argparse
import random
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.describe.orb import Orb
from objsearch.describe.sift import Sift
from objsearch.images.decode import decode
from objsearch.index.postings import Postings, build_postings, votes
from objsearch.index.visual_words import VisualWords
from objsearch.index.vocabulary import Vocabulary, load_vocabulary
from objsearch.match.ratio_test import RatioTest
from objsearch.search.comparing import Comparer
from objsearch.settings import load_settings
from objsearch.tasks.evaluation.groundtruth import read_groundtruth
from objsearch.types import Box, DescribedImage, ImageRef, LocalFeatures, Region

N_OTHERS = 900
FIRST = (1, 10, 40, 100)
PARTS = "words,direct,vlad,vlad-sift,exhaustive,verified,times"
Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class Photos:
    """The covers come first among the references; `right[i]` is the number of query i's cover."""

    data: Path
    queries: list[Path]
    references: list[Path]
    right: NDArray[np.int64]


def photos_of(data: Path) -> Photos:
    """The set and 900 others."""
    folder = data / "eval" / "smvs_dvd"
    truth = read_groundtruth(folder / "groundtruth.csv")
    covers = sorted({Path(path) for path in truth.references(False)})
    rows = truth.queries(False)
    right = [covers.index(next(iter(truth.right(row, False)))) for row in rows]
    others = sorted((data / "eval" / "distractors").glob("*.jpg"))
    others += sorted((data / "det" / "val" / "images").glob("*.jpg"))
    more = sorted((data / "det" / "train" / "images").glob("*.jpg"))
    more = [path for path in more if zlib.crc32(path.name.encode()) % 2 == 0]
    others += random.Random(0).sample(more, N_OTHERS - len(others))
    return Photos(data, [row.path for row in rows], covers + others, np.array(right))


def described(path: Path, extractor: Orb | Sift) -> DescribedImage:
    """The full frame's keypoints alone."""
    pixels = decode(path.read_bytes()).pixels
    height, width = pixels.shape[:2]
    frame = Region(Box(0.0, 0.0, float(width), float(height)), "frame", 1.0, "frame")
    keypoints = extractor.extract(pixels)
    return DescribedImage(
        ImageRef(str(path)), (width, height), (frame,), {extractor.name: (keypoints,)}
    )


def codes_of(image: DescribedImage) -> NDArray[np.uint8]:
    """Of its full frame."""
    keypoints = next(iter(image.descriptors.values()))[-1]
    assert isinstance(keypoints, LocalFeatures)
    return keypoints.codes


def ranks(scores: Iterable[NDArray[np.float64]], right: Iterable[int]) -> Ranks:
    """(Q,) how many others score as high as the right one."""
    return np.array([int((s >= s[r]).sum()) - 1 for s, r in zip(scores, right, strict=True)])


def row(name: str, found: Ranks, note: str = "") -> None:
    """A line of the table."""
    shares = " | ".join(f"{np.mean(found < n):.3f}" for n in FIRST)
    print(f"| {name} | {len(found)} | {shares} | {note} |", flush=True)


def by_words(
    index: VisualWords, queries: Sequence[DescribedImage], vocabulary: Vocabulary
) -> Callable[..., tuple[list[NDArray[np.float64]], str]]:
    """Scores of all queries by an inverted file under the given options, and ms a query."""
    codes = [codes_of(image) for image in index]
    n_points = np.array([len(one) for one in codes], np.int32)
    every = np.concatenate(codes)
    words = vocabulary.words(every)[:, 0]

    def scores(
        n_words: int, max_distance: int, reach: float, bits: int
    ) -> tuple[list[NDArray[np.float64]], str]:
        made = replace(vocabulary, bits=vocabulary.bits[:bits])
        postings = build_postings(words, made.signatures(every), n_points, made.n_words)
        started = time.process_time()
        found = []
        for query in queries:
            asked = made.words(codes_of(query), n_words, index.n_branches)
            signatures = made.signatures(codes_of(query))
            found.append(votes(postings, asked, signatures, max_distance, reach))
        spent = (time.process_time() - started) / len(queries)
        return found, f"{1000 * spent:.0f} ms, {postings.n_bytes / len(codes) / 1024:.1f} KiB"

    return scores


def by_tables(codes: Sequence[NDArray[np.uint8]], n_tables: int) -> Postings:
    """Direct voting: 16 bits of a code are its word, in each of several tables."""
    bits = table_bits(n_tables)
    every = np.concatenate(codes)
    whole = np.ascontiguousarray(every).view(np.uint64)
    n_points = np.array([len(one) for one in codes])
    keys = table_words(every, bits)
    return build_postings(
        keys.ravel(), np.repeat(whole, n_tables, axis=0), n_points * n_tables, 1 << 16
    )


def table_bits(n_tables: int) -> NDArray[np.int64]:
    """(tables, 16) which bits."""
    return np.random.default_rng(0).permutation(256).reshape(16, 16)[:n_tables]


def table_words(codes: NDArray[np.uint8], bits: NDArray[np.int64]) -> NDArray[np.int32]:
    """(K, tables) the chosen 16 bits as a number; all tables share the 65,536 words."""
    unpacked = np.unpackbits(codes, axis=1)[:, bits]
    return np.asarray(unpacked @ (1 << np.arange(16)), dtype=np.int32)


def vlad(sets: Sequence[NDArray[np.float32]], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, words x D) sums of what keypoints differ by from their words, each of unit length."""
    made = []
    for points in sets:
        labels = (points @ centres.T - (centres**2).sum(axis=1) / 2).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, labels, points - centres[labels])
        sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
        made.append(sums.ravel() / max(float(np.linalg.norm(sums)), 1e-9))
    return np.array(made, np.float32)


def vlad_ranks(photos: Photos, extractor: Orb | Sift, learned_on: Sequence[Path]) -> Ranks:
    """Of all queries, by VLAD with 128 words."""

    def points(path: Path) -> NDArray[np.float32]:
        codes = codes_of(described(path, extractor))
        is_binary = codes.dtype == np.uint8
        return np.asarray(
            np.unpackbits(codes, axis=1) * 2.0 - 1.0 if is_binary else codes, np.float32
        )

    cv2.setRNGSeed(0)
    some = np.concatenate([points(path)[::5] for path in learned_on])
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 15, 0.0)
    _, _, centres = cv2.kmeans(some, 128, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    stored = vlad([points(path) for path in photos.references], centres)
    asked = vlad([points(path) for path in photos.queries], centres)
    return ranks(asked @ stored.T, photos.right)


def table(photos: Photos, index: VisualWords, parts: Sequence[str], every: int) -> None:
    """Who finds the cover."""
    orb = Orb()
    queries = [described(path, orb) for path in photos.queries[::every]]
    right = photos.right[::every]
    print("| shortlist by | queries | first | first 10 | first 40 | first 100 | ms a query, size |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    if "words" in parts:
        several(index, queries, right)
    if "direct" in parts:
        row(*direct(index, queries, right))
    learned_on = sorted((photos.data / "photos").glob("*.jpg"))[::10]
    if "vlad" in parts:
        row("VLAD, 128 words, ORB", vlad_ranks(photos, orb, learned_on))
    if "vlad-sift" in parts:
        sift = Sift(n_points=500, long_side=256)
        row("VLAD, 128 words, SIFT at 256 px", vlad_ranks(photos, sift, learned_on))
    if "exhaustive" in parts:
        row(*exhaustive(index, queries, right))
    if "verified" in parts:
        row(*verified(index, queries, right))


def several(
    index: VisualWords, queries: Sequence[DescribedImage], right: NDArray[np.int64]
) -> None:
    """The shipped options, and what each of them is good for."""
    vocabulary = load_vocabulary(index.vocabulary)
    scores = by_words(index, queries, vocabulary)
    best, whole, reach, bits = index.n_words, index.max_distance, index.reach, len(vocabulary.bits)
    variants = {
        "**visual words, as shipped**": (best, whole, reach, bits),
        "one word a query's keypoint": (1, whole, reach, bits),
        "three words": (3, whole, reach, bits),
        "64 bits of signature": (best, whole // 2, reach / 2, 64),
        "words without signatures": (best, bits, 1e9, bits),
    }
    for name, options in variants.items():
        found, note = scores(*options)
        row(name, ranks(found, right), note)


def direct(
    index: VisualWords, queries: Sequence[DescribedImage], right: NDArray[np.int64]
) -> tuple[str, Ranks, str]:
    """Six tables of 16 bits, no vocabulary."""
    bits = table_bits(6)
    postings = by_tables([codes_of(image) for image in index], len(bits))
    started = time.process_time()
    found = [
        votes(
            postings,
            table_words(codes_of(query), bits),
            np.ascontiguousarray(codes_of(query)).view(np.uint64),
            2 * index.max_distance,
            2 * index.reach,
        )
        for query in queries
    ]
    spent = (time.process_time() - started) / len(queries)
    note = f"{1000 * spent:.0f} ms, {postings.n_bytes / len(index) / 1024:.1f} KiB"
    return "direct votes, six tables of 16 bits", ranks(found, right), note


def exhaustive(
    index: VisualWords, queries: Sequence[DescribedImage], right: Sequence[int]
) -> tuple[str, Ranks, str]:
    """Every image by 500 keypoints and the ratio test, as the index `memory` does."""
    stored = [one.descriptors["orb"] for one in index]
    started = time.process_time()
    scores = [RatioTest().coarse_scores(query.descriptors["orb"], stored) for query in queries]
    spent = (time.process_time() - started) / len(queries)
    return "exhaustive ratio test, 500 keypoints", ranks(scores, right), f"{1000 * spent:.0f} ms"


def verified(
    index: VisualWords, queries: Sequence[DescribedImage], right: NDArray[np.int64]
) -> tuple[str, Ranks, str]:
    """The shortlist of 40, compared in full by ORB and geometry alone."""
    settings = load_settings({"detector": "whole-image", "descriptors": [{"extractor": "orb"}]})
    comparer = Comparer(settings)
    stored = [image.ref for image in index]
    found = []
    for query, cover in zip(queries, right, strict=True):
        hits = [comparer.compare(query, one) for one in index.candidates(query, 40, [])]
        best = {hit.ref: hit.score for hit in hits}
        scores = [best.get(ref, -1.0) for ref in stored]
        scores[cover] = max(scores[cover], -0.5)
        found.append(np.array(scores))
    return "shipped, its first 40 verified", ranks(found, right), ""


def grown(index: VisualWords, n_images: int) -> Postings:
    """An inverted file of as many images, from real keypoints of altered photos.

    Each is a photo of the set of which a sixteenth of all signature bits flip, as some do between
    two photos of a thing, and whose keypoints go, by chance, to one of their three nearest words.
    """
    rng = np.random.default_rng(0)
    vocabulary = load_vocabulary(index.vocabulary)
    near = [vocabulary.words(codes_of(one), 3, index.n_branches) for one in index]
    own = [vocabulary.signatures(codes_of(one)) for one in index]
    words, signatures = [], []
    for number in range(n_images):
        choices, bits = near[number % len(near)], own[number % len(own)]
        coins = rng.integers(0, 1 << 64, (4, *bits.shape), dtype=np.uint64)
        signatures.append(bits ^ np.bitwise_and.reduce(coins))
        words.append(choices[np.arange(len(bits)), rng.integers(0, 3, len(bits))])
    n_points = np.array([len(one) for one in words])
    return build_postings(
        np.concatenate(words), np.concatenate(signatures), n_points, vocabulary.n_words
    )


def timings(index: VisualWords, queries: Sequence[DescribedImage], counts: Sequence[int]) -> None:
    """Against exhaustive matching, processor time of one thread in the same run."""
    vocabulary = load_vocabulary(index.vocabulary)
    sample = [one.descriptors["orb"] for one in index][:200]
    started = time.process_time()
    for query in queries[:3]:
        RatioTest().coarse_scores(query.descriptors["orb"], sample)
    each = (time.process_time() - started) / 3 / len(sample)
    print("\n| images | shortlist, ms | exhaustive, ms (from 200 images) | ratio | memory, MiB |")
    print("| --- | --- | --- | --- | --- |")
    for count in counts:
        postings = grown(index, count)
        started = time.process_time()
        for query in queries:
            words = vocabulary.words(codes_of(query), index.n_words, index.n_branches)
            signatures = vocabulary.signatures(codes_of(query))
            votes(postings, words, signatures, index.max_distance, index.reach)
        spent = (time.process_time() - started) / len(queries)
        print(
            f"| {count:,} | {1000 * spent:.0f} | {1000 * each * count:,.0f} "
            f"| {each * count / spent:.0f} | {postings.n_bytes / 2**20:,.0f} |",
            flush=True,
        )


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--parts", default=PARTS, help="of the tables")
    parser.add_argument("--images", default="1000,10000,100000", help="numbers of images timed")
    parser.add_argument("--every", type=int, default=1, help="take every N-th query")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    parts = given.parts.split(",")
    photos = photos_of(given.data)
    index = VisualWords()
    index.add(described(path, Orb()) for path in photos.references)
    if parts != ["times"]:
        table(photos, index, parts, given.every)
    if "times" in parts:
        queries = [described(path, Orb()) for path in photos.queries[::20]]
        timings(index, queries, [int(count) for count in given.images.split(",")])


if __name__ == "__main__":
    main()
