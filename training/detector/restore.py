"""Put an exported detector's weights back into a checkpoint that can be trained on.

    python training/detector/restore.py models/things-v1.onnx things-v0.pt PHOTO_FOLDER things-v1.pt

The export folds each batch norm into the convolution before it. Here the folded weights go back,
and every batch norm gets the mean and variance that it sees in the photos, with a gain and an
offset that undo them: the network computes the same, and has batch norms to train with. Any
checkpoint of the same network serves as the second file.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from export import CLASS_NAME, quiet_ultralytics

if TYPE_CHECKING:
    from torch import Tensor, nn

SIDE = 320
PHOTOS = 192
LARGEST_DIFFERENCE = 0.01  # pixels, of boxes, and of scores


def read_photos(folder: Path) -> Tensor:
    """(N, 3, SIDE, SIDE) in [0, 1], on gray."""
    import torch

    found = []
    paths = sorted(folder.iterdir())
    for path in paths[:: max(1, len(paths) // PHOTOS)][:PHOTOS]:
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        high, wide = picture.shape[:2]
        scale = SIDE / max(high, wide)
        small = cv2.resize(picture, (round(wide * scale), round(high * scale)))
        square = np.full((SIDE, SIDE, 3), 114, np.uint8)
        top, left = (SIDE - small.shape[0]) // 2, (SIDE - small.shape[1]) // 2
        square[top : top + small.shape[0], left : left + small.shape[1]] = small
        found.append(square[..., ::-1].transpose(2, 0, 1))
    return torch.from_numpy(np.stack(found)).float() / 255


def folded_weights(exported: Path) -> dict[str, Tensor]:
    """By name, in full precision."""
    import onnx
    import torch
    from onnx import numpy_helper

    tensors = onnx.load(exported).graph.initializer
    return {
        tensor.name.removesuffix("_half"): torch.from_numpy(
            numpy_helper.to_array(tensor).astype(np.float32)
        )
        for tensor in tensors
    }


def fill(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Put folded weights into the convolutions; the batch norms do nothing but add the bias."""
    import torch
    from ultralytics.nn.modules import Conv

    inside = {f"{name}.conv" for name, m in network.named_modules() if isinstance(m, Conv)}
    for name, module in network.named_modules():
        if isinstance(module, Conv):
            module.conv.weight.copy_(weights[f"{name}.conv.weight"])
            norm = module.bn
            norm.weight.fill_(1)
            norm.running_mean.zero_()
            norm.running_var.fill_(1 - norm.eps)
            norm.bias.copy_(weights[f"{name}.conv.bias"])
        elif isinstance(module, torch.nn.Conv2d) and name not in inside and "dfl" not in name:
            module.weight.copy_(weights[f"{name}.weight"])
            module.bias.copy_(weights[f"{name}.bias"])  # type: ignore[union-attr]


def normalise(network: nn.Module, photos: Tensor) -> float:
    """Give the batch norms what they see; returns how far the output moved."""
    from ultralytics.nn.modules import Conv

    seen: dict[str, list[Tensor]] = {}
    units = {name: m for name, m in network.named_modules() if isinstance(m, Conv)}

    def watch(name: str) -> object:
        def note(_module: nn.Module, _given: object, out: Tensor) -> None:
            wide = out.double()
            sums = [wide.sum((0, 2, 3)), (wide**2).sum((0, 2, 3))]
            count = wide.new_tensor(out.numel() / out.shape[1])
            old = seen.get(name)
            new = [*sums, count]
            seen[name] = [a + b for a, b in zip(old, new, strict=True)] if old else new

        return units[name].conv.register_forward_hook(note)

    hooks = [watch(name) for name in units]
    before = [network(part)[0] for part in photos.split(32)]
    for hook in hooks:
        hook.remove()  # type: ignore[attr-defined]
    for name, unit in units.items():
        first, second, count = seen[name]
        mean = (first / count).float()
        variance = (second / count - (first / count) ** 2).clamp(min=1e-8).float()
        norm = unit.bn
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)
    after = [network(part)[0] for part in photos.split(32)]
    return max(float((a - b).abs().max()) for a, b in zip(before, after, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("exported", type=Path)
    parser.add_argument("like", type=Path, help="a checkpoint of the same network")
    parser.add_argument("photos", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        quiet_ultralytics(Path(scratch))
        import torch
        from ultralytics import YOLO

        model = YOLO(args.like, task="detect")
        network = model.model.float().eval()
        with torch.no_grad():
            fill(network, folded_weights(args.exported))
            difference = normalise(network, read_photos(args.photos))
        if difference > LARGEST_DIFFERENCE:
            raise SystemExit(f"the output moved by {difference:.4f}")
        network.names = {0: CLASS_NAME}
        kept = {**model.ckpt, "model": network.half(), "ema": None, "optimizer": None}
        torch.save({**kept, "scaler": None, "updates": 0, "epoch": -1}, args.output)
    print(f"{args.output}: the output moved by {difference:.4f}")


if __name__ == "__main__":
    main()
