"""Read a detector that Ultralytics exported for OpenVINO in 8 bits: its convolutions, as floats.

    python training/detector/read_teacher.py YOLO11N.xml build/yolo11n.npz

The file gets the weight and bias of every convolution under the name that it has in Ultralytics'
network, in half precision: `detector/teach.py` puts them into a network of that name. Activations
are not rounded there, which makes the teacher a little better than the file it was read from.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from openvino import Output

KINDS = {"Convolution", "GroupConvolution"}
NAME = "__module."


def constant(output: Output) -> NDArray[np.float32]:
    """What a branch of constants comes to."""
    import openvino

    return np.asarray(openvino.compile_model(openvino.Model([output], []), "CPU")([])[0])


def bias_after(convolution: Any, channels: int) -> NDArray[np.float32]:
    """What is added behind a convolution; zeros where nothing is."""
    (after,) = convolution.output(0).get_target_inputs()
    adding = after.get_node()
    if adding.get_type_name() != "Add":
        return np.zeros(channels, np.float32)
    return constant(adding.input_value(1)).reshape(-1)


def convolutions(path: Path) -> dict[str, NDArray[np.float16]]:
    """`NAME.weight` (out, in, h, w) and `NAME.bias` (out,) of all of a file's convolutions."""
    import openvino

    read: dict[str, NDArray[np.float16]] = {}
    for node in openvino.Core().read_model(path).get_ordered_ops():
        if node.get_type_name() not in KINDS:
            continue
        name = node.get_friendly_name().split("/")[0].removeprefix(NAME)
        weight = constant(node.input_value(1))
        if weight.ndim == 5:  # groups apart: (groups, out, in, h, w)
            weight = weight.reshape(-1, *weight.shape[2:])
        read[f"{name}.weight"] = weight.astype(np.float16)
        read[f"{name}.bias"] = bias_after(node, len(weight)).astype(np.float16)
    return read


def main() -> None:
    """Read one file and write another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("exported", type=Path, help="the .xml, its .bin beside it")
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    read = convolutions(args.exported)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.output, **read)
    print(f"{args.output}: {len(read) // 2} convolutions, {args.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
