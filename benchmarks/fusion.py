"""What do several photos of one thing gain, and which fusion gains most? Prints a Markdown table.

    python benchmarks/fusion.py EVAL_DIR [--set dreambooth] [--draws 50] [--seed 1]

EVAL_DIR holds the set (a folder with groundtruth.csv) and `distractors`, photos that pad the
database. Of every object with enough photos, three are drawn; its others are to be found. The three
alone, the three pairs of them and all together are the queries, so that every row is about the same
targets. Photos are described once; each is compared with all others once, through
`ObjectSearch.find`, and the views' scores are fused by the function that `find` uses. As a check,
some draws also go through `find` as a whole.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import get_args

from objsearch.rank.fusion import Fusion, fuse
from objsearch.rank.metrics import Ranked, average_precision, is_top1_right
from objsearch.search.pipeline import ObjectSearch
from objsearch.tasks.evaluation.groundtruth import read_groundtruth

N_DRAWN = 3
N_CHECKED = 5
Scores = Mapping[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", default="dreambooth")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    truth = read_groundtruth(given.folder / given.set / "groundtruth.csv")
    objects: dict[str, list[str]] = defaultdict(list)
    for row in truth.queries(True):
        objects[row.group_id].append(str(row.path))
    objects = {name: sorted(set(paths)) for name, paths in objects.items()}
    search = ObjectSearch.open(given.preset)
    search.add(*truth.references(True), given.folder / "distractors")
    scores = {path: scores_of(search, path) for paths in objects.values() for path in paths}
    draws = drawn(objects, given.draws, given.seed)
    n_objects = len(draws[0])
    print(
        f"{n_objects} objects, {sum(len(objects[name]) for name in draws[0])} photos of them, "
        f"{len(search.index)} images searched, {given.draws} draws, seed {given.seed}\n"
    )
    print(table(draws, objects, scores))
    print(
        f"\nLargest difference to `find` in {N_CHECKED} draws: {check(search, draws, scores):.1e}"
    )


def scores_of(search: ObjectSearch, path: str) -> Scores:
    return {hit.ref.uri: hit.score for hit in search.find(path, threshold=0.0).hits}


def drawn(objects: Mapping[str, Sequence[str]], n: int, seed: int) -> list[dict[str, list[str]]]:
    """Three photos of each object that has more; a draw is about all objects."""
    rng = random.Random(seed)
    enough = [name for name in sorted(objects) if len(objects[name]) > N_DRAWN]
    return [{name: rng.sample(list(objects[name]), N_DRAWN) for name in enough} for _ in range(n)]


def table(
    draws: Sequence[Mapping[str, Sequence[str]]],
    objects: Mapping[str, Sequence[str]],
    scores: Mapping[str, Scores],
) -> str:
    lines = [
        "| photos | fusion | mAP | gain | ± | top 1 | gain | ± |",
        "| --- " * 8 + "|",
    ]
    alone: list[tuple[float, float]] = []
    for n in range(1, N_DRAWN + 1):
        for how in get_args(Fusion) if n > 1 else ("max",):
            by_draw = [of_draw(draw, objects, scores, n, how) for draw in draws]
            alone = alone or by_draw
            cells = [str(n), how if n > 1 else "-"]
            for k in (0, 1):
                values = [one[k] for one in by_draw]
                gains = [one[k] - base[k] for one, base in zip(by_draw, alone, strict=True)]
                cells += [f"{statistics.mean(values):.3f}", f"{statistics.mean(gains):+.3f}"]
                cells.append(f"{statistics.pstdev(gains):.3f}")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def of_draw(
    draw: Mapping[str, Sequence[str]],
    objects: Mapping[str, Sequence[str]],
    scores: Mapping[str, Scores],
    n: int,
    how: Fusion,
) -> tuple[float, float]:
    """Mean average precision and top 1 over the objects and all ways to take n of the three."""
    precisions, firsts = [], []
    for name, chosen in draw.items():
        targets = set(objects[name]) - set(chosen)
        for some in combinations(chosen, n):
            fused = fuse([without(scores[path], chosen) for path in some], how)
            order = sorted(fused, key=lambda ref: (-fused[ref], ref))
            ranked = Ranked([fused[r] for r in order], [r in targets for r in order], len(targets))
            precisions.append(average_precision(ranked))
            firsts.append(float(is_top1_right(ranked)))
    return statistics.mean(precisions), statistics.mean(firsts)


def without(scores: Scores, left_out: Sequence[str]) -> dict[str, float]:
    return {ref: score for ref, score in scores.items() if ref not in left_out}


def check(
    search: ObjectSearch,
    draws: Sequence[Mapping[str, Sequence[str]]],
    scores: Mapping[str, Scores],
) -> float:
    """The largest difference between the fused scores here and those of a search by three views.

    A search by one photo may choose the other two for its shortlist; beyond that, there is none.
    """
    worst = 0.0
    for number, draw in enumerate(draws[:N_CHECKED]):
        chosen = list(draw.values())[number % len(draw)]
        for how in ("mean", "max"):
            fused = fuse([without(scores[path], chosen) for path in chosen], how)
            for hit in search.find(*chosen, threshold=0.0, fusion=how).hits:
                worst = max(worst, abs(hit.score - fused[hit.ref.uri]))
    return worst


if __name__ == "__main__":
    main()
