"""Fit what tells siblings that share print from one and the same thing: models/second-look.yaml.

    python training/second_look/fit.py EVAL_DIR --output models/second-look.yaml

EVAL_DIR holds a folder a set, each with a groundtruth.csv (see `objsearch evaluate --help`). Every
pair that ORB on whole pictures calls *same* is laid over each other; a logistic model over the
numbers of a pair (`objsearch.agree.thing_model.NUMBERS`) tells right ones from wrong ones. Pairs
whose registration is not good enough to be judged take no part. Fitted on half of the objects and
reported on the others, both ways; what is written was fitted on all. The border is where as much
speaks for as against. Pairs of two sides of one building count as
neither. Siblings that are generated (a band of a cover, the rest another cover's) are reported, and
take no part in fitting: they show what the rule for things laid to a pixel does. Prints a Markdown
table.
"""

from __future__ import annotations

import argparse
import csv
import random
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import minimize

from objsearch.agree.thing import look
from objsearch.agree.thing_model import NUMBERS, ThingModel
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.types import Pixels, RegionPair

SETS = ("smvs_dvd", "dreambooth", "microcontrollers", "scenes", "grocery_packages")
SIBLINGS, COVERS = "grocery_packages", "smvs_dvd"
LEAST_INLIERS = 10
ALL_AS_QUERIES = {"dreambooth": 1, "grocery_packages": 5, "scenes": 3}
"""In these sets every so many photos that are no query are one all the same."""
MOST = 220
"""Pairs of a set."""
SAME_PLACE = {"strecha_castle_P30", "strecha_entry_P10"}
STEADY, RESIDUAL = 0.2, 4.5
"""Least share of steady corners, and greatest residual, with which a pair can be judged."""
BORDER = 0.0
"""Logit below which print is shared and no more."""
BAND = 0.4
"""Of a cover's height, that a generated sibling shares."""
RIDGE = 1e-2


class Called(NamedTuple):
    """A pair that is called *same*, by the paths of its pictures."""

    set: str
    group: str
    is_right: bool
    query: str
    reference: str
    pair: RegionPair
    pixels: Pixels | None = None
    """The reference's, where it was made."""


class Table(NamedTuple):
    """`numbers` (N, F), and of each pair whether it is right, its set, and its half."""

    numbers: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    sets: NDArray[np.str_]
    half: NDArray[np.int_]


def called_same(folder: Path, name: str) -> Iterator[Called]:
    """Pairs of a set that geometry calls the same."""
    with (folder / name / "groundtruth.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    groups = defaultdict(set)
    for row in rows:
        groups[str(folder / name / row["path"])].add(row["group_id"])
    every = ALL_AS_QUERIES.get(name, 0)
    search = ObjectSearch(
        load_settings("orb", {"detector": "whole-image", "search.second_look.enabled": False})
    )
    search.add(
        *dict.fromkeys(
            str(folder / name / row["path"]) for row in rows if every or row["role"] != "query"
        )
    )
    for number, row in enumerate(rows):
        if row["role"] != "query" and not (every and number % every == 0):
            continue
        options: dict[str, Any] = {}
        if name == "microcontrollers":
            x1, y1, x2, y2 = row["box"].split(",")
            options["region"] = f"{x1},{y1}:{x2},{y2}"
        query = str(folder / name / row["path"])
        for hit in search.find(query, threshold=0.0, verdicts=["same"], **options).hits:
            of_hit = groups[hit.ref.uri]
            if {row["group_id"], *of_hit} == SAME_PLACE:
                continue
            is_right = row["group_id"] in of_hit
            yield Called(name, row["group_id"], is_right, query, hit.ref.uri, hit.pairs[0])


def numbers_of(called: Called) -> NDArray[np.float64] | None:
    """What the second look would see of a pair."""
    found = called.pair.verification
    if found is None or found.model == "fundamental" or called.query == called.reference:
        return None
    reference = _read(called.reference) if called.pixels is None else called.pixels
    box, points_xy = called.pair.query.box_xyxy, found.inliers_xyxy[:, :2]
    seen = look(_read(called.query), reference, found.transform, box, points_xy)
    return None if seen is None else seen.numbers


def _read(path: str) -> Pixels:
    return np.asarray(cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB), np.uint8)


def measured(called: list[Called]) -> Table:
    """The numbers of all pairs that have any."""
    seen = [(one, numbers_of(one)) for one in called]
    kept = [(one, numbers) for one, numbers in seen if numbers is not None]
    return Table(
        np.array([numbers for _, numbers in kept]),
        np.array([one.is_right for one, _ in kept]),
        np.array([one.set for one, _ in kept]),
        np.array([zlib.crc32(one.group.encode()) % 2 for one, _ in kept]),
    )


def fitted(table: Table, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(F + 1,) weights, the constant last: right and wrong weigh alike, sets by their roots."""
    x, y = table.numbers[chosen], table.is_right[chosen]
    weight = np.zeros(len(y))
    for kind in (True, False):
        for name in np.unique(table.sets[chosen]):
            members = (y == kind) & (table.sets[chosen] == name)
            weight[members] = 1 / np.sqrt(max(1, members.sum()))
        weight[y == kind] /= 2 * weight[y == kind].sum()
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = (x - mean) / scale

    def loss(theta: NDArray[np.float64]) -> float:
        logit = z @ theta[:-1] + theta[-1]
        likelihood = np.sum(weight * (np.logaddexp(0, logit) - y * logit))
        return float(likelihood + RIDGE * np.sum(theta[:-1] ** 2))

    theta = minimize(loss, np.zeros(x.shape[1] + 1), method="L-BFGS-B").x
    slopes = theta[:-1] / scale
    return np.append(slopes, theta[-1] - slopes @ mean)


def logits(table: Table, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(table.numbers @ weights[:-1] + weights[-1], np.float64)


def siblings(model: ThingModel, table: Table, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) which of the chosen pairs share print only."""
    found = [model.is_sibling(numbers) for numbers in table.numbers[chosen]]
    result = np.zeros(len(table.half), bool)
    result[chosen] = found
    return result


def generated(called: list[Called]) -> list[Called]:
    """Covers of which a band around the inliers is kept, and the rest is the next cover's."""
    covers = [one for one in called if one.set == COVERS and one.is_right][::3]
    paths = sorted({one.reference for one in covers})
    made = []
    for one in covers:
        found = one.pair.verification
        if found is None or found.model == "fundamental":
            continue
        own = _read(one.reference)
        other = _read(paths[(paths.index(one.reference) + 7) % len(paths)])
        other = np.asarray(cv2.resize(other, (own.shape[1], own.shape[0])), np.uint8)
        rows = found.inliers_xyxy[:, 3]
        low, high = (int(np.median(rows) + sign * BAND / 2 * own.shape[0]) for sign in (-1, 1))
        inside = (rows > low) & (rows < high)
        if inside.sum() >= LEAST_INLIERS:
            other[max(0, low) : high] = own[max(0, low) : high]
            kept = replace(found, inliers_xyxy=found.inliers_xyxy[inside])
            pair = replace(one.pair, verification=kept)
            made.append(one._replace(set="generated", is_right=False, pair=pair, pixels=other))
    return made


def area_under_curve(values: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """The chance that a right pair has a greater value than a wrong one."""
    apart = values[is_right][:, None] - values[~is_right][None]
    return float((apart > 0).mean() + 0.5 * (apart == 0).mean())


def model_of(weights: NDArray[np.float64]) -> ThingModel:
    """The fitted weights with the limits of this recipe."""
    return ThingModel(weights, BORDER, STEADY, RESIDUAL)


def report(table: Table, judged: NDArray[np.bool_], fitted_on: NDArray[np.bool_]) -> None:
    """What the weights of one half of the objects do on the other."""
    shared = np.zeros(len(judged), bool)
    for half in (0, 1):
        weights = fitted(table, fitted_on & (table.half != half))
        other = table.half == half
        shared |= siblings(model_of(weights), table, other)
        values = logits(table, weights)
        told = []
        for chosen in (other & fitted_on, other & fitted_on & (table.sets == SIBLINGS)):
            told.append(area_under_curve(values[chosen], table.is_right[chosen]))
        print(f"AUC on half {half}: {told[0]:.3f}; groceries alone: {told[1]:.3f}\n")
    print("| set | right, before | after | wrong, before | after | cannot be judged |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in (*SETS, "generated"):
        of_set = table.sets == name
        right, wrong = of_set & table.is_right, of_set & ~table.is_right
        counts = [right.sum(), (right & ~shared).sum(), wrong.sum(), (wrong & ~shared).sum()]
        print(f"| {name} | {' | '.join(map(str, counts))} | {(of_set & ~judged).sum()} |")


def main() -> None:
    """Fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    called = []
    for name in SETS:
        of_set = list(called_same(given.folder, name))
        called += random.Random(name).sample(of_set, min(MOST, len(of_set)))
    table = measured(called + generated(called))
    judged = (table.numbers[:, 0] >= STEADY) & (table.numbers[:, 1] <= RESIDUAL)
    fitted_on = judged & (table.sets != "generated")
    report(table, judged, fitted_on)
    content = {
        "numbers": list(NUMBERS),
        "weights": [round(float(one), 4) for one in fitted(table, fitted_on)],
        "least": BORDER,
        "steady": STEADY,
        "residual": RESIDUAL,
    }
    given.output.write_text(
        "# Siblings that share print, or the same thing: training/second_look/fit.py made this.\n"
        + yaml.safe_dump(content, sort_keys=False)
    )


if __name__ == "__main__":
    main()
