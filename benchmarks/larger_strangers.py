"""Small pictures, and larger ones that are nearly the same: which does `larger` take for copies?

    python benchmarks/larger_strangers.py PHOTOS --count 6 --seed 41 [--different FOLDER ...]

Families of three of `near_strangers.py`; the query is the first picture of each at 40 % of its size
(JPEG 85), the references are all pictures of all families as they are. One is right: the picture
itself. The others of its family are larger, and other shots or states of the same thing: taking one
for a copy is wrong; where it is listed with the places that differ, that is told apart. In each
FOLDER all photos are different: each, reduced in the same way, is looked for among them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from duplicates_edits import read
from duplicates_pairs import chosen
from near_strangers import KINDS, make
from PIL import Image

from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.tasks.larger import LargerCopy, find_larger

REDUCED = 0.4


def reduced(path: Path, folder: Path) -> Path:
    """A small JPEG of a picture."""
    picture = Image.open(path).convert("RGB")
    size = tuple(max(1, round(side * REDUCED)) for side in picture.size)
    target = folder / f"{path.stem}.jpg"
    picture.resize(size, Image.Resampling.LANCZOS).save(target, quality=85)
    return target


def differs(copy: LargerCopy) -> bool:
    """Whether it is listed with places that differ."""
    return bool(copy.differs[1])


def counted(pictures: Iterable[Path], queries: Iterable[Path], small: Path) -> Counter[str]:
    """How many references are `right`, `wrong` or `told` to differ, and how many are missing."""
    search = ObjectSearch(load_settings("larger", {"run.workers": 2})).add(*map(str, pictures))
    seen: Counter[str] = Counter()
    for path in queries:
        answer = find_larger(search, str(reduced(path, small)))
        seen["queries"] += 1
        names = {Path(str(copy.ref)).stem: copy for copy in answer.copies}
        own = names.pop(path.stem, None)
        seen["right"] += own is not None and not differs(own)
        seen["doubted"] += own is not None and differs(own)
        names.pop(path.stem.removesuffix("-a") + "-copy", None)
        for copy in names.values():
            seen["told" if differs(copy) else "wrong"] += 1
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos to draw from")
    parser.add_argument("--count", type=int, default=6, help="families of each kind")
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument("--different", type=Path, nargs="*", default=[])
    parser.add_argument("--photos", type=int, default=80, help="queries of each folder")
    options = parser.parse_args()
    print("| pictures | queries | found | found, with differences | others: taken | others: told |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")

    def row(name: str, seen: Counter[str]) -> None:
        cells = (seen[key] for key in ("queries", "right", "doubted", "wrong", "told"))
        print(f"| {name} | {' | '.join(map(str, cells))} |", flush=True)

    photos = [read(path) for path in chosen(options.folder, 60, options.seed)]
    with tempfile.TemporaryDirectory() as name:
        pictures, small = Path(name, "pictures"), Path(name, "small")
        pictures.mkdir()
        small.mkdir()
        make(photos, pictures, options.count, options.seed)
        every: Counter[str] = Counter()
        for kind in KINDS:
            own = sorted(pictures.glob(f"{kind}-*"))
            seen = counted(own, [path for path in own if path.stem.endswith("-a")], small)
            row(kind, seen)
            every += seen
        row("all families", every)
        for folder in options.different:
            own = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))
            row(folder.name, counted(own, own[:: max(1, len(own) // options.photos)], small))


if __name__ == "__main__":
    main()
