"""Networks in 8 bits say the same on every processor."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from objsearch.components import weights
from objsearch.components.telemetry import keep_quiet

NAMES = sorted(name for name in weights.manifest() if name.endswith("-int8"))


def _kernels(path: Path) -> list[NDArray[np.int8]]:
    """The weights (out, in, h, w) of all convolutions in 8 bits that mix channels."""
    graph = onnx.load(path).graph
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    stored = {
        node.output[0]: node.input[0] for node in graph.node if node.op_type == "DequantizeLinear"
    }
    kernels = [
        held[stored[node.input[1]]]
        for node in graph.node
        if node.op_type == "Conv" and node.input[1] in stored
    ]
    return [kernel for kernel in kernels if kernel.shape[1] > 1]


@pytest.mark.parametrize("name", NAMES)
def test_no_processor_clips_the_sum_of_two_products(name: str) -> None:
    """Those with AVX2 alone add them in 16 bits: unsigned bytes by signed ones, two at a time."""
    kernels = _kernels(weights.card(name).file)
    assert len(kernels) > 20
    for kernel in kernels:
        for order in ((0, 2, 3, 1), (0, 1, 2, 3)):  # channels innermost, or outermost
            flat = kernel.transpose(order).reshape(len(kernel), -1).astype(np.int32)
            pairs = flat[:, : flat.shape[1] // 2 * 2].reshape(len(kernel), -1, 2)
            both = np.where(pairs.prod(axis=2) > 0, np.abs(pairs).sum(axis=2), 0)
            assert 255 * int(both.max()) <= 32_767


def _output(path: Path, picture: NDArray[np.float32], level: str) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: picture})[0], np.float32)


def test_a_vector_is_that_of_exact_sums() -> None:
    keep_quiet()
    path = weights.card("efficientnet-lite0-instances-int8").file
    picture = np.random.default_rng(0).normal(0, 1, (1, 3, 160, 160)).astype(np.float32)
    quick, exact = (
        _output(path, picture, level).ravel() for level in ("ORT_ENABLE_ALL", "ORT_DISABLE_ALL")
    )
    cosine = float(quick @ exact / np.linalg.norm(quick) / np.linalg.norm(exact))
    assert cosine > 0.99
