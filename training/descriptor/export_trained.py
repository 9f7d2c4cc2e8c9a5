"""Average a trained descriptor with what it was before, and export it as ONNX.

    python training/descriptor/export_trained.py build/descriptor.pt models/NAME.onnx --share 0.6

`--share` is the trained weights' part of the average (Wortsman et al., Robust fine-tuning of
zero-shot models, CVPR 2022): between the two lie networks that know the copies and have not
forgotten the rest.
"""

from __future__ import annotations

import argparse
import io
import os
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper
from torch import Tensor, nn
from train import DIMENSION, Student, load_network

OPSET = 17
LARGEST_DIFFERENCE = 1e-4  # between torch and the file, each component of a unit vector


class Deployed(nn.Module):
    """The student as `objsearch` feeds it: (x - 127) / 128, x in 0..255."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, pixels: Tensor) -> Tensor:
        features = self.student.network.extract_features(pixels).clamp(min=1e-6)
        pooled = features.pow(3).mean((2, 3)).pow(1 / 3)
        pooled = pooled / torch.linalg.vector_norm(pooled, dim=1, keepdim=True)
        projected = self.student.project(pooled)
        return projected / torch.linalg.vector_norm(projected, dim=1, keepdim=True)


def averaged(trained: Path, share: float) -> Student:
    """The network at `share` of the way from before to after training."""
    after = torch.load(trained, weights_only=True)
    before = torch.load(trained.with_suffix(".before.pt"), weights_only=True)
    mixed = {
        key: value.float().lerp(after[key].float(), share) if value.is_floating_point() else value
        for key, value in before.items()
    }
    student = Student(load_network())
    student.load_state_dict(mixed)
    return student.eval()


def exported(student: Student) -> onnx.ModelProto:
    """Traced with free batch, height and width; eval mode folds the batch norms."""
    buffer = io.BytesIO()
    torch.onnx.export(
        Deployed(student).eval(),
        (torch.zeros(2, 3, 224, 224),),
        buffer,
        dynamo=False,
        opset_version=OPSET,
        input_names=["pixels"],
        output_names=["descriptor"],
        dynamic_axes={
            "pixels": {0: "batch", 2: "height", 3: "width"},
            "descriptor": {0: "batch"},
        },
    )
    model = onnx.load_from_string(buffer.getvalue())
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = DIMENSION
    facts = {
        "description": "EfficientNet-Lite0 trained on for copies and instances, GeM, L2-normalised",
        "license": "Apache-2.0",
        "input": "RGB, (x - 127) / 128 with x in 0..255, NCHW",
    }
    helper.set_model_props(model, facts)
    onnx.checker.check_model(model)
    return model


def largest_difference(student: Student, path: Path) -> float:
    """Between torch and the written file, over several shapes."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when onnxruntime is imported
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    largest = 0.0
    for shape in ((1, 3, 224, 224), (3, 3, 288, 288)):
        pixels = torch.rand(shape, generator=generator) * 2 - 1
        with torch.inference_mode():
            expected = Deployed(student)(pixels).numpy()
        (got,) = session.run(None, {"pixels": pixels.numpy()})
        largest = max(largest, float(np.abs(got - expected).max()))
    return largest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trained", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--share", type=float, required=True)
    args = parser.parse_args()
    student = averaged(args.trained, args.share)
    onnx.save(exported(student), args.output)
    difference = largest_difference(student, args.output)
    print(f"{args.output}: {args.output.stat().st_size:,} bytes, off torch by {difference:.1e}")
    if difference > LARGEST_DIFFERENCE:
        raise SystemExit(f"differs from torch by more than {LARGEST_DIFFERENCE}")


if __name__ == "__main__":
    main()
