"""A network's ONNX file in whole numbers of 8 bits: half the time and less on most processors.

    python training/quantize.py models/NAME.onnx PHOTOS models/NAME-int8.onnx --kind embedding

Static quantisation: each channel of a convolution has a scale of its own, and activations have the
range that they take on some of PHOTOS (JPEG). Weights that stand side by side leave room for the
sum of two products in 16 bits: processors without instructions for 8-bit dot products clip what is
more, and their numbers would be others. Pooling, projection and, of a `--kind detector`, the
decoding of boxes stay in full precision. The same photos and packages give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from half import stored_in_half
from numpy.typing import NDArray
from onnx import numpy_helper
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
LAYER = re.compile(r"/model\.(\d+)/")
FIRST_LAYERS = ("/model.0/", "/model.1/")
LAST_CONVOLUTION = re.compile(r"/model\.\d+/cv[23]\.\d/cv[23]\.\d\.2/Conv$")
"""Of the detector: in 8 bits these cost as much, and what is found falls by a thirtieth."""


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
    head = max(int(found[1]) for node in nodes if (found := LAYER.match(node.name)))
    decoding = f"/model.{head}/"
    return [
        node.name
        for node in nodes
        if (node.name.startswith(decoding) and node.op_type != "Conv")
        or node.name.startswith(FIRST_LAYERS)
        or "/dfl/" in node.name
        or LAST_CONVOLUTION.match(node.name)
        or not LAYER.match(node.name)
    ]


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


def roomy(weights: NDArray[np.float32]) -> list[dict[str, Any]]:
    """The range of each channel of a convolution (out, in, h, w), so that no processor clips.

    AVX2 sums the products of two unsigned and two signed bytes in 16 bits: 255 (|a| + |b|) must not
    pass 32,767 where both have one sign, so neighbours in the order in which a kernel takes them,
    channels innermost or outermost, have 128 together, a unit of which rounding takes.
    """
    ranges = []
    for channel in weights:
        largest = float(np.abs(channel).max())
        for flat in (channel.transpose(1, 2, 0).ravel(), channel.ravel()):
            side_by_side = flat[: len(flat) // 2 * 2].reshape(-1, 2)
            same = np.abs(side_by_side[side_by_side.prod(axis=1) > 0]).sum(axis=1)
            largest = max(largest, float(same.max(initial=0)))
        ranges.append({"rmin": -largest, "rmax": largest})
    return [{"axis": 0, **ranges[0]}, *ranges[1:]]


def room_for_pairs(model: onnx.ModelProto, left: Collection[str]) -> dict[str, Any]:
    """By the name of each convolution's weights; those that are left in full precision are not."""
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    return {
        node.input[1]: roomy(numpy_helper.to_array(held[node.input[1]]).astype(np.float32))
        for node in model.graph.node
        if node.op_type == "Conv" and node.name not in left and held[node.input[1]].dims[1] > 1
    }


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
        left = in_full_precision(model, given.kind)
        quantize_static(
            Path(name) / "folded.onnx",
            given.output,
            Reader(model.graph.input[0].name, photos, given.kind),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            op_types_to_quantize=OPERATIONS[given.kind],
            nodes_to_exclude=left,
            extra_options={"TensorQuantOverrides": room_for_pairs(model, left)},
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
