"""Export a one-class Ultralytics checkpoint to an ONNX file that can be shipped.

The file takes any batch and any image size that is a multiple of 32, calls its one class
"thing", and carries no date and no path: the same checkpoint always gives the same bytes.

    python training/detector/export.py things.pt build/things-v3.onnx
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

CLASS_NAME = "thing"
OPSET = 17
DESCRIPTION = "objsearch class-agnostic object detector"
# What Ultralytics reads when it loads the file. Its own export adds the date, the version
# and the data set's path, which would make every export differ.
KEPT_METADATA = ("stride", "task", "batch", "imgsz", "channels")


def quiet_ultralytics(config_folder: Path) -> None:
    """Keep Ultralytics and onnxruntime off the network, off pip and out of the user's settings.

    Both read these variables while they are imported, so this has to run before.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ["YOLO_OFFLINE"] = "1"
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_CONFIG_DIR"] = str(config_folder)
    os.environ["ULTRALYTICS_SAFE_LOAD"] = "1"
    from ultralytics import settings

    settings.update({"sync": False})


def export_raw(checkpoint: Path, folder: Path, image_size: int) -> Path:
    """Run Ultralytics' exporter on a copy, because it writes beside the checkpoint."""
    from ultralytics import YOLO

    copy = folder / "checkpoint.pt"
    shutil.copyfile(checkpoint, copy)
    model = YOLO(copy, task="detect")
    if len(model.names) != 1:
        raise SystemExit(f"{checkpoint} has {len(model.names)} classes, expected one")
    return Path(
        model.export(
            format="onnx",
            imgsz=image_size,
            opset=OPSET,
            dynamic=True,
            simplify=False,
            device="cpu",
        )
    )


def clean_metadata(model: onnx.ModelProto) -> None:
    """Keep what a loader needs, name the class, and drop dates, paths and source traces."""
    from onnx import helper

    given = {entry.key: entry.value for entry in model.metadata_props}
    metadata = {key: given[key] for key in KEPT_METADATA}
    metadata["names"] = str({0: CLASS_NAME})
    metadata["args"] = str({"dynamic": True, "nms": False})
    metadata["end2end"] = "False"
    metadata["description"] = DESCRIPTION
    metadata["license"] = "AGPL-3.0"
    del model.metadata_props[:]
    helper.set_model_props(model, metadata)
    model.doc_string = ""
    model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""


def export(checkpoint: Path, output: Path, image_size: int) -> None:
    """Write `output` from `checkpoint`; `image_size` is only the size named in the metadata."""
    if not checkpoint.is_file():  # Ultralytics would try to download a missing file
        raise SystemExit(f"no such checkpoint: {checkpoint}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        quiet_ultralytics(folder)
        import onnx

        model = onnx.load(export_raw(checkpoint, folder, image_size))
        clean_metadata(model)
        onnx.checker.check_model(model)
        output.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, output)


def main() -> None:
    """Read the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="the .pt file")
    parser.add_argument("output", type=Path, help="the .onnx file to write")
    parser.add_argument("--size", type=int, default=320, help="image side it was trained at")
    args = parser.parse_args()
    export(args.checkpoint, args.output, args.size)
    print(f"{args.output}: {args.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
