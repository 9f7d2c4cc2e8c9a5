"""The pixel signature: 256 keyed bits in the lowest bits of all samples, read by a vote.

Every sample is told by a keyed stream (SHAKE-256) which bit it carries and whether it carries it
inverted. So each bit lies all over the picture, hundreds of times and more, and a picture that was
never signed, be it flat or saturated, agrees with any password by chance alone. No sample changes
by more than 1: about 51 dB.

Planes are gone through in runs. A quick test takes runs in an order of the key's own and stops when
the answer is beyond doubt, after the idea of A. Wald, "Sequential Tests of Statistical Hypotheses",
Annals of Mathematical Statistics 16 (1945).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objsearch.signing.bits import N_BITS, Vote, bits_wanted, percentage_of
from objsearch.signing.password import Key

Samples = NDArray[Any]
"""(H, W, C) unsigned integers: the colour planes of a page, without transparency."""

_RUN = 4096
_SURE = 5.0  # standard deviations


def sign_samples(samples: Samples, key: Key) -> Samples:
    """The samples with the signature in their lowest bits."""
    bits = key.bits("pixel/bits", N_BITS)
    signed = samples.copy()
    for plane in range(samples.shape[2]):
        flat = samples[..., plane].reshape(-1).copy()
        for run in range(_n_runs(flat)):
            part = slice(run * _RUN, (run + 1) * _RUN)
            numbers, mask = _places(key, samples, plane, run, len(flat[part]))
            flat[part] = (flat[part] & ~np.asarray(1, flat.dtype)) | (bits[numbers] ^ mask)
        signed[..., plane] = flat.reshape(samples.shape[:2])
    return signed


def full_vote(samples: Samples, key: Key) -> Vote:
    """The full percentage: every sample votes."""
    votes = np.zeros(N_BITS)
    for count in _ballots(samples, key, _runs(samples)):
        votes += count
    return Vote(_n_right(votes))


def quick_vote(samples: Samples, key: Key, threshold: float) -> Vote:
    """The quick test: stops as soon as it is beyond doubt on which side of the threshold it is."""
    runs = _runs(samples)
    order = key.order("pixel/quick", len(runs))
    votes = np.zeros(N_BITS)
    for done, count in enumerate(_ballots(samples, key, [runs[i] for i in order]), 1):
        votes += count
        is_time = done & (done - 1) == 0  # after 1, 2, 4, 8, ... runs
        if is_time and done < len(runs) and _is_decided(votes, done, samples.size, threshold):
            return Vote(_n_right(votes), False, done / len(runs))
    return Vote(_n_right(votes))


def _runs(samples: Samples) -> list[tuple[int, int]]:
    """Every run, as plane and number."""
    n_runs = _n_runs(samples[..., 0].reshape(-1))
    return [(plane, run) for plane in range(samples.shape[2]) for run in range(n_runs)]


def _n_runs(flat: Samples) -> int:
    return -(-len(flat) // _RUN)


def _places(
    key: Key, samples: Samples, plane: int, run: int, n: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Of each sample of a run: the number of its bit (there are 256), and whether inverted."""
    height, width = samples.shape[:2]
    drawn = key.stream(f"pixel/{width}x{height}/{plane}/{run}", n + -(-n // 8))
    return drawn[:n], np.unpackbits(drawn[n:])[:n]


def _ballots(
    samples: Samples, key: Key, runs: list[tuple[int, int]]
) -> Iterator[NDArray[np.float64]]:
    """Of each run: what it says of each bit, votes for less votes against."""
    bits = key.bits("pixel/bits", N_BITS)
    lowest = [(samples[..., c] & 1).astype(np.uint8).reshape(-1) for c in range(samples.shape[2])]
    for plane, run in runs:
        read_bits = lowest[plane][run * _RUN : (run + 1) * _RUN]
        numbers, mask = _places(key, samples, plane, run, len(read_bits))
        agreeing = np.bincount(numbers, read_bits ^ mask ^ bits[numbers] ^ 1, minlength=N_BITS)
        yield np.asarray(2.0 * agreeing - np.bincount(numbers, minlength=N_BITS), np.float64)


def _n_right(votes: NDArray[np.float64]) -> float:
    """Bits that the vote gets right; a draw is half a bit."""
    return float(np.count_nonzero(votes > 0) + np.count_nonzero(votes == 0) / 2)


def _is_decided(votes: NDArray[np.float64], done: int, n_samples: int, threshold: float) -> bool:
    """Whether the runs to come can still change the side of the threshold."""
    n_read = done * _RUN
    lean = float(votes.sum()) / n_read  # 1 when all samples agree, 0 by chance
    doubt = _SURE / math.sqrt(n_read)
    if percentage_of(_n_right(votes)) >= threshold:
        return lean > doubt
    share = min(bits_wanted(threshold) / N_BITS, 1.0 - 0.5 / N_BITS)
    # A bit with v votes of that lean comes out right with the probability Phi(lean * sqrt(v)).
    lean_wanted = NormalDist().inv_cdf(share) / math.sqrt(n_samples / N_BITS)
    return lean + doubt < lean_wanted
