"""Is a card found that fills little of a large photo?

    python benchmarks/small_cards.py PHOTOS --count 8 --seed 1

Cards are drawn by seed, 880 x 672 pixels, and laid on photos enlarged to six megapixels, upright or
turned, where they fill so many percent of the pixels. Each is compared with its own photo, with one
of a card of the same template for somebody else, and with a photo without any.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

from duplicates_edits import read
from duplicates_pairs import chosen
from local_edits import font
from near_strangers import NAMES, STREETS
from PIL import Image, ImageDraw

from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings

PERCENT = (3.0, 1.25, 1.0, 0.7, 0.5)
PHOTO_WH, CARD_WH = (3000, 2000), (880, 672)
TURNS = (0, 0, 7, -20)

Picture = Image.Image
Asked = tuple[float, str]


def card(template: random.Random, person: random.Random) -> Picture:
    """A template, filled in for a person."""
    ink = tuple(template.randrange(120) for _ in range(3))
    sheet = Image.new("RGB", CARD_WH, (250, 248, 240))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((12, 12, CARD_WH[0] - 12, CARD_WH[1] - 12), outline=ink, width=10)
    left = template.randrange(60, 400)
    pen.ellipse((left, 290, left + 140, 430), fill=tuple(template.randrange(256) for _ in range(3)))
    pen.polygon([(700, 300), (800, 300), (750, 400)], tuple(template.randrange(256) for _ in "rgb"))
    words = (
        (person.choice(NAMES), 84, 80),
        (template.choice(("Piano lessons", "Roof repairs", "Tax advice", "Bicycles")), 60, 190),
        (f"0{person.randrange(10**9, 10**10)}", 66, 440),
        (f"{person.choice(STREETS)} {person.randrange(1, 99)}", 56, 540),
    )
    for text, size, top in words:
        pen.text((440, top), text, ink, font(size), anchor="mt")
    return sheet


def laid_on(photo: Picture, thing: Picture, percent: float, r: random.Random) -> Picture:
    """The thing at so many percent of the photo's pixels."""
    scene = photo.resize(PHOTO_WH, Image.Resampling.LANCZOS)
    area = percent / 100 * PHOTO_WH[0] * PHOTO_WH[1]
    scale = (area / (thing.width * thing.height)) ** 0.5
    size = round(thing.width * scale), round(thing.height * scale)
    small = thing.resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    turned = small.rotate(r.choice(TURNS), expand=True, resample=Image.Resampling.BICUBIC)
    place = (
        r.randrange(PHOTO_WH[0] - turned.width),
        r.randrange(PHOTO_WH[1] - turned.height),
    )
    scene.paste(turned, place, turned)
    return scene


def kept(picture: Picture, path: Path) -> str:
    picture.save(path, quality=88)
    return str(path)


def compared(
    photos: list[Picture], search: ObjectSearch, seed: int, folder: Path
) -> Counter[Asked]:
    """How many were *same*, by percent and by whose card lies there."""
    same: Counter[Asked] = Counter()
    for number, photo in enumerate(photos):
        key = f"{seed} {number}"
        own, other = (card(random.Random(key), random.Random(key + who)) for who in "ab")
        query = kept(own, folder / "card.png")
        for percent in PERCENT:
            for what, thing in (("own", own), ("other", other)):
                scene = laid_on(photo, thing, percent, random.Random(f"{key} {percent}"))
                hit = search.compare(query, kept(scene, folder / "scene.jpg"))
                same[percent, what] += hit.verdict == "same"
        plain = kept(photo.resize(PHOTO_WH, Image.Resampling.LANCZOS), folder / "scene.jpg")
        same[0.0, "none"] += search.compare(query, plain).verdict == "same"
    return same


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos to lay cards on")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="default")
    given = parser.parse_args()
    search = ObjectSearch(load_settings(given.preset))
    photos = [read(path) for path in chosen(given.folder, given.count, given.seed)]
    with tempfile.TemporaryDirectory(prefix="cards-") as name:
        same = compared(photos, search, given.seed, Path(name))
    print(f"{given.count} cards, seed {given.seed}\n")
    print("| percent of the photo | its own card: *same* | another's: *same* |")
    print("| ---: | ---: | ---: |")
    for percent in PERCENT:
        told = " | ".join(f"{same[percent, what]} of {given.count}" for what in ("own", "other"))
        print(f"| {percent:g} | {told} |")
    print(f"| none | | {same[0.0, 'none']} of {given.count} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
