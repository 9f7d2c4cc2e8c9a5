"""Boxes for the pictures of a pack, each with the chance that a whole thing is in it.

    python training/detector/label_pack.py PACK FIRST.xml SECOND.xml STUDENT.onnx

PACK is what `training/pack.py` writes; `PACK/taught.json` is written beside its `pack.json`. What
people labelled is certain. Then come the boxes of two teachers (those of `pseudo_label.py`), fused
as by `draw_labels.py`, and what the student that is to be trained on is sure of and no teacher
sees, at half its chance: things that COCO has no name for are not to be forgotten.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from draw_labels import SAME_IOU, chances, fused
from numpy.typing import NDArray
from pseudo_label import Boxes, Scored, overlaps, teacher

STUDENT_SIDE = 320
OLD_LEAST, OLD_PART = 0.25, 0.5
SAME_AS_OLD = 0.45
Look = Callable[[NDArray[np.uint8]], Scored]


def added(known: Scored, more: Boxes, chance: NDArray[np.float64], same: float) -> Scored:
    """What is known, and what lies over none of it; the strongest first."""
    boxes, sure = known
    for box, value in zip(more, chance, strict=True):
        if not len(boxes) or overlaps(box[None], boxes).max() < same:
            boxes, sure = np.vstack([boxes, box]), np.append(sure, value)
    return boxes, sure


def taught(picture: NDArray[np.uint8], labels: Boxes, teachers: list[Look], old: Look) -> Scored:
    """Boxes in pixels and the chance of each."""
    known = labels, np.ones(len(labels))
    boxes, scores = fused(*(look(picture) for look in teachers))
    known = added(known, boxes, chances(scores), SAME_IOU)
    boxes, scores = old(picture)
    sure = scores >= OLD_LEAST
    return added(known, boxes[sure], OLD_PART * chances(scores[sure]), SAME_AS_OLD)


def main() -> None:
    """Label a pack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("teachers", type=Path, nargs=2)
    parser.add_argument("student", type=Path)
    args = parser.parse_args()
    teachers, old = [teacher(path) for path in args.teachers], teacher(args.student, STUDENT_SIDE)
    entries: list[Mapping[str, Any]] = json.loads((args.pack / "pack.json").read_text())
    written = []
    for entry in entries:
        picture = cv2.imread(str(args.pack / entry["file"]))
        high, wide = picture.shape[:2]
        size = np.array([wide, high, wide, high])
        labels = np.array(entry["boxes"], dtype=np.float64).reshape(-1, 4) * size
        boxes, sure = taught(picture, labels, teachers, old)
        corners = np.clip(boxes / size, 0, 1).round(4).tolist()
        written.append({**entry, "boxes": corners, "chances": sure.round(3).tolist()})
    (args.pack / "taught.json").write_text(json.dumps(written))
    print(f"{len(written)} pictures, {sum(len(e['boxes']) for e in written)} boxes")


if __name__ == "__main__":
    main()
