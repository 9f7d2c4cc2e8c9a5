"""How well does detail tell copies from other photos, once both are laid upon each other?

    python benchmarks/duplicates_agreement.py PHOTOS --seed 1

The setting `duplicates.min_agreement` rests on this table. Copies are the edits of
`duplicates_pairs.py`, laid by the transform that made them; others are pairs of different photos,
each laid whole upon whole, in the best of all quarter turns and mirror images.
"""

from __future__ import annotations

import argparse
import math
import random
from itertools import combinations
from pathlib import Path

import numpy as np
from duplicates_pairs import EDITS
from numpy.typing import NDArray
from PIL import Image, ImageOps

from objsearch.tasks.duplicates.small_copies import Small, agreement, stretched

COLUMNS = (0, 1, 50, 99, 100)


def made_by(edit: str, one: Small, other: Small) -> NDArray[np.float64]:
    """(3, 3) from the photo to its edited copy."""
    width, height = one.size_wh
    if edit == "crop":
        return np.array([[1, 0, -round(width * 0.15)], [0, 1, -round(height * 0.15)], [0, 0, 1.0]])
    if edit == "turn":
        angle = math.radians(25)
        cos, sin = math.cos(angle), math.sin(angle)
        to_centre = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1.0]])
        turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]])
        new_width, new_height = other.size_wh
        back = np.array([[1, 0, (new_width - 1) / 2], [0, 1, (new_height - 1) / 2], [0, 0, 1.0]])
        return back @ turn @ to_centre
    return stretched(one, other, 2 if edit == "flip" else 0, edit in ("mirror", "flip"))


def small(picture: Image.Image) -> Small:
    return Small.of(np.asarray(picture, np.uint8))


def print_row(what: str, values: list[float]) -> None:
    numbers = " | ".join(f"{np.percentile(values, part):.3f}" for part in COLUMNS)
    print(f"| {what} | {len(values):,} | {numbers} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos, all of different things")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=3000, help="pairs of different photos")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    every = sorted(path for path in options.folder.iterdir() if path.is_file())
    pictures = []
    for path in sorted(rng.sample(every, min(options.photos, len(every)))):
        with Image.open(path) as opened:
            pictures.append(ImageOps.exif_transpose(opened).convert("RGB"))
    smalls = [small(picture) for picture in pictures]
    print("| laid upon each other | pairs | least | 1 % | median | 99 % | most |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for edit, make in EDITS.items():
        copies = [small(make(picture)) for picture in pictures]
        values = [
            agreement(one, copy, made_by(edit, one, copy))
            for one, copy in zip(smalls, copies, strict=True)
        ]
        print_row(f"copies: {edit}", values)
    others = list(combinations(range(len(smalls)), 2))
    chosen = rng.sample(others, min(options.pairs, len(others)))
    best = [
        max(
            agreement(smalls[i], smalls[j], stretched(smalls[i], smalls[j], quarters, is_mirrored))
            for quarters in range(4)
            for is_mirrored in (False, True)
        )
        for i, j in chosen
    ]
    print_row("different photos", best)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
