"""Fit what tells places that differ, and one shot from another: models/agreement.yaml.

    python training/agreement/fit.py PHOTOS OTHER_PHOTOS NEAR_STRANGERS... --output
    models/agreement.yaml

PHOTOS are plain photos to fit on, OTHER_PHOTOS ones to report on; NEAR_STRANGERS are folders of
photos that are all different and look alike (other shots of one thing, siblings of a brand), of
which every second family is fitted on and the others are reported on: a family shares its folder
and the first letters of its name. Two logistic models:

- places: of a place's features and their products, whether it differs. Fitted on generated pairs
  (`sets.py`) whose changes are known to the pixel, brought through an edit that keeps the picture;
- shot: of a pair's numbers (`objsearch.agree.evidence`), whether both come from one shot. Fitted on
  copies by all kinds of edits (`benchmarks/edits.py`), against near-strangers as `duplicates` finds
  them.

Prints what each does on pairs that it was not fitted on. Repeatable for the same photos.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import minimize

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "benchmarks")]
from duplicates_edits import make, read
from sets import Pair, pairs

from objsearch.agree.evidence import weigh
from objsearch.agree.laying import lay
from objsearch.agree.model import EVIDENCE, expanded
from objsearch.agree.places import FEATURES, Places, measure, pool
from objsearch.agree.registration import Registration, register
from objsearch.agree.tone import bring_together
from objsearch.flow import silent
from objsearch.settings import load_settings
from objsearch.tasks.duplicates.folders import Sides
from objsearch.tasks.duplicates.planning import Planner

SIDE = 1024
PLACES = 120
"""Of a pair and of each kind, at most: large pictures have no more to say than small ones."""
LINKS = 300
RIDGE = 1e-3
VISIBLE = 0.3
"""Part of a place that was changed, from which it counts as differing."""


class Looked(NamedTuple):
    """What was measured of a pair; `changed` (H, W) the part of each place that was changed."""

    places: Places
    registration: Registration
    changed: NDArray[np.float32] | None
    local: str
    kind: str


def looked_at(
    one: NDArray[np.uint8],
    other: NDArray[np.uint8],
    transform: NDArray[np.float64],
    pair: Pair | None,
) -> Looked | None:
    """Register and measure, as `agree` does."""
    registration = register(one, other, transform)
    laid = lay(one, other, registration.transform, SIDE)
    if laid is None or not laid.inside.any():
        return None
    places = measure(bring_together(laid.first, laid.second, laid.inside), laid.inside)
    if pair is None:
        return Looked(places, registration, None, "", "")
    size_wh = (laid.inside.shape[1], laid.inside.shape[0])
    changed = pool(cv2.warpPerspective(pair.mask.astype(np.float32), laid.first_to_grid, size_wh))
    return Looked(places, registration, changed, pair.local, pair.kind)


def generated(photos: list[Path], count: int, seed: str) -> list[Looked]:
    """Pairs with the truth a place, laid as inexactly as they come."""
    found = []
    for number, pair in enumerate(pairs(photos, count, seed)):
        r = random.Random(f"{seed} {number} place")
        transform = pair.transform.copy()
        transform[:2, 2] += (
            np.array([r.uniform(-2, 2), r.uniform(-2, 2)]) * max(pair.other.shape) / 500
        )
        one = looked_at(pair.one, pair.other, transform, pair)
        if one is not None:
            found.append(one)
    return found


def place_rows(every: list[Looked], seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Features (N, F) and whether each place differs; what is near to a change is left out."""
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    for one in every:
        assert one.changed is not None
        near = cv2.dilate((one.changed > 0.01).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        inside = one.places.inside
        for chosen, label in ((inside & (one.changed > VISIBLE), 1), (inside & ~near, 0)):
            at = np.argwhere(chosen)
            at = at[rng.choice(len(at), min(PLACES, len(at)), replace=False)]
            rows.append(one.places.features[at[:, 0], at[:, 1]])
            labels.append(np.full(len(at), label, float))
    return np.concatenate(rows).astype(float), np.concatenate(labels)


def fitted(
    x: NDArray[np.float64], y: NDArray[np.float64], ridge: float = RIDGE
) -> NDArray[np.float64]:
    """Weights of a logistic model, the constant last; both classes weigh the same."""
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = np.c_[(x - mean) / spread, np.ones(len(x))]
    weight = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))

    def loss(b: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = z @ b
        slope = z.T @ (weight * (1 / (1 + np.exp(-logits)) - y)) / len(y)
        slope[:-1] += 2 * ridge * b[:-1]
        return float(
            np.mean(weight * (np.logaddexp(0, logits) - y * logits)) + ridge * (b[:-1] ** 2).sum()
        ), slope

    b = minimize(
        loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500}
    ).x
    return np.r_[b[:-1] / spread, b[-1] - (b[:-1] * mean / spread).sum()]


def logits(x: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(x @ weights[:-1] + weights[-1])


def area(scores: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Area under the curve of right over wrong."""
    rank = scores.argsort().argsort()
    n = int(y.sum())
    return float((rank[y == 1].sum() - n * (n - 1) / 2) / (n * (len(y) - n)))


def linked(folder: Path) -> Iterator[tuple[str, str, Looked]]:
    """Pairs of a folder that `duplicates` takes for candidates, measured; at most LINKS of them."""
    settings = load_settings("copies", {"duplicates.decisions": str(folder / "none.json")})
    planner = Planner(Sides((str(folder),)), settings, silent)
    links = planner.links()
    links = random.Random(0).sample(links, min(LINKS, len(links)))
    for one, other, transform in links:
        found = looked_at(
            np.asarray(read(Path(one))), np.asarray(read(Path(other))), transform, None
        )
        if found is not None:
            yield one, other, found


def numbers(one: Looked, places: NDArray[np.float64]) -> NDArray[np.float32]:
    told = logits(expanded(one.places.features).astype(float), places)
    return weigh(one.places, told.astype(np.float32), one.registration).numbers


def family(path: str) -> int:
    """0 or 1, the same for photos of one folder and one beginning of the name."""
    file = Path(path)
    return (
        zlib.crc32(f"{file.parent.name} {re.sub('[^a-z0-9]', '', file.stem.lower())[:6]}".encode())
        % 2
    )


def shots(
    args: argparse.Namespace, every: list[list[Looked]], places: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit and report the second model."""
    rows: tuple[list, list] = ([], [])
    labels: tuple[list, list] = ([], [])
    for part, photos in enumerate((args.photos, args.other_photos)):
        for one in every[part]:
            rows[part].append(numbers(one, places))
            labels[part].append(1.0)
        with tempfile.TemporaryDirectory(prefix="edits-") as name:
            paths = sorted(photos.iterdir())
            make(paths[:: max(1, len(paths) // 12)][:12], paths[1:30:2], Path(name), 100 + part)
            for a, b, one in linked(Path(name)):
                if Path(a).name[:4] == Path(b).name[:4]:
                    rows[part].append(numbers(one, places))
                    labels[part].append(1.0)
    for folder in args.near_strangers:
        for a, _, one in linked(folder):
            rows[family(a)].append(numbers(one, places))
            labels[family(a)].append(0.0)
    x, y = [np.array(part, float) for part in rows], [np.array(part) for part in labels]
    weights = fitted(x[0], y[0], 3e-3)
    for name, a, b in (("fitted on", x[0], y[0]), ("others", x[1], y[1])):
        told = logits(a, weights)
        print(
            f"shots, {name}: {int(b.sum())} copies, "
            f"{int((1 - b).sum())} near-strangers, area {area(told, b):.4f}, "
            f"copies kept {(told[b == 1] > 0).mean():.3f}, "
            f"near-strangers passed {int((told[b == 0] > 0).sum())}"
        )
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("other_photos", type=Path)
    parser.add_argument("near_strangers", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=700, help="generated pairs to fit on")
    args = parser.parse_args()
    every = [
        generated(sorted(args.photos.iterdir()), args.count, "fit"),
        generated(sorted(args.other_photos.iterdir()), args.count // 3, "report"),
    ]
    x, y = place_rows(every[0], 0)
    places = fitted(expanded(x), y)
    for name, part in (("fitted on", every[0]), ("others", every[1])):
        a, b = place_rows(part, 0)
        told = logits(expanded(a), places)
        print(
            f"places, {name}: {len(b):,}, area {area(told, b):.4f}, "
            f"differing found {(told[b == 1] > 0).mean():.3f}, "
            f"agreeing taken for differing {(told[b == 0] > 0).mean():.4f}"
        )
        worst = [(float(numbers(one, places)[EVIDENCE.index("worst")]), one) for one in part]
        for limit in (1.0, 1.5, 2.0, 3.0):
            same = np.mean([w <= limit for w, one in worst if not one.local])
            missed = np.mean(
                [w <= limit for w, one in worst if one.local and (one.changed > VISIBLE).sum() > 1]
            )
            print(
                f"  worst place under {limit}: same pictures {same:.3f}, "
                f"changed ones missed {missed:.3f}"
            )
    shot = shots(args, every, places)
    data = {
        "features": list(FEATURES), "places": [float(f"{value:.5g}") for value in places],
        "evidence": list(EVIDENCE), "shot": [float(f"{value:.5g}") for value in shot],
    }  # fmt: skip
    args.output.write_text(
        yaml.safe_dump(data, default_flow_style=None, width=110, sort_keys=False)
    )
    print(args.output)


if __name__ == "__main__":
    main()
