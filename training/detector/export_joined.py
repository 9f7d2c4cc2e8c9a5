"""Write the student of `join.py` as an ONNX file with one class: the likeliest, whichever it is.

    python training/detector/export_joined.py yolo26n.pt OUTPUT.npz models/things-v4.onnx

The file is like those of `export.py`: any batch, any size that is a multiple of 32, no date and no
path in it; the same weights give the same bytes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from types import MethodType

from export import CLASS_NAME, OPSET, clean_metadata, quiet_ultralytics

AXES = {"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}}


def export(first: Path, weights: Path | None, output: Path, side: int) -> None:
    """Write `output`; `side` is only the size named in the metadata."""
    import numpy as np
    import onnx
    import torch
    from join import first_network, with_unnamed

    network = with_unnamed(first_network(first))
    if weights is not None:
        with np.load(weights) as read:
            state = {key: torch.from_numpy(read[key].astype(np.float32)) for key in read.files}
        network.load_state_dict(state)
    head = network.model[-1]

    def decoded(head: torch.nn.Module, seen: dict[str, torch.Tensor]) -> torch.Tensor:
        """(B, 5, A): boxes and the chance of the likeliest class."""
        return torch.cat([head._get_decode_boxes(seen), seen["scores"].amax(1, True).sigmoid()], 1)

    head._inference = MethodType(decoded, head)
    head.export, head.dynamic, head.format = True, True, "onnx"
    with torch.no_grad():
        torch.onnx.export(
            network, (torch.zeros(1, 3, side, side),), str(output), opset_version=OPSET,
            input_names=["images"], output_names=["output0"], dynamic_axes=AXES, dynamo=False,
        )  # fmt: skip
    model = onnx.load(output)
    given = {"stride": "32", "task": "detect", "batch": "1", "channels": "3"}
    onnx.helper.set_model_props(model, {**given, "imgsz": str([side, side])})
    clean_metadata(model)
    onnx.checker.check_model(model)
    onnx.save(model, output)


def main() -> None:
    """Read the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path, help="yolo26n.pt")
    parser.add_argument("weights", type=Path)
    parser.add_argument("output", type=Path, help="the .onnx file to write")
    parser.add_argument("--size", type=int, default=320, help="image side it was trained at")
    args = parser.parse_args()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        quiet_ultralytics(Path(scratch))
        export(args.first, args.weights, args.output, args.size)
    print(f"{args.output}: one class, {CLASS_NAME!r}; {args.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
