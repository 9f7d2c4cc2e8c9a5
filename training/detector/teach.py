"""Train the detector of things by labels, and by what teachers see at each place of a picture.

    python training/detector/teach.py PACK.json START.npz OUTPUT.npz --teachers V8.npz V11.npz

PACK is what `training/pack.py` writes, boxes with the chance that a thing is there
(`label_pack.py`). START holds the weights of a one-class YOLOv8n. Teachers are COCO-trained
Ultralytics networks, YOLOv8n and YOLO11n (`read_teacher.py`); their classes are forgotten. Photos
are cut, scaled, mixed four in one and coloured for every step anew, and the teachers look at the
very picture that the student sees ("A good teacher is patient and consistent", Beyer et al., CVPR
2022). All have their boxes at the same places: of each the student learns how sure teachers are
and how they spread the sides of its box (localization distillation, Zheng et al., CVPR 2022); its
features are held to be like those of the first teacher (PKD, Cao et al., NeurIPS 2022). Labels say
what teachers have no name for: the higher of both counts.

Without teachers boxes and chances are all that the student is told.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from by_the_clock import by_the_clock
from drawn_pictures import Bank, batches
from export import quiet_ultralytics
from torch import Tensor, nn

Seen = dict[str, Any]  # what a network in training says
Scored = tuple[Tensor, Tensor]  # boxes (B, N, 4), corners in pixels, and (B, N), 0 for none
PARTS = 10  # of the time: after each but the last the weights are kept, too
GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5, "side": 1.5, "like": 4.0}
BINS = 16
TEACHERS = "yolov8n", "yolo11n"
NECK = 64, 128, 256  # channels of YOLOv8n's three scales


def network(name: str, classes: int, weights: Path, fuse: bool) -> nn.Module:
    """One of Ultralytics' networks with weights of a file that names its tensors."""
    from ultralytics.nn.tasks import DetectionModel

    model = DetectionModel(f"{name}.yaml", nc=classes, verbose=False)
    if fuse:
        model = model.fuse(verbose=False)
    state = model.state_dict()
    with np.load(weights) as read:
        given = {key: torch.from_numpy(read[key].astype(np.float32)) for key in read.files}
    new = {key: given[key].reshape(state[key].shape) for key in state if key in given}
    lacking = [key for key in state if key not in new and "num_batches" not in key]
    if lacking:
        raise SystemExit(f"{weights} lacks {lacking[:3]}")
    model.load_state_dict({**state, **new})
    return model


class Told(NamedTuple):
    """What teachers see at each place of a picture (the same places for all, A of them)."""

    scores: Tensor  # (B, A), of the likeliest class
    bins: Tensor  # (B, A, 4, 16), how far each side of the box is, chances that sum to 1
    features: list[Tensor]  # of the first teacher, a scale each


@torch.no_grad()
def told(teachers: Sequence[nn.Module], pictures: Tensor) -> Told:
    """The mean of what teachers say of each place."""
    scores, bins, features = [], [], []
    for teacher in teachers:
        _, inside = teacher(pictures)
        scores.append(inside["scores"].float().amax(1).sigmoid())
        batch, _, count = inside["boxes"].shape
        spread = inside["boxes"].float().view(batch, 4, BINS, count)
        bins.append(spread.permute(0, 3, 1, 2).softmax(3) * scores[-1][..., None, None])
        features.append(inside["feats"])
    together = torch.stack(scores).sum(0)
    return Told(
        together / len(scores),
        torch.stack(bins).sum(0) / (together[..., None, None] + 1e-9),
        features[0],
    )


class Losses(nn.Module):
    """Those of YOLOv8 (task-aligned assignment), chances as targets; and those of teachers."""

    def __init__(self, stride: Tensor) -> None:
        super().__init__()
        from ultralytics.utils.loss import BboxLoss
        from ultralytics.utils.tal import TaskAlignedAssigner

        self.stride = stride
        self.assign = TaskAlignedAssigner(
            topk=10, num_classes=1, alpha=0.5, beta=6.0, stride=stride.tolist()
        )
        self.of_boxes = BboxLoss(BINS)
        self.adapters = nn.ModuleList(nn.Conv2d(c, c, 1) for c in NECK)
        self.register_buffer("bins", torch.arange(float(BINS)))

    def forward(self, seen: Seen, target: Scored, taught: Told | None, side: int) -> Tensor:
        """(4,): of boxes, of scores, of how sides are spread, of those of the teachers."""
        from ultralytics.utils.tal import dist2bbox, make_anchors

        spread = seen["boxes"].float().permute(0, 2, 1).contiguous()
        logits = seen["scores"].float().permute(0, 2, 1).contiguous()
        points, strides = make_anchors(seen["feats"], self.stride, 0.5)
        points, strides = points.float(), strides.float()
        batch, count, _ = spread.shape
        sides = spread.view(batch, count, 4, BINS)
        where = dist2bbox(sides.softmax(3) @ self.bins, points, xywh=False)
        boxes, parts = target
        mask = (parts > 0).float()[..., None]
        _, aims, goals, chosen, index = self.assign(
            logits.detach().sigmoid(), where.detach() * strides, points * strides,
            torch.zeros_like(mask), boxes * mask, mask,
        )  # fmt: skip
        goals = goals * parts.gather(1, index)[..., None]
        total = goals.sum().clamp(min=1)
        size = torch.tensor([side, side], device=logits.device)
        of_boxes, of_bins = self.of_boxes(
            spread, where, points, aims / strides, goals, total, chosen, size, strides
        )
        of_sides = torch.zeros_like(of_boxes)
        if taught is not None:
            goals = torch.maximum(goals, taught.scores[..., None])
            total = goals.sum().clamp(min=1)
            apart = -(taught.bins * sides.log_softmax(3)).sum(3).mean(2)
            of_sides = (apart * taught.scores).sum() / taught.scores.sum().clamp(min=1)
        of_scores = nn.functional.binary_cross_entropy_with_logits(logits, goals, reduction="sum")
        parts_lost = of_boxes, of_scores / total, of_bins, of_sides
        gains = (GAINS[name] for name in ("box", "cls", "dfl", "side"))
        return torch.stack([lost * gain for lost, gain in zip(parts_lost, gains, strict=True)])

    def likeness(self, mine: list[Tensor], theirs: list[Tensor]) -> Tensor:
        """How far the student's features are from the teacher's, both made even a channel."""
        lost = mine[0].new_zeros((), dtype=torch.float32)
        for adapter, a, b in zip(self.adapters, mine, theirs, strict=True):
            pair = [self.even(adapter(a).float()), self.even(b.float())]
            lost = lost + nn.functional.mse_loss(*pair) / len(NECK)
        return GAINS["like"] * lost / 2

    @staticmethod
    def even(maps: Tensor) -> Tensor:
        mean, spread = maps.mean((0, 2, 3), keepdim=True), maps.std((0, 2, 3), keepdim=True)
        return (maps - mean) / (spread + 1e-5)


@torch.no_grad()
def follow(averaged: nn.Module, model: nn.Module, part: float) -> None:
    """Move a running mean of the weights."""
    for slow, quick in zip(
        averaged.state_dict().values(), model.state_dict().values(), strict=True
    ):
        if slow.is_floating_point():
            slow.lerp_(quick, part)
        else:
            slow.copy_(quick)


class Course:
    """A student, its teachers, and a step."""

    def __init__(self, args: argparse.Namespace, device: torch.device) -> None:
        def placed(model: nn.Module) -> nn.Module:
            return model.to(device, memory_format=torch.channels_last)

        self.teachers = [
            placed(network(name, 80, path, True).eval())
            for name, path in zip(TEACHERS, args.teachers, strict=False)
        ]
        self.student = placed(network("yolov8n", 1, args.start, False).train())
        self.averaged = copy.deepcopy(self.student).eval()
        for model in (*self.teachers, self.averaged):
            model.requires_grad_(False)
        for name, weight in self.student.named_parameters():
            weight.requires_grad_("dfl" not in name)
        for layer in self.student.model[: args.freeze]:
            layer.requires_grad_(False).eval()
        self.losses = placed(Losses(self.student.stride.to(device)))
        self.half = {"device_type": device.type, "dtype": torch.bfloat16}
        weights = [p for p in self.student.parameters() if p.requires_grad]
        even = [p for p in weights if p.ndim < 2]
        self.optimiser = torch.optim.AdamW(
            [{"params": even, "weight_decay": 0.0},
             {"params": [p for p in weights if p.ndim > 1], "weight_decay": args.decay},
             {"params": list(self.losses.parameters()), "weight_decay": 0.0}], lr=args.rate,
        )  # fmt: skip

    def step(self, pictures: Tensor, labels: Scored) -> Tensor:
        """(5,) losses, summed and gone down by."""
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        like = torch.zeros((), device=pictures.device)
        taught = None
        with torch.autocast(**self.half):
            seen = self.student(pictures)
            if self.teachers:
                taught = told(self.teachers, pictures)
                like = self.losses.likeness(seen["feats"], taught.features)
        lost = self.losses(seen, labels, taught, pictures.shape[2])
        lost = torch.cat([lost, like[None]])
        self.optimiser.zero_grad(set_to_none=True)
        lost.sum().backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 10.0)
        self.optimiser.step()
        return lost.detach()


def save(model: nn.Module, output: Path) -> None:
    state = {key: value.half().cpu().numpy() for key, value in model.state_dict().items()}
    np.savez(output, **state)


def main() -> None:
    """Train by the clock."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("start", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--teachers", type=Path, nargs="+", default=(), help="YOLOv8n, YOLO11n")
    parser.add_argument("--sides", type=int, nargs="+", default=[320], help="in turn")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--freeze", type=int, default=0, help="so many first layers stay as is")
    parser.add_argument("--minutes", type=float, default=7.0)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.01)
    parser.add_argument("--ultralytics", type=Path, default=Path("build/ultralytics"))
    args = parser.parse_args()
    if len(args.teachers) > len(TEACHERS):
        parser.error(f"--teachers takes {len(TEACHERS)} at most, in this order: {TEACHERS}")
    started = time.monotonic()
    quiet_ultralytics(args.ultralytics)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = torch.backends.cuda.matmul.allow_tf32 = True
    if args.threads:
        torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bank = Bank(args.pack)
    given = batches(bank, args.batch, args.sides, args.workers)
    course = Course(args, device)
    print(f"{len(bank)} photos after {time.monotonic() - started:.0f} s", flush=True)

    def step(gone: float, steps: int) -> Tensor:
        rate = (
            args.rate * min(1, steps / 100 + 0.01) * (0.5 + 0.5 * math.cos(math.pi * gone) + 0.01)
        )
        for group in course.optimiser.param_groups:
            group["lr"] = rate
        drawn, boxes, chances = (part.to(device, non_blocking=True) for part in next(given))
        lost = course.step(drawn.float() / 255, (boxes, chances))
        follow(course.averaged, course.student, max(0.002, 1 / (steps + 2)))
        return lost

    def keep(part: int) -> None:
        save(course.averaged, args.output.with_stem(f"{args.output.stem}-{part}"))

    steps = by_the_clock(step, keep, minutes=args.minutes, parts=PARTS, every=100)
    save(course.averaged, args.output)
    print(f"{args.output}: {steps} steps of {args.batch}", flush=True)


if __name__ == "__main__":
    main()
