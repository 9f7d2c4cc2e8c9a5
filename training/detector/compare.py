"""Check that a detector's checkpoint and its export find the same boxes in real photos.

python training/detector/compare.py things.pt build/things-v3.onnx PHOTO_FOLDER
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from export import quiet_ultralytics
from numpy.typing import NDArray
from pseudo_label import overlaps

if TYPE_CHECKING:
    from ultralytics import YOLO

SIZES = (320, 416)
CONFIDENCE = 0.1  # low, so that weak boxes are compared as well
SAME_BOX_IOU = 0.9
LARGEST_OFFSET = 1.0  # pixels


def boxes_in(model: YOLO, photo: Path, size: int) -> NDArray[np.float32]:
    """Boxes of one photo, (N, 4): x1, y1, x2, y2 in the photo's pixels."""
    # The size must be given: an ONNX file of free size would otherwise run at 640. Without
    # rect=False the padding of a photo, and so its boxes, depend on the rest of its batch.
    (result,) = model.predict(
        photo, imgsz=size, rect=False, conf=CONFIDENCE, device="cpu", verbose=False
    )
    return result.boxes.xyxy.numpy()


def compare(a: NDArray[np.float32], b: NDArray[np.float32]) -> tuple[int, int, float]:
    """Boxes of `a` and `b` that have a twin, those that have none, and the worst offset."""
    if not len(a) or not len(b):
        return 0, len(a) + len(b), 0.0
    ious = overlaps(a, b)
    twin = ious.argmax(axis=1)
    paired = ious.max(axis=1) >= SAME_BOX_IOU
    offset = float(np.abs(a[paired] - b[twin[paired]]).max(initial=0.0))
    n_paired = int(paired.sum())
    return n_paired, len(a) + len(b) - 2 * n_paired, offset


def compare_files(checkpoint: Path, exported: Path, photos: list[Path], size: int) -> bool:
    """Print how far the two files agree at one image size; True when they do."""
    from ultralytics import YOLO

    models = [YOLO(path, task="detect") for path in (checkpoint, exported)]
    rows = [compare(*(boxes_in(model, photo, size) for model in models)) for photo in photos]
    n_paired, n_lone = sum(row[0] for row in rows), sum(row[1] for row in rows)
    worst = max(row[2] for row in rows)
    print(f"{size} px: {n_paired} boxes agree, {n_lone} alone, worst offset {worst:.4f} px")
    return n_lone == 0 and worst <= LARGEST_OFFSET


def main() -> None:
    """Compare at each size; fail when a box is missing or lies elsewhere."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("exported", type=Path)
    parser.add_argument("photos", type=Path, help="a folder of .jpg files")
    args = parser.parse_args()
    photos = sorted(args.photos.glob("*.jpg"))
    if not photos or not args.checkpoint.is_file() or not args.exported.is_file():
        raise SystemExit("both files must exist, and the folder must hold .jpg photos")
    with tempfile.TemporaryDirectory() as scratch:
        quiet_ultralytics(Path(scratch))
        agreed = [compare_files(args.checkpoint, args.exported, photos, size) for size in SIZES]
    if not all(agreed):
        raise SystemExit("the two files disagree")


if __name__ == "__main__":
    main()
