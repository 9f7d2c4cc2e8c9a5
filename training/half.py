"""Store an ONNX file's weights in half precision, in place: half the bytes, the same speed.

    python training/half.py models/NAME.onnx

Every large weight becomes float16 with a Cast behind it, which a runtime folds when it loads
the file: it computes in float32 as before. Fails when the output moves by more than that explains.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

STORED_HALF = 256  # numbers; smaller tensors gain nothing
LARGEST_DIFFERENCE = 1e-2  # of the output's length


def stored_in_half(model: onnx.ModelProto, least: int = STORED_HALF) -> None:
    """Change the model in place: all tensors of at least so many numbers."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= least:
            half = numpy_helper.to_array(tensor).astype(np.float16)
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)


def output_of(model: bytes, side: int = 224) -> NDArray[np.float32]:
    """What the network says of noise."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when onnxruntime is imported
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    noise = np.random.default_rng(0).random((1, 3, side, side), dtype=np.float32)
    return np.asarray(session.run(None, {session.get_inputs()[0].name: noise})[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    path = parser.parse_args().file
    model = onnx.load(path)
    before = output_of(model.SerializeToString())
    stored_in_half(model)
    onnx.checker.check_model(model)
    after = output_of(model.SerializeToString())
    difference = float(np.linalg.norm(after - before) / np.linalg.norm(before))
    if difference > LARGEST_DIFFERENCE:
        raise SystemExit(f"{path}: the output moves by {difference:.1e}; left as it was")
    onnx.save(model, path)
    print(f"{path}: {path.stat().st_size:,} bytes, output moved by {difference:.1e}")


if __name__ == "__main__":
    main()
