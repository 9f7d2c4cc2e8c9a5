"""Pages of text, scanned: is the same page *same*, and a page with one other word or number not?

    python benchmarks/scanned_pages.py --count 8 --seed 7

A page is drawn, and a second one in which one word, one number of four digits or one line is
another. Both are compared with the first as it is: as drawn, turned by 0.3 degrees, and scanned
(turned by up to 1.5 degrees, resized by 0.8 to 1.25, blurred, darkened, noise, JPEG 60 to 92).
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from edits import jpeg
from local_edits import font
from PIL import Image, ImageDraw, ImageFilter

from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings

Picture = Image.Image
Word = tuple[float, float, str]
SIZES_WH = ((620, 877), (827, 1169), (700, 500), (1000, 700))
MARGIN = 50
SYLLABLES = (
    *("ba", "be", "cor", "da", "del", "fin", "ga", "hol", "in", "ka", "lo", "mar"),
    *("ne", "or", "pi", "ra", "sto", "ta", "un", "ver", "wil", "xi", "yo", "zen"),
)
CHANGES = ("word", "number", "line")
SCANS = ("as drawn", "turned by 0.3 degrees", "scanned")


@dataclass(frozen=True)
class Page:
    """Rows of words at places, in pixels."""

    size_wh: tuple[int, int]
    points: int
    rows: tuple[tuple[Word, ...], ...]
    title: str

    def drawn(self) -> Picture:
        picture = Image.new("RGB", self.size_wh, (255, 255, 255))
        draw = ImageDraw.Draw(picture)
        draw.text((MARGIN, 40), self.title, (0, 0, 0), font(self.points + 8))
        for x, y, text in (placed for row in self.rows for placed in row):
            draw.text((x, y), text, (15, 15, 15), font(self.points))
        return picture

    def with_row(self, number: int, row: Sequence[Word]) -> Page:
        return replace(self, rows=(*self.rows[:number], tuple(row), *self.rows[number + 1 :]))


def word(r: random.Random) -> str:
    return "".join(r.choices(SYLLABLES, k=r.randint(1, 4)))


def made_page(r: random.Random) -> Page:
    """A page full of lines, some of which are short, with numbers among the words."""
    size_wh, points = r.choice(SIZES_WH), r.choice((11, 12, 13, 14, 16))
    leading = int(points * r.uniform(1.25, 1.6))
    draw = ImageDraw.Draw(Image.new("RGB", (8, 8)))
    rows = []
    y = MARGIN + 2 * leading
    while y < size_wh[1] - MARGIN - leading:
        y += leading if r.random() < 0.08 else 0
        end = size_wh[0] - MARGIN
        end = end if r.random() > 0.15 else r.randint(size_wh[0] // 3, end)
        x, row = float(MARGIN), []
        while True:
            text = word(r) if r.random() > 0.06 else str(r.randint(1, 9999))
            wide = draw.textlength(text + " ", font=font(points))
            if x + wide > end:
                break
            row.append((x, y, text))
            x += wide
        rows.append(tuple(row))
        y += leading
    return Page(size_wh, points, tuple(rows), f"Minutes {r.randint(1, 99)}")


def changed(page: Page, kind: str, r: random.Random) -> tuple[Page, Page]:
    """The page, and the same with another word, number or line."""
    number = r.choice([k for k, row in enumerate(page.rows) if len(row) > 2])
    row = list(page.rows[number])
    if kind == "line":
        return page, page.with_row(number, [(x, y, word(r)) for x, y, _ in row])
    at = r.randrange(len(row))
    x, y, text = row[at]
    if kind == "word":
        another = (word(r) for _ in range(10_000))
        row[at] = (x, y, next(w for w in another if len(w) == len(text) and w != text))
        return page, page.with_row(number, row)
    digits = [r.randrange(10) for _ in range(4)]
    others = [(digit + r.randint(1, 9)) % 10 for digit in digits]
    pages = []
    for figures in (digits, others):
        row[at] = (x, y, "".join(map(str, figures)))
        pages.append(page.with_row(number, row))
    return pages[0], pages[1]


def scanned(picture: Picture, r: random.Random) -> Picture:
    """A page on the glass of a scanner."""
    degrees, scale = r.choice((-1, 1)) * r.uniform(0.1, 1.5), r.uniform(0.8, 1.25)
    made = turned(picture, degrees)
    size_wh = round(picture.width * scale), round(picture.height * scale)
    made = made.resize(size_wh, Image.Resampling.LANCZOS)
    if r.random() < 0.5:
        made = made.filter(ImageFilter.GaussianBlur(r.uniform(0.3, 0.8)))
    light, spread = r.uniform(0.85, 1), r.uniform(0, 5)
    noise = np.random.default_rng(r.randrange(1 << 30)).normal(0, spread, (*made.size[::-1], 3))
    values = np.clip(np.asarray(made, np.float32) * light + noise, 0, 255).astype(np.uint8)
    return jpeg(Image.fromarray(values), r.randint(60, 92))


def turned(picture: Picture, degrees: float) -> Picture:
    return picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255))


def seen(picture: Picture, how: str, seed: str) -> Picture:
    """A page as drawn, turned or scanned; the same for the same seed."""
    if how == SCANS[0]:
        return picture
    return turned(picture, 0.3) if how == SCANS[1] else scanned(picture, random.Random(seed))


def main() -> None:
    """Print how many are *same*: of the same page, and of the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--preset", default="default")
    options = parser.parse_args()
    search = ObjectSearch(load_settings(options.preset))
    print("| how | what is another | itself *same* | the other *same* |\n| --- | --- | --- | --- |")
    for how in SCANS:
        for kind in CHANGES:
            own, others = Counter[str](), Counter[str]()
            for number in range(options.count):
                seed = f"{options.seed} {kind} {how} {number}"
                r = random.Random(seed)
                first, second = (page.drawn() for page in changed(made_page(r), kind, r))
                for counts, picture in ((own, first), (others, second)):
                    sides = np.asarray(first), np.asarray(seen(picture, how, seed))
                    counts[search.compare(*sides).verdict] += 1
            cells = (f"{counts['same']} of {options.count}" for counts in (own, others))
            print(f"| {how} | one {kind} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
