"""Weights by name (`teach.py`) to a checkpoint and back, and part of the way from others.

    python training/detector/checkpoint.py LIKE.pt OUTPUT.npz
    python training/detector/checkpoint.py LIKE.pt OUTPUT.pt --weights TAUGHT.npz --share 0.85

The first writes what a checkpoint holds. The second puts weights into one of the same network;
`--share` is their part, the rest are LIKE's (`average.py`).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from average import mixed
from export import quiet_ultralytics


def main() -> None:
    """Convert one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("like", type=Path, help="a one-class Ultralytics checkpoint")
    parser.add_argument("output", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--share", type=float, default=1.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        quiet_ultralytics(Path(scratch))
        import torch
        from ultralytics import YOLO

        model = YOLO(args.like, task="detect")
        state = model.model.float().state_dict()
        if args.weights is None:
            np.savez(args.output, **{key: old.half().numpy() for key, old in state.items()})
            return
        with np.load(args.weights) as read:
            new = {key: torch.from_numpy(read[key]).to(old.dtype) for key, old in state.items()}
        model.model.load_state_dict(mixed(state, new, args.share))
        torch.save({**model.ckpt, "model": model.model.half(), "ema": None}, args.output)
    print(args.output)


if __name__ == "__main__":
    main()
