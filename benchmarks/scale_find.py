"""How long does a whole search take among very many photos? Prints Markdown tables.

    python benchmarks/scale_find.py EVAL_DIR [--rows 100000] [--queries 99] [--side 1280]

An index in a folder, of the default preset, holds photos of some sets of EVAL_DIR, and rows made of
its `distractors` (`made_rows.py`). Behind every row lies a file, of `--side` pixels: a made row's
shows the photo that it has its regions of, for a second look reads files again. Queries are photos
of covers by telephone, of things in new places, and copies (cut, turned, recompressed) of boards.

Timed is `ObjectSearch.find` in a new process, apart from describing the query, which is told
beside; the first answer is that of a further process, from its start. One search runs at a time.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from made_rows import Maker, counts_of, described, row_of
from PIL import Image, ImageOps

from objsearch.index.lance import Stored
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.retrieval import Retrieval
from objsearch.search.second_look import SecondLook
from objsearch.sources import key_of
from objsearch.tasks.evaluation.groundtruth import read_groundtruth
from objsearch.types import ImageRef

AT_ONCE = 200
SETS = ("smvs_dvd", "dreambooth", "microcontrollers")
COPIED = "microcontrollers"
STAGES: list[tuple[Any, str, str]] = [
    (Stored, "nearest", "nearest"),
    (Stored, "get", "get"),
    (Retrieval, "_compared", "compare"),
    (SecondLook, "over", "second look"),
]


def opened(folder: Path) -> ObjectSearch:
    return ObjectSearch.open("default", {"index": {"name": "lance", "path": str(folder / "index")}})


def resized(photo: Path, made: Path, side: int) -> Path:
    """A photo whose longer side has so many pixels."""
    made.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(photo) as opened_photo:
        upright = ImageOps.exif_transpose(opened_photo).convert("RGB")
    scale = side / max(upright.size)
    width, height = (round(scale * edge) for edge in upright.size)
    upright.resize((width, height), Image.Resampling.BICUBIC).save(made, quality=90)
    return made


def copied(photo: Path, made: Path) -> Path:
    """Most of a photo, turned a little, compressed hard."""
    made.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(photo) as picture:
        turned = picture.rotate(8, Image.Resampling.BICUBIC)
        width, height = turned.size
        box = (width // 8, height // 8, width - width // 8, height - height // 8)
        turned.crop(box).save(made, quality=60)
    return made


def photos_of(data: Path, folder: Path, side: int, n_queries: int) -> dict[str, Any]:
    """Files for the real rows and the queries; the right names of each query."""
    real: dict[Path, Path] = {}
    asked: list[tuple[str, list[str]]] = []
    for name in SETS:
        truth = read_groundtruth(data / name / "groundtruth.csv")
        for path in dict.fromkeys(row.path for row in truth.rows if row.role == "db"):
            real[path] = resized(path, folder / "real" / name / f"{len(real):04}.jpg", side)
        rows = [row for row in truth.rows if row.role == "query"]
        for number, row in enumerate(random.Random(0).sample(rows, len(rows))[: n_queries // 3]):
            query = folder / "queries" / name / f"{number:04}.jpg"
            if name == COPIED:
                own = sorted(made for path, made in real.items() if path.parts[-3] == name)
                asked.append((str(copied(own[number], query)), [str(own[number])]))
            else:
                right = [str(real[path]) for path in truth.right(row) if path in real]
                asked.append((str(resized(row.path, query, side)), right))
    parents = [
        resized(path, folder / "parents" / path.name, side)
        for path in sorted((data / "distractors").glob("*.jpg"))
    ]
    return {
        "real": list(map(str, real.values())),
        "asked": asked,
        "parents": list(map(str, parents)),
    }


def built(folder: Path, n_rows: int) -> dict[str, Any]:
    """Real rows and made ones, until there are so many."""
    photos = json.loads((folder / "photos.json").read_text())
    search, before = opened(folder), time.process_time()
    parents = list(described(search, map(Path, photos["parents"])))
    real = list(described(search, map(Path, photos["real"])))
    middle = time.process_time()
    search.index.put(map(row_of, real))
    rows = folder / "rows"
    for start in range(0, n_rows - len(real), AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, n_rows - len(real)))
        search.index.put(made(Maker(parents), rows / f"{start:06}", numbers))
    search.index.optimize()
    return {
        "described_ms": 1000 * (middle - before) / (len(parents) + len(real)),
        "built_ms": 1000 * (time.process_time() - middle) / n_rows,
        "rows": len(search.index.keys()),
        "real": len(real),
        **counts_of(parents),
    }


def made(maker: Maker, folder: Path, numbers: Iterable[int]) -> Iterator[Any]:
    """Rows with a file each: a further name of the parent's."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        path = folder / f"{number:06}.jpg"
        os.link(maker.parents[maker.parent(number)].ref.uri, path)
        yield row_of(maker.image(number, ImageRef(os.path.realpath(path))))


def watched(spent: dict[str, float]) -> None:
    """Have the seconds of each stage counted, as a person waits for them."""

    def timed(work: Any, stage: str) -> Any:
        @functools.wraps(work)
        def wrapped(*args: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return work(*args, **options)
            finally:
                spent[stage] += time.perf_counter() - started

        return wrapped

    for owner, name, stage in STAGES:
        setattr(owner, name, timed(getattr(owner, name), stage))


def searched(folder: Path) -> list[dict[str, Any]]:
    """Every query, after one that warms up: seconds by stage, and where the right one is."""
    asked = json.loads((folder / "photos.json").read_text())["asked"]
    spent: dict[str, float] = defaultdict(float)
    watched(spent)
    search, found = opened(folder), []
    search.find(asked[0][0])
    for query, right in asked:
        began = time.perf_counter()
        [view], _ = search.viewer.views([query])
        spent.clear()
        started, processor = time.perf_counter(), time.process_time()
        answer = search.find(view)
        took = {"whole": time.perf_counter() - started, "describe": started - began}
        names = [key_of(hit.ref) for hit in answer.hits]
        keys = {key_of(ImageRef(name)) for name in right}
        took["processor"] = time.process_time() - processor
        is_first = bool(names) and names[0] in keys
        same = sum(hit.verdict == "same" for hit in answer.hits)
        told = {"first": is_first, "same": same, "query": query}
        found.append({**took, **spent, **told})
    return [{**one, "memory": _peak_mb(), "own": _own_mb()} for one in found]


def first_answer(folder: Path) -> dict[str, float]:
    """The first query of a new process, after its imports."""
    [query, _] = json.loads((folder / "photos.json").read_text())["asked"][-1]
    started = time.perf_counter()
    search = opened(folder)
    [view], _ = search.viewer.views([query])
    described_at = time.perf_counter()
    search.find(view)
    return {"describe": described_at - started, "find": time.perf_counter() - described_at}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _own_mb() -> float:
    """Megabytes at the end that are no mapped files, which the system takes back when it likes."""
    return float(psutil.Process().memory_info().rss - psutil.Process().memory_info().shared) / 2**20


def of_stage(stage: str, folder: Path, n_rows: int) -> tuple[Any, float]:
    """What a stage tells in a process of its own, and how long that took."""
    began = time.perf_counter()
    command = [sys.executable, __file__, str(folder), "--stage", stage, f"--rows={n_rows}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout), time.perf_counter() - began


def told(name: str, some: list[dict[str, Any]]) -> str:
    """A line of the table: p50 and p95 in milliseconds."""
    columns = ("whole", "processor", *(stage for _, _, stage in STAGES), "describe")
    cells = []
    for column in columns:
        values = [1000 * one.get(column, 0.0) for one in some]
        cells.append("{:,.0f} / {:,.0f}".format(*np.percentile(values, (50, 95))))
    first, same = (float(np.mean([one[key] for one in some])) for key in ("first", "same"))
    return f"| {name} | {len(some)} | {' | '.join(cells)} | {first:.2f} | {same:.1f} |"


def table(found: list[dict[str, Any]]) -> Iterator[str]:
    stages = " | ".join(stage for _, _, stage in STAGES)
    heads = f"whole | processor | {stages} | (describing it) | right one first | *same*"
    yield f"| queries | number | {heads} |"
    yield "| --- |" + " ---: |" * (len(STAGES) + 6)
    for name in SETS:
        yield told(name, [one for one in found if f"/{name}/" in one["query"]])
    yield told("**all**", found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="EVAL_DIR")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=99)
    parser.add_argument("--side", type=int, default=1280, help="pixels of every file's longer side")
    parser.add_argument("--folder", type=Path, help="where the index is made")
    parser.add_argument("--stage", choices=("build", "search", "first"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage == "build":
        print(json.dumps(built(given.data, given.rows)))
    elif given.stage:
        print(json.dumps((searched if given.stage == "search" else first_answer)(given.data)))
    else:
        with tempfile.TemporaryDirectory(dir=given.folder) as name:
            whole_story(given, Path(name))


def whole_story(given: argparse.Namespace, folder: Path) -> None:
    """Build, search, and begin anew; prints as it goes."""
    photos = photos_of(given.data, folder, given.side, given.queries)
    (folder / "photos.json").write_text(json.dumps(photos))
    build, _ = of_stage("build", folder, given.rows)
    print(f"<!-- {json.dumps(build)} -->", flush=True)
    found, _ = of_stage("search", folder, given.rows)
    for line in table(found):
        print(line)
    print(
        f"\nGreatest memory: {found[-1]['memory']:,.0f} MB, with mapped files; without them "
        f"{found[-1]['own']:,.0f} MB at the end."
    )
    for _ in range(3):
        parts, whole = of_stage("first", folder, given.rows)
        print(
            f"First answer of a new process: {whole:.2f} s, of it open and describe "
            f"{parts['describe']:.2f}, find {parts['find']:.2f}"
        )


if __name__ == "__main__":
    main()
