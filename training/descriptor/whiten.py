"""Learn a partial whitening from plain photos and fold it into an embedding's ONNX file.

    python training/descriptor/whiten.py RAW.onnx PHOTOS_DIR models/efficientnet-lite0-whitened.onnx

ImageNet features share a few strong directions (sky, skin, text) that make unlike things alike.
Whitening evens the directions out (Jegou and Chum, ECCV 2012); a power of one half of the full
whitening keeps noise from being blown up. No labels are used. The written network has two outputs:
`descriptor`, whitened and of unit length, and `pooled`, the vector as it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from objsearch.describe.base import Crop
from objsearch.describe.embedding import Embedding
from objsearch.sources import expand, read_image
from objsearch.types import GlobalDescriptor, Image

POWER = 0.25  # of the eigenvalues: half of a full whitening, which divides by their square root
SHRINKAGE = 0.1  # of the mean eigenvalue, added to all: small ones are mostly noise


def vectors_of(photos: Path, extractor: Embedding) -> NDArray[np.float64]:
    """(N, D) unit vectors of whole photos."""
    found = []
    for place in expand(photos):
        image = read_image(place)  # type: ignore[arg-type]
        if isinstance(image, Image):
            descriptor = extractor.extract_batch([Crop(image.pixels, is_frame=True)])[0]
            assert isinstance(descriptor, GlobalDescriptor)
            found.append(descriptor.vector)
    return np.stack(found).astype(np.float64)


def whitening(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean (D,) and matrix (D, D): `(x - mean) @ matrix` is whitened."""
    mean = vectors.mean(axis=0)
    values, directions = np.linalg.eigh(np.cov(vectors.T))
    order = np.argsort(-values)
    values, directions = np.maximum(values[order], 0), directions[:, order]
    # The sign of an eigenvector is arbitrary: the largest entry is made positive.
    largest = np.abs(directions).argmax(axis=0)
    directions = directions * np.sign(directions[largest, np.arange(len(values))])
    scaled = directions * (values + SHRINKAGE * values.mean()) ** -POWER
    return mean.astype(np.float32), scaled.astype(np.float32)


def folded(model: onnx.ModelProto, mean: NDArray[np.float32], matrix: NDArray[np.float32]) -> None:
    """Add `descriptor = unit((pooled - mean) @ matrix)` behind the network's one output."""
    graph = model.graph
    old = graph.output[0].name
    for node in graph.node:
        node.output[:] = ["pooled" if name == old else name for name in node.output]
        node.input[:] = ["pooled" if name == old else name for name in node.input]
    # Half precision for the matrix alone: 3 MB less, and no difference beyond the fourth digit.
    half = (matrix / np.abs(matrix).max()).astype(np.float16)
    graph.initializer.extend(
        [
            numpy_helper.from_array(mean, "whitening_mean"),
            numpy_helper.from_array(half, "whitening"),
        ]
    )
    graph.node.extend(
        [
            helper.make_node("Sub", ["pooled", "whitening_mean"], ["centred"]),
            helper.make_node("Cast", ["whitening"], ["whitening_32"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["centred", "whitening_32"], ["whitened"]),
            helper.make_node("LpNormalization", ["whitened"], ["descriptor"], axis=1, p=2),
        ]
    )
    del graph.output[:]
    shape = ["N", len(mean)]
    for name in ("descriptor", "pooled"):
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))


def save_folded(
    raw: Path, mean: NDArray[np.float32], matrix: NDArray[np.float32], output: Path
) -> None:
    """Fold a whitening into a network's file, and check what comes out."""
    model = onnx.load(raw)
    folded(model, mean, matrix)
    onnx.checker.check_model(model)
    onnx.save(model, output)


def main() -> None:
    """Read the photos, learn, fold, check and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("output", type=Path)
    given = parser.parse_args()
    extractor = Embedding(
        weights=str(given.raw), image_size=288, mean=(127, 127, 127), std=(128, 128, 128)
    )
    vectors = vectors_of(given.photos, extractor)
    mean, matrix = whitening(vectors)
    save_folded(given.raw, mean, matrix, given.output)
    print(f"{len(vectors)} photos, {given.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
