"""How good are the presets on photos whose answer is known? Prints one Markdown table.

    python benchmarks/quality.py EVAL_DIR [--sets smvs_dvd,dreambooth] [--presets default,sift]

EVAL_DIR holds a folder a set, each with a groundtruth.csv (see `objsearch evaluate --help`), and
`distractors`, photos that pad the database. Sets marked * took part in fitting the calibration.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from objsearch.config import load_settings
from objsearch.pipeline import ObjectSearch
from objsearch.tasks.evaluation import Options, evaluate
from objsearch.tasks.groundtruth import read_groundtruth


@dataclass(frozen=True)
class Task:
    """How a set is judged."""

    every_query: bool = False
    use_boxes: bool = False
    distractors: bool = True
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


def measured(folder: Path, name: str, preset: str) -> dict[str, Any]:
    """The figures of one set under one preset."""
    task = TASKS[name]
    search = ObjectSearch(load_settings(preset, task.overrides))
    distractors = (folder / "distractors",) if task.distractors else ()
    truth = read_groundtruth(folder / name / "groundtruth.csv")
    started = time.perf_counter()
    result = evaluate(search, truth, Options(task.every_query, task.use_boxes, distractors))
    return {**result.figures(), "seconds": round(time.perf_counter() - started)}


def main() -> None:
    """Print the table, a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default=",".join(TASKS))
    parser.add_argument("--presets", default="default")
    given = parser.parse_args()
    heads = ["set", "preset", "queries", "references", *COLUMNS.values()]
    print("| " + " | ".join(heads) + " |")
    print("| " + " | ".join("---" for _ in heads) + " |")
    for name in given.sets.split(","):
        for preset in given.presets.split(","):
            figures = measured(given.folder, name, preset)
            cells = [name + TASKS[name].note[:1].replace("o", ""), preset]
            cells += [figures["queries"], figures["references"]]
            cells += ["-" if figures[key] is None else figures[key] for key in COLUMNS]
            print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
