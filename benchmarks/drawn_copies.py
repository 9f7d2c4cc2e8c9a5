"""Copies of drawn pages: does one of each pair go, and is it the copy?

    python benchmarks/drawn_copies.py --count 3 --seed 5 [--objsearch OTHER/objsearch]

Forms, calendars, positions of a game, staves, tables, text, tilings and crosswords are drawn by
seed and saved as PNG; beside them lies a copy of each by one edit, in a folder an edit. Whether one
of two goes shows that copies of drawings are believed; that the drawing stays is the point. A page
of another seed is of the same template: that none goes for it is counted, too.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import near_strangers
import numpy as np
import patterns
from duplicates_edits import PROGRAM, planned
from edits import jpeg
from PIL import Image, ImageFilter
from worn_copies import resized, toned

Picture = Image.Image


def scanned(page: Picture) -> Picture:
    """With a little grain, the same in all colours."""
    grain = np.random.default_rng(1).normal(0, 6, (page.height, page.width, 1))
    return toned(page, lambda values: values + grain)


EDITS: dict[str, Callable[[Picture], Picture]] = {
    "JPEG 92": lambda page: jpeg(page, 92),
    "JPEG 75": lambda page: jpeg(page, 75),
    "JPEG 40": lambda page: jpeg(page, 40),
    "JPEG 15": lambda page: jpeg(page, 15),
    "blur 1.2": lambda page: page.filter(ImageFilter.GaussianBlur(1.2)),
    "blur 2": lambda page: page.filter(ImageFilter.GaussianBlur(2)),
    "half the size": lambda page: resized(page, 0.5),
    "a quarter of the size": lambda page: resized(page, 0.25),
    "gray": lambda page: page.convert("L").convert("RGB"),
    "turned by a quarter": lambda page: page.transpose(Image.Transpose.ROTATE_90),
    "noise": scanned,
}


def pages(count: int, seed: int) -> dict[str, Picture]:
    """By name; of each kind so many."""
    made = {}
    for number in range(count):
        for draw in (near_strangers.forms, near_strangers.calendars, near_strangers.positions):
            r = random.Random(f"{seed} {draw.__name__} {number}")
            made[f"{draw.__name__}-{number}"] = draw(r, [])[0]
        for kind, drawn in patterns.KINDS.items():
            page = drawn(random.Random(f"{seed} {kind} {number}")).convert("RGB")
            made[f"{kind}-{number}"] = page
    return made


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=3, help="pages of each kind")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--objsearch", default=PROGRAM)
    given = parser.parse_args()
    drawn = pages(given.count, given.seed)
    print(f"{len(drawn)} pages, seed {given.seed}\n")
    print("| edit | pairs of which one goes | of them the drawing | taken for another page |")
    print("| --- | ---: | ---: | ---: |")
    for edit, made in EDITS.items():
        with tempfile.TemporaryDirectory(prefix="drawn-") as name:
            folder = Path(name) / "pages"
            folder.mkdir()
            for stem, page in drawn.items():
                page.save(folder / f"{stem}-drawn.png")
                made(page).save(folder / f"{stem}-copy.jpg", quality=90)
            plan, _ = planned(given.objsearch, folder, Path(name) / "plan.json")
        gone = {
            Path(member["path"]).stem
            for group in plan["groups"]  # type: ignore[attr-defined]
            for member in group["members"]
            if member["action"] == "remove"
        }
        lost = sum(f"{stem}-drawn" in gone for stem in drawn)
        both = sum({f"{stem}-drawn", f"{stem}-copy"} <= gone for stem in drawn)
        told = f"{len(gone) - both} of {len(drawn)} | {lost} | {both}"
        print(f"| {edit} | {told} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
