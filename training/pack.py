"""Make photos small and put their boxes beside them, ready to be sent to where training runs.

    python training/pack.py OUT_DIR YOLO_DIR... [--side 384] [--quality 62]

Each YOLO_DIR has `images/` and, where people labelled them, YOLO `labels/`; `YOLO_DIR*0.5` is to be
drawn from half as often. OUT_DIR gets a folder of the same name each, with WebP pictures, and
`pack.json`: every picture with its weight, its boxes as parts of its width and height, and those of
them that count as pictures of their own, widened a little.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image, ImageOps

MARGIN = 0.08  # of a thing's size, on each side
SMALLEST, LARGEST = 0.03, 0.85  # of the frame, of things that count as pictures of their own


def boxes_of(labels: Path) -> list[tuple[float, float, float, float]]:
    """Corners as parts of the frame."""
    found = []
    for line in labels.read_text().split("\n") if labels.exists() else []:
        if line.strip():
            x, y, w, h = (float(word) for word in line.split()[1:5])
            found.append((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    return found


def widened(box: tuple[float, float, float, float]) -> list[float] | None:
    x1, y1, x2, y2 = box
    if not SMALLEST < (x2 - x1) * (y2 - y1) < LARGEST:
        return None
    dx, dy = (x2 - x1) * MARGIN, (y2 - y1) * MARGIN
    corners = (max(x1 - dx, 0), max(y1 - dy, 0), min(x2 + dx, 1), min(y2 + dy, 1))
    return [round(value, 4) for value in corners]


Corners = tuple[float, float, float, float]


def packed(task: tuple[Path, Path, int, int]) -> list[Corners] | None:
    """Write one picture and its labels; returns its boxes."""
    photo, out, side, quality = task
    labels = photo.parent.parent / "labels" / f"{photo.stem}.txt"
    try:
        picture = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
    except OSError:
        return None
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    picture.save(out / "images" / f"{photo.stem}.webp", quality=quality, method=3)
    if labels.exists():
        (out / "labels" / f"{photo.stem}.txt").write_text(labels.read_text())
    return boxes_of(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--side", type=int, default=384)
    parser.add_argument("--quality", type=int, default=62)
    args = parser.parse_args()
    entries = []
    with ProcessPoolExecutor(2) as pool:
        for given, _, weight in (folder.partition("*") for folder in args.folders):
            folder = Path(given)
            out = args.output / folder.name
            for name in ("images", "labels"):
                (out / name).mkdir(parents=True, exist_ok=True)
            photos = sorted((folder / "images").iterdir())
            tasks = [(photo, out, args.side, args.quality) for photo in photos]
            for photo, boxes in zip(photos, pool.map(packed, tasks, chunksize=16), strict=True):
                if boxes is not None:
                    entries.append({
                        "file": f"{folder.name}/images/{photo.stem}.webp",
                        "weight": float(weight or 1),
                        "boxes": [[round(value, 4) for value in box] for box in boxes],
                        "things": [box for box in map(widened, boxes) if box],
                    })  # fmt: skip
    (args.output / "pack.json").write_text(json.dumps(entries))
    print(f"{len(entries)} pictures, {sum(len(e['things']) for e in entries)} things")


if __name__ == "__main__":
    main()
