"""Make one detector of two: what the first sees, and what the second sees that the first does not.

    python training/detector/join.py PACK.json yolo26n.pt SECOND.onnx OUTPUT.npz --minutes 60

The student starts as the first: Ultralytics' YOLO26n as it was published, trained on COCO, one-to-
many heads, batch norms folded. Beside the 80 classes it gets one more, for things without a name
there. SECOND is a one-class detector with boxes at the same places (`things-v3.onnx`). Both
look at every picture that is drawn, and the student learns of each place how sure each of them is
("Distilling the knowledge in a neural network", Hinton et al., 2015), and the box of the one that
is surer; the second counts by `PART`. No labels are needed.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
from pathlib import Path

import torch
from by_the_clock import by_the_clock
from drawn_pictures import Bank, batches
from export import quiet_ultralytics
from teach import follow, save
from torch import Tensor, nn

PART = 0.5
"""Of the second's certainty: with all of it COCO loses more of the first boxes."""
UNNAMED = -6.0
"""Logit of the new class at the start: next to nothing is one."""
GAINS = {"named": 1.0, "unnamed": 1.0, "box": 2.0, "sides": 0.25}
LEAST = 0.02
"""Certainty from which the box of a place counts."""


def first_network(checkpoint: Path) -> nn.Module:
    """The published network for inference, in full precision, without its one-to-one heads."""
    from ultralytics import YOLO

    network = YOLO(checkpoint, task="detect").model.float().eval()
    head = network.model[-1]
    head.end2end = False
    for name in ("one2one_cv2", "one2one_cv3"):
        if hasattr(head, name):
            delattr(head, name)
    return network.fuse(verbose=False)


def with_unnamed(network: nn.Module) -> nn.Module:
    """The same with one more class, which no place is of yet."""
    student = copy.deepcopy(network)
    head = student.model[-1]
    for branch in head.cv3:
        old = branch[-1]
        new = nn.Conv2d(old.in_channels, old.out_channels + 1, 1)
        with torch.no_grad():
            new.weight[:-1], new.bias[:-1] = old.weight, old.bias
            new.weight[-1] = 0
            new.bias[-1] = UNNAMED
        branch[-1] = new
    head.nc += 1
    head.no += 1
    return student


def run(network: nn.Module, layers: slice, made: list[Tensor]) -> list[Tensor]:
    """What the layers make, after `made`, which holds the picture and what those before made."""
    made = list(made)
    for layer in network.model[layers]:
        sources = [layer.f] if isinstance(layer.f, int) else layer.f
        given = [made[-1] if source == -1 else made[source + 1] for source in sources]
        made.append(layer(given[0] if isinstance(layer.f, int) else given))
    return made


def looked(network: nn.Module, layers: slice, made: list[Tensor]) -> tuple[Tensor, Tensor]:
    """(B, A, 4) boxes, centre and size in pixels, and (B, C, A) logits of classes."""
    boxes, raw = run(network, layers, made)[-1]
    return boxes[:, :4].transpose(1, 2), raw["scores"]


class Second:
    """The other teacher: an ONNX file of one class."""

    def __init__(self, path: Path, threads: int) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when onnxruntime is imported
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(threads, 1)
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def look(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, A, 4) boxes and (B, A) chances."""
        (output,) = self.session.run(None, {"images": pictures.numpy()})
        told = torch.from_numpy(output)
        return told[:, :4].transpose(1, 2), told[:, 4]


def corners(boxes: Tensor) -> Tensor:
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], -1)


def apart(boxes: Tensor, others: Tensor) -> Tensor:
    """1 - generalised IoU (Rezatofighi et al., CVPR 2019) of boxes (..., 4) given by corners."""
    most, least = torch.maximum(boxes, others), torch.minimum(boxes, others)
    shared = (least[..., 2:] - most[..., :2]).clamp(min=0).prod(-1)
    area, other = ((b[..., 2:] - b[..., :2]).clamp(min=0).prod(-1) for b in (boxes, others))
    union = area + other - shared + 1e-6
    hull = (most[..., 2:] - least[..., :2]).prod(-1) + 1e-6
    return 1 - shared / union + (hull - union) / hull


class Course:
    """A student, its two teachers, and a step."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.first = first_network(args.first).requires_grad_(False)
        self.second = Second(args.second, args.threads)
        self.student = with_unnamed(self.first).requires_grad_(True)
        self.early, self.late = slice(0, args.freeze), slice(args.freeze, None)
        self.student.model[self.early].requires_grad_(False)
        self.averaged = copy.deepcopy(self.student).requires_grad_(False)
        head = self.student.model[-1]
        new = [p for branch in head.cv3 for p in branch[-1].parameters()]
        learning = (p for p in self.student.parameters() if p.requires_grad)
        others = [p for p in learning if all(p is not one for one in new)]
        self.optimiser = torch.optim.AdamW(
            [{"params": new, "scale": 5.0}, {"params": others, "scale": 1.0}],
            lr=args.rate, weight_decay=0.0,
        )  # fmt: skip

    def step(self, pictures: Tensor) -> Tensor:
        """(4,) losses, summed and gone down by."""
        with torch.no_grad():
            # What stays as it was is the same in both.
            made = run(self.first, self.early, [pictures])
            boxes, logits = looked(self.first, self.late, made)
            named = logits.amax(1).sigmoid()
            more_boxes, more = self.second.look(pictures)
            more = PART * more
        mine, seen = looked(self.student, self.late, made)
        is_more = more > named
        sure = torch.maximum(named, more)
        goal = torch.where(is_more[..., None], more_boxes, boxes)
        entropy = nn.functional.binary_cross_entropy_with_logits
        total = sure.sum().clamp(min=1)
        weight = torch.where(sure > LEAST, sure, torch.zeros_like(sure))
        weight = weight / weight.sum().clamp(min=1)
        steps = self.student.model[-1].strides.reshape(1, -1, 1)
        away = nn.functional.smooth_l1_loss(
            corners(mine) / steps, corners(goal) / steps, reduction="none"
        ).mean(-1)
        lost = {
            "named": entropy(seen[:, :-1].amax(1), named, reduction="sum") / total,
            "unnamed": entropy(seen[:, -1], more, reduction="sum") / total,
            "box": (apart(corners(mine), corners(goal)) * weight).sum(),
            "sides": (away * weight).sum(),
        }
        parts = torch.stack([GAINS[name] * value for name, value in lost.items()])
        self.optimiser.zero_grad(set_to_none=True)
        parts.sum().backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        self.optimiser.step()
        return parts.detach()


def main() -> None:
    """Train by the clock."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("first", type=Path, help="yolo26n.pt")
    parser.add_argument("second", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--freeze", type=int, default=5, help="so many first layers stay as is")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", type=int, default=320)
    parser.add_argument("--parts", type=int, default=6, help="after each the weights are kept")
    parser.add_argument("--ultralytics", type=Path, default=Path("build/ultralytics"))
    args = parser.parse_args()
    quiet_ultralytics(args.ultralytics)
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    bank = Bank(args.pack)
    given = batches(bank, args.batch, [args.side], 1)
    course = Course(args)
    print(f"{len(bank)} photos", flush=True)

    def step(gone: float, steps: int) -> Tensor:
        rate = args.rate * min(1, steps / 50 + 0.02) * (0.51 + 0.5 * math.cos(math.pi * gone))
        for group in course.optimiser.param_groups:
            group["lr"] = rate * group["scale"]
        drawn, _, _ = next(given)
        lost = course.step(drawn.float() / 255)
        follow(course.averaged, course.student, max(0.004, 1 / (steps + 2)))
        return lost

    def keep(part: int) -> None:
        save(course.averaged, args.output.with_stem(f"{args.output.stem}-{part}"))

    steps = by_the_clock(step, keep, minutes=args.minutes, parts=args.parts, every=50)
    save(course.averaged, args.output)
    print(f"{args.output}: {steps} steps of {args.batch}", flush=True)


if __name__ == "__main__":
    main()
