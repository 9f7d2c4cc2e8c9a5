"""A folder of thousands of photos with known copies, from plan to undo, through the command line.

    python benchmarks/duplicates_folder.py PHOTOS --files 2000 --seed 1

About a third of the files are copies: the same bytes, the same pixels, halved, mirrored, cropped to
70 %, turned by 25 degrees, recompressed; and there are hard links, symbolic links and a protected
folder. `objsearch duplicates` plans; some files change; `apply` is killed (SIGKILL) at a random
moment and called again; `undo` brings everything back. Every file's bytes, time and mode are
compared with what they were.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from duplicates_trees import Entry, LostError, freed, snapshot
from PIL import Image, ImageOps

CLI = [sys.executable, "-c", "from objsearch.apps.cli import main; main()", "duplicates"]
Edit = Callable[[Image.Image], Image.Image]


def crop(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    dx, dy = round(width * 0.15), round(height * 0.15)
    return picture.crop((dx, dy, width - dx, height - dy))


EDITS: dict[str, Edit] = {
    "pixels": lambda picture: picture,
    "halved": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "mirrored": ImageOps.mirror,
    "cropped": crop,
    "turned": lambda picture: picture.rotate(25, Image.Resampling.BICUBIC, expand=True),
    "recompressed": lambda picture: picture,
}


def make(photos: list[Path], top: Path, n_files: int, rng: random.Random) -> dict[str, str]:
    """Write the folder; returns the name of the original of every file, by its name."""
    origin: dict[str, str] = {}
    folders = [top / name for name in ("a", "b/c", "best", "d e")]
    for folder in folders:
        folder.mkdir(parents=True)
    for number, photo in enumerate(photos):
        if len(origin) >= n_files:
            break
        original = rng.choice(folders) / f"{number:05}{photo.suffix}"
        shutil.copy2(photo, original)
        origin[str(original)] = str(original)
        if rng.random() < 0.35:
            for kind in rng.sample(["bytes", "link", "symlink", *EDITS], rng.randint(1, 2)):
                made = copied(original, kind, rng.choice(folders))
                if kind != "symlink":
                    origin[str(made)] = str(original)
    return origin


def copied(original: Path, kind: str, folder: Path) -> Path:
    """One copy of a file, told by its name."""
    suffix = {"pixels": ".png", "recompressed": ".jpg"}.get(kind, original.suffix)
    made = folder / f"{original.stem}-{kind}{suffix}"
    if kind == "bytes":
        shutil.copy2(original, made)
    elif kind == "link":
        os.link(original, made)
    elif kind == "symlink":
        made.symlink_to(original)
    else:
        with Image.open(original) as opened:
            picture = EDITS[kind](ImageOps.exif_transpose(opened).convert("RGB"))
        picture.save(made, quality=50 if kind == "recompressed" else 88)
    return made


def check_plan(plan: dict[str, object], origin: dict[str, str]) -> Counter[str]:
    """How many copies were planned, by kind; wrong ones are counted as such."""
    counts: Counter[str] = Counter()
    files: dict[str, dict[str, str]] = plan["files"]  # type: ignore[assignment]
    groups: list[dict[str, list[dict[str, str]]]] = plan["groups"]  # type: ignore[assignment]
    for group in groups:
        for one in group["members"]:
            if one["action"] != "remove":
                continue
            keep = files[one["path"]]["keep"]
            is_right = origin[one["path"]] == origin[keep]
            counts["copies planned rightly" if is_right else "planned wrongly"] += 1
            if not is_right:
                print(f"wrong, or copies in PHOTOS: {one['path']} of {keep}", file=sys.stderr)
            if "/best/" in one["path"]:
                raise LostError(f"{one['path']} is protected, and planned to go")
    return counts


def compared(before: dict[str, Entry], now: dict[str, Entry], may_lack: set[str]) -> None:
    """Raises LostError unless all is as it was, but for what may be missing."""
    for path, entry in before.items():
        if path not in now and path in may_lack:
            continue
        if now.get(path, ())[:5] != entry[:5]:
            raise LostError(f"{path}: was {entry}, is {now.get(path)}")


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *map(str, words)], capture_output=True, text=True, check=False, errors="replace"
    )


def kill_in_the_middle(words: list[object], seconds: float) -> bool:
    """Start a command and kill it; whether it was still at work."""
    with subprocess.Popen(
        [*CLI, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            process.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="copies")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    photos = sorted(path for path in options.folder.iterdir() if path.is_file())
    rng.shuffle(photos)
    base = Path(tempfile.mkdtemp(prefix="folder-"))
    try:
        table = whole_story(photos, base, options, rng)
    finally:
        freed(str(base))
    print("| what | how many |\n| --- | ---: |")
    for what, number in table.items():
        print(f"| {what} | {number:,} |")
    return 0


def whole_story(
    photos: list[Path], base: Path, options: argparse.Namespace, rng: random.Random
) -> dict[str, int]:
    """Plan, mishaps, kills, apply, undo; raises LostError."""
    top, plan_file = base / "photos", base / "plan.json"
    origin = make(photos, top, options.files, rng)
    started = time.perf_counter()
    planned = run(
        *(top, "--plan", plan_file, "--preset", options.preset, "--reference", top / "best"),
        "--csv",
    )
    if planned.returncode != 0:
        raise LostError(planned.stderr[-2000:])
    seconds = time.perf_counter() - started
    plan = json.loads(plan_file.read_text())
    counts = check_plan(plan, origin)
    removed = [
        one["path"]
        for group in plan["groups"]
        for one in group["members"]
        if one["action"] == "remove"
    ]
    for path in rng.sample(removed, max(1, len(removed) // 20)):
        with open(path, "ab") as stream:
            stream.write(b"changed")
    before = snapshot(str(top))
    n_killed = 0
    for _ in range(6):
        n_killed += kill_in_the_middle(["apply", plan_file], rng.uniform(0.3, 3.0))
        compared(before, snapshot(str(top)), set(removed))
    applied = run("apply", plan_file, "--json")
    outcome = json.loads(applied.stdout)
    now = snapshot(str(top))
    compared(before, now, set(removed))
    undone = run("undo", outcome["manifest"])
    if undone.returncode != 0 or snapshot(str(top)) != before:
        raise LostError(f"not as before: {undone.stderr[-2000:]}")
    return {
        "files": len(origin),
        "files that are copies": len(origin) - len(set(origin.values())),
        **counts,
        "seconds to plan": round(seconds),
        "changed after planning": max(1, len(removed) // 20),
        "runs of apply killed": n_killed,
        "removed in the end": len(before) - len(now),
        "left with a reason": len(outcome["left"]),
        "not as before after undo": 0,
    }


if __name__ == "__main__":
    raise SystemExit(main())
