"""How many of the things in a photo does the detector find, and how fast? Prints two tables.

    python benchmarks/detector.py YOLO_DIR WEIGHTS... [--sizes 320,384,448] [--prefer-large 0.3]
        [--timings] [--checkpoint FILE.pt]

YOLO_DIR holds `images/` and YOLO `labels/`; WEIGHTS are names in models/ or files. Counted are
objects over 2 % of the frame; one is found when a box of any class overlaps it by IoU 0.5.
The second table times the network alone, on blank input, one photo a call, in turns: ONNX Runtime,
OpenVINO (when it is installed) and torch (with --checkpoint), on one thread and on two.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from objsearch.components import weights as shipped
from objsearch.components.telemetry import keep_quiet
from objsearch.detect.regions import thinned
from objsearch.detect.yolo import Yolo
from objsearch.sources import Place, expand, read_image
from objsearch.types import Box, Image

COUNTS = (5, 10, 20, 100)
SMALLEST = 0.02  # of the frame
SAME_IOU = 0.5


def truth_of(labels: Path, size_wh: tuple[int, int]) -> list[Box]:
    """Boxes of one label file that are large enough to count."""
    wide, high = size_wh
    found = []
    for line in labels.read_text().splitlines() if labels.exists() else []:
        x, y, w, h = (float(word) for word in line.split()[1:5])
        if w * h > SMALLEST:
            corners = (x - w / 2) * wide, (y - h / 2) * high, (x + w / 2) * wide, (y + h / 2) * high
            found.append(Box(*corners))
    return found


def photos_of(folder: Path) -> Iterator[tuple[Image, list[Box]]]:
    for place in expand(folder / "images"):
        image = read_image(place) if isinstance(place, Place) else place
        if isinstance(image, Image):
            labels = folder / "labels" / f"{Path(image.ref.uri).stem}.txt"
            yield image, truth_of(labels, image.size_wh)


def recalls(
    detector: Yolo, photos: list[tuple[Image, list[Box]]], prefer_large: float
) -> tuple[dict[int, float], float]:
    """The part found with that many boxes, and photos a second, reading not counted."""
    found, total = dict.fromkeys(COUNTS, 0), 0
    detector.detect_batch([photos[0][0]])
    started = time.perf_counter()
    every = [detector.detect_batch([image])[0] for image, _ in photos]
    seconds = time.perf_counter() - started
    for regions, (image, truth) in zip(every, photos, strict=True):
        total += len(truth)
        for count in COUNTS:
            kept = thinned(
                regions, image.size_wh, max_objects=count, min_area=0.0,
                max_iou=detector.max_iou, prefer_large=prefer_large,
            )  # fmt: skip
            for box in truth:
                ious = (region.box_xyxy.iou(box) for region in kept)
                found[count] += max(ious, default=0.0) >= SAME_IOU
    return {count: value / total for count, value in found.items()}, len(photos) / seconds


def runners(
    path: Path, checkpoint: Path | None, threads: int
) -> dict[str, Callable[[NDArray], object]]:
    """The network by several runtimes: (1, 3, S, S) float32 -> whatever it returns."""
    keep_quiet()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0].name
    made: dict[str, Callable[[NDArray], object]] = {
        "ONNX Runtime": lambda x: session.run(None, {entry: x})
    }
    try:
        import openvino
    except ImportError:
        pass
    else:
        hints = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        for name, kind in (("OpenVINO", "f32"), ("OpenVINO, bf16", "bf16")):
            model = openvino.compile_model(
                str(path), "CPU", {**hints, "INFERENCE_PRECISION_HINT": kind}
            )
            made[name] = lambda x, model=model: model(x)
    if checkpoint is not None:
        import torch
        from ultralytics import YOLO

        torch.set_num_threads(threads)
        module = YOLO(checkpoint, task="detect").model.fuse().eval()

        def by_torch(x: NDArray) -> object:
            with torch.inference_mode():
                return module(torch.from_numpy(x))

        made["torch"] = by_torch
    return made


def timings(path: Path, checkpoint: Path | None, size: int, threads: int) -> dict[str, float]:
    """Median milliseconds of one photo, the runtimes taking turns."""
    made = runners(path, checkpoint, threads)
    x = np.zeros((1, 3, size, size), np.float32)
    spent: dict[str, list[float]] = {name: [] for name in made}
    for _ in range(25):
        for name, run in made.items():
            started = time.perf_counter()
            run(x)
            spent[name].append((time.perf_counter() - started) * 1000)
    return {name: float(np.median(values[3:])) for name, values in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--sizes", default="320,384,448")
    parser.add_argument("--max-iou", type=float, default=0.6, help="as the detector ships")
    parser.add_argument("--prefer-large", type=float, default=0.3, help="as it ships")
    parser.add_argument("--timings", action="store_true", help="of the network alone, too")
    parser.add_argument("--checkpoint", type=Path)
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    photos = list(photos_of(given.folder))
    print(f"{len(photos)} photos, {sum(len(truth) for _, truth in photos)} objects\n")
    print(
        "| weights | pixels | " + " | ".join(f"{count} boxes" for count in COUNTS) + " | photos/s |"
    )
    print("|" + " --- |" * (len(COUNTS) + 3))
    for name in given.weights:
        for size in sizes:
            detector = Yolo(
                weights=name, image_size=size, confidence=0.001, max_objects=300, min_area=0.0,
                max_iou=given.max_iou, prefer_large=0.0, device="cpu",
            )  # fmt: skip
            found, speed = recalls(detector, photos, given.prefer_large)
            cells = [Path(name).stem, str(size), *(f"{value:.3f}" for value in found.values())]
            print("| " + " | ".join([*cells, f"{speed:.0f}"]) + " |", flush=True)
    if not given.timings:
        return
    last = given.weights[-1]
    path = shipped.card(last).file if shipped.is_named(last) else Path(last)
    print(f"\nmilliseconds a photo, {path.stem}, the network alone\n")
    for threads in (1, 2):
        for size in sizes:
            row = timings(path, given.checkpoint, size, threads)
            cells = ", ".join(f"{runtime} {value:.0f}" for runtime, value in row.items())
            print(f"- {threads} thread(s), {size} px: {cells}", flush=True)


if __name__ == "__main__":
    main()
