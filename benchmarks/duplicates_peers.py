"""Edited copies found by objsearch and by its peers: recall, precision, time; one folder, one run.

    python benchmarks/duplicates_peers.py PHOTOS --photos 500 --seed 1 --peers PEERS/bin/python

The pictures are those of duplicates_pairs.py. Each tool runs as one process of its own on the same
folder, with all processors and as its authors set it up. `--peers` is the Python of an environment
that holds the peers (`pip install "immaculate[sscd]" imagehash difPy imagededup`); without it, or
for what is missing there, the table says so. A pair counts when a tool puts both pictures into one
group, or names them as a pair.

Wall time is what a person waits, processor time what the process and its children used: on a busy
machine only the second says something. Both include starting and loading models.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from duplicates_pairs import chosen, make, score

Groups = list[dict[str, list[dict[str, str]]]]

MOST_BITS = 8
"""imagehash leaves the threshold to its users; 8 of 64 bits is in common use."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What the table calls a tool, and the command that prints or writes what it finds."""

    name: str
    command: list[str]
    groups: Callable[[str, Path], Groups]


def tools(folder: Path, plan: Path, peers: str | None) -> Iterator[Tool]:
    """Ours first, then every peer."""
    cli = [sys.executable, "-c", "from objsearch.apps.cli import main; main()"]
    ours = [*cli, "duplicates", str(folder), "--plan", str(plan), "--preset", "copies"]
    ours += ["--csv", "--forget"]
    yield Tool("objsearch duplicates, preset copies", ours, lambda _, path: _read(path)["groups"])
    if peers is None:
        return
    for method in ("sscd_distilled", "pdq", "phash"):
        yield _by_immaculate(peers, method, folder)
    for name, what in PEERS.items():
        command = [peers, __file__, str(folder), "--inside", name]
        yield Tool(what, command, lambda printed, _: _grouped(json.loads(printed)))
    yield _by_immaculate(peers, "sscd", folder)  # takes longest


def _by_immaculate(peers: str, method: str, folder: Path) -> Tool:
    start = "import sys; from immaculate.__main__ import cli; sys.exit(cli())"
    command = [peers, "-c", start, "--json", "--method", method, str(folder)]
    return Tool(f"Immaculate {method}", command, _immaculate)


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text())
    return data


def _immaculate(printed: str, _: Path) -> Groups:
    """Its exact groups and its near ones; a pair may be named by both, and counts once."""
    found = json.loads(printed)
    return _grouped([*found["exact"], *found["near"]])


def _grouped(named: list[list[str]]) -> Groups:
    pairs = {pair for group in named for pair in combinations(sorted(group), 2)}
    return [{"members": [{"path": path} for path in pair]} for pair in sorted(pairs)]


# What follows runs in the peers' environment.

PEERS = {
    "phash": f"imagehash phash, {MOST_BITS} of 64 bits",
    "dhash": f"imagehash dhash, {MOST_BITS} of 64 bits",
    "difpy": "difPy, similar",
    "imagededup": "imagededup PHash, its default",
}


def inside(name: str, folder: str) -> list[list[str]]:
    """Pairs of files that a peer finds alike."""
    return {"difpy": _difpy, "imagededup": _imagededup}.get(name, _imagehash(name))(folder)


def _imagehash(name: str) -> Callable[[str], list[list[str]]]:
    def pairs(folder: str) -> list[list[str]]:
        import imagehash
        import numpy as np
        from PIL import Image

        paths = sorted(str(path) for path in Path(folder).iterdir())
        bits = np.stack([getattr(imagehash, name)(Image.open(path)).hash.ravel() for path in paths])
        signs = bits.astype(np.float32) * 2 - 1
        apart = (bits.shape[1] - signs @ signs.T) / 2
        near = np.argwhere(np.triu(apart <= MOST_BITS, k=1))
        return [[paths[i], paths[j]] for i, j in near]

    return pairs


def _difpy(folder: str) -> list[list[str]]:
    import difPy

    built = difPy.build(folder, show_progress=False)
    found = difPy.search(built, similarity="similar", show_progress=False).result
    return [[path, other[0]] for path, others in found.items() for other in others]


def _imagededup(folder: str) -> list[list[str]]:
    from imagededup.methods import PHash

    found = PHash(verbose=False).find_duplicates(image_dir=folder)
    return [
        [os.path.join(folder, name), os.path.join(folder, other)]
        for name, others in found.items()
        for other in others
    ]


# And this in ours again.


def row(tool: Tool, plan: Path, n_photos: int) -> str:
    """A line of the table: run the tool, score what it found."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(tool.command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        groups = tool.groups(done.stdout, plan)
    except (ValueError, OSError):
        said = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        return f"| {tool.name} | did not run: {said[:100]} | | | | |"
    found = score(groups, n_photos)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (
        f"| {tool.name} | {found['recall']:.4f} | {found['precision']:.4f} | {found['wrong']:,} "
        f"| {wall:.0f} s | {used:.0f} s |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos, all of different things")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", help="the Python of the environment that holds the peers")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="tools whose name holds one")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(inside(options.inside, str(options.folder))))
        return 0
    photos = chosen(options.folder, options.photos, options.seed)
    with tempfile.TemporaryDirectory(prefix="peers-") as name:
        folder, plan = Path(name, "pictures"), Path(name, "plan.json")
        folder.mkdir()
        make(photos, folder)
        print(f"{len(photos)} photos x 6\n", flush=True)
        print("| tool | recall | precision | wrong pairs | wall time | processor time |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
        for tool in tools(folder, plan, options.peers):
            if not options.only or any(word in tool.name for word in options.only):
                print(row(tool, plan, len(photos)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
