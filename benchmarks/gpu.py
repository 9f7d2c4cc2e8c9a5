"""The default preset on a GPU beside the CPU: photos a second, and whether answers are the same.

    python benchmarks/gpu.py PHOTOS [--count 400] [--weights NAME,NAME]

Takes an ONNX Runtime for GPUs (`pip install 'objsearch[gpu]'`) and JPEG photos; 4 minutes at most.
Both run in one process on the same photos. Boxes may move by a pixel and vectors by a cosine of
0.999: sums come out in another order. Each weights of the embedding is run on both.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from objsearch.components.onnx_sessions import device_for
from objsearch.errors import MissingDependencyError
from objsearch.search.describing import Describer
from objsearch.settings import load_settings
from objsearch.sources import expand
from objsearch.types import DescribedImage, GlobalDescriptor

PIXELS, COSINE = 1.0, 0.999
SURE = 0.1
"""Confidence above which a box has to be found on both: fainter ones come and go."""


def described(
    photos: Sequence[str], device: str, weights: tuple[str, str], workers: int
) -> tuple[list[DescribedImage], float]:
    """The photos by the default preset, and photos a second, models loaded before."""
    detector, embedding = weights
    settings = load_settings(
        {
            "detector": {"name": "yolo", "weights": detector, "device": device},
            "descriptors": [
                {"extractor": {"name": "embedding", "weights": embedding, "device": device}},
                {"extractor": "orb"},
            ],
        },
        {"run.workers": workers, "run.batch_size": 1 if device == "cpu" else 16},
    )
    describer = Describer(settings)
    list(describer.describe_places(expand(list(photos[:16]))))
    started = time.perf_counter()
    made = list(describer.describe_places(expand(list(photos))))
    taken = time.perf_counter() - started
    return [one for one in made if isinstance(one, DescribedImage)], len(photos) / taken


def differences(cpu: DescribedImage, gpu: DescribedImage) -> Iterator[tuple[float, float]]:
    """Pixels that a box moves to its nearest, and the cosine of both vectors, of sure boxes."""
    for region, vector in zip(cpu.regions, cpu.descriptors["embedding"], strict=True):
        if region.confidence < SURE and not region.is_frame:
            continue
        moved = [
            max(abs(a - b) for a, b in zip(region.box_xyxy, other.box_xyxy, strict=True))
            for other in gpu.regions
        ]
        best = int(np.argmin(moved))
        other_vector = gpu.descriptors["embedding"][best]
        assert isinstance(vector, GlobalDescriptor) and isinstance(other_vector, GlobalDescriptor)
        yield moved[best], float(vector.vector @ other_vector.vector)


def main() -> None:
    """Print a row a pair of weights; exit code 1 where answers differ by more than is allowed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--other", default="cuda", help="the device beside the CPU")
    given = parser.parse_args()
    try:
        device_for(given.other)
    except MissingDependencyError as error:
        raise SystemExit(str(error)) from None
    photos = [str(path) for path in sorted(given.photos.rglob("*.jpg"))[: given.count]]
    print(f"{len(photos)} photos, {given.workers} workers\n")
    heads = ["networks", "CPU, photos/s", f"{given.other}, photos/s", "boxes within 1 px"]
    print("| " + " | ".join([*heads, "least cosine"]) + " |\n|" + " --- |" * 5)
    is_same = True
    for bits in ("-int8", ""):
        weights = f"things-v4{bits}", f"efficientnet-lite0-instances{bits}"
        on_cpu, slow = described(photos, "cpu", weights, given.workers)
        on_gpu, quick = described(photos, given.other, weights, given.workers)
        pairs = zip(on_cpu, on_gpu, strict=True)
        found = np.array([one for a, b in pairs for one in differences(a, b)])
        near = found[:, 0] <= PIXELS
        least = found[near, 1].min()
        is_same &= bool(near.mean() > 0.99 and least >= COSINE)
        name = "8 bits" if bits else "full precision"
        cells = [name, f"{slow:.1f}", f"{quick:.1f}", f"{near.mean():.4f}", f"{least:.5f}"]
        print("| " + " | ".join(cells) + " |", flush=True)
    raise SystemExit(0 if is_same else 1)


if __name__ == "__main__":
    main()
