"""What does an embedding know by itself, without keypoints, regions or geometry? Prints one table.

    python benchmarks/descriptor.py EVAL_DIR PHOTOS WEIGHTS...

WEIGHTS are names in models/ or .onnx files; `NAME,frame_size=160,flips=all` sets options of the
extractor, `frame_size=288+416` several sizes. Whole images only. Copies: of up to 500 photos of
PHOTOS the six pictures that `duplicates_pairs.py` makes; recall over all pairs of a group at
precision 0.99, over all pairs of pictures. The labelled sets of EVAL_DIR: `dreambooth`, every photo
a query, itself left out, among the 200 `distractors`; `grocery_packages`, queries against
references; `boards` are the boxes of `microcontrollers`, cut out, each a query.
"""

from __future__ import annotations

import argparse
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from duplicates_pairs import EDITS
from numpy.typing import NDArray
from PIL import Image, ImageOps

from objsearch.describe.base import Crop
from objsearch.describe.embedding import Embedding
from objsearch.tasks.evaluation.groundtruth import read_groundtruth

Vectors = NDArray[np.float32]


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def vectors_of(extractor: Embedding, pictures: list[Image.Image], is_frame: bool = True) -> Vectors:
    def one(picture: Image.Image) -> NDArray[np.float32]:
        crop = Crop(np.asarray(picture), is_frame=is_frame)
        return extractor.extract_batch([crop])[0].vector  # type: ignore[union-attr]

    with ThreadPoolExecutor(2) as pool:
        return np.stack(list(pool.map(one, pictures)))


def recall_at_precision(similar: Vectors, groups: NDArray[np.int64], precision: float) -> float:
    """Of all pairs of one group, the part above the lowest similarity with that precision."""
    above = np.triu_indices(len(groups), 1)
    right = (groups[:, None] == groups[None])[above]
    order = np.argsort(-similar[above], kind="stable")
    hits = np.cumsum(right[order])
    good = np.flatnonzero(hits / np.arange(1, len(hits) + 1) >= precision)
    return float(hits[good[-1]] / right.sum()) if len(good) else 0.0


def mean_average_precision(
    similar: Vectors, right: NDArray[np.bool_], compared: NDArray[np.bool_]
) -> tuple[float, float]:
    """mAP and top 1 of (queries, references) tables: how alike, whether right, whether asked."""
    precisions, firsts = [], []
    for scores, truth, asked in zip(similar, right, compared, strict=True):
        if not truth[asked].any():
            continue
        ranked = truth[asked][np.argsort(-scores[asked], kind="stable")]
        places = np.flatnonzero(ranked)
        precisions.append(np.mean((np.arange(len(places)) + 1) / (places + 1)))
        firsts.append(ranked[0])
    return float(np.mean(precisions)), float(np.mean(firsts))


@dataclass(frozen=True)
class Task:
    """How a labelled set is judged."""

    name: str
    padded: bool = False
    cut: bool = False
    by_role: bool = False


TASKS = (
    Task("dreambooth", padded=True),
    Task("grocery_packages", by_role=True),
    Task("microcontrollers", cut=True),
)


def labelled(
    extractor: Embedding, folder: Path, task: Task, padding: Vectors
) -> tuple[float, float]:
    """mAP and top 1 of one set of EVAL_DIR."""
    rows = read_groundtruth(folder / task.name / "groundtruth.csv").rows
    rows = tuple(row for row in rows if row.group_id)
    pictures = []
    for row in rows:
        picture, box = opened(row.path), row.box_xyxy
        if task.cut and box is not None:
            picture = picture.crop((round(box.x1), round(box.y1), round(box.x2), round(box.y2)))
        pictures.append(picture)
    vectors = vectors_of(extractor, pictures, is_frame=not task.cut)
    names = np.array([row.group_id for row in rows])
    is_query = np.array([not task.by_role or row.role == "query" for row in rows])
    compared = ~np.eye(len(rows), dtype=bool)
    if task.by_role:
        compared &= ~is_query[None]
    similar, right = vectors @ vectors.T, names[:, None] == names[None]
    if task.padded:
        wide = ((0, 0), (0, len(padding)))
        similar = np.hstack([similar, vectors @ padding.T])
        right, compared = np.pad(right, wide), np.pad(compared, wide, constant_values=True)
    return mean_average_precision(similar[is_query], right[is_query], compared[is_query])


def extractor_of(weights: str) -> Embedding:
    """`NAME,frame_size=160`: that network with those options."""
    name, *given = weights.split(",")
    options: dict[str, object] = {
        key: value.split("+") if "+" in value else value
        for key, value in (one.split("=", 1) for one in given)
    }
    if name.endswith(".onnx"):
        options |= {"mean": (127, 127, 127), "std": (128, 128, 128)}
    return Embedding.model_validate({"weights": name, **options})


def measured(weights: str, folder: Path, photos: list[Path]) -> list[str]:
    """One row of the table."""
    name, *given = weights.split(",")
    extractor = extractor_of(weights)
    copies = [edit(picture) for picture in map(opened, photos) for edit in EDITS.values()]
    started = time.process_time()
    vectors = vectors_of(extractor, copies)
    milliseconds = (time.process_time() - started) / len(copies) * 1000
    groups = np.repeat(np.arange(len(photos)), len(EDITS))
    recall = recall_at_precision(vectors @ vectors.T, groups, 0.99)
    padding = vectors_of(
        extractor, [opened(path) for path in sorted(folder.glob("distractors/*.jpg"))]
    )
    cells = [", ".join([Path(name).stem, *given]), str(vectors.shape[1])]
    cells += [f"{milliseconds:.0f}", f"{recall:.3f}"]
    for task in TASKS:
        cells += [f"{value:.3f}" for value in labelled(extractor, folder, task, padding)]
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500, help="photos that are copied")
    given = parser.parse_args()
    every = sorted(given.photos.rglob("*.jpg"))
    photos = random.Random(given.seed).sample(every, min(given.count, len(every)))
    heads = ["weights", "dimension", "CPU ms", "copies: recall at precision 0.99"]
    heads += ["dreambooth mAP", "top 1", "grocery mAP", "top 1", "boards mAP", "top 1"]
    print(f"{len(photos)} photos x {len(EDITS)} copies\n")
    print("| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads))
    for weights in given.weights:
        print("| " + " | ".join(measured(weights, given.folder, photos)) + " |", flush=True)


if __name__ == "__main__":
    main()
