"""Is a stored index whole after kill -9 at any moment? Prints a Markdown table.

    python benchmarks/index_faults.py [--kills 200] [--seed 1] [--folder DIR]

A process puts, replaces and removes rows, builds the indexes of vectors and words, and compacts; it
says before and after each change what it does. It is killed at a random moment of one.
Then the folder has to open and to hold, row by row and byte by byte, what was acknowledged, with
the change under way done as a whole or not at all; nearest, neighbours and words have to work.
The next process goes on with the same folder. Limits are low, so that indexes and compactions come
often, and old versions go after two seconds. Exits with 1 at the first fault.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from objsearch.index import lance_words, lance_writer
from objsearch.index.lance import Lance, Stored
from objsearch.index.lance_store import ENDING
from objsearch.match.cosine import Cosine
from objsearch.types import (
    Box,
    DescribedImage,
    GlobalDescriptor,
    ImageRef,
    LocalFeatures,
    Recipe,
    Region,
    Row,
)

N_KEYS, SIZE, N_REGIONS, N_POINTS = 300, 32, 3, 30
RECIPE = Recipe({"made.by": "index_faults"})
CHANGES = ("put", "remove", "optimize", "compact")
LATEST = 1.2
"""Of the time that such a change took so far, as much is waited at most before the kill."""

State = dict[int, int]
"""The version of each key's row."""


@dataclass(frozen=True)
class ByVector:
    """Ranks by the cosine of vectors."""

    def stacked(self, images: Any) -> Any:
        return Cosine().stacked([image.descriptors["vector"] for image in images])

    def rank(self, query: DescribedImage, stack: Any) -> Any:
        return Cosine().coarse(query.descriptors["vector"], stack)


def row(key: int, version: int) -> Row:
    """The same row for the same numbers; rows of other versions differ in everything."""
    rng = np.random.default_rng([key, version])
    regions = tuple(
        Region(Box(0, 0, 10 + i, version), "frame" if i == N_REGIONS - 1 else "part", 0.5, "grid")
        for i in range(N_REGIONS)
    )
    vectors = rng.normal(size=(N_REGIONS, SIZE)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    points = rng.random((N_POINTS, 2)).astype(np.float32)
    codes = rng.integers(0, 256, (N_POINTS, 32), dtype=np.uint8)
    none = LocalFeatures(points[:0], codes[:0], 1.0)
    parts = {
        "vector": tuple(map(GlobalDescriptor, vectors)),
        "orb": (none,) * (N_REGIONS - 1) + (LocalFeatures(points, codes, 1.0),),
    }
    ref = ImageRef(f"/photos/{key}.jpg")
    image = DescribedImage(ref, (10, 9), regions, parts, f"{key} {version}")
    return Row(str(ref), ref, (key, version), image)


def opened(folder: str) -> Stored:
    lance_words.WORTH_A_FILE = 40
    lance_writer.MOST_FILES = 6
    lance_writer.KEPT_FOR = timedelta(seconds=2)
    options = Lance(path=folder, flat_regions=200, n_probes=4)
    return options.open(RECIPE, {"vector": ByVector()})


def applied(state: State, change: dict[str, Any]) -> State:
    """What a change makes of a state."""
    if change["what"] == "put":
        return state | dict.fromkeys(change["keys"], change["version"])
    gone = set(change["keys"]) if change["what"] == "remove" else set()
    return {key: version for key, version in state.items() if key not in gone}


def work(folder: str, seed: int) -> None:
    """The process to be killed: one change after the other, each said before and after."""
    dice, index = random.Random(seed), opened(folder)
    index.count()
    for step in range(10**6):
        what = dice.choices(["put", "remove", "optimize", "compact"], [10, 4, 4, 2])[0]
        keys = dice.sample(range(N_KEYS), dice.randint(1, 40))
        change = {"what": what, "keys": keys, "version": seed * 1000 + step}
        print(json.dumps(change), flush=True)
        if what == "put":
            index.put([row(key, change["version"]) for key in keys])
        elif what == "remove":
            index.remove([f"/photos/{key}.jpg" for key in keys])
        else:
            getattr(index, what)()
        print("done", flush=True)


@dataclass
class Trial:
    """What became of one process."""

    acknowledged: list[dict[str, Any]] = field(default_factory=list)
    under_way: dict[str, Any] | None = None


def killed(folder: str, seed: int, dice: random.Random, took: dict[str, list[float]]) -> Trial:
    """Start a process, kill it at a random moment of its nth change, and read what it said."""
    command = [sys.executable, __file__, "--work", str(seed), "--folder", folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    trial, at, began = Trial(), dice.randint(0, 7), time.perf_counter()
    for line in process.stdout:
        if line.strip() == "done":
            assert trial.under_way is not None
            took[trial.under_way["what"]].append(time.perf_counter() - began)
            trial.acknowledged.append(trial.under_way)
            trial.under_way = None
            continue
        trial.under_way, began = json.loads(line), time.perf_counter()
        if len(trial.acknowledged) == at:
            recent = took[trial.under_way["what"]][-20:]
            time.sleep(dice.uniform(0, LATEST) * float(np.median(recent or [0.1])))
            process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    if process.returncode != -signal.SIGKILL:
        raise SystemExit(f"the process ended by itself with {process.returncode}")
    return trial


def fault(folder: str, states: list[State]) -> tuple[str, State]:
    """What is wrong with a folder, if anything, and which of the states it holds."""
    index = opened(folder).snapshot()
    stamps = [stamp for stamp in index.stamps().values() if stamp]
    held = dict(stamps)
    if len(stamps) != len(held):
        return "a row is there twice", held
    if held not in states:
        return "what was acknowledged is not what is there", held
    for stored, (key, version) in zip(index.images(), stamps, strict=True):
        if not _is_same(stored, row(key, version).image):
            return f"{stored.ref} does not read back", held
    for key, version in stamps[:3]:
        query = row(key, version).image
        assert isinstance(query, DescribedImage)
        if index.nearest(query, 3)[0].key != str(query.ref):
            return f"{query.ref} is not its own nearest", held
    if len({key for key, _, _ in index.neighbours("vector", 1)}) != (len(held) > 1) * len(held):
        return "neighbours are missing", held
    return _ghosts(index), held


def _is_same(stored: DescribedImage, made: Any) -> bool:
    pairs = zip(stored.descriptors["vector"], made.descriptors["vector"], strict=True)
    if stored.regions != made.regions or stored.content != made.content:
        return False
    points, its = stored.descriptors["orb"][-1], made.descriptors["orb"][-1]
    are_equal = np.array_equal(points.codes, its.codes)
    are_equal &= np.array_equal(points.points_xy, its.points_xy)
    return bool(are_equal) and all(np.allclose(a.vector, b.vector, atol=1e-3) for a, b in pairs)


def _ghosts(index: Stored) -> str:
    """Parts of rows that are not there."""
    view = index._look().view
    for name in view.record.versions:
        numbers = set(view.entries(name).numbers.tolist())
        if numbers != set(view.numbers.tolist()):
            return f"'{name}' has other pictures than 'rows'"
    return ""


def leftovers(folder: str) -> int:
    """Unfinished files and datasets or inverted files that nothing names."""
    record = opened(folder)._look().view.record
    named = {f"{name}{ENDING}" for name in record.versions}
    named |= {str(record.notes.get(lance_words.FOLDER))}
    there = [path.name for path in Path(folder).glob("*") if path.is_dir()]
    parts = [path for path in Path(folder).rglob("*") if path.name.startswith(".tmp")]
    return len(set(there) - named) + len(parts)


def trials(folder: str, n_kills: int, seed: int) -> None:
    dice, state, said = random.Random(seed), State(), Counter[tuple[str, str]]()
    n_changes, most_left = 0, 0
    took: dict[str, list[float]] = {what: [] for what in CHANGES}
    for number in range(n_kills):
        trial = killed(folder, seed * 10_000 + number, dice, took)
        n_changes += len(trial.acknowledged)
        for change in trial.acknowledged:
            state = applied(state, change)
        under_way = trial.under_way
        after = applied(state, under_way) if under_way else state
        wrong, held = fault(folder, [state, after])
        if wrong:
            raise SystemExit(f"kill {number} of seed {seed}: {wrong} ({under_way}) in {folder}")
        changes = bool(under_way) and after != state
        came = ("done" if held == after else "undone") if changes else "same rows"
        said[under_way["what"] if under_way else "between two", came] += 1
        state = held
        most_left = max(most_left, leftovers(folder))
        if number % 20 == 19:
            print(f"{number + 1} kills, {len(state)} rows", file=sys.stderr, flush=True)
    opened(folder).optimize()
    opened(folder).compact()
    wrong, _ = fault(folder, [state])
    if wrong or leftovers(folder):
        raise SystemExit(f"after the last: {wrong or 'leftovers stay'}")
    print(f"{n_kills} kills with seed {seed}, {n_changes} changes acknowledged, no fault.")
    print(f"Up to {most_left} leftovers of a kill, none after the next optimize.\n")
    print("| killed amid | whole | not at all | changes no row |\n| --- | --- | --- | --- |")
    for what in (*CHANGES, "between two"):
        counts = [said[what, came] for came in ("done", "undone", "same rows")]
        print(f"| {what} | " + " | ".join(map(str, counts)) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", default="")
    parser.add_argument("--work", type=int, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work is not None:
        work(options.folder, options.work)
        return
    with tempfile.TemporaryDirectory() as folder:
        trials(options.folder or os.path.join(folder, "index"), options.kills, options.seed)


if __name__ == "__main__":
    main()
