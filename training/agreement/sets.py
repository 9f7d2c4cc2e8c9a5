"""Pairs of pictures with the truth about each place, drawn from seeds."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpy.typing import NDArray
from PIL import Image, ImageOps

from objsearch.agree.laying import scaling

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from edits import REMOVABLE, jpeg
from local_edits import LOCAL, differing, page

LEAST_SIDE = 320
KINDS = [name for name in REMOVABLE if name != "quarter turn"]


class Pair(NamedTuple):
    """A picture, its copy, (3, 3) from one to the other, and (H, W) 1 where the first was changed.

    `kind` names the edit, `local` the change in one place, empty where there is none.
    """

    one: NDArray[np.uint8]
    other: NDArray[np.uint8]
    transform: NDArray[np.float64]
    mask: NDArray[np.uint8]
    kind: str
    local: str


def photo(path: Path) -> Image.Image:
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    picture.thumbnail((1000, 1000))
    return picture


def pairs(photos: list[Path], count: int, seed: str) -> Iterator[Pair]:
    """So many pairs; every second one was changed in one place or two."""
    for number in range(count):
        r = random.Random(f"{seed} {number}")
        is_page = r.random() < 0.25
        if is_page:
            layout = r.randrange(1 << 30)
            picture = page(random.Random(layout), 1)
        else:
            picture = photo(r.choice(photos))
        other = photo(r.choice(photos))
        other = ImageOps.fit(other, picture.size)
        changed, local = picture, ""
        if number % 2:
            for _ in range(r.choice((1, 1, 2))):
                edit = r.choice(LOCAL)
                changed, local = edit(changed, r, other), edit.__name__
            if is_page and r.random() < 0.6:
                changed, local = page(random.Random(layout), 2), "other words"
        mask = differing(picture, changed)
        kind = r.choice((*KINDS, "none"))
        copy = changed if kind == "none" else REMOVABLE[kind](changed, r, other).convert("RGB")
        if r.random() < 0.6:
            copy = jpeg(copy, r.randint(45, 96))
        if r.random() < 0.4:
            picture = jpeg(picture, r.randint(60, 96))
        yield Pair(
            np.asarray(picture), np.asarray(copy), scaling(picture.size, copy.size), mask, kind, local
        )
