"""Does an index in a folder lead to the right cover? Prints a Markdown table.

    python benchmarks/stored_shortlist.py DATA_DIR [--made 10000] [--every 1] [--parts a,b,c]

Phone photos of 50 DVD covers, as in `shortlist.py`, by the preset `default`: the covers among 900
other photos, in memory, where every photo is looked at, and in a folder; (a) among the same; (b)
among all photos of DATA_DIR but the other queries; (c) among these 950 and so many rows made of
them (`made_rows.py`), each with half of the keypoints of two. A query is right within 40 where the
candidates by vectors and by words together hold its cover, first where the whole search puts it
there. A second comparison takes keypoints of each photo once, and keeps them.
"""

from __future__ import annotations

import argparse
import functools
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from made_rows import Maker, described, row_of
from shortlist import Photos, photos_of

from objsearch.index import EVERYTHING, Index, Where
from objsearch.index.lance import Stored
from objsearch.index.memory import InMemory
from objsearch.search import second_comparison
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.queries import View
from objsearch.sources import key_of
from objsearch.types import DescribedImage, Image, ImageRef, Row

LIMIT = 40
AT_ONCE = 200
Queries = Sequence[tuple[View, str]]
"""What is asked for, and the key of its cover."""
SUFFIXES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of each query: whether its cover is within 40 and first; milliseconds of a choice."""

    held: Sequence[bool]
    first: Sequence[bool]
    choosing_ms: float


def everything(photos: Photos) -> list[Path]:
    """All photos of the folder but the queries; the covers first."""
    queries = {path.parent for path in photos.queries}
    paths = sorted(path for path in photos.data.rglob("*") if path.suffix.lower() in SUFFIXES)
    others = [path for path in paths if not queries & set(path.parents)]
    return list(dict.fromkeys([*photos.references, *others]))


def stored(folder: Path) -> ObjectSearch:
    return ObjectSearch.open("default", {"index": {"name": "lance", "path": str(folder)}})


def exact() -> ObjectSearch:
    """Every descriptor of every photo is compared."""
    return ObjectSearch.open("default", {"index": {"name": "memory"}})


def filled(search: ObjectSearch, rows: Iterable[Row]) -> ObjectSearch:
    """The search with rows in its index, which is brought up to date."""
    some: list[Row] = []
    for row in rows:
        some.append(row)
        if len(some) == AT_ONCE:
            search.index.put(some)
            some = []
    search.index.put(some)
    search.index.optimize()
    return search


def made(parents: Sequence[DescribedImage], count: int) -> Iterator[Row]:
    """Rows of photos that are nowhere."""
    maker = Maker(parents)
    order = random.Random(0).choices(range(len(parents)), k=count)
    for number, parent in enumerate(order):
        ref = ImageRef(f"/made/{number:06}.jpg")
        yield row_of(maker.image(number * len(parents) + parent, ref))


class Choices:
    """What indexes choose, and how long that takes them: kept of every choice."""

    def __init__(self) -> None:
        self.keys: list[set[str]] = []
        self.processor_ms: list[float] = []

    def watch(self, kind: type[Index]) -> None:
        work = kind.nearest

        def nearest(index: Any, query: DescribedImage, limit: int, where: Where) -> Any:
            started = time.process_time()
            chosen = work(index, query, limit, where)
            self.processor_ms.append(1000 * (time.process_time() - started))
            self.keys.append({candidate.key for candidate in chosen[:limit]})
            return chosen

        setattr(kind, "nearest", nearest)  # noqa: B010  (mypy takes no other method there)

    def asked(self, search: ObjectSearch, queries: Queries, every: int) -> Outcome:
        """Choices for every query, whole searches for every N-th."""
        self.keys, self.processor_ms, first = [], [], []
        for number, (view, key) in enumerate(queries):
            if number % every:
                search.index.nearest(view.image, LIMIT, EVERYTHING)
            else:
                hits = search.find(view).hits
                first.append(bool(hits) and key_of(hits[0].ref) == key)
        held = [key in keys for (_, key), keys in zip(queries, self.keys, strict=True)]
        return Outcome(held, first, float(np.median(self.processor_ms)))


def remember_keypoints() -> None:
    """Have the second comparison take a photo's keypoints once: many searches read the same."""
    for name in ("_surest", "_features"):
        setattr(second_comparison, name, _once(getattr(second_comparison, name)))


def _once(work: Any) -> Any:
    known: dict[Any, Any] = {}

    @functools.wraps(work)
    def wrapped(image: Image, *options: Any) -> Any:
        key = image.ref, options
        if key not in known:
            known[key] = work(image, *options)
        return known[key]

    return wrapped


def indexes(
    photos: Photos, given: argparse.Namespace, folder: Path
) -> Iterator[tuple[str, ObjectSearch]]:
    """Each index that is asked, by what it is called."""
    few = list(described(stored(folder / "unused"), photos.references))
    yield "in memory, every photo", filled(exact(), map(row_of, few))
    name = "in a folder, 900 other photos"
    if "a" in given.parts:
        yield name, filled(stored(folder / "a"), map(row_of, few))
    if "c" in given.parts:
        rows = [*map(row_of, few), *made(few, given.made)]
        name = f"in a folder, the same and {given.made:,} rows made of these"
        yield name, filled(stored(folder / "c"), rows)
    if "b" in given.parts:
        search = stored(folder / "b")
        rest = everything(photos)[len(photos.references) :]
        every = map(row_of, (*few, *described(search, rest)))
        yield "in a folder, all other photos", filled(search, every)


def line(name: str, n_rows: int, outcome: Outcome, before: Mapping[str, Outcome]) -> str:
    """A row of the table; the first stands for what is exact."""
    exact = next(iter(before.values()), outcome).first
    lost = int(np.sum(np.array(exact) & ~np.array(outcome.first)))
    gained = int(np.sum(~np.array(exact) & np.array(outcome.first)))
    shares = f"{np.mean(outcome.held):.3f} | {np.mean(outcome.first):.3f} of {len(outcome.first)}"
    return f"| {name} | {n_rows:,} | {shares} | {lost} / {gained} | {outcome.choosing_ms:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--made", type=int, default=10_000)
    parser.add_argument(
        "--every", type=int, default=1, help="search for every N-th query; choose for all"
    )
    parser.add_argument("--parts", default="a,b,c", help="of the indexes in a folder")
    parser.add_argument("--folder", type=Path, help="where the indexes are made")
    given = parser.parse_args()
    photos = photos_of(given.data)
    covers = [key_of(ImageRef(str(path))) for path in photos.references]
    viewer = ObjectSearch.open("default").viewer
    queries = [
        (viewer.views([str(path)])[0][0], covers[number])
        for path, number in zip(photos.queries, photos.right, strict=True)
    ]
    remember_keypoints()
    choices = Choices()
    for kind in (InMemory, Stored):
        choices.watch(kind)
    print(f"| covers | photos | within {LIMIT} | first | lost / gained | ms a choice |")
    print("| --- |" + " ---: |" * 5)
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for name, search in indexes(photos, given, Path(folder)):
            outcome = choices.asked(search, queries, given.every)
            print(line(name, search.n_references, outcome, outcomes), flush=True)
            outcomes[name] = outcome


if __name__ == "__main__":
    main()
