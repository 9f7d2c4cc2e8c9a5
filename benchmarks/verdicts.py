"""What does `compare` call *same*: near-strangers, their copies, and copies by many edits?

    python benchmarks/verdicts.py PHOTOS --count 4 --seed 81 [--preset fast]

Near-strangers are the families of `near_strangers.py`: no two of a family are the same, and the
copy of the first (JPEG 70) and a photo of it (perspective, uneven light, blur, JPEG) are. Edits are
those of `duplicates_edits.py`; what shows all of the object as it was is the same, and a sticker, a
caption or a collage is a matter of taste.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

from duplicates_edits import make as make_edits
from duplicates_edits import read
from duplicates_pairs import chosen
from near_strangers import make as make_near
from patterns import photographed

from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings

Counts = dict[str, Counter[str]]


def near(search: ObjectSearch, folder: Path, seed: int) -> tuple[Counts, Counts, Counts]:
    """Verdicts on near-strangers, on copies and on photos, by kind."""
    strangers, copies, photos = ({}, {}, {})  # type: tuple[Counts, Counts, Counts]
    for first in sorted(folder.glob("*-a.*")):
        kind, family, _ = first.stem.split("-")
        photo = folder / f"{kind}-{family}-photo.jpg"
        picture = photographed(read(first), random.Random(f"{seed} {first.stem}"))
        picture.save(photo, quality=92)
        for letter in "bc":
            (other,) = folder.glob(f"{kind}-{family}-{letter}.*")
            for one in (first, photo):
                verdict = search.compare(str(one), str(other)).verdict
                strangers.setdefault(kind, Counter())[verdict] += 1
                if verdict == "same":
                    print(f"  {one.name} {other.name}", flush=True)
        for counts, other in ((copies, folder / f"{kind}-{family}-copy.jpg"), (photos, photo)):
            verdict = search.compare(str(first), str(other)).verdict
            counts.setdefault(kind, Counter())[verdict] += 1
    return strangers, copies, photos


def edited(search: ObjectSearch, folder: Path) -> Counts:
    """Verdicts on an original and its copies, by edit."""
    counts: Counts = {}
    for path in sorted(folder.glob("*")):
        number, kind = path.stem.split("-", 1)
        if kind != "original":
            original = folder / f"{number}-original.png"
            verdict = search.compare(str(original), str(path)).verdict
            counts.setdefault(kind.replace("_", " "), Counter())[verdict] += 1
    return counts


def share(counts: Counter[str]) -> str:
    """How many of how many are the same."""
    return f"{counts['same']} of {counts.total()}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos to draw from")
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--seed", type=int, default=81)
    parser.add_argument("--preset", default="default")
    options = parser.parse_args()
    paths = chosen(options.folder, 60, options.seed)
    search = ObjectSearch(load_settings(options.preset))
    with tempfile.TemporaryDirectory(prefix="near-") as name:
        folder = Path(name)
        make_near([read(path) for path in paths], folder, options.count, options.seed)
        strangers, copies, photos = near(search, folder, options.seed)
    print("| kind | strangers *same* | copies *same* | photos *same* |\n| --- | --- | --- | --- |")
    for kind, counts in strangers.items():
        print(f"| {kind} | {share(counts)} | {share(copies[kind])} | {share(photos[kind])} |")
    total = [sum(side.values(), Counter()) for side in (strangers, copies, photos)]
    print(f"| all | {' | '.join(map(share, total))} |\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="edits-") as name:
        folder = Path(name)
        make_edits(paths[: options.count], paths[-8:], folder, options.seed)
        by_edit = edited(search, folder)
    print("| edit | *same* | *uncertain* | *different* |\n| --- | --- | --- | --- |")
    for kind, counts in by_edit.items():
        print(f"| {kind} | {counts['same']} | {counts['uncertain']} | {counts['different']} |")


if __name__ == "__main__":
    main()
