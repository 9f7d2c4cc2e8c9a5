"""Two of one template, and copies in other colours: what does `compare` call *same*?

    python benchmarks/templates.py PHOTOS --count 8 --seed 301 [--preset fast]

Of each kind of template (the cards of a game, pictures under one line of words, posters of one
series, posts in one app, slides, pictures of one channel) so many are drawn with two photos in
them, and the words that go with each. Both are compared as they are, and with the other as JPEG 75
at four fifths: no two are the same. A copy of the first (JPEG 75, three quarters) is. So are copies
of a photo in gray, in sepia, in brown ink and in paler colours.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from duplicates_edits import read
from duplicates_pairs import chosen
from edits import jpeg
from local_edits import font
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings

Picture = Image.Image
WORDS = """river night stone garden silent hunter last winter golden house secret island red
bridge lost city blue orchard iron dream summer ghost paper moon wild harbour broken crown"""
INK = (25, 15, 10)


def words(r: random.Random, n: int) -> str:
    return " ".join(r.choice(WORDS.split()) for _ in range(n))


def lines(r: random.Random, n: int, each: int) -> str:
    return "\n".join(words(r, each) for _ in range(n))


def card(photo: Picture, r: random.Random, _: random.Random) -> Picture:
    """A card of a game: frame, lines and maker are those of all."""
    sheet = Image.new("RGB", (420, 590), (60, 40, 20))
    pen = ImageDraw.Draw(sheet)
    pen.rounded_rectangle((16, 16, 404, 574), 18, (210, 190, 140), INK, 3)
    sheet.paste(ImageOps.fit(photo, (360, 260)), (30, 76))
    for box in ((30, 76, 390, 336), (30, 345, 390, 380), (30, 390, 390, 540)):
        pen.rectangle(box, outline=INK, width=3)
    pen.text((36, 34), words(r, 2).title(), INK, font(26))
    pen.text((386, 34), str(r.randint(1, 9)), INK, font(28), anchor="ra")
    pen.text((40, 350), f"Creature - {words(r, 1)}", INK, font(18))
    pen.text((42, 400), lines(r, r.randint(3, 4), 6), INK, font(17))
    pen.text((30, 548), "(c) 1998 Arcana Games Ltd.", INK, font(12))
    return sheet


def joke(photo: Picture, _: random.Random, alike: random.Random) -> Picture:
    """One line of words over a picture."""
    sheet = Image.new("RGB", (560, 540), (255, 255, 255))
    ImageDraw.Draw(sheet).text((16, 12), lines(alike, 3, 5), (0, 0, 0), font(28))
    sheet.paste(ImageOps.fit(photo, (560, 420)), (0, 120))
    return sheet


def poster(photo: Picture, _: random.Random, alike: random.Random) -> Picture:
    """A poster whose words are those of all."""
    sheet = Image.new("RGB", (600, 840), tuple(alike.randint(180, 250) for _ in range(3)))
    pen = ImageDraw.Draw(sheet)
    sheet.paste(ImageOps.fit(photo, (540, 460)), (30, 60))
    pen.text((300, 560), words(alike, 2).upper(), INK, font(54), anchor="ma")
    pen.text((300, 640), words(alike, 5), INK, font(24), anchor="ma")
    pen.text((40, 780), f"No. {alike.randint(1, 9)}", INK, font(34))
    return sheet


def post(photo: Picture, r: random.Random, _: random.Random) -> Picture:
    """A post in an app."""
    sheet = Image.new("RGB", (400, 720), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    pen.text((16, 30), "snapgram", (0, 0, 0), font(30))
    pen.ellipse((12, 78, 52, 118), fill=(220, 60, 120))
    pen.text((62, 88), words(r, 1), (0, 0, 0), font(16))
    sheet.paste(ImageOps.fit(photo, (400, 400)), (0, 130))
    pen.text((12, 575), f"{r.randint(5, 900)} likes\n{words(r, 4)}", (0, 0, 0), font(14))
    pen.text((12, 632), "View all comments", (140, 140, 140), font(14))
    for k, name in enumerate(("Home", "Search", "Alerts", "Profile")):
        pen.ellipse((40 + 92 * k, 670, 64 + 92 * k, 694), outline=(60, 60, 60), width=3)
        pen.text((52 + 92 * k, 698), name, (90, 90, 90), font(12), anchor="ma")
    return sheet


def slide(photo: Picture, r: random.Random, alike: random.Random) -> Picture:
    """A slide of one lecture."""
    sheet = Image.new("RGB", (960, 540), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((0, 0, 960, 70), (20, 50, 110))
    pen.text((30, 18), words(alike, 3).title(), (255, 255, 255), font(30))
    pen.text((30, 120), lines(r, 5, 5), (30, 30, 30), font(20), spacing=24)
    sheet.paste(ImageOps.fit(photo, (480, 360)), (450, 100))
    pen.rectangle((0, 510, 960, 540), (20, 50, 110))
    pen.text((20, 516), f"University of {words(alike, 1)} | Physics", (255, 255, 255), font(15))
    return sheet


def channel(photo: Picture, _: random.Random, alike: random.Random) -> Picture:
    """A picture of a television channel, with its news of the hour."""
    sheet = ImageOps.fit(photo, (640, 480))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((0, 390, 640, 450), (160, 10, 20))
    pen.text((16, 396), f"BREAKING: {words(alike, 3)}", (255, 255, 255), font(26))
    pen.text((16, 428), words(alike, 7), (255, 255, 255), font(16))
    pen.rectangle((530, 12, 628, 60), (160, 10, 20))
    pen.text((579, 36), "NEWS 7", (255, 255, 255), font(20), anchor="mm")
    return sheet


KINDS: dict[str, Callable[[Picture, random.Random, random.Random], Picture]] = {
    one.__name__: one for one in (card, joke, poster, post, slide, channel)
}


def sepia(photo: Picture) -> Picture:
    by = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    toned = np.clip(np.asarray(photo, np.float32) @ by.T, 0, 255)
    return Image.fromarray(toned.astype(np.uint8))


TONED: dict[str, Callable[[Picture], Picture]] = {
    "gray": lambda photo: photo.convert("L").convert("RGB"),
    "sepia": sepia,
    "brown ink": lambda photo: ImageOps.colorize(photo.convert("L"), (0, 0, 0), (255, 235, 200)),
    "paler": lambda photo: ImageEnhance.Color(photo).enhance(0.4),
}


def smaller(picture: Picture, part: float) -> Picture:
    size = (round(picture.width * part), round(picture.height * part))
    return jpeg(picture.resize(size, Image.Resampling.LANCZOS), 75)


def told(counts: Counter[str]) -> str:
    return f"{counts['same']} of {counts.total()}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos to draw from")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--seed", type=int, default=301)
    parser.add_argument("--preset", default="default")
    options = parser.parse_args()
    photos = [read(path) for path in chosen(options.folder, 60, options.seed)]
    search = ObjectSearch(load_settings(options.preset))
    print("| template | as they are: *same* | made smaller | copies *same* |")
    print("| --- | ---: | ---: | ---: |", flush=True)
    total = [Counter[str](), Counter[str](), Counter[str]()]
    for kind, draw in KINDS.items():
        columns = [Counter[str](), Counter[str](), Counter[str]()]
        for number in range(options.count):
            r = random.Random(f"{options.seed} {kind} {number}")
            alike = r.random()
            one, other = (draw(photo, r, random.Random(alike)) for photo in r.sample(photos, 2))
            for column, shown in zip(
                columns, (other, smaller(other, 0.8), smaller(one, 0.75)), strict=True
            ):
                column[search.compare(one, shown).verdict] += 1
        print(f"| {kind} | {' | '.join(map(told, columns))} |", flush=True)
        total = [so_far + column for so_far, column in zip(total, columns, strict=True)]
    print(f"| all | {' | '.join(map(told, total))} |\n")
    print("| copy | *same* |\n| --- | ---: |")
    for name, tone in TONED.items():
        verdicts: Counter[str] = Counter()
        for photo in random.Random(options.seed).sample(photos, 2 * options.count):
            verdicts[search.compare(photo, jpeg(tone(photo), 85)).verdict] += 1
        print(f"| {name} | {told(verdicts)} |", flush=True)


if __name__ == "__main__":
    main()
