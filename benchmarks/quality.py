"""How good are the presets on photos whose answer is known? Prints Markdown tables.

    python benchmarks/quality.py EVAL_DIR [--sets smvs_dvd,dreambooth] [--presets default,sift]

EVAL_DIR holds a folder a set, each with a groundtruth.csv (see `objsearch evaluate --help`), and
`distractors`, photos that pad the database; `--more PHOTOS` pads the sets whose name ends in +
further, until 900 other photos are there. Sets marked * took part in fitting the calibration. The
second and third tables say what a score and a verdict are worth, over the sets that did not.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from objsearch.rank.metrics import Ranked, average_precision, is_top1_right
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.tasks.evaluation import Evaluation, Options, evaluate
from objsearch.tasks.evaluation.groundtruth import read_groundtruth

N_OTHERS = 900
"""Photos that are not in the set, for the sets whose name ends in +."""
N_DRAWN = 2000
"""Times that objects are drawn anew, for an interval."""
BINS = np.linspace(0, 1, 11)


@dataclass(frozen=True)
class Task:
    """How a set is judged."""

    every_query: bool = False
    use_boxes: bool = False
    distractors: bool = True
    by_default: bool = True
    """Whether the set is taken where none is named."""
    overrides: dict[str, Any] = field(default_factory=dict)
    note: str = ""


TASKS = {
    "smvs_dvd": Task(),
    "dreambooth": Task(every_query=True),
    "microcontrollers": Task(
        use_boxes=True,
        distractors=False,
        overrides={"assignment.frames": False},
        note="object mode, the query's box as its region",
    ),
    "scenes": Task(note="*"),
    "grocery_packages": Task(note="*"),
    "smvs_dvd+": Task(by_default=False),
    "wide_baseline": Task(every_query=True, by_default=False),
}
COLUMNS = {
    "map": "mAP",
    "top1": "top 1",
    "micro_ap": "µAP",
    "recall_at_precision_99": "recall at precision 0.99",
    "queries_with_wrong_same": "queries with a wrong *same*",
    "located": "right box",
    "seconds_per_query": "s a query",
}
WITH_INTERVAL = {"map": average_precision, "top1": is_top1_right}


def padding(folder: Path, name: str, more: Path | None) -> list[Path]:
    """Photos that show none of the things of the set."""
    if not TASKS[name].distractors:
        return []
    others = sorted((folder / "distractors").glob("*.jpg"))
    if not name.endswith("+"):
        return others
    if more is None:
        raise SystemExit(f"{name} wants --more PHOTOS: a folder of other photos")
    pool = sorted(more.glob("*.jpg"))
    return others + random.Random(0).sample(pool, N_OTHERS - len(others))


def measured(folder: Path, name: str, preset: str, padded_with: Sequence[Path]) -> Evaluation:
    """One set under one preset."""
    task = TASKS[name]
    search = ObjectSearch(load_settings(preset, task.overrides))
    truth = read_groundtruth(folder / name.rstrip("+") / "groundtruth.csv")
    return evaluate(search, truth, Options(task.every_query, task.use_boxes, padded_with))


def interval(result: Evaluation, measure: Callable[[Ranked], float]) -> str:
    """The mean over the queries, and between what 95 % of means lie (bootstrap by object)."""
    by_object: dict[str, list[float]] = defaultdict(list)
    for outcome in result.outcomes:
        by_object[outcome.row.group_id].append(float(measure(outcome.ranked)))
    sums = np.array([[sum(values), len(values)] for values in by_object.values()])
    drawn = np.random.default_rng(0).integers(len(sums), size=(N_DRAWN, len(sums)))
    totals = sums[drawn].sum(axis=1)
    low, high = np.quantile(totals[:, 0] / totals[:, 1], (0.025, 0.975))
    mean = sums[:, 0].sum() / sums[:, 1].sum()
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"


def print_reliability(results: Sequence[Evaluation]) -> None:
    """Of the hits that score so much, how many are right? Guo et al., ICML 2017."""
    ranked = [outcome.ranked for result in results for outcome in result.outcomes]
    scores = np.array([score for one in ranked for score in one.scores])
    right = np.array([ok for one in ranked for ok in one.is_right])
    which = np.digitize(scores, BINS[1:-1])
    print("\n| score | hits | mean score | right |\n| --- | --- | --- | --- |")
    error = 0.0
    for number in range(len(BINS) - 1):
        chosen = which == number
        if not chosen.any():
            continue
        said, true = scores[chosen].mean(), right[chosen].mean()
        error += chosen.mean() * abs(said - true)
        interval = f"{BINS[number]:.1f}-{BINS[number + 1]:.1f}"
        print(f"| {interval} | {chosen.sum():,} | {said:.3f} | {true:.3f} |")
    brier = ((scores - right) ** 2).mean()
    print(f"\nExpected calibration error {error:.4f}; Brier score {brier:.4f}")


def print_verdicts(results: Sequence[Evaluation]) -> None:
    """How many hits of each verdict are right."""
    counts: Counter[tuple[str, bool]] = Counter()
    for result in results:
        for outcome in result.outcomes:
            verdicts = [hit.verdict for hit in outcome.answer.hits]
            counts.update(zip(verdicts, outcome.ranked.is_right, strict=True))
    print("\n| verdict | of what is right | of others | the same, in 1,000 comparisons |")
    print("| --- | --- | --- | --- |")
    compared = sum(result.references * len(result.outcomes) for result in results)
    for verdict in sorted({verdict for verdict, _ in counts}):
        wrong = counts[verdict, False]
        print(f"| {verdict} | {counts[verdict, True]} | {wrong} | {1000 * wrong / compared:.3f} |")


def main() -> None:
    """Print the tables, a row of the first as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--sets",
        default=",".join(name for name, task in TASKS.items() if task.by_default),
    )
    parser.add_argument("--presets", default="default")
    parser.add_argument("--more", type=Path, help="a folder of other photos")
    given = parser.parse_args()
    heads = ["set", "preset", "queries", "references", *COLUMNS.values(), "s in all"]
    print("| " + " | ".join(heads) + " |")
    print("| " + " | ".join("---" for _ in heads) + " |")
    unseen: list[Evaluation] = []
    for name in given.sets.split(","):
        for preset in given.presets.split(","):
            started = time.perf_counter()
            result = measured(given.folder, name, preset, padding(given.folder, name, given.more))
            figures = result.figures()
            cells = [name + TASKS[name].note[:1].replace("o", ""), preset]
            cells += [figures["queries"], figures["references"]]
            told = {**figures, **{key: interval(result, one) for key, one in WITH_INTERVAL.items()}}
            cells += ["-" if told[key] is None else told[key] for key in COLUMNS]
            cells += [round(time.perf_counter() - started)]
            print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
            if TASKS[name].note != "*":
                unseen.append(result)
    if unseen:
        print_reliability(unseen)
        print_verdicts(unseen)


if __name__ == "__main__":
    main()
