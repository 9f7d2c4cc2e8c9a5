"""Train the detector of things: one class, YOLOv8n, through Ultralytics.

    python training/detector/train.py START.pt DATA_DIR... --output build/things.pt --minutes 20

Each DATA_DIR has `images/` and YOLO `labels/`; `DATA_DIR*6` counts six times as often. Stops when
the time is up, with the learning rate brought down; Ultralytics stretches its epochs to that.
Runs on a GPU where there is one. Nothing is downloaded, sent or checked for.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path


def train_list(folders: list[str]) -> list[str]:
    """Paths of the pictures, those of a folder `X*6` six times."""
    found: list[str] = []
    for folder in folders:
        name, _, times = folder.partition("*")
        pictures = sorted(str(path.resolve()) for path in (Path(name) / "images").iterdir())
        found += pictures * int(times or 1)
    return found


def quiet(scratch: Path) -> None:
    """No network, no pip, no settings of the user's; before Ultralytics is imported."""
    os.environ["YOLO_OFFLINE"] = "1"
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_CONFIG_DIR"] = str(scratch)
    import ultralytics.engine.trainer as engine
    from ultralytics import settings

    settings.update({"sync": False})
    # Its check of half precision downloads a network to compare with.
    engine.check_amp = lambda model: True
    # It reads its own table of losses back only to draw it; that would need one more package.
    engine.BaseTrainer.read_results_csv = lambda self: {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("start", type=Path, help="a one-class Ultralytics checkpoint")
    parser.add_argument("data", nargs="+")
    parser.add_argument("--validate", type=Path, required=True, help="a folder like DATA_DIR")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--freeze", type=int, default=None, help="so many first layers stay as is")
    parser.add_argument("--mosaic", type=float, default=1.0, help="share of four-photo pictures")
    parser.add_argument("--device", default=None)
    args = parser.parse_args()
    scratch = Path(tempfile.mkdtemp())
    quiet(scratch)
    import torch
    from ultralytics import YOLO

    # Ultralytics leaves one core alone; a machine that trains has nothing better to do.
    torch.set_num_threads(os.cpu_count() or 1)
    lists = scratch / "train.txt"
    pictures = train_list(args.data)
    lists.write_text("\n".join(pictures) + "\n")
    print(f"{len(pictures)} pictures an epoch, in {scratch}", flush=True)
    data = scratch / "data.yaml"
    data.write_text(
        f"path: {scratch}\ntrain: {lists}\nval: {args.validate.resolve()}/images\nnames: [thing]\n"
    )
    model = YOLO(args.start, task="detect")
    if not torch.cuda.is_available():
        # A fifth faster on a CPU, where oneDNN has its kernels in this order.
        model.add_callback(
            "on_train_start",
            lambda trainer: trainer.model.to(memory_format=torch.channels_last),
        )
    model.train(
        data=str(data), imgsz=args.size, batch=args.batch, epochs=1000, time=args.minutes / 60,
        optimizer="AdamW", lr0=args.rate, lrf=0.01, cos_lr=True, warmup_epochs=1.0,
        weight_decay=5e-4, cache="ram", workers=args.workers, device=args.device,
        # On most CPUs half precision is many times slower: no kernels for it.
        amp=torch.cuda.is_available(), freeze=args.freeze,
        val=False, plots=False, project=str(scratch), name="run", exist_ok=True, verbose=False,
        mosaic=args.mosaic, close_mosaic=3, mixup=0.05, scale=0.6, degrees=5.0, fliplr=0.5,
        hsv_h=0.02, hsv_s=0.7, hsv_v=0.4, box=7.5, cls=0.5, dfl=1.5, seed=0, deterministic=False,
    )  # fmt: skip
    args.output.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(scratch / "run" / "weights" / "last.pt", args.output)
    print(args.output)


if __name__ == "__main__":
    main()
