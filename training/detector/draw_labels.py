"""Boxes of two teachers, each as often as they are sure of it: copies of photos with drawn labels.

    python training/detector/draw_labels.py OUT_DIR PHOTOS_DIR FIRST.xml SECOND.xml --copies 3

The teachers are those of `pseudo_label.py`. Where both see a thing, its score is the mean of the
two; where one does, half of the first's or 0.4 of the second's. OUT_DIR gets every photo, made
small, so many times over; a copy has a box with a chance of 0.1 + 1.4 times its score. So what the
student is to say of a doubtful box lies between 0 and 1, without another loss: it learns a ranking.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pseudo_label import Scored, overlaps, suppressed, teacher
from scenes import label_lines

SAME_IOU = 0.55
FIRST_ALONE, SECOND_ALONE = 0.5, 0.4  # of the score
MOST_IOU, WEAKEST = 0.65, 0.05
LEAST_CHANCE, CHANCE_A_SCORE = 0.1, 1.4
"""On COCO photos a box of score 0.1 was right once in three times, one of 0.6 nearly always."""


def fused(first: Scored, second: Scored) -> Scored:
    """One list of boxes, strongest first."""
    table = overlaps(first[0], second[0])
    met: set[int] = set()
    boxes, scores = [], []
    for k, (box, score) in enumerate(zip(*first, strict=True)):
        other = int(table[k].argmax()) if table.shape[1] else -1
        if other >= 0 and table[k, other] >= SAME_IOU and other not in met:
            met.add(other)
            both = score + second[1][other]
            boxes.append((box * score + second[0][other] * second[1][other]) / both)
            scores.append(both / 2)
        else:
            boxes.append(box)
            scores.append(FIRST_ALONE * score)
    for k, (box, score) in enumerate(zip(*second, strict=True)):
        if k not in met:
            boxes.append(box)
            scores.append(SECOND_ALONE * score)
    if not boxes:
        return np.zeros((0, 4)), np.zeros(0)
    return suppressed((np.stack(boxes), np.array(scores)), MOST_IOU, WEAKEST)


def chances(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely a whole thing is in boxes of these scores."""
    return np.asarray(np.clip(LEAST_CHANCE + CHANCE_A_SCORE * scores, 0, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("teachers", type=Path, nargs=2)
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--side", type=int, default=352, help="longest side of what is written")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    looks = [teacher(path) for path in args.teachers]
    random = np.random.default_rng(args.seed)
    for name in ("images", "labels"):
        (args.output / name).mkdir(parents=True, exist_ok=True)
    for photo in sorted(args.photos.iterdir()):
        picture = cv2.imread(str(photo))
        if picture is None:
            continue
        high, wide = picture.shape[:2]
        boxes, scores = fused(looks[0](picture), looks[1](picture))
        boxes = np.clip(boxes, 0, [wide, high, wide, high])
        scale = min(1.0, args.side / max(high, wide))
        size = (round(wide * scale), round(high * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        written = args.output / "images" / f"{photo.stem}_0.webp"
        cv2.imwrite(str(written), small, [cv2.IMWRITE_WEBP_QUALITY, 62])
        for k in range(args.copies):
            copy = written.with_name(f"{photo.stem}_{k}.webp")
            if not copy.exists():
                os.link(written, copy)
            drawn = boxes[random.random(len(boxes)) < chances(scores)]
            lines = label_lines(drawn, wide, high)
            (args.output / "labels" / f"{photo.stem}_{k}.txt").write_text(lines)
    print(args.output)


if __name__ == "__main__":
    main()
