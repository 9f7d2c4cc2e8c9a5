"""Are there as many wrong hits as are told? Prints Markdown tables.

    python benchmarks/false_alarms.py EVAL_DIR PHOTOS [--presets default,fast]

EVAL_DIR holds `distractors`, `dreambooth` and `smvs_dvd`, whose photos (`others`) are looked for
among photos that show none of their things: among `distractors`, all compared in full, and among
those and the half of PHOTOS that the tails were not measured on, by the shortlist. So are photos
of that half (`plain`), which are like what the tails were measured on; and packages among packages
of other products (`near`, by `grocery_packages` of EVAL_DIR), which are not. Without a second look.
Intervals hold 95 of 100 draws of as many queries.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from strangers import Strangers, halves, named, searched, strangers, write

from objsearch.match.tail import Tail
from objsearch.search.pipeline import ObjectSearch
from objsearch.tasks.evaluation.groundtruth import Groundtruth, read_groundtruth

SCORES = (0.2, 0.5, 0.8, 0.9, 0.95, 0.99)
N_FULL = 15
"""Queries of each set that are compared in full."""
N_LISTED = 50
N_DRAWS = 2000


def queries_of(folder: Path, n_each: int) -> list[Path]:
    """So many of each set, the same on every run."""
    sets = (
        folder.glob("distractors/*.jpg"),
        folder.glob("dreambooth/images/*/*.jpg"),
        folder.glob("smvs_dvd/query/**/*.jpg"),
    )
    draws = random.Random(36)
    every = [sorted(files) for files in sets]
    return [path for files in every for path in draws.sample(files, min(n_each, len(files)))]


def counts(found: Strangers, queries: Sequence[Path], least: float) -> NDArray[np.float64]:
    """(Q,) wrong hits of each query that score so much."""
    by_query = Counter(hit.query for hit in found.hits if hit.score >= least)
    return np.array([by_query[named(query)] for query in queries], np.float64)


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Of the mean, by drawing queries anew (bootstrap: Efron, 1979).

    Where all are 0, so are all draws: then up to what would be 0 throughout in 1 of 20 cases.
    """
    if not values.any():
        return 0.0, 3.0 / len(values)
    draws = np.random.default_rng(36).integers(0, len(values), (N_DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def print_rows(head: str, found: Strangers, queries: Sequence[Path], tail: Tail) -> None:
    """A row a score, and one for the verdict *same*."""
    n = found.n_references
    for score in SCORES:
        values = counts(found, queries, score)
        low, high = interval(values)
        cells = f"{tail.false_alarms(score, n):.3g} | {values.mean():.3g} | {low:.3g}-{high:.3g}"
        print(f"| {head} | {n:,} | {score} | {cells} | {values.sum():.0f} |", flush=True)
    n_same = sum(hit.verdict == "same" for hit in found.hits)
    expected = n * tail.same
    mean = n_same / len(queries)
    print(f"| {head} | {n:,} | *same* | {expected:.3g} | {mean:.3g} | - | {n_same} |", flush=True)


def tail_of(search: ObjectSearch) -> Tail:
    """The tail in force."""
    scoring = search.comparer.scoring
    tail = scoring.of(scoring.every).tail
    if tail is None:
        raise SystemExit("no tail was measured for these settings: training/calibration/tails.py")
    return tail


def print_near(preset: str, truth: Groundtruth, scores: Path | None) -> None:
    """Rows of things whose likes are other things, all of one kind."""
    right = {row.path: list(truth.right(row)) for row in truth.queries()}
    search = searched(preset, truth.references(), {})
    found, queries = strangers(search, list(right), right), list(right)
    print_rows(f"{preset} | near, {len(queries)}", found, queries, tail_of(search))
    keep(found, scores, f"{preset}-near-{found.n_references}.csv")


def keep(found: Strangers, folder: Path | None, name: str) -> None:
    """Write the hits where somebody wants to look at them."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write(found.hits, folder / name)


def main() -> None:
    """Print a table of all presets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--presets", default="default")
    parser.add_argument("--scores", type=Path, help="a folder for the hits, to be looked at")
    given = parser.parse_args()
    few = sorted(given.folder.glob("distractors/*.jpg"))
    plain = halves(given.photos)[1]
    full, listed = queries_of(given.folder, N_FULL), queries_of(given.folder, N_LISTED)
    print(
        "| preset | queries | photos | score from | expected | observed | interval | wrong hits |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |")
    for preset in given.presets.split(","):
        among_few = searched(preset, few, {"search.shortlist": None})
        among_many = searched(preset, [*few, *plain], {})
        for name, search, queries in (
            ("others", among_few, full),
            ("others", among_many, listed),
            ("plain", among_many, plain[: 2 * N_LISTED]),
        ):
            found = strangers(search, queries)
            print_rows(f"{preset} | {name}, {len(queries)}", found, queries, tail_of(search))
            keep(found, given.scores, f"{preset}-{name}-{found.n_references}.csv")
        near = read_groundtruth(given.folder / "grocery_packages" / "groundtruth.csv")
        print_near(preset, near, given.scores)


if __name__ == "__main__":
    main()
