"""Of two pictures of one size: which was made of the other, and is each a shot of its own?

    python benchmarks/stored_again.py PHOTOS --photos 30 --seed 100

Of each photo, made smaller so that nothing is left of its own compression, a JPEG of 80 to 97 is
compared with what was stored of it once more, with what was done to it otherwise, and with another
shot of the same: the photo under grain that was drawn anew. Copies have the grain of the first.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np
from duplicates_edits import read
from duplicates_pairs import chosen
from edits import jpeg
from PIL import Image, ImageEnhance, ImageFilter

from objsearch.agree.grain import is_other_grain
from objsearch.agree.made_from import made_of, merged
from objsearch.types import Pixels

Picture = Image.Image


def pixels(picture: Picture) -> Pixels:
    return np.asarray(picture.convert("RGB"), np.uint8)


def grained(picture: Picture, deviation: float, rng: np.random.Generator) -> Picture:
    """As a sensor has it: of light mostly, and a little wider than a pixel."""
    light = cv2.GaussianBlur(rng.normal(0, 1, picture.size[::-1]), (0, 0), 0.6)
    colour = rng.normal(0, 0.4 * deviation, (*light.shape, 3))
    made = pixels(picture) + deviation * (light / light.std())[..., None] + colour
    return Image.fromarray(np.clip(made, 0, 255).astype(np.uint8))


def copies(first: Picture, r: random.Random) -> dict[str, Picture]:
    """What was made of a picture, by kind."""
    hard = r.randint(18, 78)
    smooth = cv2.bilateralFilter(pixels(first), 9, 60, 7)
    return {
        "stored, saved without loss": jpeg(first, hard),
        "stored, saved at 98": jpeg(jpeg(first, hard), 98),
        "stored, saved at 90": jpeg(jpeg(first, hard), 90),
        "saved again at 97": jpeg(first, 97),
        "a palette of 256": first.quantize(256).convert("RGB"),
        "a palette of 64, no dots": first.quantize(64, dither=Image.Dither.NONE).convert("RGB"),
        "smoothed": jpeg(Image.fromarray(np.asarray(smooth, np.uint8)), 95),
        "median": first.filter(ImageFilter.MedianFilter(3)),
        "softened": jpeg(first.filter(ImageFilter.GaussianBlur(0.6)), 92),
        "sharpened": jpeg(first.filter(ImageFilter.UnsharpMask(2, 150, 0)), 95),
        "brighter": jpeg(ImageEnhance.Brightness(first).enhance(1.15), 95),
        "more contrast": jpeg(ImageEnhance.Contrast(first).enhance(1.4), 80),
        "more colour": jpeg(ImageEnhance.Color(first).enhance(1.3), 95),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos to draw from")
    parser.add_argument("--photos", type=int, default=30)
    parser.add_argument("--seed", type=int, default=100)
    options = parser.parse_args()
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for path in chosen(options.folder, options.photos, options.seed):
        r = random.Random(f"{options.seed} {path.name}")
        rng = np.random.default_rng(r.randrange(1 << 30))
        photo = read(path)
        photo = photo.resize((photo.width * 4 // 5, photo.height * 4 // 5))
        deviation = r.choice((0.0, 1.0, 2.0, 3.0, 4.0))
        quality = r.randint(80, 97)
        first = jpeg(grained(photo, deviation, rng), quality)
        others = copies(first, r)
        for grain in (2.0, 4.0):
            shot = jpeg(grained(photo, grain, rng), quality)
            others[f"another shot, grain of {grain:.0f}"] = shot
        for kind, other in others.items():
            one = first if "shot" not in kind else jpeg(grained(photo, float(kind[-1]), rng), 93)
            pair = pixels(one), pixels(other)
            made, few = made_of(*pair), merged(*pair)
            which = few if made is None else made.which
            found[kind][{None: "neither", 0: "the first", 1: "the copy"}[which]] += 1
            found[kind]["other shots"] += is_other_grain(*pair)
    columns = ("the copy", "neither", "the first", "other shots")
    print(f"| copy | made of the other: {' | '.join(columns)} |\n| --- |{' ---: |' * len(columns)}")
    for kind, told in found.items():
        print(f"| {kind} | {' | '.join(str(told[column]) for column in columns)} |")


if __name__ == "__main__":
    main()
