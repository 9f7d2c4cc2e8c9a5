"""Pages of one kind and patterns that repeat: what is a score worth where no keypoint agrees?

    python benchmarks/patterns.py --count 8 --seed 5 [--presets default,fast,whole-image]

Crosswords, chess boards, pages of text, time tables, sheets of music, tilings: two of a kind are as
alike as two photos of one thing, and are not the same. Of each kind so many are drawn, and each is
also photographed (perspective on a ground, uneven light, blur, JPEG). Prints the scores of a photo
with its own page and with the others of its kind. Crosswords, pages and tables of other seeds take
part in the fit of the calibrations (`training/calibration/fit.py`); chess boards, music and tilings
do not.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from edits import jpeg
from local_edits import font
from PIL import Image, ImageDraw, ImageFilter

Picture = Image.Image
Colour = tuple[int, int, int]
GROUND: Colour = (250, 250, 247)


def _word(r: random.Random) -> str:
    syllables = range(r.choice((1, 1, 2, 2, 3)))
    return "".join(r.choice("bcdfghjklmnprstvwz") + r.choice("aeiou") for _ in syllables)


def crossword(r: random.Random) -> Picture:
    """Black squares and numbers on a grid."""
    n = r.choice((11, 13, 15))
    step = 500 // n
    sheet = Image.new("RGB", (n * step + 20, n * step + 20), GROUND)
    draw = ImageDraw.Draw(sheet)
    number = 1
    for y in range(n):
        for x in range(n):
            box = (10 + x * step, 10 + y * step, 10 + (x + 1) * step, 10 + (y + 1) * step)
            is_black = r.random() < 0.18
            draw.rectangle(box, fill=(0, 0, 0) if is_black else None, outline=(0, 0, 0))
            if not is_black and r.random() < 0.3:
                draw.text((box[0] + 2, box[1] + 1), str(number), (0, 0, 0), font(10))
                number += 1
    return sheet


def text(r: random.Random) -> Picture:
    """A page of a book."""
    sheet = Image.new("RGB", (480, 640), GROUND)
    draw = ImageDraw.Draw(sheet)
    size = r.choice((11, 12, 14))
    most, y = round(720 / size), 30
    while y < 600:
        line = ""
        while len(line) < most:
            line += _word(r) + r.choice(("", "", "", "", ",", ".")) + " "
        if r.random() < 0.12:
            line = line[: r.randint(10, 30)]
        draw.text((36, y), line[:most], (0, 0, 0), font(size))
        y += size + 6
    return sheet


def table(r: random.Random) -> Picture:
    """Rows of times and places."""
    columns, rows = r.randint(5, 8), r.randint(18, 26)
    sheet = Image.new("RGB", (640, 30 + rows * 22), GROUND)
    draw = ImageDraw.Draw(sheet)
    for row in range(rows):
        y = 15 + row * 22
        if row % 2:
            draw.rectangle((10, y, 630, y + 22), (226, 230, 238))
        draw.text((16, y + 4), _word(r).title(), (0, 0, 0), font(12))
        for column in range(columns):
            time = f"{r.randrange(24):02}:{r.randrange(60):02}"
            draw.text((140 + column * 480 // columns, y + 4), time, (0, 0, 0), font(12))
    return sheet


def chess(r: random.Random) -> Picture:
    """A position on a board."""
    side = 60
    light, dark = r.choice((((240, 217, 181), (181, 136, 99)), ((238, 238, 210), (118, 150, 86))))
    board = Image.new("RGB", (8 * side, 8 * side))
    draw = ImageDraw.Draw(board)
    for y in range(8):
        for x in range(8):
            left, top = x * side, y * side
            fill = (light, dark)[(x + y) % 2]
            draw.rectangle((left, top, left + side, top + side), fill=fill)
            if r.random() < 0.4:
                colour = r.choice(((25, 25, 25), (248, 248, 248)))
                draw_piece(draw, r.randrange(4), left, top, colour)
    return board


def draw_piece(draw: ImageDraw.ImageDraw, kind: int, left: int, top: int, colour: Colour) -> None:
    """One of four pieces on a square of 60 pixels."""
    rim = (90, 90, 90)
    if kind == 0:
        draw.ellipse((left + 18, top + 10, left + 42, top + 34), colour, rim)
        draw.rectangle((left + 14, top + 36, left + 46, top + 52), colour, rim)
    elif kind == 1:
        corners = [(left + 30, top + 6), (left + 48, top + 52), (left + 12, top + 52)]
        draw.polygon(corners, colour, rim)
    elif kind == 2:
        draw.rectangle((left + 16, top + 12, left + 44, top + 52), colour, rim)
    else:
        draw.ellipse((left + 12, top + 12, left + 48, top + 50), colour, rim)


def music(r: random.Random) -> Picture:
    """Staves with notes."""
    sheet = Image.new("RGB", (560, 720), GROUND)
    draw = ImageDraw.Draw(sheet)
    for top in range(60, 660, 75):
        for line in range(5):
            draw.line((30, top + line * 8, 530, top + line * 8), (0, 0, 0))
        x = 60
        while x < 515:
            y = top + r.randint(-1, 9) * 4
            draw.ellipse((x, y - 4, x + 10, y + 4), (0, 0, 0) if r.random() < 0.7 else None, 0)
            draw.line((x + 10, y, x + 10, y - 26), (0, 0, 0), 2)
            x += r.choice((16, 22, 30))
            if r.random() < 0.12:
                draw.line((x, top, x, top + 32), (0, 0, 0), 2)
                x += 12
    return sheet


def tiling(r: random.Random) -> Picture:
    """Squares with a quarter of circles, each turned by chance."""
    side = r.choice((32, 40, 48))
    n = 520 // side
    ink, ground = r.choice((((30, 60, 140), (240, 236, 220)), ((150, 50, 40), (235, 225, 205))))
    sheet = Image.new("RGB", (n * side, n * side), ground)
    draw = ImageDraw.Draw(sheet)
    for y in range(0, n * side, side):
        for x in range(0, n * side, side):
            turned = r.random() < 0.5
            for dx, dy in ((0, 0), (1, 1)) if turned else ((1, 0), (0, 1)):
                cx, cy, half = x + dx * side, y + dy * side, side // 2
                box = (cx - half, cy - half, cx + half, cy + half)
                first = {(0, 0): 0, (1, 0): 90, (1, 1): 180, (0, 1): 270}[dx, dy]
                draw.arc(box, first, first + 90, ink, 6)
    return sheet


KINDS: dict[str, Callable[[random.Random], Picture]] = {
    one.__name__: one for one in (crossword, text, table, chess, music, tiling)
}
FITTED = ("crossword", "text", "table")


def photographed(picture: Picture, r: random.Random) -> Picture:
    """A page on a ground, seen at a mild angle in uneven light."""
    width, height = 640, 640
    scale = 500 / max(picture.size)
    w, h = picture.width * scale, picture.height * scale
    left, top = (width - w) / 2, (height - h) / 2
    corners = np.array([(left, top), (left + w, top), (left + w, top + h), (left, top + h)])
    moved = corners + np.array([[r.uniform(-45, 45) for _ in range(2)] for _ in range(4)])
    own = np.array([(0, 0), (picture.width, 0), picture.size, (0, picture.height)], np.float32)
    onto = cv2.getPerspectiveTransform(own, moved.astype(np.float32))
    ground = np.full((height, width, 3), [r.randint(60, 190) for _ in range(3)], np.uint8)
    seen = cv2.warpPerspective(
        np.asarray(picture), onto, (width, height), dst=ground, borderMode=cv2.BORDER_TRANSPARENT
    )
    across = np.linspace(r.uniform(0.6, 1), r.uniform(0.6, 1), width)
    down = np.linspace(r.uniform(0.8, 1), r.uniform(0.8, 1), height)
    lit = np.clip(seen * (down[:, None] * across)[..., None], 0, 255).astype(np.uint8)
    blurred = Image.fromarray(lit).filter(ImageFilter.GaussianBlur(r.uniform(0.3, 1.0)))
    return jpeg(blurred, r.randint(60, 90))


def make(folder: Path, kinds: tuple[str, ...], count: int, seed: str) -> None:
    """`KIND-NUMBER.png` as drawn, and `KIND-NUMBER-photo.jpg`."""
    for kind in kinds:
        for number in range(count):
            r = random.Random(f"{seed} {kind} {number}")
            page = KINDS[kind](r)
            page.save(folder / f"{kind}-{number:03}.png")
            photographed(page, r).save(folder / f"{kind}-{number:03}-photo.jpg", quality=92)


def row(kind: str, own: list[tuple[float, str]], others: list[tuple[float, str]]) -> str:
    """A line of the table."""
    scores = np.array([score for score, _ in others])
    low, middle = np.quantile([score for score, _ in own], [0.1, 0.5])
    n_same = sum(verdict == "same" for _, verdict in own)
    wrong = sum(verdict == "same" for _, verdict in others)
    high, most = np.quantile(scores, 0.9), scores.max()
    cells = [kind, f"{low:.3f}", f"{middle:.3f}", f"{n_same} of {len(own)}"]
    cells += [f"{np.median(scores):.3f}", f"{high:.3f}", f"{most:.3f}", f"{wrong} of {len(others)}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Draw, search, print a table a preset."""
    from objsearch.search.pipeline import ObjectSearch
    from objsearch.settings import load_settings

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--seed", default="5")
    parser.add_argument("--presets", default="default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, tuple(KINDS), options.count, options.seed)
        for preset in options.presets.split(","):
            search = ObjectSearch(load_settings(preset))
            search.add(*map(str, sorted(folder.glob("*.png"))))
            own, others = defaultdict(list), defaultdict(list)
            for path in sorted(folder.glob("*-photo.jpg")):
                kind, number, _ = path.stem.split("-")
                for hit in search.find(str(path), threshold=0.0, top=None).hits:
                    its_kind, its_number = Path(hit.ref.uri).stem.split("-")
                    if its_kind == kind:
                        side = own if its_number == number else others
                        side[kind].append((hit.score, hit.verdict))
            print(
                f"\n**{preset}**\n\n| kind | own page: 10 % | median | called *same* "
                "| others: median | 90 % | greatest | called *same* |\n"
                "| --- | --- | --- | --- | --- | --- | --- | --- |"
            )
            for kind in KINDS:
                print(row(kind, own[kind], others[kind]), flush=True)


if __name__ == "__main__":
    main()
