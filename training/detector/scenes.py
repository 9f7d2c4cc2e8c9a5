"""Cut things out of photos and paste them into others: exact boxes of things no class list has.

    python training/detector/scenes.py YOLO_DIR OUT_DIR --count 4000

YOLO_DIR has `images/` and `labels/`. A photo with one large thing gives a cut-out by GrabCut
(Rother, Kolmogorov and Blake, SIGGRAPH 2004), started from the box; doubtful ones are left out.
Scenes go to OUT_DIR in the same form. Labels that a pasted thing hides are dropped.
"""

from __future__ import annotations

import argparse
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST, LARGEST = 0.06, 0.75  # of the frame, of a thing that is worth cutting out
HIDDEN = 0.6  # of a box: then it is dropped
Boxes = NDArray[np.float64]  # (N, 4) x1, y1, x2, y2 in pixels


def read_labels(path: Path, wide: int, high: int) -> Boxes:
    """Boxes of a YOLO label file, in pixels."""
    lines = path.read_text().split("\n") if path.exists() else []
    rows = [[float(word) for word in line.split()[1:5]] for line in lines if line.strip()]
    if not rows:
        return np.zeros((0, 4))
    centre = np.asarray(rows)
    corners = np.concatenate(
        [centre[:, :2] - centre[:, 2:] / 2, centre[:, :2] + centre[:, 2:] / 2], 1
    )
    return corners * (wide, high, wide, high)


def label_lines(boxes: Boxes, wide: int, high: int) -> str:
    """The boxes as lines of a YOLO label file."""
    lines = []
    for x1, y1, x2, y2 in boxes / (wide, high, wide, high):
        lines.append(f"0 {(x1 + x2) / 2:.6f} {(y1 + y2) / 2:.6f} {x2 - x1:.6f} {y2 - y1:.6f}\n")
    return "".join(lines)


def cut_out(photo: Path) -> NDArray[np.uint8] | None:  # noqa: PLR0911 one line a doubt
    """(H, W, 4) BGRA of the photo's one large thing, or None."""
    picture = cv2.imread(str(photo))
    if picture is None:
        return None
    high, wide = picture.shape[:2]
    boxes = read_labels(photo.parent.parent / "labels" / f"{photo.stem}.txt", wide, high)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1) / (wide * high)
    if not len(boxes) or (areas > SMALLEST).sum() != 1 or areas.max() > LARGEST:
        return None
    x1, y1, x2, y2 = boxes[areas.argmax()].round().astype(int)
    rect = (max(x1, 1), max(y1, 1), min(x2, wide - 1) - max(x1, 1), min(y2, high - 1) - max(y1, 1))
    if min(rect[2:]) < 24:
        return None
    mask = np.zeros((high, wide), np.uint8)
    try:
        cv2.grabCut(
            picture, mask, rect, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_RECT
        )
    except cv2.error:
        return None
    thing = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    thing = cv2.morphologyEx(thing, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(thing)
    if count < 2:
        return None
    largest = 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    x, y, w, h, area = stats[largest]
    # A cut-out that lost most of its box, or all of its outline, is no outline of the thing.
    if not 0.3 < area / (rect[2] * rect[3]) < 0.93 or w < 0.7 * rect[2] or h < 0.7 * rect[3]:
        return None
    soft = cv2.GaussianBlur((parts == largest).astype(np.float32), (3, 3), 0) * 255
    return np.dstack([picture, soft.astype(np.uint8)])[y : y + h, x : x + w]


def _turned(
    thing: NDArray[np.uint8], side: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """The thing at a random angle, mirrored or not, its longer side `side` pixels."""
    high, wide = thing.shape[:2]
    scale = side / max(high, wide)
    angle = random.uniform(-25, 25) if random.random() < 0.7 else random.uniform(-180, 180)
    if random.random() < 0.5:
        thing = np.ascontiguousarray(thing[:, ::-1])
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, scale)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    new_wide, new_high = int(high * sin + wide * cos) + 2, int(high * cos + wide * sin) + 2
    turn[:, 2] += (new_wide / 2 - wide / 2, new_high / 2 - high / 2)
    return cv2.warpAffine(thing, turn, (new_wide, new_high), flags=cv2.INTER_AREA)


def paste(
    picture: NDArray[np.uint8], boxes: Boxes, thing: NDArray[np.uint8], random: np.random.Generator
) -> Boxes:
    """Paste in place; returns the boxes that are now right."""
    high, wide = picture.shape[:2]
    side = min(high, wide) * np.exp(random.uniform(np.log(0.15), np.log(0.8)))
    thing = _turned(thing, side, random)
    h, w = thing.shape[:2]
    if h >= high or w >= wide:
        return boxes
    x, y = int(random.integers(0, wide - w)), int(random.integers(0, high - h))
    alpha = thing[..., 3:].astype(np.float32) / 255
    ys, xs = np.nonzero(alpha[..., 0] > 0.5)
    if len(ys) < 100:
        return boxes
    gain = random.uniform(0.75, 1.25)
    inside = picture[y : y + h, x : x + w]
    mixed = inside * (1 - alpha) + np.clip(thing[..., :3] * gain, 0, 255) * alpha
    picture[y : y + h, x : x + w] = mixed.astype(np.uint8)
    new = np.array([x + xs.min(), y + ys.min(), x + xs.max() + 1, y + ys.max() + 1], float)
    shared = np.clip(np.minimum(boxes[:, 2:], new[2:]) - np.maximum(boxes[:, :2], new[:2]), 0, None)
    hidden = shared.prod(1) / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1)
    return np.vstack([boxes[hidden < HIDDEN], new])


def make_scene(task: tuple[int, Path, list[Path], Path]) -> None:
    """Write one scene: a photo with one to four things pasted in."""
    number, background, things, out = task
    random = np.random.default_rng(number)
    picture = cv2.imread(str(background))
    if picture is None:
        return
    high, wide = picture.shape[:2]
    boxes = read_labels(background.parent.parent / "labels" / f"{background.stem}.txt", wide, high)
    for path in things:
        thing = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        boxes = paste(picture, boxes, thing, random)
    cv2.imwrite(
        str(out / "images" / f"scene_{number:05}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 88]
    )
    (out / "labels" / f"scene_{number:05}.txt").write_text(label_lines(boxes, wide, high))


def _cut_to_file(task: tuple[Path, Path]) -> bool:
    cv2.setNumThreads(1)
    thing = cut_out(task[0])
    return thing is not None and bool(cv2.imwrite(str(task[1]), thing))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=None)
    args = parser.parse_args()
    for name in ("images", "labels", "things"):
        (args.output / name).mkdir(parents=True, exist_ok=True)
    photos = sorted((args.photos / "images").iterdir())
    random = np.random.default_rng(args.seed)
    with Pool(args.processes) as pool:
        files = [args.output / "things" / f"{photo.stem}.png" for photo in photos]
        kept = pool.map(_cut_to_file, list(zip(photos, files, strict=True)), 8)
        things = [path for path, good in zip(files, kept, strict=True) if good]
        print(f"{len(things)} things cut out of {len(photos)} photos", flush=True)
        tasks = []
        for number in range(args.count):
            chosen = random.choice(len(things), int(random.integers(1, 5)))
            background = photos[int(random.integers(len(photos)))]
            tasks.append((number, background, [things[k] for k in chosen], args.output))
        pool.map(make_scene, tasks, 16)
    print(f"{args.count} scenes in {args.output}")


if __name__ == "__main__":
    main()
