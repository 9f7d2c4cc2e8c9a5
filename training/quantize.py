"""A network's ONNX file in whole numbers of 8 bits: half the time and less on most processors.

    python training/quantize.py models/NAME.onnx PHOTOS models/NAME-int8.onnx --kind embedding

Static quantisation: each channel of a convolution has a scale of its own, and activations have the
range that they take on some of PHOTOS (JPEG). Pooling, projection and, of a `--kind detector`, the
decoding of boxes stay in full precision. The same photos and packages give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from half import stored_in_half
from numpy.typing import NDArray
from PIL import Image, ImageOps

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when onnxruntime is imported

import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from objsearch.detect.onnx_yolo import Letterbox
from objsearch.images.transform import resize

EMBEDDING_SIDES = (160, 160, 288)
DETECTOR_SIDE = 320
OPERATIONS = {
    "embedding": ["Conv", "Clip", "Add"],
    "detector": ["Conv", "Mul", "Sigmoid", "Concat", "Add", "MaxPool", "Resize", "Split"],
}
SMALLEST_HALVED = 100_000


def folded(path: Path, into: Path) -> onnx.ModelProto:
    """The network with its casts and constants folded, as the quantiser wants it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(into)
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return onnx.load(into)


def in_full_precision(model: onnx.ModelProto, kind: str) -> list[str]:
    """Nodes left as they are: what bounds the pooling, and all that turns maps into boxes."""
    nodes = model.graph.node
    if kind == "embedding":
        return [node.name for node in nodes if node.name == "/Clip"]
    head = [node for node in nodes if node.name.startswith("/model.22/")]
    return [node.name for node in head if node.op_type != "Conv" or "/dfl/" in node.name]


def pictures(photos: list[Path], kind: str) -> Iterator[NDArray[np.float32]]:
    """What the network sees of photos: squares of crops and frames, or letterboxes."""
    for number, path in enumerate(photos):
        with Image.open(path) as picture:
            pixels = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
        if kind == "detector":
            size_wh = (pixels.shape[1], pixels.shape[0])
            yield Letterbox.of(size_wh, DETECTOR_SIDE).laid(pixels, DETECTOR_SIDE)[None]
        else:
            side = EMBEDDING_SIDES[number % len(EMBEDDING_SIDES)]
            square = (resize(pixels, (side, side)).astype(np.float32) - 127) / 128
            yield np.ascontiguousarray(square.transpose(2, 0, 1)[None])


class Reader(CalibrationDataReader):
    """Hands the pictures on, one a call."""

    def __init__(self, name: str, photos: list[Path], kind: str) -> None:
        self._inputs = ({name: picture} for picture in pictures(photos, kind))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._inputs, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--kind", choices=sorted(OPERATIONS), required=True)
    parser.add_argument("--count", type=int, default=150, help="photos that are looked at")
    given = parser.parse_args()
    every = sorted(given.photos.rglob("*.jpg"))
    photos = random.Random(0).sample(every, min(given.count, len(every)))
    original = onnx.load(given.network)
    with tempfile.TemporaryDirectory() as name:
        model = folded(given.network, Path(name) / "folded.onnx")
        quantize_static(
            Path(name) / "folded.onnx",
            given.output,
            Reader(model.graph.input[0].name, photos, given.kind),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            op_types_to_quantize=OPERATIONS[given.kind],
            nodes_to_exclude=in_full_precision(model, given.kind),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    made = onnx.load(given.output)
    stored_in_half(made, SMALLEST_HALVED)
    del made.metadata_props[:]
    made.metadata_props.extend(original.metadata_props)  # by which Ultralytics reads its files
    onnx.checker.check_model(made)
    onnx.save(made, given.output)
    print(f"{given.output}: {given.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
