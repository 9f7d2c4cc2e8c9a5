"""How many pairs of edited copies does a plan bring together, and how many wrong ones?

    python benchmarks/duplicates_pairs.py PHOTOS --photos 500 --seed 1

Of each photo six pictures are made: as it is, the middle 70 % of its width and height, flipped left
to right, flipped upside down, turned by 25 degrees (corners filled with gray), and squeezed into a
square; saved as JPEG (quality 85). `objsearch duplicates` plans over all of them. A pair is planned
when both lie in one group; it is right when both come from the same photo. Recall is over all 15
pairs of each photo.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

from PIL import Image, ImageOps

Edit = Callable[[Image.Image], Image.Image]


def crop(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    dx, dy = round(width * 0.15), round(height * 0.15)
    return picture.crop((dx, dy, width - dx, height - dy))


def turn(picture: Image.Image) -> Image.Image:
    return picture.rotate(25, Image.Resampling.BICUBIC, expand=True, fillcolor=(127, 127, 127))


def square(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    return picture.resize((side, side), Image.Resampling.LANCZOS)


EDITS: dict[str, Edit] = {
    "as-it-is": lambda picture: picture,
    "crop": crop,
    "mirror": ImageOps.mirror,
    "flip": ImageOps.flip,
    "turn": turn,
    "square": square,
}


def chosen(folder: Path, count: int, seed: int) -> list[Path]:
    """So many files of a folder, or all there are; the same ones for a seed."""
    every = sorted(path for path in folder.iterdir() if path.is_file())
    return sorted(random.Random(seed).sample(every, min(count, len(every))))


def make(photos: list[Path], folder: Path) -> None:
    """`NUMBER-EDIT.jpg` for every photo and edit."""
    for number, path in enumerate(photos):
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        for name, edit in EDITS.items():
            edit(picture).save(folder / f"{number:05}-{name}.jpg", quality=85)


def score(groups: list[dict[str, list[dict[str, str]]]], n_photos: int) -> dict[str, object]:
    """Recall and precision over pairs, and the recall of each kind of edit against the photo."""
    right, wrong = 0, 0
    by_edit: Counter[str] = Counter()
    for group in groups:
        names = [Path(member["path"]).stem.split("-", 1) for member in group["members"]]
        for one, other in combinations(names, 2):
            if one[0] != other[0]:
                wrong += 1
                continue
            right += 1
            by_edit.update({f"{a} / {b}" for a, b in [sorted((one[1], other[1]))]})
    n_pairs = n_photos * len(EDITS) * (len(EDITS) - 1) // 2
    planned = right + wrong
    return {
        "pairs": n_pairs,
        "planned": planned,
        "wrong": wrong,
        "recall": right / n_pairs,
        "precision": right / planned if planned else 1.0,
        "by edit": {k: v / n_photos for k, v in sorted(by_edit.items())},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos, all of different things")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="copies")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--save", type=Path, help="where the plan is kept")
    options = parser.parse_args()
    photos = chosen(options.folder, options.photos, options.seed)
    with tempfile.TemporaryDirectory(prefix="pairs-") as name:
        make(photos, Path(name))
        plan = options.save or Path(name).with_suffix(".json")
        command = [sys.executable, "-c", "from objsearch.apps.cli import main; main()"]
        command += ["duplicates", name, "--plan", str(plan)]
        command += ["--preset", options.preset, "--csv", "--forget"]
        command += [word for one in options.set for word in ("--set", one)]
        started = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        elapsed = time.perf_counter() - started
        if done.returncode == 2:
            return 2
    found = score(json.loads(plan.read_text())["groups"], len(photos))
    print(f"{len(photos)} photos x {len(EDITS)}, preset {options.preset}, {elapsed:.0f} s\n")
    print("| pairs | planned | wrong | recall | precision |\n| ---: | ---: | ---: | ---: | ---: |")
    print(
        f"| {found['pairs']:,} | {found['planned']:,} | {found['wrong']:,} "
        f"| {found['recall']:.4f} | {found['precision']:.4f} |\n"
    )
    print("| pair of edits | brought together |\n| --- | ---: |")
    for edit, part in found["by edit"].items():  # type: ignore[union-attr]
        print(f"| {edit} | {part:.3f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
