"""Which keypoints and which geometry prove most, and at what price? Prints one Markdown table.

    python benchmarks/verification.py EVAL_DIR [--methods orb,sift] [--negatives 1200]

Every method counts the matches that agree on one movement of the camera. Its threshold is the
lowest count that at most one in 1,000 pairs of photos of different things exceeds; its figures are
the parts of the pairs of the same thing that exceed it. Same: phone photos and their covers
(`smvs_dvd`), two photos of one place or object from apart (`scenes`), circuit boards cut out of one
photo and looked for in another (`microcontrollers`). Different: covers and photos of other covers,
things and the look-alikes of others (`lookalike_coco`), `distractors`. Learned keypoints are
measured by `learned_features.py`.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.describe.base import Crop
from objsearch.describe.keypoints import KeypointExtractor
from objsearch.describe.orb import Orb
from objsearch.describe.sift import Sift
from objsearch.images.decode import decode
from objsearch.images.transform import crop
from objsearch.match.geometry import Geometry, inverse, verify
from objsearch.match.ratio_test import RatioTest
from objsearch.tasks.evaluation.groundtruth import Groundtruth, read_groundtruth
from objsearch.types import Box, LocalFeatures, Pixels

FALSE_RATE = 1 / 1000
Photo = tuple[Path, Box | None]
Pair = tuple[Photo, Photo]
Matches = NDArray[np.int32]


@dataclass
class Method:
    """`describe` a query and `describe_reference` a reference (the same unless given); `match`
    two descriptions."""

    describe: Callable[[Pixels], Any]
    match: Callable[[Any, Any], tuple[LocalFeatures, LocalFeatures, Matches]]
    geometry: Geometry = field(default_factory=Geometry)
    describe_reference: Callable[[Pixels], Any] | None = None
    note: str = ""


def keypoints(extractor: KeypointExtractor, pixels: Pixels) -> LocalFeatures:
    """Of a full frame."""
    found = extractor.extract_batch([Crop(pixels, is_frame=True)])[0]
    assert isinstance(found, LocalFeatures)
    return found


def by_ratio(
    ratio: float, one: LocalFeatures, other: LocalFeatures
) -> tuple[LocalFeatures, LocalFeatures, Matches]:
    """As objsearch matches."""
    return one, other, RatioTest(ratio=ratio).matches(one, other)


def views(extractor: KeypointExtractor, pixels: Pixels) -> list[LocalFeatures]:
    """The picture, and it squeezed to half in four directions (after ASIFT, Morel and Yu 2009)."""
    height, width = pixels.shape[:2]
    found = [keypoints(extractor, pixels)]
    for degrees in (0, 45, 90, 135):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ turn[:, :2].T
        turn[:, 2] -= (corners + turn[:, 2]).min(axis=0)
        size = np.ceil(np.ptp(corners, axis=0)).astype(int)
        turned = cv2.warpAffine(pixels, turn, (int(size[0]), int(size[1])))
        turned = cv2.GaussianBlur(turned, (0, 0), sigmaX=1.4, sigmaY=0.01)
        squeezed = cv2.resize(turned, (max(int(size[0]) // 2, 16), int(size[1])))
        there = np.vstack([turn, [0, 0, 1]])
        there = np.diag([squeezed.shape[1] / size[0], 1.0, 1.0]) @ there
        own = keypoints(extractor, squeezed)
        ones = np.ones((len(own), 1))
        back = np.hstack([own.points_xy, ones]) @ inverse(there)[:2].T
        found.append(LocalFeatures(back.astype(np.float32), own.codes, found[0].scale))
    return found


def by_views(
    ratio: float, one: list[LocalFeatures], other: LocalFeatures
) -> tuple[LocalFeatures, LocalFeatures, Matches]:
    """The matches of every view, together."""
    offsets = np.cumsum([0, *(len(view) for view in one)])
    parts = [
        RatioTest(ratio=ratio).matches(view, other) + np.array([offset, 0], np.int32)
        for view, offset in zip(one, offsets, strict=False)
    ]
    points = np.concatenate([view.points_xy for view in one])
    whole = LocalFeatures(points, np.concatenate([view.codes for view in one]), one[0].scale)
    return whole, other, np.concatenate(parts).astype(np.int32)


def own(extractor: KeypointExtractor, ratio: float = 0.8, **geometry: Any) -> Method:
    """A method of objsearch's own extractors."""
    match = partial(by_ratio, ratio)
    return Method(partial(keypoints, extractor), match, Geometry(**geometry))


def tilted(extractor: KeypointExtractor, ratio: float = 0.8) -> Method:
    """Five views of the query against the reference as it is."""
    return Method(
        partial(views, extractor),
        partial(by_views, ratio),
        describe_reference=partial(keypoints, extractor),
    )


METHODS: dict[str, Callable[[], Method]] = {
    "orb": lambda: own(Orb()),
    "orb, 500 points": lambda: own(Orb(n_points=500)),
    "orb, 1500 points": lambda: own(Orb(n_points=1500)),
    "orb, 1500 points, 960 px": lambda: own(Orb(n_points=1500, long_side=960)),
    "orb, ratio 0.85": lambda: own(Orb(), 0.85),
    "orb, ratio 0.9": lambda: own(Orb(), 0.9),
    "orb, tolerance 2": lambda: own(Orb(), tolerance=2.0),
    "orb, tolerance 6": lambda: own(Orb(), tolerance=6.0),
    "orb, fundamental too": lambda: own(Orb(), models=("homography", "affine", "fundamental")),
    "orb, guided": lambda: own(Orb(), guided=True),
    "orb, ratio 0.85, guided": lambda: own(Orb(), 0.85, guided=True),
    "orb, ratio 0.9, guided": lambda: own(Orb(), 0.9, guided=True),
    "orb, 1200 points, ratio 0.9, guided": lambda: own(Orb(n_points=1200), 0.9, guided=True),
    "orb, five affine views": lambda: tilted(Orb()),
    "sift": lambda: own(Sift()),
    "sift, 1500 points": lambda: own(Sift(n_points=1500)),
    "sift, ratio 0.85": lambda: own(Sift(), 0.85),
    "sift, ratio 0.9": lambda: own(Sift(), 0.9),
    "sift, guided": lambda: own(Sift(), guided=True),
    "sift, ratio 0.9, guided": lambda: own(Sift(), 0.9, guided=True),
    "sift, five affine views": lambda: tilted(Sift()),
}


def positives(folder: Path, rng: random.Random, limit: int) -> dict[str, list[Pair]]:
    """Pairs of the same thing, a set each."""
    found: dict[str, list[Pair]] = {"covers": [], "wide baseline": [], "boards": []}
    truth = read_groundtruth(folder / "smvs_dvd" / "groundtruth.csv")
    for row in truth.queries(False):
        found["covers"] += [((row.path, None), (p, None)) for p in truth.right(row, False)]
    scenes = read_groundtruth(folder / "scenes" / "groundtruth.csv")
    for members in _groups(scenes).values():
        pairs = [((a, None), (b, None)) for a, b in itertools.combinations(members, 2)]
        found["wide baseline"] += rng.sample(pairs, min(len(pairs), 12))
    boards = read_groundtruth(folder / "microcontrollers" / "groundtruth.csv")
    for row in boards.queries(False):
        found["boards"] += [
            ((row.path, row.box_xyxy), (p, None)) for p in sorted(boards.right(row, False))[:12]
        ]
    return {name: rng.sample(pairs, min(limit, len(pairs))) for name, pairs in found.items()}


def _groups(truth: Groundtruth) -> dict[str, list[Path]]:
    groups: dict[str, set[Path]] = {}
    for row in truth.queries(False):
        groups[str(row.path)] = {row.path, *truth.right(row, False)}
    return {name: sorted(members) for name, members in groups.items()}


def negatives(folder: Path, rng: random.Random, limit: int) -> list[Pair]:
    """Pairs of different things: a third covers, a third look-alikes, a third any photos."""
    truth = read_groundtruth(folder / "smvs_dvd" / "groundtruth.csv")
    covers = truth.references(False)
    rows = truth.queries(False)
    wrong = [(r.path, c) for r in rows for c in covers if c not in truth.right(r, False)]
    looks = read_groundtruth(folder / "lookalike_coco" / "groundtruth.csv")
    alike = [(r.path, p) for r in looks.queries(False) for p in looks.references(False)]
    plain = list(itertools.combinations(sorted((folder / "distractors").glob("*.jpg")), 2))
    third = limit // 3
    chosen = rng.sample(wrong, third) + rng.sample(alike, min(third, len(alike)))
    chosen += rng.sample(plain, limit - len(chosen))
    return [((Path(a), None), (Path(b), None)) for a, b in chosen]


def cut(photo: Photo) -> Pixels:
    """The photo's pixels, or those in the box."""
    path, box = photo
    pixels = decode(path.read_bytes()).pixels
    return pixels if box is None else crop(pixels, box)


class Measured:
    """Counts of agreeing matches, describing each photo once, with the time both take."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self.described: dict[tuple[Photo, bool], Any] = {}
        self.describing: list[float] = []
        self.comparing: list[float] = []

    def count(self, pair: Pair) -> int:
        """Matches that agree."""
        method = self.method
        query = self._of(pair[0], method.describe, False)
        tell = method.describe_reference
        reference = self._of(pair[1], tell or method.describe, tell is not None)
        started = time.process_time()
        one, other, matches = method.match(query, reference)
        found = verify(one, other, matches, method.geometry)
        self.comparing.append(time.process_time() - started)
        return 0 if found is None else found.n_inliers

    def threshold(self, different: Sequence[Pair]) -> int:
        """The lowest count that at most FALSE_RATE of the pairs of different things reach."""
        wrong = sorted((self.count(pair) for pair in different), reverse=True)
        return wrong[int(FALSE_RATE * len(wrong))] + 1

    def _of(self, photo: Photo, describe: Callable[[Pixels], Any], apart: bool) -> Any:
        key = photo, apart
        if key not in self.described:
            pixels = cut(photo)
            started = time.process_time()
            self.described[key] = describe(pixels)
            self.describing.append(time.process_time() - started)
        return self.described[key]


def measure(
    name: str, method: Method, same: dict[str, list[Pair]], different: Sequence[Pair]
) -> None:
    """One line of the table."""
    measured = Measured(method)
    threshold = measured.threshold(different)
    cells, every = [], []
    for pairs in same.values():
        right = [measured.count(pair) >= threshold for pair in pairs]
        cells.append(f"{np.mean(right):.3f}")
        every.append(float(np.mean(right)))
    ms = [1000 * float(np.mean(times)) for times in (measured.describing, measured.comparing)]
    print(
        f"| {name} | {threshold} | {' | '.join(cells)} | {np.mean(every):.3f} "
        f"| {ms[0]:.0f} | {ms[1]:.1f} | {len(different)} | {method.note or '0'} |",
        flush=True,
    )


def arguments(
    doc: str, methods: Iterable[str], n_negatives: int, n_positives: int
) -> argparse.Namespace:
    """What a program that holds methods against each other is called with."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--methods", default=";".join(methods), help="separated by semicolons")
    parser.add_argument("--negatives", type=int, default=n_negatives)
    parser.add_argument("--positives", type=int, default=n_positives, help="most pairs of a set")
    return parser.parse_args()


def main() -> None:
    """Print the table, a row as soon as it is there."""
    given = arguments(__doc__, METHODS, n_negatives=1200, n_positives=60)
    cv2.setNumThreads(1)
    rng = random.Random(0)
    same = positives(given.folder, rng, given.positives)
    different = negatives(given.folder, rng, given.negatives)
    heads = ["method", "least inliers", *(f"{n} ({len(p)})" for n, p in same.items()), "mean"]
    heads += ["ms a photo", "ms a pair", "different pairs", "weights"]
    print("| " + " | ".join(heads) + " |")
    print("| " + " | ".join("---" for _ in heads) + " |", flush=True)
    for name in given.methods.split(";"):
        measure(name, METHODS[name](), same, different)


if __name__ == "__main__":
    main()
