"""Are larger copies put in the right order, and enlargements told from photos with more detail?

    python benchmarks/larger.py JUDGED --fit PHOTOS [PHOTOS ...] > benchmarks/results/larger.md

JUDGED and the folders after --fit hold different photos, best of 400 pixels or more a side. Of each
photo a query is made at 25 to 70 % of its size; the references are copies of the photo at 25 to
400 % of the query, crops of larger ones, and enlargements of the query by four filters, some
cropped, some sharpened, and most saved as JPEG. The threshold of `larger.least_detail` is chosen on
the photos to fit, and printed; the tables are of the judged ones, under the threshold in the
settings. Prints Markdown.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageFilter

from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.tasks.larger import find_larger

Picture = PillowImage.Image
FILTERS = {
    "nearest": PillowImage.Resampling.NEAREST,
    "bilinear": PillowImage.Resampling.BILINEAR,
    "bicubic": PillowImage.Resampling.BICUBIC,
    "lanczos": PillowImage.Resampling.LANCZOS,
}
QUERY_SCALES = (0.25, 0.35, 0.5, 0.7)
TRUE_SCALES = (0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0, 4.0)
ENLARGED = (1.25, 1.5, 2.0, 3.0, 4.0)
QUALITIES = (None, 95, 85, 75, 60)
N_ENLARGED = 4
TOGETHER = 10
"""Photos whose references are searched together."""
TELLABLE = 1.05
"""Scales that differ by less are one: no order is asked for."""


class Found(NamedTuple):
    """What the search says of a reference."""

    scale: float
    detail: float | None
    suspected_upscale: bool


@dataclass
class Copy:
    """A reference and what is true of it."""

    photo: str
    scale: float
    kind: str
    is_enlarged: bool
    is_crop: bool
    quality: int | None
    found: Found | None = None


@dataclass
class Case:
    """A query and its references by file."""

    query: Path
    copies: dict[str, Copy] = field(default_factory=dict)
    strangers: int = 0
    order: list[str] = field(default_factory=list)


def resized(picture: Picture, scale: float, how: int) -> Picture:
    return picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), how
    )


def saved(picture: Picture, path: Path, quality: int | None) -> str:
    """Write it, as PNG without a quality; returns the name."""
    target = path.with_suffix(".png" if quality is None else ".jpg")
    options = {} if quality is None else {"quality": quality}
    picture.save(target, **options)
    return str(target)


def cropped(picture: Picture, rng: np.random.Generator) -> Picture:
    width, height = (round(v * rng.uniform(0.5, 0.8)) for v in picture.size)
    left = int(rng.integers(0, picture.width - width + 1))
    top = int(rng.integers(0, picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


def case_of(path: Path, folder: Path, rng: np.random.Generator) -> Case:
    """The query and the references of one photo."""
    photo = PillowImage.open(path).convert("RGB")
    part = float(rng.choice(QUERY_SCALES))
    query = resized(photo, part, PillowImage.Resampling.LANCZOS)
    name = saved(query, folder / f"{path.stem}-query", int(rng.choice([75, 85, 95])))
    query = PillowImage.open(name).convert("RGB")
    case = Case(Path(name))

    def add(picture: Picture, scale: float, kind: str, is_crop: bool) -> None:
        quality = QUALITIES[rng.integers(len(QUALITIES))]
        file = folder / "in" / f"{path.stem}-{len(case.copies)}"
        is_enlarged = kind != "photo"
        shown = cropped(picture, rng) if is_crop else picture
        case.copies[saved(shown, file, quality)] = Copy(
            path.stem, scale, kind, is_enlarged, is_crop, quality
        )

    sizes = [scale for scale in TRUE_SCALES if scale * part <= 1.001]
    ways = list(FILTERS.values())[1:]
    for scale in sizes:
        exact = photo if scale * part > 0.999 else None
        picture = exact or resized(photo, scale * part, ways[rng.integers(3)])
        add(picture, picture.width / query.width, "photo", is_crop=False)
        if scale >= 1.5:
            add(picture, picture.width / query.width, "photo", is_crop=True)
    add(query, 1.0, "photo", is_crop=False)
    for number in range(N_ENLARGED):
        kind = list(FILTERS)[rng.integers(4)]
        picture = resized(query, ENLARGED[rng.integers(len(ENLARGED))], FILTERS[kind])
        scale = picture.width / query.width
        if rng.random() < 0.3:
            picture = picture.filter(ImageFilter.UnsharpMask(1.5, 60, 2))
            kind += ", sharpened"
        add(picture, scale, kind, is_crop=number == 0)
    return case


def searched(photos: Sequence[Path], seed: int) -> list[Case]:
    """Search the references of some photos together, a query a photo."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        cases = [case_of(path, folder, rng) for path in photos]
        search = ObjectSearch(load_settings("larger", {"run.workers": 1})).add(folder / "in")
        for case in cases:
            for one in find_larger(search, case.query).copies:
                if str(one.ref) in case.copies:
                    found = Found(one.scale, one.detail, one.suspected_upscale)
                    case.copies[str(one.ref)].found = found
                    case.order.append(str(one.ref))
                else:
                    case.strangers += 1
    return cases


def judged(photos: Sequence[Path], seed: int, processes: int) -> list[Case]:
    """All photos, some at a time. Ctrl-C ends it early, with what is done by then."""
    cases: list[Case] = []
    with ProcessPoolExecutor(processes) as pool:
        jobs = [
            pool.submit(searched, photos[first : first + TOGETHER], seed + first)
            for first in range(0, len(photos), TOGETHER)
        ]
        try:
            for job in as_completed(jobs):
                cases += job.result()
                print(f"{len(cases)} of {len(photos)} photos", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
    return sorted(cases, key=lambda case: case.query.name)


def pairs_in_order(case: Case) -> tuple[int, int]:
    """Of all pairs whose order can be told, how many are right. What is not listed comes last."""
    place = {name: number for number, name in enumerate(case.order)}
    right = total = 0
    for one, other in combinations(case.copies, 2):
        a, b = case.copies[one].scale, case.copies[other].scale
        if max(a, b) < TELLABLE or max(a, b) / min(a, b) < TELLABLE:
            continue
        larger, smaller = (one, other) if a > b else (other, one)
        total += 1
        right += larger in place and place[larger] < place.get(smaller, len(place))
    return right, total


def is_right(case: Case) -> bool:
    """All that is larger is listed, nothing else, and in order."""
    right, total = pairs_in_order(case)
    n_larger = sum(copy.scale > TELLABLE for copy in case.copies.values())
    return right == total and len(case.order) == n_larger and case.strangers == 0


def best_threshold(copies: Iterable[Copy]) -> tuple[float, float]:
    """The detail under which the worse of precision and recall is best, and that worse one."""
    known = [copy for copy in copies if copy.found and copy.found.detail is not None]
    detail = np.array([copy.found.detail for copy in known if copy.found])
    fake = np.array([copy.is_enlarged for copy in known])
    tried = np.unique(np.round(detail, 3))
    scores = []
    for threshold in tried:
        marked = detail < threshold
        right = float((marked & fake).sum())
        scores.append(min(right / max(marked.sum(), 1), right / fake.sum()))
    top = [t for t, score in zip(tried, scores, strict=True) if score == max(scores)]
    return float(np.mean(top)), float(max(scores))


def marks(copies: Sequence[Copy]) -> tuple[int, int, int, int]:
    """Marked rightly and wrongly, unmarked wrongly (also where not found), and all enlarged."""
    marked = [copy for copy in copies if copy.found and copy.found.suspected_upscale]
    right = sum(copy.is_enlarged for copy in marked)
    total = sum(copy.is_enlarged for copy in copies)
    return right, len(marked) - right, total - right, total


def share(part: float, whole: float) -> str:
    return "-" if not whole else f"{part / whole:.3f}"


def print_marks(title: str, groups: dict[str, list[Copy]]) -> None:
    print(f"| {title} | enlarged | marked (recall) | true photos | wrongly marked | precision |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, copies in groups.items():
        right, wrong, _, total = marks(copies)
        n_true = len(copies) - total
        cells = [name, total, share(right, total), n_true, share(wrong, n_true)]
        cells.append(share(right, right + wrong))
        print("| " + " | ".join(map(str, cells)) + " |")
    print()


def print_report(cases: Sequence[Case]) -> None:
    every = [copy for case in cases for copy in case.copies.values()]
    larger = [copy for copy in every if copy.scale > TELLABLE]
    in_order = np.sum([pairs_in_order(case) for case in cases], axis=0)
    off = [abs(copy.found.scale / copy.scale - 1) for copy in larger if copy.found]
    wrongly = sum(bool(copy.found) for copy in every if copy.scale <= TELLABLE)
    right, wrong, _, total = marks(larger)
    print(f"{len(cases)} photos, {len(every)} references, {len(larger)} of them larger.\n")
    print("| measure | value |\n| --- | --- |")
    print(f"| pairs in the right order | {share(*in_order)} of {in_order[1]} |")
    print(f"| whole lists right | {share(sum(map(is_right, cases)), len(cases))} |")
    print(f"| larger copies listed | {share(len(off), len(larger))} |")
    print(f"| copies not larger, listed all the same | {wrongly} of {len(every) - len(larger)} |")
    print(f"| other photos listed | {sum(case.strangers for case in cases)} |")
    quantiles = np.quantile(off, [0.5, 0.99, 1.0])
    told = ", ".join(f"{value:.4f}" for value in quantiles)
    print(f"| error of the scale: median, 99 %, greatest | {told} |")
    print(f"| **enlargements marked: recall** | {share(right, total)} of {total} |")
    print(f"| **enlargements marked: precision** | {share(right, right + wrong)} |")
    print()
    by_scale = {
        f"{scale:g} x": [c for c in larger if abs(c.scale / scale - 1) < 0.04] for scale in ENLARGED
    }
    print_marks("size", by_scale)
    kinds = sorted({copy.kind for copy in larger if copy.is_enlarged})
    print_marks("filter", {kind: [c for c in larger if c.kind == kind] for kind in kinds})
    qualities = {str(q or "PNG"): [c for c in larger if c.quality == q] for q in QUALITIES}
    print_marks("saved as", qualities)
    crops = {"whole": False, "crop": True}
    print_marks("part", {k: [c for c in larger if c.is_crop == v] for k, v in crops.items()})


def photos_in(folders: Sequence[Path], most: int, rng: np.random.Generator) -> list[Path]:
    every = [
        p for folder in folders for p in sorted(folder.rglob("*")) if p.suffix in (".jpg", ".png")
    ]
    chosen = rng.permutation(len(every))[:most]
    return [every[i] for i in sorted(chosen)]


def main() -> None:
    """Choose the threshold on one lot of photos and judge on the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("judged", type=Path)
    parser.add_argument("--fit", type=Path, nargs="*", default=[])
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--fit-photos", type=int, default=60)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    in_force = load_settings("larger").larger.least_detail
    if given.fit:
        fitted = judged(photos_in(given.fit, given.fit_photos, rng), given.seed, given.processes)
        copies = [c for case in fitted for c in case.copies.values() if c.scale > TELLABLE]
        threshold, accuracy = best_threshold(copies)
        print(
            f"Best `larger.least_detail` on {len(fitted)} photos to fit: {threshold:.3f} ", end=""
        )
        print(f"(precision and recall {accuracy:.3f}). In force: {in_force}.\n", flush=True)
    photos = photos_in([given.judged], given.photos, rng)
    cases = judged([photos[i] for i in rng.permutation(len(photos))], 1000, given.processes)
    print_report(cases)


if __name__ == "__main__":
    main()
