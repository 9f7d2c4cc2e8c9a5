"""Boxes for photos that nobody labelled, from two teachers that have to agree or one that is sure.

    python training/detector/pseudo_label.py OUT_DIR PHOTOS_DIR FIRST.xml SECOND.xml

The teachers are COCO-trained Ultralytics detectors exported for OpenVINO (input 640 px, one output
of 4 + 80 rows); classes are forgotten, a box's score is its best class. Tried with YOLO11n and
YOLOv8n in eight bits (AGPL-3.0). OUT_DIR gets `images/` (links) and `labels/`; labels that stand
beside PHOTOS_DIR (`../labels`) are kept, and boxes are added only where they overlap none of them.
`--complete` says that those labels miss nothing: then nothing is added.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scenes import label_lines, read_labels

SIDE = 640
Boxes = NDArray[np.float64]  # (N, 4)
Scored = tuple[Boxes, NDArray[np.float64]]
AGREE_IOU = 0.6
AGREED, ALONE = 0.2, 0.4  # least mean score where both see it, least score where one does
WEAK = 0.1  # where nothing was found: the best box that both see at all
BESIDE_LABELS = 0.15  # both thresholds rise by it where people labelled something
APART_IOU = 0.4


def overlaps(one: Boxes, other: Boxes) -> NDArray[np.float64]:
    """Intersection over union, (N, M)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (one, other)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None] - shared + 1e-9))


def suppressed(found: Scored, max_iou: float, floor: float = 0.05, most: int = 60) -> Scored:
    """Greedy non-maximum suppression, whatever the class."""
    boxes, scores = found
    order = [k for k in np.argsort(-scores)[:1500] if scores[k] > floor]
    kept: list[int] = []
    for k in order:
        if len(kept) < most and not (kept and overlaps(boxes[[k]], boxes[kept]).max() > max_iou):
            kept.append(int(k))
    return boxes[kept], scores[kept]


def teacher(file: Path, side: int = SIDE) -> Callable[[NDArray[np.uint8]], Scored]:
    """A function from a BGR picture to its boxes, of an OpenVINO or ONNX file."""
    import openvino

    model = openvino.compile_model(str(file), "CPU")

    def look(picture: NDArray[np.uint8]) -> Scored:
        high, wide = picture.shape[:2]
        scale = side / max(high, wide)
        square = np.full((side, side, 3), 114, np.uint8)
        small = cv2.resize(picture, (round(wide * scale), round(high * scale)))
        square[: small.shape[0], : small.shape[1]] = small
        rows = model(square[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 255)[0][0]
        centre = rows[:4].T / scale
        corners = np.c_[centre[:, :2] - centre[:, 2:] / 2, centre[:, :2] + centre[:, 2:] / 2]
        return suppressed((corners, rows[4:].max(0)), AGREE_IOU)

    return look


def agreed(first: Scored, second: Scored, together: float, alone: float) -> Boxes:
    """Boxes both see, at the mean of where, and boxes one is sure of."""
    found: list[tuple[float, Boxes]] = []
    table = overlaps(first[0], second[0])
    met: set[int] = set()
    for k, (box, score) in enumerate(zip(*first, strict=True)):
        other = int(table[k].argmax()) if table.shape[1] else -1
        if other >= 0 and table[k, other] >= AGREE_IOU:
            met.add(other)
            both = score + second[1][other]
            if both / 2 >= together:
                found.append((both / 2, (box * score + second[0][other] * second[1][other]) / both))
        elif score >= alone:
            found.append((score, box))
    # The second teacher is the weaker one.
    rest = [k for k in range(len(second[1])) if k not in met and second[1][k] >= alone + 0.1]
    found += [(second[1][k], second[0][k]) for k in rest]
    if not found:
        return np.zeros((0, 4))
    scores = np.array([score for score, _ in found])
    return suppressed((np.stack([box for _, box in found]), scores), 0.7)[0]


def labelled(first: Scored, second: Scored, known: Boxes) -> Boxes:
    """What is known, and what the teachers add."""
    rise = BESIDE_LABELS if len(known) else 0.0
    new = agreed(first, second, AGREED + rise, ALONE + rise / 3)
    if not len(known):
        return new if len(new) else agreed(first, second, WEAK, AGREED)[:1]
    if len(new):
        new = new[overlaps(new, known).max(1) < APART_IOU]
    return np.vstack([known, new])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("teachers", type=Path, nargs=2)
    parser.add_argument("--complete", action="store_true")
    args = parser.parse_args()
    looks = [teacher(path) for path in args.teachers]
    for name in ("images", "labels"):
        (args.output / name).mkdir(parents=True, exist_ok=True)
    for photo in sorted(args.photos.iterdir()):
        picture = cv2.imread(str(photo))
        if picture is None:
            continue
        high, wide = picture.shape[:2]
        boxes = read_labels(args.photos.parent / "labels" / f"{photo.stem}.txt", wide, high)
        if not args.complete:
            boxes = labelled(looks[0](picture), looks[1](picture), boxes)
        boxes = np.clip(boxes, 0, [wide, high, wide, high])
        target = args.output / "images" / photo.name
        if not target.exists():
            target.symlink_to(photo.resolve())
        lines = label_lines(boxes, wide, high)
        (args.output / "labels" / f"{photo.stem}.txt").write_text(lines)
    print(args.output)


if __name__ == "__main__":
    main()
