"""What does a plan of copies cost as folders grow? Prints a Markdown table.

    python benchmarks/duplicates_scale.py PHOTOS --files 2000,5000,20000 --seed 1 [--remember 5000]

Nine of ten files are pictures of their own: two photos, each cut, turned, and toned by chance, of
which a soft-edged pattern of patches shows now the one and now the other. A photo takes part in
about eighteen such pictures, however many files there are, and no two of them are copies: what they
share is a fourth. A tenth of the files are copies: the same bytes, recompressed, or halved.
`objsearch duplicates plan DIR --plan PLAN --forget` runs in a process of its own; of `--remember`
files it is also asked twice with a fresh library. Times are of all threads and of readers.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from objsearch.types import Pixels

CLI = [sys.executable, "-P", "-c", "from objsearch.apps.cli import main; main()"]
A_PHOTO = 9
"""Stand-ins made of a photo and another one, so that it takes part in twice as many."""
COPIES = 0.1
KINDS = ("bytes", "recompressed", "halved")
SHORT_SIDES = 260, 420


def make(photos: list[Path], top: Path, n_files: int, seed: int) -> dict[str, str]:
    """Write the folder; returns the name of the original of every file, by its name."""
    rng = random.Random(seed)
    n_own = n_files - round(n_files * COPIES)
    some = rng.sample(photos, min(len(photos), math.ceil(n_own / A_PHOTO)))
    origin: dict[str, str] = {}
    for number in range(n_own):
        first = some[number % len(some)]
        second = rng.choice([other for other in rng.sample(some, 2) if other != first])
        made = top / f"{number % 50:02}" / f"{number:06}.jpg"
        made.parent.mkdir(parents=True, exist_ok=True)
        picture = blended(
            pixels_of(first), pixels_of(second), np.random.default_rng([seed, number])
        )
        Image.fromarray(picture).save(made, quality=90)
        origin[str(made)] = str(made)
    for number, original in enumerate(rng.sample(sorted(origin), n_files - n_own)):
        origin[str(copied(Path(original), KINDS[number % len(KINDS)]))] = original
    return origin


def pixels_of(photo: Path) -> Pixels:
    with Image.open(photo) as opened:
        return np.asarray(opened.convert("RGB"))


def blended(first: Pixels, second: Pixels, rng: np.random.Generator) -> Pixels:
    """Patches of two photos, as many of each."""
    short = int(rng.integers(*SHORT_SIDES))
    size_wh = short, round(short * rng.uniform(1.0, 1.4))
    size_wh = size_wh if rng.random() < 0.5 else size_wh[::-1]
    noise = cv2.resize(
        rng.normal(size=(5, 5)).astype(np.float32), size_wh, interpolation=cv2.INTER_CUBIC
    )
    share = 1 / (1 + np.exp(-12 * (noise - np.median(noise))))[..., None]
    mixed = share * moved(first, size_wh, rng) + (1 - share) * moved(second, size_wh, rng)
    return np.asarray(mixed.round(), np.uint8)


def moved(pixels: Pixels, size_wh: tuple[int, int], rng: np.random.Generator) -> Any:
    """A part of a photo in a size, turned a little, perhaps mirrored, lighter or darker."""
    height, width = pixels.shape[:2]
    scale = max(size_wh[0] / width, size_wh[1] / height) * rng.uniform(1.15, 1.6)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-8, 8), scale)
    room = np.array([width, height]) * scale - np.array(size_wh)
    middle = (np.array(size_wh) - np.array([width, height])) / 2
    turn[:, 2] = turn[:, 2] + middle + rng.uniform(-0.4, 0.4, 2) * room
    side = pixels[:, ::-1] if rng.random() < 0.5 else pixels
    part = cv2.warpAffine(
        np.ascontiguousarray(side),
        turn,
        size_wh,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    gamma, gains = rng.uniform(0.7, 1.4), rng.uniform(0.8, 1.0, 3)
    tones = 255 * (np.arange(256)[:, None] / 255) ** gamma * gains
    return cv2.LUT(part, tones[:, None].astype(np.float32))


def copied(original: Path, kind: str) -> Path:
    """One copy of a file, beside it."""
    made = original.with_name(f"{original.stem}-{kind}.jpg")
    if kind == "bytes":
        shutil.copy2(original, made)
        return made
    with Image.open(original) as picture:
        half = picture.width // 2, picture.height // 2
        copy = picture.resize(half, Image.Resampling.LANCZOS) if kind == "halved" else picture
        copy.save(made, quality=60 if kind == "recompressed" else 88)
    return made


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: processor seconds, seconds, and the greatest memory of one process."""

    processor: float
    wall: float
    memory_mb: float


def planned(top: Path, plan: Path, library: Path | None) -> Cost:
    """One plan through the command line; raises RuntimeError where it fails."""
    command = [*CLI, "duplicates", "plan", str(top), "--plan", str(plan), "--force", "--csv"]
    command += [] if library else ["--forget"]
    environment = {**os.environ, "OBJSEARCH_LIBRARY": str(library)} if library else None
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command}: exit code {process.returncode}")
    wall = time.perf_counter() - began
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def outcome(plan: Path, origin: dict[str, str]) -> Counter[str]:
    """How many files would go, of these copies of the kept file, and what else lies in groups."""
    made = json.loads(plan.read_text())
    counts: Counter[str] = Counter()
    for group in made["groups"]:
        shown = Counter(origin[member["path"]] for member in group["members"])
        counts["grouped"] += sum(shown.values()) - len(shown)
        counts["strangers"] += len(shown) - 1
        for member in group["members"]:
            path, keep = member["path"], made["files"][member["path"]]["keep"]
            if member["action"] == "remove":
                counts["goes"] += 1
                counts["true"] += origin[path] == origin[keep]
    return counts


def line(name: str, n_files: int, cost: Cost, found: Counter[str], growth: str) -> str:
    n_copies = round(n_files * COPIES)
    return (
        f"| {name} | {cost.processor:,.0f} s | {cost.wall:,.0f} s | {cost.memory_mb:,.0f} MB "
        f"| {1000 * cost.processor / n_files:.1f} ms | {found['grouped']:,} "
        f"of {n_copies:,} | {found['strangers']:,} | {found['goes']:,} | {found['true']:,} "
        f"| {growth} |"
    )


def lines_of(top: Path, origin: dict[str, str], is_remembered: bool, before: Cost | None) -> Cost:
    """Print what the folder costs; the cost of the plain run."""
    plan, n_files = top.with_suffix(".json"), len(origin)
    cost = planned(top, plan, None)
    growth = "" if before is None else f"{cost.processor / before.processor:.2f} times"
    print(line(f"{n_files:,}", n_files, cost, outcome(plan, origin), growth), flush=True)
    library = top.with_suffix(".library") if is_remembered else None
    for name in ("first, remembering", "second, unchanged") if library else ():
        again = planned(top, plan, library)
        told = line(f"{n_files:,}, {name}", n_files, again, outcome(plan, origin), "")
        print(told, flush=True)
    return cost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--files", default="2000,5000,20000")
    parser.add_argument("--remember", type=int, default=5000, help="of so many files, also twice")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the pictures are made")
    options = parser.parse_args()
    photos = sorted(path for path in options.photos.iterdir() if path.is_file())
    print(
        "| files | processor | wall | memory | a file | copies found | strangers in groups "
        "| go | of these copies | growth |"
    )
    print("| --- |" + " ---: |" * 9)
    before: Cost | None = None
    for n_files in map(int, options.files.split(",")):
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="many-") as folder:
            top = Path(folder) / "photos"
            origin = make(photos, top, n_files, options.seed)
            before = lines_of(top, origin, n_files == options.remember, before)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
