"""Average the weights of a detector before and after a training (Wortsman et al., CVPR 2022).

    python training/detector/average.py BEFORE.pt AFTER.pt OUTPUT.pt --share 0.85

`--share` is AFTER's part. Between the two lie networks that forgot less of what BEFORE had seen.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from export import quiet_ultralytics


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
        new = after.model.float().state_dict()
        mixed = {
            key: old.lerp(new[key], args.share) if old.is_floating_point() else new[key]
            for key, old in before.model.float().state_dict().items()
        }
        after.model.load_state_dict(mixed)
        torch.save({**after.ckpt, "model": after.model.half(), "ema": None}, args.output)
    print(args.output)


if __name__ == "__main__":
    main()
