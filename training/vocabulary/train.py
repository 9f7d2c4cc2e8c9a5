"""Learn the visual words of ORB keypoints: photos without labels -> a vocabulary for the index.

    python training/vocabulary/train.py OUT.npz FOLDER... [--half FOLDER...] [--seed 0]

Of the folders after `--half` only those photos are taken whose name has an odd CRC-32: benchmarks
judge on the others. Words are a tree of two levels, by k-majority (k-means for binary codes: the
centre of a cluster is the majority of each bit; Grana et al., 2013). The signature's bits are those
that say least of each other about how a code differs from its word.
"""

from __future__ import annotations

import argparse
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from objsearch.describe.orb import Orb
from objsearch.index.vocabulary import load_vocabulary

N_BRANCHES, N_LEAVES, SIGNATURE_BITS = 256, 256, 128
TOP_SAMPLE, BRANCH_SAMPLE = 150_000, 6_000
ROUNDS = 8
Codes = NDArray[np.uint8]


def photos_of(folders: list[Path], half: list[Path]) -> list[Path]:
    """Every picture, in the order of names."""
    whole = [path for folder in folders for path in sorted(folder.rglob("*.jpg"))]
    parts = [path for folder in half for path in sorted(folder.rglob("*.jpg"))]
    return whole + [path for path in parts if zlib.crc32(path.name.encode()) % 2]


def codes_of(path: Path) -> Codes:
    """The codes of a full frame, as the default preset makes them."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    return np.asarray(Orb().extract(pixels).codes)


def as_signs(codes: Codes) -> NDArray[np.float32]:
    """Bits as -1 and 1: the dot product then counts equal bits."""
    return np.unpackbits(codes, axis=1).astype(np.float32) * 2 - 1


def nearest(codes: Codes, centres: Codes) -> NDArray[np.int64]:
    """The centre with most bits in common, of each code."""
    signs = as_signs(centres).T
    parts = np.array_split(codes, max(1, len(codes) // 20_000))
    return np.concatenate([(as_signs(part) @ signs).argmax(axis=1) for part in parts])


def k_majority(codes: Codes, k: int, rng: np.random.Generator) -> Codes:
    """k centres; empty clusters begin anew at a random code."""
    centres = codes[rng.choice(len(codes), k, replace=len(codes) < k)]
    for _ in range(ROUNDS):
        labels = nearest(codes, centres)
        order = np.argsort(labels, kind="stable")
        counts = np.bincount(labels, minlength=k)
        used = np.flatnonzero(counts)
        bits = np.unpackbits(codes[order], axis=1)
        ones = np.add.reduceat(bits, (np.cumsum(counts) - counts)[used], axis=0, dtype=np.int64)
        centres = codes[rng.choice(len(codes), k, replace=len(codes) < k)]
        centres[used] = np.packbits(2 * ones >= counts[used, None], axis=1)
    return centres


def tree(codes: Codes, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Branches (B, 32) and leaves (B, L, 32)."""
    sample = codes[rng.choice(len(codes), min(len(codes), TOP_SAMPLE), replace=False)]
    branches = k_majority(sample, N_BRANCHES, rng)
    labels = nearest(codes, branches)
    leaves = np.zeros((N_BRANCHES, N_LEAVES, codes.shape[1]), np.uint8)
    for number in range(N_BRANCHES):
        own = codes[labels == number]
        if len(own) > BRANCH_SAMPLE:
            own = own[rng.choice(len(own), BRANCH_SAMPLE, replace=False)]
        leaves[number] = k_majority(own if len(own) else sample, N_LEAVES, rng)
    return branches, leaves


def signature_bits(codes: Codes, words: Codes, count: int) -> NDArray[np.uint8]:
    """Greedily, each next bit the one whose flips are least correlated with those chosen."""
    flips = np.unpackbits(codes ^ words, axis=1).astype(np.float32)
    related = np.abs(np.corrcoef(flips.T))
    chosen = [int(flips.mean(axis=0).argmax())]
    while len(chosen) < count:
        worst = related[:, chosen].max(axis=1)
        worst[chosen] = np.inf
        chosen.append(int(worst.argmin()))
    return np.array(sorted(chosen), np.uint8)


def main() -> None:
    """Train, write, and say how evenly the words are used."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--half", type=Path, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    photos = photos_of(given.folders, given.half)
    with ThreadPoolExecutor(2) as pool:
        codes = np.concatenate(list(pool.map(codes_of, photos)))
    print(f"{len(photos)} photos, {len(codes)} keypoints", flush=True)
    rng = np.random.default_rng(given.seed)
    branches, leaves = tree(codes, rng)
    some = codes[rng.choice(len(codes), min(len(codes), 100_000), replace=False)]
    first = np.arange(SIGNATURE_BITS, dtype=np.uint8)
    np.savez(given.out, branches=branches, leaves=leaves, bits=first)
    words = load_vocabulary(str(given.out)).words(some)[:, 0]
    bits = signature_bits(some, leaves.reshape(-1, leaves.shape[2])[words], SIGNATURE_BITS)
    np.savez(given.out, branches=branches, leaves=leaves, bits=bits)
    used = np.bincount(words, minlength=N_BRANCHES * N_LEAVES)
    print(f"{np.count_nonzero(used)} of {len(used)} words met by {len(some)} keypoints")


if __name__ == "__main__":
    main()
