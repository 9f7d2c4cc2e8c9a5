"""Average the weights of a detector before and after a training (Wortsman et al., CVPR 2022).

    python training/detector/average.py BEFORE.pt AFTER.pt OUTPUT.pt --share 0.85

`--share` is AFTER's part. Between the two lie networks that forgot less of what BEFORE had seen.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from export import quiet_ultralytics

if TYPE_CHECKING:
    from torch import Tensor


def mixed(old: dict[str, Tensor], new: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """`share` of the way from some weights to others; what is counted is the new's."""
    return {
        key: value.lerp(new[key], share) if value.is_floating_point() else new[key]
        for key, value in old.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--share", type=float, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        quiet_ultralytics(Path(scratch))
        import torch
        from ultralytics import YOLO

        before, after = (YOLO(path, task="detect") for path in (args.before, args.after))
        old, new = (model.model.float().state_dict() for model in (before, after))
        after.model.load_state_dict(mixed(old, new, args.share))
        torch.save({**after.ckpt, "model": after.model.half(), "ema": None}, args.output)
    print(args.output)


if __name__ == "__main__":
    main()
