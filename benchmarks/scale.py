"""What does a stored index cost as it grows? Prints a Markdown table.

    python benchmarks/scale.py PHOTOS [--rows 1000,10000,100000] [--folder DIR] [--real 100]

Some photos are described for real: the full frame and ten parts of it by `embedding`, the frame by
`orb`. All rows are made from these by a seed: each vector lies between two real ones, with noise;
each keypoint is a real one with some bits flipped, of two photos together. Queries are rows made
once more with other noise, ten regions each. Building and searching run in processes of their own,
whose greatest memory is told; times are processor seconds of all threads, and wall time for what a
person waits for. Recall: of the first 40 candidates of exhaustive search, those among the first 40.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from objsearch.components.registry import build
from objsearch.describe.base import Crop
from objsearch.images.decode import decode
from objsearch.index.lance import Lance, Stored
from objsearch.match.cosine import Cosine
from objsearch.types import (
    Box,
    DescribedImage,
    GlobalDescriptor,
    ImageRef,
    LocalFeatures,
    Recipe,
    Region,
    Row,
)

N_REGIONS, N_POINTS, ROWS_A_PUT, N_QUERIES, LIMIT = 11, 800, 100, 100, 40
RECIPE = Recipe({"made.by": "scale"})
FRAME = Box(0, 0, 640, 480)


def describe(photos: list[Path], path: str) -> None:
    """Real descriptors: vectors (N, 11, D), frame last; codes and points (N, 800, ...)."""
    embedding, orb = build("describe", "embedding"), build("describe", "orb")
    vectors, codes, points = [], [], []
    for number, photo in enumerate(photos):
        pixels = decode(photo.read_bytes()).pixels
        rng = np.random.default_rng(number)
        parts = [*(_part(pixels, rng) for _ in range(N_REGIONS - 1)), pixels]
        crops = [Crop(part, is_frame=i == N_REGIONS - 1) for i, part in enumerate(parts)]
        vectors.append([one.vector for one in embedding.extract_batch(crops)])  # type: ignore[attr-defined]
        found = orb.extract_batch(crops[-1:])[0]  # type: ignore[attr-defined]
        at = np.arange(N_POINTS) % max(1, len(found))
        codes.append(found.codes[at])
        points.append(found.points_xy[at])
    np.savez(path, vectors=np.array(vectors), codes=np.array(codes), points=np.array(points))


def _part(pixels: Any, rng: np.random.Generator) -> Any:
    height, width = pixels.shape[:2]
    h, w = (int(side * rng.uniform(0.2, 0.6)) for side in (height, width))
    y, x = int(rng.integers(0, height - h)), int(rng.integers(0, width - w))
    return np.ascontiguousarray(pixels[y : y + h, x : x + w])


@dataclass
class Maker:
    """Makes rows of real descriptors."""

    path: str
    n_regions: int = N_REGIONS
    n_points: int = N_POINTS

    @cached_property
    def real(self) -> dict[str, Any]:
        with np.load(self.path) as arrays:
            return {name: arrays[name] for name in arrays.files}

    def image(self, number: int, noise: int = 0) -> DescribedImage:
        """The picture of a number; with another noise, another picture of the same things."""
        rng, jitter = np.random.default_rng(number), np.random.default_rng([number, noise])
        a, b = rng.choice(len(self.real["vectors"]), 2, replace=False)
        real = self.real["vectors"][:, -self.n_regions :]
        share = rng.uniform(0.3, 0.7, (self.n_regions, 1))
        own = rng.normal(size=real.shape[1:])
        mixed = share * real[a] + (1 - share) * real[b]
        mixed = _unit(_unit(mixed) + 0.7 * _unit(own) + 0.4 * _unit(jitter.normal(size=own.shape)))
        regions = tuple(Region(FRAME, "thing", 0.5, "detector") for _ in range(self.n_regions - 1))
        parts = {"embedding": tuple(map(GlobalDescriptor, mixed.astype(np.float32)))}
        return DescribedImage(
            ImageRef(f"/photos/of somebody/{number:07}.jpg"),
            (640, 480),
            (*regions, Region(FRAME, "frame", 0.0, "frame")),
            {**parts, **(self.keypoints(a, b, rng, jitter) if self.n_points else {})},
            f"{number:064x}",
        )

    def keypoints(self, a: int, b: int, rng: Any, jitter: Any) -> dict[str, Any]:
        """Half of two pictures' each, on the full frame alone."""
        chosen = rng.permutation(N_POINTS)[: self.n_points]
        of_a = chosen < N_POINTS // 2
        codes = np.where(
            of_a[:, None], self.real["codes"][a][chosen], self.real["codes"][b][chosen]
        )
        places = np.where(
            of_a[:, None], self.real["points"][a][chosen], self.real["points"][b][chosen]
        )
        codes = codes ^ _flips(rng, len(codes), 4) ^ _flips(jitter, len(codes), 5)
        keypoints = LocalFeatures(places.astype(np.float32), codes, 1.0)
        none = LocalFeatures(keypoints.points_xy[:0], codes[:0], 1.0)
        return {"orb": (none,) * (self.n_regions - 1) + (keypoints,)}

    def row(self, number: int) -> Row:
        image = self.image(number)
        return Row(str(image.ref), image.ref, (number, number), image)

    def query(self, number: int) -> DescribedImage:
        image = self.image(number, noise=1)
        parts = {alias: of[1:] for alias, of in image.descriptors.items()}
        return DescribedImage(image.ref, image.size_wh, image.regions[1:], parts)


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _flips(rng: np.random.Generator, count: int, ands: int) -> Any:
    """Bits of which one in 2^ands is set."""
    coins = rng.integers(0, 256, (ands, count, 32), dtype=np.uint8)
    return np.bitwise_and.reduce(coins)


class ByVector:
    """Ranks by the cosine of vectors, as a search does."""

    def stacked(self, images: Any) -> Any:
        return Cosine().stacked([image.descriptors["embedding"] for image in images])

    def rank(self, query: DescribedImage, stack: Any) -> Any:
        return Cosine().coarse(query.descriptors["embedding"], stack)


def opened(folder: str, **options: Any) -> Stored:
    return Lance(path=folder, **options).open(RECIPE, {"embedding": ByVector()})


def built(maker: Maker, folder: str, n_rows: int) -> dict[str, Any]:
    """Put rows in, and bring indexes up to date; what that takes."""
    index, took, made = opened(folder), 0.0, 0.0
    for start in range(0, n_rows, ROWS_A_PUT):
        before = time.process_time()
        rows = [maker.row(i) for i in range(start, min(n_rows, start + ROWS_A_PUT))]
        middle = time.process_time()
        index.put(rows)
        made, took = made + middle - before, took + time.process_time() - middle
    before = time.process_time()
    index.optimize()
    return {
        "put_ms": 1000 * took / n_rows,
        "optimize_ms": 1000 * (time.process_time() - before) / n_rows,
        "build_mb": _peak_mb(),
        "bytes": {name: size / n_rows for name, size in index.info().n_bytes.items()},
        "recall100": index.info().recall,
    }


def searched(maker: Maker, folder: str, n_rows: int) -> dict[str, Any]:
    """Ask for candidates in a new process; what that takes."""
    numbers = np.random.default_rng(7).choice(n_rows, N_QUERIES).tolist()
    queries = [maker.query(number) for number in numbers]
    began = time.perf_counter()
    index = opened(folder)
    n_stored = len(index)
    first_open = time.perf_counter() - began
    index.nearest(queries[0], LIMIT)
    first = time.perf_counter() - began
    walls, took, found = [], [], []
    for query in queries:
        before = time.perf_counter(), time.process_time()
        found.append([one.key for one in index.nearest(query, LIMIT)[:LIMIT]])
        walls.append(time.perf_counter() - before[0])
        took.append(time.process_time() - before[1])
    before_get = time.perf_counter()
    index.get(found[0])
    return {
        "stored": n_stored,
        "open_s": first_open,
        "first_s": first,
        "wall_ms": [1000 * float(np.percentile(walls, q)) for q in (50, 95)],
        "cpu_ms": [1000 * float(np.percentile(took, q)) for q in (50, 95)],
        "get_ms": 1000 * (time.perf_counter() - before_get),
        "search_mb": _peak_mb(),
        "own": float(np.mean([str(q.ref) in keys for q, keys in zip(queries, found, strict=True)])),
        "found": found[:20],
    }


def exactly(maker: Maker, folder: str, n_rows: int) -> dict[str, Any]:
    """The same of the first 20 queries by exhaustive search."""
    numbers = np.random.default_rng(7).choice(n_rows, N_QUERIES).tolist()
    index = opened(folder, exact=True)
    queries = [maker.query(number) for number in numbers[:20]]
    return {"found": [[c.key for c in index.nearest(q, LIMIT)[:LIMIT]] for q in queries]}


STAGES = {"build": built, "search": searched, "exact": exactly}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def of_stage(stage: str, maker: Maker, folder: str, n_rows: int) -> dict[str, Any]:
    command = [sys.executable, __file__, maker.path, "--stage", stage, "--folder", folder]
    numbers = {"rows": n_rows, "regions": maker.n_regions, "points": maker.n_points}
    command += [f"--{name}={number}" for name, number in numbers.items()]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def lines_of(maker: Maker, folder: str, n_rows: int) -> Iterator[str]:
    stages = (of_stage(stage, maker, folder, n_rows) for stage in STAGES)
    build, search, exact = stages
    pairs = zip(search["found"], exact["found"], strict=True)
    recall = np.mean([len(set(mine) & set(its)) / len(its) for mine, its in pairs])
    parts = " + ".join(f"{name} {size / 1000:.1f}" for name, size in build["bytes"].items())
    yield " | ".join(
        [
            f"| {n_rows:,}",
            f"{build['put_ms']:.1f} + {build['optimize_ms']:.1f} ms",
            f"{sum(build['bytes'].values()) / 1000:.1f} kB",
            "{:.0f} / {:.0f} ms".format(*search["wall_ms"]),
            "{:.0f} / {:.0f} ms".format(*search["cpu_ms"]),
            f"{search['open_s']:.2f} / {search['first_s']:.2f} s",
            f"{search['get_ms']:.0f} ms",
            f"{recall:.3f}",
            f"{search['own']:.3f}",
            f"{build['build_mb']:.0f} / {search['search_mb']:.0f} MB |",
        ]
    )
    yield f"<!-- {n_rows:,}: {parts} kB; nearest 100 of one vector: {build['recall100']} -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", help="a folder with photos")
    parser.add_argument("--rows", default="1000,10000")
    parser.add_argument("--folder", default="")
    parser.add_argument("--real", type=int, default=100, help="photos to describe")
    parser.add_argument("--regions", type=int, default=N_REGIONS)
    parser.add_argument("--points", type=int, default=N_POINTS, help="keypoints of a full frame")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        maker = Maker(options.photos, options.regions, options.points)
        found = STAGES[options.stage](maker, options.folder, int(options.rows))
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory(dir=options.folder or None) as folder:
        real = os.path.join(folder, "real.npz")
        describe(sorted(Path(options.photos).glob("*.jpg"))[: options.real], real)
        print(
            "| rows | put + optimize a row | bytes a row | nearest p50 / p95, wall | processor "
            "| open / first answer | get 40 | recall of 40 | own row | memory: build / search |"
        )
        print("|" + " --- |" * 10)
        for n_rows in map(int, options.rows.split(",")):
            maker = Maker(real, options.regions, options.points)
            for line in lines_of(maker, os.path.join(folder, str(n_rows)), n_rows):
                print(line, flush=True)


if __name__ == "__main__":
    main()
