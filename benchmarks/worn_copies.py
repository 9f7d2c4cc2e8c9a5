"""Is the original told from copies that are larger, or as large, and show less?

    python benchmarks/worn_copies.py PHOTOS --photos 24

Of each photo enlargements are made (four filters; JPEG 50, 75 and 92), and smaller copies of
itself, sharp and softened: what is the larger one said to show, and how well do repeated pixels fit
it, of photos and of drawn pages? And copies of the same size that lost something: which of the two
is said to be worn? Both orders are asked.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from edits import jpeg
from patterns import KINDS
from PIL import Image, ImageEnhance, ImageFilter

from objsearch.agree.detail import detail_of
from objsearch.agree.enlarging import larger_shows
from objsearch.agree.laying import scaling
from objsearch.agree.wear import worn

Picture = Image.Image
SCALES = (1.2, 1.5, 2.0, 2.4, 3.0, 4.0)
SIDE = 800
FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}


def resized(picture: Picture, times: float, how: str = "lanczos") -> Picture:
    """In another size."""
    size = tuple(max(1, round(side * times)) for side in picture.size)
    return picture.resize((size[0], size[1]), FILTERS[how])


def toned(picture: Picture, tone: Callable[[np.ndarray], np.ndarray]) -> Picture:
    """Every value made another."""
    return Image.fromarray(np.clip(tone(np.asarray(picture, float)), 0, 255).astype(np.uint8))


def noisy(picture: Picture, sigma: float) -> Picture:
    """With noise."""
    random = np.random.default_rng(1)
    return toned(picture, lambda x: x + random.normal(0, sigma, x.shape))


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "JPEG 90": lambda one: jpeg(one, 90),
    "JPEG 50": lambda one: jpeg(one, 50),
    "JPEG 15": lambda one: jpeg(one, 15),
    "JPEG 8": lambda one: jpeg(one, 8),
    "highlights clipped": lambda one: toned(one, lambda x: 1.4 * x),
    "the same, JPEG 90": lambda one: jpeg(toned(one, lambda x: 1.4 * x), 90),
    "shadows crushed": lambda one: toned(one, lambda x: (x - 60) * 255 / 195),
    "little contrast": lambda one: toned(one, lambda x: 110 + (x - 128) * 0.15),
    "darkened": lambda one: toned(one, lambda x: 0.7 * x),
    "gamma 0.7": lambda one: toned(one, lambda x: 255 * (x / 255) ** 0.7),
    "gamma 1.4": lambda one: toned(one, lambda x: 255 * (x / 255) ** 1.4),
    "blur 0.8": lambda one: one.filter(ImageFilter.GaussianBlur(0.8)),
    "blur 1.5": lambda one: one.filter(ImageFilter.GaussianBlur(1.5)),
    "median 5": lambda one: one.filter(ImageFilter.MedianFilter(5)),
    "noise 5": lambda one: noisy(one, 5),
    "noise 14": lambda one: noisy(one, 14),
    "saturation 0.12": lambda one: ImageEnhance.Color(one).enhance(0.12),
    "saturation 1.5": lambda one: ImageEnhance.Color(one).enhance(1.5),
    "64 colours": lambda one: one.quantize(64).convert("RGB"),
    "sharpened": lambda one: one.filter(ImageFilter.UnsharpMask(2, 120, 2)),
    "halved, enlarged": lambda one: resized(resized(one, 0.5), 2, "bicubic").resize(one.size),
    "a third, enlarged": lambda one: resized(resized(one, 1 / 3), 3, "bicubic").resize(one.size),
    "white balance": lambda one: toned(one, lambda x: x * np.array([1.1, 1, 0.9])),
}


def sizes_of(photo: Picture, scale: float) -> Iterator[tuple[str, Picture, Picture]]:
    """What it is, the smaller and the larger of two sizes."""
    for how in FILTERS:
        for quality in (92, 75, 50):
            kind = "enlarged, nearest" if how == "nearest" else "enlarged, smooth filters"
            yield kind, photo, jpeg(resized(photo, scale, how), quality)
    for quality in (92, 75, 50):
        yield "original, sharp", jpeg(resized(photo, 1 / scale), quality), photo
    soft = photo.filter(ImageFilter.GaussianBlur(1.0))
    yield "original, soft", jpeg(resized(soft, 1 / scale), 90), jpeg(soft, 90)


def print_sizes(photos: list[Picture]) -> None:
    """What the larger of two sizes is said to show."""
    said: dict[tuple[str, float], Counter[str]] = defaultdict(Counter)
    for photo in photos:
        for scale in SCALES:
            for kind, small, large in sizes_of(photo, scale):
                onto = scaling(small.size, large.size)
                said[kind, scale][larger_shows(np.array(small), np.array(large), onto)] += 1
    print("| the larger is | times as large | more | unclear | no more |")
    print("| --- | --- | --- | --- | --- |")
    for (kind, scale), counts in sorted(said.items()):
        told = " | ".join(str(counts[word]) for word in ("more", "unclear", "no more"))
        print(f"| {kind} | {scale} | {told} |")


def print_repeated(photos: list[Picture]) -> None:
    """How well repeated pixels fit (`Detail.repeated`), of photos and of drawn pages."""
    fits: dict[str, list[float]] = defaultdict(list)
    pages = [draw(random.Random(number)) for draw in KINDS.values() for number in range(3)]
    for what, pictures in (("photo", photos), ("drawn page", pages)):
        for picture in pictures:
            for scale in SCALES:
                for kind, small, large in sizes_of(picture, scale):
                    found = detail_of(
                        np.array(small), np.array(large), scaling(small.size, large.size)
                    )
                    if found is not None:
                        fits[f"{what}: {kind}"].append(found.repeated)
    print("\n| the larger is | least | 5 % | median | 95 % | most |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind, values in sorted(fits.items()):
        told = " | ".join(f"{x:.2f}" for x in np.quantile(values, (0, 0.05, 0.5, 0.95, 1)))
        print(f"| {kind} | {told} |")


def print_worn(photos: list[Picture]) -> None:
    """Which of two copies of one size is said to be worn."""
    print("\n| copy | worn: the copy | neither | the original |\n| --- | --- | --- | --- |")
    for kind, made in COPIES.items():
        counts: Counter[int | None] = Counter()
        for photo in photos:
            one, other = np.array(photo), np.array(made(photo))
            counts[worn(one, other)] += 1
            back = worn(other, one)
            counts[None if back is None else 1 - back] += 1
        print(f"| {kind} | {counts[1]} | {counts[None]} | {counts[0]} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos")
    parser.add_argument("--photos", type=int, default=24)
    given = parser.parse_args()
    paths = sorted(given.folder.glob("*.jpg"))
    photos = []
    for path in paths[:: max(1, len(paths) // given.photos)][: given.photos]:
        photo = Image.open(path).convert("RGB")
        photo.thumbnail((SIDE, SIDE))
        photos.append(photo)
    print_sizes(photos)
    print_repeated(photos)
    print_worn(photos)


if __name__ == "__main__":
    main()
