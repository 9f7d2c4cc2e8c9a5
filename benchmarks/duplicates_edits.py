"""Copies by 28 kinds of edits: which are grouped, as what, and which are removed by default?

    python benchmarks/duplicates_edits.py PHOTOS --photos 40 --seed 7 [--objsearch OTHER/objsearch]

Of each photo one copy a kind is made (`edits.py`), saved as JPEG (quality 85 to 95), every fourth
as PNG; `objsearch duplicates` plans over all of them. A copy is grouped when it stands in one group
with its photo, or with another copy of it; it is right when nothing of another photo does.
`--objsearch` names the program of another checkout, to be compared on the same pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from duplicates_pairs import chosen
from edits import EDITS, REMOVABLE
from PIL import Image, ImageOps

PROGRAM = f"{Path(sys.executable).parent / 'objsearch'}"


def read(path: Path) -> Image.Image:
    """A photo, upright, RGB."""
    with Image.open(path) as opened:
        return ImageOps.exif_transpose(opened).convert("RGB")


def make(photos: list[Path], others: list[Path], folder: Path, seed: int) -> None:
    """`NUMBER-EDIT.jpg` for every photo and kind, and `NUMBER-original.png`.

    What is pasted in comes from `others`, which have no pictures of their own here.
    """
    pictures, strangers = (list(map(read, paths)) for paths in (photos, others))
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number:04}-original.png")
        for name, edit in EDITS.items():
            r = random.Random(f"{seed} {number} {name}")
            made = edit(picture, r, r.choice(strangers)).convert("RGB")
            file = folder / f"{number:04}-{name.replace(' ', '_').replace(',', '')}"
            if r.random() < 0.25:
                made.save(file.with_suffix(".png"))
            else:
                made.save(file.with_suffix(".jpg"), quality=r.randint(85, 95))


def planned(program: str, folder: Path, plan: Path) -> tuple[dict[str, object], float]:
    """The plan, and the seconds that it took."""
    command = [program, "duplicates", str(folder), "--plan", str(plan), "--csv"]
    started = time.perf_counter()
    # A program of another version may not know --forget.
    with tempfile.TemporaryDirectory(prefix="library-") as library:
        done = subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            env={**os.environ, "OBJSEARCH_LIBRARY": library},
        )
    if done.returncode not in (0, 1):
        raise SystemExit(f"objsearch ended with {done.returncode}")
    return json.loads(plan.read_text()), time.perf_counter() - started


def table(plan: dict[str, object], n_photos: int, seed: int) -> None:
    """Print what became of each kind."""
    grouped: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    pairs_lose: Counter[str] = Counter()
    relations: dict[str, Counter[str]] = {}
    wrong = right = 0
    action: dict[str, str] = {}
    for group in plan["groups"]:  # type: ignore[attr-defined]
        members = [(Path(m["path"]).stem.split("-", 1), m) for m in group["members"]]
        numbers = Counter(number for (number, _), _ in members)
        same = sum(n * (n - 1) // 2 for n in numbers.values())
        right += same
        wrong += len(members) * (len(members) - 1) // 2 - same
        for (number, kind), member in members:
            action[f"{number}-{kind}"] = member["action"]
            removed[kind] += member["action"] == "remove"
            if kind != "original" and numbers[number] > 1:
                grouped[kind] += 1
                said = member.get("relation", "") or ""
                relations.setdefault(kind, Counter())[said] += 1
    print("| kind | grouped | goes | as |\n| --- | ---: | ---: | --- |")
    names = {name.replace(" ", "_").replace(",", ""): name for name in EDITS}
    for kind, name in names.items():
        for number in range(n_photos):
            goes = (action.get(f"{number:04}-{k}") == "remove" for k in (kind, "original"))
            pairs_lose[kind] += any(goes)
        told = ", ".join(f"{k} {n}" for k, n in relations.get(kind, Counter()).most_common() if k)
        star = "" if name in REMOVABLE else " (to be reviewed)"
        print(
            f"| {name}{star} | {grouped[kind] / n_photos:.3f} "
            f"| {pairs_lose[kind] / n_photos:.3f} | {told} |"
        )
    share = np.array([grouped[kind] for kind in names]) / n_photos
    of_removable = [
        pairs_lose[kind] / n_photos for kind, name in names.items() if name in REMOVABLE
    ]
    rng = np.random.default_rng(seed)
    by_photo = np.zeros(n_photos)
    for group in plan["groups"]:  # type: ignore[attr-defined]
        stems = [Path(m["path"]).stem.split("-", 1) for m in group["members"]]
        numbers = Counter(number for number, _ in stems)
        for number, kind in stems:
            by_photo[int(number)] += kind != "original" and numbers[number] > 1
    by_photo /= len(names)
    means = [rng.choice(by_photo, n_photos).mean() for _ in range(1000)]
    low, high = np.quantile(means, (0.025, 0.975))
    print(
        f"\ngrouped {share.mean():.3f} ({low:.3f} to {high:.3f}, bootstrap by photo), "
        f"worst kind {share.min():.3f}; ",
        end="",
    )
    print(
        f"precision of pairs {right / max(1, right + wrong):.4f}; "
        f"same pictures of which one goes {np.mean(of_removable):.3f}; ",
        end="",
    )
    others = sum(removed[kind] for kind, name in names.items() if name not in REMOVABLE)
    print(f"others removed {others}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos, all of different things")
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--objsearch", default=PROGRAM)
    parser.add_argument("--save", type=Path, help="a folder where pictures and plan are kept")
    options = parser.parse_args()
    photos = chosen(options.folder, options.photos, options.seed)
    others = [path for path in chosen(options.folder, 10**9, 0) if path not in photos][:30]
    with tempfile.TemporaryDirectory(prefix="edits-") as name:
        folder = (options.save or Path(name)) / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        make(photos, others, folder, options.seed)
        plan, seconds = planned(options.objsearch, folder, folder.parent / "plan.json")
        print(f"{len(photos)} photos x {len(EDITS)} kinds, seed {options.seed}, {seconds:.0f} s\n")
        table(plan, len(photos), options.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
