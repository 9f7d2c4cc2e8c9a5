"""Are WMF and EMF files drawn right? Draws some by objsearch and by other programs, side by side.

    python benchmarks/metafiles.py FOLDER [--count 10] [--seed 1] [--out metafiles]

FOLDER holds metafiles, in folders or not; half of those taken are WMF and half EMF, drawn by lot.
The other programs are Inkscape and LibreOffice, as far as they are on PATH. Prints a Markdown table
and writes OUT/sheet.png to look at. The likeness of two drawings is the correlation of their gray
levels, cut to what is drawn, at 256 pixels and slightly blurred: 1 is the same picture, and 0 has
nothing in common with it. A picture that is not drawn has none.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits, decode
from objsearch.images.kinds import HEAD_BYTES, kind_of
from objsearch.images.metafile import render
from objsearch.types import Pixels

SECONDS = 120
CELL = 300
_NEARLY_WHITE = 250


@dataclass
class Row:
    """A file and its drawings by program."""

    path: Path
    kind: str
    drawings: dict[str, Pixels | None] = field(default_factory=dict)
    seconds: float = 0.0
    remark: str = ""

    def likeness(self, program: str) -> str:
        one, other = self.drawings["objsearch"], self.drawings[program]
        return "-" if one is None or other is None else f"{likeness(one, other):.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("metafiles"))
    given = parser.parse_args()
    programs = {name: draw for name, draw in OTHERS.items() if shutil.which(name)}
    if not programs:
        print("neither Inkscape nor LibreOffice is on PATH: nothing to compare with")
        return 2
    rows = [drawn(row, programs) for row in taken(given.folder, given.count, given.seed)]
    given.out.mkdir(parents=True, exist_ok=True)
    sheet(rows, list(programs)).save(given.out / "sheet.png")
    print(table(rows, list(programs)))
    return 0


def taken(folder: Path, count: int, seed: int) -> list[Row]:
    """Half WMF, half EMF, by lot; content decides which is which."""
    by_kind: dict[str, list[Path]] = {"WMF": [], "EMF": []}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                by_kind.get(kind_of(stream.read(HEAD_BYTES)), []).append(path)
    rng = random.Random(seed)
    return [
        Row(path, kind)
        for kind, paths in by_kind.items()
        for path in sorted(rng.sample(paths, min(len(paths), count // 2)))
    ]


def drawn(row: Row, programs: dict[str, Callable[[Path, Path], Path]]) -> Row:
    started = time.monotonic()
    try:
        made = render(row.path.read_bytes(), row.kind, Limits())
        row.drawings["objsearch"], row.remark = made.pixels, "; ".join(made.warnings)
    except UnreadableImageError as error:
        row.drawings["objsearch"], row.remark = None, str(error)
    row.seconds = time.monotonic() - started
    for name, draw in programs.items():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / f"drawing.{row.kind.lower()}"
            source.write_bytes(row.path.read_bytes())
            target = draw(source, Path(folder))
            row.drawings[name] = read(target)
    return row


def read(path: Path) -> Pixels | None:
    try:
        return decode(path.read_bytes()).pixels
    except (OSError, UnreadableImageError):
        return None


def by_inkscape(source: Path, folder: Path) -> Path:
    target = folder / "drawing.png"
    run(["inkscape", f"--export-filename={target}", "--export-width=1000", str(source)])
    return target


def by_libreoffice(source: Path, folder: Path) -> Path:
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    wanted = ["--headless", "--convert-to", "png", "--outdir", str(folder)]
    run(["soffice", profile, *wanted, str(source)])
    return folder / "drawing.png"


OTHERS = {"inkscape": by_inkscape, "soffice": by_libreoffice}


def run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return


def likeness(one: Pixels, other: Pixels) -> float:
    grays = []
    for pixels in (one, other):
        small = cv2.resize(trimmed(pixels), (256, 256), interpolation=cv2.INTER_AREA)
        gray = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (0, 0), 2.0)
        grays.append(gray.astype(float).ravel())
    if min(gray.std() for gray in grays) == 0:
        return 0.0
    return float(np.corrcoef(*grays)[0, 1])


def trimmed(pixels: Pixels) -> Pixels:
    """What is drawn, without the white around it."""
    inked = pixels.min(axis=2) < _NEARLY_WHITE
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if len(rows) == 0:
        return pixels
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def sheet(rows: Sequence[Row], programs: Sequence[str]) -> PillowImage.Image:
    """A row a file: ours on the left, then the others'."""
    names = ["objsearch", *programs]
    height = CELL + 16
    picture = PillowImage.new("RGB", (CELL * len(names), height * len(rows)), (200, 200, 200))
    draw = ImageDraw.Draw(picture)
    for y, row in enumerate(rows):
        for x, name in enumerate(names):
            draw.text((x * CELL + 4, y * height + 2), f"{row.path.name}: {name}", (0, 0, 0))
            pixels = row.drawings[name]
            if pixels is not None:
                small = PillowImage.fromarray(np.ascontiguousarray(trimmed(pixels)))
                small.thumbnail((CELL - 8, CELL - 8))
                picture.paste(small, (x * CELL + 4, y * height + 16))
    return picture


def table(rows: Sequence[Row], programs: Sequence[str]) -> str:
    lines = [
        "| file | kind | size drawn | seconds | "
        + " | ".join(f"like {name}" for name in programs)
        + " | remark |",
        "| --- " * (5 + len(programs)) + "|",
    ]
    for row in rows:
        ours = row.drawings["objsearch"]
        size = "-" if ours is None else f"{ours.shape[1]}x{ours.shape[0]}"
        cells = [f"{row.path.parent.name}/{row.path.name}", row.kind, size, f"{row.seconds:.1f}"]
        cells += [row.likeness(name) for name in programs]
        lines.append("| " + " | ".join([*cells, row.remark]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
