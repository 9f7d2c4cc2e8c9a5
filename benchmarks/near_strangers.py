"""Pictures that share nearly everything and are not the same: does `duplicates` take any away?

    python benchmarks/near_strangers.py PHOTOS --count 12 --seed 3 [--objsearch OTHER/objsearch]

Of each kind so many families of three are made, by other recipes than those that the agreement of
pictures was fitted to (`training/agreement`): filled-in forms, number plates, bursts (a thing
moved, the camera moved by a little, shut eyes), calendars, comics, overlapping tiles, colour
variants, captions, positions of a game. None may be planned for removal. Beside each family lies a
true copy of its first picture (JPEG 70), which has to go: a rule that vetoes everything fails, too.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from duplicates_edits import PROGRAM, planned, read
from duplicates_pairs import chosen
from local_edits import font
from patterns import draw_piece
from PIL import Image, ImageDraw, ImageFilter, ImageOps

Picture = Image.Image
NAMES = (
    "Ada Lindqvist",
    "Bo Okafor",
    "Cleo Marsh",
    "Dara Novak",
    "Emil Haddad",
    "Fay Ito",
    "Gus Ruiz",
)
STREETS = ("Mill Lane", "Harbour Row", "Station Road", "Park Square", "Old Quay")


def forms(r: random.Random, _: list[Picture]) -> list[Picture]:
    """One form, filled in by three."""
    title, rows = f"Claim {r.randrange(100, 999)}", r.randint(5, 9)
    labels = [
        f"{r.randint(1, 40)}. {r.choice(('Name', 'Street', 'Amount', 'Date', 'Account'))}"
        for _ in range(rows)
    ]
    made = []
    for _ in range(3):
        sheet = Image.new("RGB", (620, 877), (255, 255, 255))
        draw = ImageDraw.Draw(sheet)
        draw.rectangle((40, 40, 580, 90), outline=(0, 0, 0))
        draw.text((60, 52), title, (0, 0, 0), font(22))
        for row, label in enumerate(labels):
            top = 130 + row * 60
            draw.text((50, top), label, (60, 60, 60), font(13))
            draw.line((180, top + 22, 560, top + 22), (120, 120, 120))
            entry = r.choice(
                (
                    r.choice(NAMES),
                    f"{r.randint(1, 99)} {r.choice(STREETS)}",
                    f"{r.randint(10, 999)}.50",
                )
            )
            draw.text((190, top), entry, (10, 20, 120), font(17))
        for line in range(6):
            draw.text(
                (50, 700 + line * 16),
                "The undersigned confirms that all of the above is true. " * 2,
                (0, 0, 0),
                font(9),
            )
        made.append(sheet)
    return made


def plates(r: random.Random, photos: list[Picture]) -> list[Picture]:
    """One car, three number plates."""
    photo = ImageOps.fit(r.choice(photos), (640, 440))
    x, y = r.randint(150, 380), r.randint(240, 360)
    made = []
    for _ in range(3):
        one = photo.copy()
        draw = ImageDraw.Draw(one)
        draw.rectangle((x, y, x + 120, y + 30), (250, 250, 250), (20, 20, 20))
        text = (
            "".join(r.choice("ABCDEFGHKLMNPRSTUVXZ") for _ in range(3)) + f" {r.randint(100, 999)}"
        )
        draw.text((x + 14, y + 4), text, (10, 10, 10), font(20))
        made.append(one)
    return made


def bursts(r: random.Random, photos: list[Picture]) -> list[Picture]:
    """One view: the camera moves by a little, and a thing in front of it by more."""
    ground = ImageOps.fit(r.choice(photos), (700, 500))
    thing = ImageOps.fit(r.choice(photos), (r.randint(60, 130), r.randint(60, 130)))
    mask = Image.new("L", thing.size, 0)
    ImageDraw.Draw(mask).ellipse((0, 0, thing.width - 1, thing.height - 1), fill=255)
    x, y = r.randint(100, 400), r.randint(100, 300)
    made = []
    for _ in range(3):
        view = ground.copy()
        view.paste(
            thing,
            (x + r.randint(-40, 40), y + r.randint(-20, 20)),
            mask.filter(ImageFilter.GaussianBlur(1)),
        )
        dx, dy = r.randint(0, 4), r.randint(0, 4)
        made.append(view.crop((20 + dx, 20 + dy, 660 + dx, 460 + dy)))
    return made


def eyes(r: random.Random, photos: list[Picture]) -> list[Picture]:
    """One portrait, with eyes open, shut, and one of each."""
    face = ImageOps.fit(r.choice(photos), (480, 480))
    draw = ImageDraw.Draw(face)
    skin = tuple(r.randint(140, 220) for _ in range(3))
    draw.ellipse((120, 80, 360, 400), fill=skin)
    draw.arc((190, 280, 290, 340), 20, 160, (150, 60, 60), 5)
    made = []
    for state in ((1, 1), (0, 0), (1, 0)):
        one = face.copy()
        pen = ImageDraw.Draw(one)
        for x, is_open in zip((190, 290), state, strict=True):
            if is_open:
                pen.ellipse((x - 16, 190, x + 16, 212), fill=(250, 250, 250), outline=(60, 40, 30))
                pen.ellipse((x - 7, 194, x + 7, 208), fill=(60, 90, 120))
            else:
                pen.line((x - 16, 202, x + 16, 202), (90, 60, 50), 3)
        made.append(one)
    return made


def calendars(r: random.Random, _: list[Picture]) -> list[Picture]:
    """One template, three months."""
    made, year = [], r.randint(1000, 9999)  # no two families of one year, or hardly ever
    for month in r.sample(("January", "April", "July", "October", "December"), 3):
        sheet = Image.new("RGB", (720, 540), (255, 253, 248))
        draw = ImageDraw.Draw(sheet)
        draw.text((24, 16), f"{month} {year}", (20, 60, 120), font(30))
        first = r.randrange(7)
        for cell in range(42):
            column, row = cell % 7, cell // 7
            left, top = 20 + column * 97, 90 + row * 72
            draw.rectangle((left, top, left + 97, top + 72), outline=(170, 170, 170))
            if first <= cell < first + 30:
                draw.text((left + 8, top + 6), str(cell - first + 1), (0, 0, 0), font(18))
        made.append(sheet)
    return made


BALLOONS = ("Where is it?", "Not again!", "Look at that", "I said no.", "Why me?", "Run, run!")


def comics(r: random.Random, photos: list[Picture]) -> list[Picture]:
    """The same drawn panels, other words in the balloons."""
    panels = [ImageOps.posterize(ImageOps.fit(r.choice(photos), (300, 220)), 2) for _ in range(2)]
    balloons = [r.sample(BALLOONS, 3) for _ in panels]
    made = []
    for k in range(3):
        strip = Image.new("RGB", (640, 250), (255, 255, 255))
        for number, panel in enumerate(panels):
            strip.paste(panel, (12 + number * 314, 14))
            draw = ImageDraw.Draw(strip)
            left = 30 + number * 314
            draw.ellipse(
                (left, 24, left + 190, 84), fill=(255, 255, 255), outline=(0, 0, 0), width=2
            )
            draw.text((left + 34, 44), balloons[number][k], (0, 0, 0), font(16))
        made.append(strip)
    return made


def tiles(r: random.Random, photos: list[Picture]) -> list[Picture]:
    """Cuts of one map that overlap by half or more: each shows what the others lack."""
    ground = ImageOps.fit(r.choice(photos), (1000, 700))
    shift, left, top = r.randint(120, 200), r.randint(0, 150), r.randint(0, 250)
    return [
        ground.crop((left + k * shift, top, left + k * shift + 440, top + 440)) for k in range(3)
    ]


def colours(r: random.Random, _: list[Picture]) -> list[Picture]:
    """One thing in three colours."""
    rng = np.random.default_rng(r.randrange(1 << 30))
    grain = rng.normal(0, 8, (420, 420, 1))
    mask = Image.new("L", (420, 420), 0)
    draw = ImageDraw.Draw(mask)
    draw.rounded_rectangle((110, 120, 310, 360), 40, fill=255)
    draw.ellipse((150, 50, 270, 150), fill=255)
    inside = np.asarray(mask, np.float32)[..., None] / 255
    made = []
    for hue in r.sample(((200, 40, 40), (40, 140, 60), (40, 70, 190), (210, 170, 40)), 3):
        values = 245 * (1 - inside) + (np.array(hue, np.float32) + grain) * inside
        made.append(Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)))
    return made


def captions(r: random.Random, photos: list[Picture]) -> list[Picture]:
    """One picture, three jokes."""
    photo = ImageOps.fit(r.choice(photos), (560, 420))
    made = []
    for words in r.sample(
        ("WHEN IT RAINS", "EVERY MORNING", "NOT MY FAULT", "BEFORE COFFEE", "SEND HELP"), 3
    ):
        one = photo.copy()
        draw = ImageDraw.Draw(one)
        # Two families may draw one photo: a number tells them apart.
        draw.text(
            (280, 380),
            f"{words} {r.randint(1000, 9999)}",
            (255, 255, 255),
            font(40),
            anchor="mm",
            stroke_width=3,
            stroke_fill=(0, 0, 0),
        )
        made.append(one)
    return made


def positions(r: random.Random, _: list[Picture]) -> list[Picture]:
    """A position of a game of chess, one after a move, and one after three more."""
    side = r.choice((40, 56, 80))
    dark = r.choice(((181, 136, 99), (118, 150, 86), (140, 162, 173)))
    squares = [(x, y) for x in range(8) for y in range(8)]
    pieces = {
        square: (r.randrange(4), r.choice(((25, 25, 25), (248, 248, 248))))
        for square in r.sample(squares, r.randint(8, 26))
    }
    made = []
    for n_moves in (0, 1, 3):
        for _ in range(n_moves):
            free = [square for square in squares if square not in pieces]
            pieces[r.choice(free)] = pieces.pop(r.choice(list(pieces)))
        board = Image.new("RGB", (480, 480), (240, 217, 181))
        draw = ImageDraw.Draw(board)
        for x, y in squares:
            if (x + y) % 2:
                draw.rectangle((60 * x, 60 * y, 60 * x + 59, 60 * y + 59), dark)
        for (x, y), (kind, colour) in pieces.items():
            draw_piece(draw, kind, 60 * x, 60 * y, colour)
        made.append(board.resize((8 * side, 8 * side), Image.Resampling.LANCZOS))
    return made


def strips(r: random.Random, _: list[Picture]) -> list[Picture]:
    """Long screenshots of one talk, of which one answer is another."""
    width, size = r.choice((300, 400, 720)), r.choice((12, 15, 18))
    height, line = round(width * r.uniform(6, 14)), round(size * 1.4)

    def words() -> str:
        letters = "".join(r.choices("abcdefghiklmnoprstuvwz    ", k=round(width / size * 1.1)))
        return letters.strip() or "yes"

    balloons = [(r.random() < 0.5, r.randint(1, 4)) for _ in range(height // line)]
    texts = [[words() for _ in range(n_lines)] for _, n_lines in balloons]
    answer = r.randrange(2, height // line // 5)
    made = []
    for _ in range(3):
        sheet = Image.new("RGB", (width, height), (236, 229, 221))
        draw, top = ImageDraw.Draw(sheet), 10
        for (is_mine, n_lines), text in zip(balloons, texts, strict=True):
            left, deep = 10 + is_mine * width // 4, n_lines * line + 12
            fill = (220, 248, 198) if is_mine else (255, 255, 255)
            draw.rounded_rectangle((left, top, left + width * 0.7, top + deep), 8, fill)
            draw.text((left + 8, top + 6), "\n".join(text), (20, 20, 20), font(size))
            top += deep + 8
        made.append(sheet)
        texts[answer] = [words() for _ in texts[answer]]
    return made


KINDS: dict[str, Callable[[random.Random, list[Picture]], list[Picture]]] = {
    one.__name__: one
    for one in (
        *(forms, plates, bursts, eyes, calendars, comics, tiles, colours, captions, positions),
        strips,
    )
}


def make(photos: list[Picture], folder: Path, count: int, seed: int) -> None:
    """`KIND-FAMILY-abc.EXT` for each picture, and `KIND-FAMILY-copy.jpg`."""
    for kind, draw in KINDS.items():
        for family in range(count):
            r = random.Random(f"{seed} {kind} {family}")
            for letter, one in zip("abc", draw(r, photos), strict=True):
                file = folder / f"{kind}-{family:03}-{letter}"
                if r.random() < 0.5:
                    one.save(file.with_suffix(".png"))
                else:
                    one.save(file.with_suffix(".jpg"), quality=r.randint(75, 95))
                if letter == "a":
                    one.save(folder / f"{kind}-{family:03}-copy.jpg", quality=70)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos to draw from")
    parser.add_argument("--count", type=int, default=12, help="families of each kind")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--objsearch", default=PROGRAM)
    parser.add_argument("--save", type=Path, help="a folder where pictures and plan are kept")
    options = parser.parse_args()
    photos = [read(path) for path in chosen(options.folder, 60, options.seed)]
    with tempfile.TemporaryDirectory(prefix="near-") as name:
        folder = (options.save or Path(name)) / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        make(photos, folder, options.count, options.seed)
        plan, seconds = planned(options.objsearch, folder, folder.parent / "plan.json")
    wrong: Counter[str] = Counter()
    right: Counter[str] = Counter()
    review: Counter[str] = Counter()
    for group in plan["groups"]:  # type: ignore[attr-defined]
        gone = [Path(m["path"]).stem for m in group["members"] if m["action"] == "remove"]
        stays = {Path(m["path"]).stem for m in group["members"] if m["action"] != "remove"}
        for stem in gone:
            kind, family, letter = stem.split("-")
            twin = f"{kind}-{family}-{'a' if letter == 'copy' else 'copy'}"
            is_copy = letter in ("a", "copy") and twin in stays
            right[kind] += is_copy
            wrong[kind] += not is_copy
        for member in group["members"]:
            review[Path(member["path"]).stem.split("-")[0]] += member["action"] == "review"
    print(f"{options.count} families of each kind, seed {options.seed}, {seconds:.0f} s\n")
    print(
        "| kind | pictures | taken wrongly | to review | true copies gone |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    for kind in KINDS:
        print(
            f"| {kind} | {3 * options.count} | {wrong[kind]} | {review[kind]} "
            f"| {right[kind]} of {options.count} |"
        )
    print(
        f"| all | {3 * options.count * len(KINDS)} | {wrong.total()} | {review.total()} "
        f"| {right.total()} of {options.count * len(KINDS)} |"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
