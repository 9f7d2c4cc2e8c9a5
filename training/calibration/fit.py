"""Fit the calibrations in models/calibrations from labelled photos.

    python training/calibration/fit.py EVAL_DIR PHOTOS_DIR models/calibrations

Objects: grocery packages (every third product), scenes from several viewpoints and look-alikes
that are not the same, pages that are drawn and as alike as any two of a kind (crosswords, text,
time tables: `benchmarks/patterns.py`), among plain photos that show none of them. Copies: edits of
plain photos.
No photo on which a figure in the README is reported is among them, but for those three sets, whose
own figures are marked as fitted there.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageEnhance, ImageOps

from objsearch.match.calibration import Calibration, bordered, save
from objsearch.settings import Settings, load_settings
from objsearch.tasks.evaluation.calibrating import (
    Labelled,
    examples_of,
    fitted,
    labelled_pairs,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import patterns

OBJECT_SETS = {"grocery_packages": 3, "scenes": 1, "lookalike_coco": 1}
"""Which sets, and of which every how many-th group is taken."""

OBJECT_FITS = (["embedding", "orb"], ["embedding"], ["orb"])
SIFT_FITS = (["embedding", "sift"], ["sift"])
COPY_FITS = (["embedding", "orb", "perceptual-hash"], ["perceptual-hash"])
SHORTLIST = 30
LOOKALIKES = "lookalike_coco"
N_DISTRACTORS = 80
N_COPIED = 40
N_PAGES = 10
"""Of each kind of pages."""
PAGES = len(OBJECT_SETS)
"""The number of that source: slopes are fitted to photos alone, and pages draw a border."""


def objects(
    evaluation: Path, photos: list[Path], folder: Path, keypoints: str, detector: str
) -> list[Labelled]:
    """Compared pairs of things, by the embedding and one kind of keypoints."""
    truths = [
        _thinned(evaluation / name / "groundtruth.csv", step, folder)
        for name, step in OBJECT_SETS.items()
    ]
    truths.append(_pages(folder))
    settings = _settings(
        {
            "detector": detector,
            "descriptors": [{"extractor": "embedding"}, {"extractor": keypoints}],
        },
        Calibration(intercept=-7, coefficients={"embedding": 12, keypoints: 1.2}),
        folder,
    )
    return labelled_pairs(settings, truths, photos[:N_DISTRACTORS], print_progress)


def _pages(folder: Path) -> Path:
    """A ground truth of drawn pages, each looked for by its photo and by a smaller copy."""
    drawn = folder / "pages"
    truth = drawn / "groundtruth.csv"
    if truth.exists():
        return truth
    drawn.mkdir()
    patterns.make(drawn, patterns.FITTED, N_PAGES, "fit")
    rows = []
    for page in sorted(drawn.glob("*.png")):
        copy = page.with_name(f"{page.stem}-copy.jpg")
        picture = PillowImage.open(page)
        picture.resize((picture.width * 4 // 5, picture.height * 4 // 5)).save(copy, quality=80)
        rows += [
            {"group_id": page.stem, "path": str(path), "role": role, "box": ""}
            for path, role in (
                (page, "db"),
                (page.with_name(f"{page.stem}-photo.jpg"), "query"),
                (copy, "query"),
            )
        ]
    _write(truth, rows)
    return truth


def copies(photos: list[Path], folder: Path) -> list[Labelled]:
    """Compared pairs of plain photos and their edits."""
    chosen = photos[-N_COPIED:]
    rows = []
    for number, photo in enumerate(chosen):
        rows.append((str(number), photo.resolve(), "query"))
        for name, edited in _edits(PillowImage.open(photo).convert("RGB")):
            path = folder / f"{number:03d}-{name}.jpg"
            edited.save(path, quality=70)
            rows.append((str(number), path, "db"))
    truth = folder / "copies.csv"
    _write(truth, [{"group_id": g, "path": p, "role": r, "box": ""} for g, p, r in rows])
    calibration = Calibration(
        intercept=-12, coefficients={"embedding": 10, "orb": 1, "perceptual-hash": 8}
    )
    settings = _settings(load_settings("copies").model_dump(), calibration, folder)
    return labelled_pairs(settings, [truth], photos[:N_DISTRACTORS], print_progress)


def _edits(picture: PillowImage.Image) -> Iterator[tuple[str, PillowImage.Image]]:
    width, height = picture.size
    yield "crop", picture.crop((width // 8, height // 8, width * 6 // 8, height * 7 // 8))
    yield "flip", ImageOps.mirror(picture)
    yield "turn", picture.rotate(20, expand=True, resample=PillowImage.Resampling.BICUBIC)
    yield "square", picture.resize((200, 200))
    yield "small", picture.resize((width // 2, height // 2))
    yield "bright", ImageEnhance.Brightness(picture).enhance(1.4)


def _settings(data: dict[str, object], start: Calibration, folder: Path) -> Settings:
    """The settings with a rough calibration to choose pairs by, and a shortlist."""
    save(start, folder / "start.yaml")
    overrides = {"calibration": str(folder / "start.yaml"), "search.shortlist": SHORTLIST}
    return load_settings(data, overrides)


def _thinned(truth: Path, step: int, folder: Path) -> Path:
    """A ground truth with absolute paths and every so many-th group of its own.

    Of look-alikes every photo is a distractor: alike, and not the same.
    """
    with truth.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    kept = set(sorted({row["group_id"] for row in rows})[::step])
    rows = [row for row in rows if row["group_id"] in kept]
    for row in rows:
        row["path"] = str((truth.parent / row["path"]).resolve())
        row["box"] = ""
        if truth.parent.name == LOOKALIKES and row["role"] == "db":
            row["role"] = "distractor"
    path = folder / f"{truth.parent.name}.csv"
    _write(path, rows)
    return path


def _write(path: Path, rows: list[dict[str, object]] | list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ["group_id", "path", "role", "box"])
        writer.writeheader()
        writer.writerows(rows)


def print_progress(stage: str, done: int, total: int | None) -> None:
    """A line now and then."""
    if done % 50 == 0 or done == total:
        print(f"{stage} {done}/{total}", flush=True)


def write(
    pairs: list[Labelled], combinations: Sequence[list[str]], source: str, output: Path
) -> None:
    """Fit and save each combination of extractors, and print what its thresholds mean."""
    photos = [pair for pair in pairs if pair.source != PAGES]
    for names in combinations:
        result = fitted(photos, names, source)
        calibration = result.calibration
        if calibration.least and len(photos) < len(pairs):
            whole = list(calibration.least)
            calibration = bordered(calibration, examples_of(pairs, names), names, whole)
        # The tail is measured on plain photos, a preset at a time: `tails.py`.
        untailed = calibration.model_copy(update={"tail": None})
        save(untailed, output / f"{'+'.join(sorted(names))}.yaml")
        print(f"\n{'+'.join(names)}: {calibration}")
        print("\n".join(result.lines(0.99)), flush=True)


def main() -> None:
    """Fit every combination of extractors that a preset uses, and print what thresholds mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("evaluation", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--only", choices=["objects", "copies"], help="fit these alone")
    given = parser.parse_args()
    every = sorted(given.photos.iterdir())
    photos = [every[i] for i in np.random.default_rng(0).permutation(len(every))]
    given.output.mkdir(exist_ok=True)
    things = ", ".join(OBJECT_SETS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.only != "copies":
            pairs = objects(given.evaluation, photos, folder, "orb", "yolo")
            write(pairs, OBJECT_FITS, things, given.output)
            pairs = objects(given.evaluation, photos, folder, "sift", "whole-image")
            write(pairs, SIFT_FITS, things, given.output)
        if given.only != "objects":
            write(copies(photos, folder), COPY_FITS, "edits of plain photos", given.output)


if __name__ == "__main__":
    main()
