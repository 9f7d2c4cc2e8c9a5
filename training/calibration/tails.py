"""Measure what different photos score: models/calibrations/tails.

    python training/calibration/tails.py PHOTOS models/calibrations/tails --presets default,orb

PHOTOS holds plain photos that show different things; a half of them by chance is used (the other is
for `benchmarks/false_alarms.py`). Queries are looked for among `FULL` photos, all compared in full,
and among all the others by the shortlist; of both rates at a score the greater counts. So it does
of presets that share a calibration, as `copies,larger` do, where both are named. Run it again after
every change of a calibration: a tail that was measured with another is not used.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from objsearch.match.shipped_tails import write_tail
from objsearch.match.tail import Tail, measured
from objsearch.settings import load_settings

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from strangers import Strangers, halves, searched, strangers, write

FULL = 150
N_QUERIES = 180
N_FULL_QUERIES = 60


def looked_among(preset: str, photos: list[Path], n_queries: int) -> tuple[Strangers, Strangers]:
    """Hits among few photos, all compared in full, and among many by the shortlist."""
    queries, references = photos[:n_queries], photos[N_QUERIES:]
    n_full = n_queries * N_FULL_QUERIES // N_QUERIES
    full = strangers(
        searched(preset, references[:FULL], {"search.shortlist": None}), queries[:n_full]
    )
    return full, strangers(searched(preset, references, {}), queries)


def tail_of(of: Strangers) -> Tail:
    """The tail of some wrong hits."""
    n_same = sum(hit.verdict == "same" for hit in of.hits)
    tail = measured([hit.score for hit in of.hits], of.n_pairs, n_same, "")
    if tail is None:
        raise SystemExit(f"{of.n_pairs} pairs tell no tail")
    return tail


def joined(full: Tail, listed: Tail) -> Tail:
    """Of both rates at a score the greater, where both were measured.

    Of the full comparison all but the least rate: among few pairs it rests on three, or on none.
    """
    borders = ((full, full.logits[-2]), (listed, listed.logits[-1]))
    table: list[tuple[float, float]] = []
    for logit in sorted({*full.logits, *listed.logits}, reverse=True):
        known = [tail for tail, last in borders if tail.logits[0] <= logit <= last]
        rate = float(f"{max((tail.rate_at(logit) for tail in known), default=0.0):.4g}")
        if rate > (table[-1][1] if table else 0.0):
            table.append((logit, rate))
    return Tail(
        logits=tuple(logit for logit, _ in reversed(table)),
        rates=tuple(rate for _, rate in reversed(table)),
        same=float(f"{listed.same:.4g}"),
        n_pairs=listed.n_pairs,
        measured_on=f"{full.n_pairs} pairs of plain photos compared in full, "
        f"{listed.n_pairs} by the shortlist",
    )


def widest(first: Tail, second: Tail) -> Tail:
    """Of two presets the greater rate at each score, where both have one."""
    table: list[tuple[float, float]] = []
    start = max(first.logits[0], second.logits[0])
    for logit in sorted({start, *first.logits, *second.logits}, reverse=True):
        rate = float(f"{max(first.rate_at(logit), second.rate_at(logit)):.4g}")
        if logit >= start and rate > (table[-1][1] if table else 0.0):
            table.append((logit, rate))
    return Tail(
        logits=tuple(logit for logit, _ in reversed(table)),
        rates=tuple(rate for _, rate in reversed(table)),
        same=max(first.same, second.same),
        n_pairs=min(first.n_pairs, second.n_pairs),
        measured_on=f"{first.measured_on}, by each of two presets",
    )


def main() -> None:
    """Measure and write the tails of presets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--presets", default="default")
    parser.add_argument("--queries", type=int, default=N_QUERIES)
    parser.add_argument("--scores", type=Path, help="a folder for the hits, to be looked at")
    given = parser.parse_args()
    photos = halves(given.photos)[0]
    tails: dict[Path, Tail] = {}
    for preset in given.presets.split(","):
        started = time.perf_counter()
        full, listed = looked_among(preset, photos, given.queries)
        if given.scores is not None:
            given.scores.mkdir(parents=True, exist_ok=True)
            write(full.hits, given.scores / f"{preset}-full.csv")
            write(listed.hits, given.scores / f"{preset}-listed.csv")
        settings = load_settings(preset)
        calibration = settings.load_calibration()
        name = f"{'+'.join(sorted(calibration.coefficients))}.yaml"
        path = given.output / settings.detector.name / name
        tail = joined(tail_of(full), tail_of(listed))
        tails[path] = widest(tails[path], tail) if path in tails else tail
        write_tail(path, tails[path], calibration)
        seconds = time.perf_counter() - started
        print(f"{preset}: {tail} ({seconds:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
