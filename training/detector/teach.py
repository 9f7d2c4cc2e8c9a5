"""Train the detector of things by what two teachers say of pictures drawn for every step anew.

    python training/detector/teach.py PACK.json START.npz OUTPUT.npz --teachers V8.npz V11.npz

PACK is what `training/pack.py` writes. The teachers are COCO-trained Ultralytics networks, YOLOv8n
and YOLO11n (`read_teacher.py`); classes are forgotten. START holds the weights of a one-class
YOLOv8n. Photos are cut, scaled, mixed four in one and coloured on the GPU; the teachers look at
the very picture that the student sees, at a higher resolution ("A good teacher is patient and
consistent", Beyer et al., CVPR 2022), so that few photos give as many examples as wanted. What
people labelled stays, and what the network at the start is sure of and no teacher sees counts in
part: things that COCO has no name for are not to be forgotten. Its features are held to those of
the first teacher as well (PKD, Cao et al., NeurIPS 2022).

Without teachers, on a CPU, the boxes and chances of the pack are what the student is to see
(`label_pack.py`).
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from draw_labels import (
    CHANCE_A_SCORE,
    FIRST_ALONE,
    LEAST_CHANCE,
    MOST_IOU,
    SAME_IOU,
    SECOND_ALONE,
    WEAKEST,
)
from drawn_pictures import Bank, batches
from export import quiet_ultralytics
from label_pack import OLD_LEAST, OLD_PART, SAME_AS_OLD
from pseudo_label import AGREE_IOU
from torch import Tensor, nn
from torchvision.ops import batched_nms

Scored = tuple[Tensor, Tensor]  # boxes (B, N, 4), corners in pixels, and (B, N), 0 for none
CANVAS = 512
PARTS = 10  # of the time: after each but the last the weights are kept, too
SMALLEST = 8  # pixels of the canvas, the shorter side of a box
GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5, "like": 4.0}
NECK = 64, 128, 256  # channels of YOLOv8n's three scales


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union, (B, N, M)."""
    low = torch.maximum(first[:, :, None, :2], second[:, None, :, :2])
    high = torch.minimum(first[:, :, None, 2:], second[:, None, :, 2:])
    shared = (high - low).clamp(min=0).prod(3)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(2) for boxes in (first, second)]
    return shared / (areas[0][:, :, None] + areas[1][:, None] - shared + 1e-6)


def suppressed(found: Scored, most_iou: float, floor: float, most: int) -> Scored:
    """Greedy non-maximum suppression of each picture; (B, most, 4) and (B, most)."""
    boxes, scores = found
    batch, count = scores.shape
    strong = (scores > floor).flatten()
    owner = torch.arange(batch, device=scores.device).repeat_interleave(count)[strong]
    flat, score = boxes.reshape(-1, 4)[strong], scores.flatten()[strong]
    kept = batched_nms(flat, score, owner, most_iou)  # strongest first
    kept = kept[owner[kept].argsort(stable=True)]
    owner, flat, score = owner[kept], flat[kept], score[kept]
    begins = torch.searchsorted(owner, torch.arange(batch, device=owner.device))
    place = torch.arange(len(owner), device=owner.device) - begins[owner]
    fits = place < most
    out, values = boxes.new_zeros(batch, most, 4), scores.new_zeros(batch, most)
    out[owner[fits], place[fits]] = flat[fits]
    values[owner[fits], place[fits]] = score[fits]
    return out, values


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


def seen_by(model: nn.Module, pictures: Tensor, most: int) -> tuple[Scored, list[Tensor]]:
    """What a network in evaluation sees: boxes (B, most, 4) in pixels, scores, and features."""
    rows, inside = model(pictures)
    rows = rows.float()
    scores, order = rows[:, 4:].amax(1).topk(min(300, rows.shape[2]), 1)
    middle = rows[:, :4].gather(2, order[:, None].expand(-1, 4, -1)).transpose(1, 2)
    corners = torch.cat([middle[..., :2] - middle[..., 2:] / 2,
                         middle[..., :2] + middle[..., 2:] / 2], 2)  # fmt: skip
    return suppressed((corners, scores), AGREE_IOU, WEAKEST, most), inside["feats"]


def fused(first: Scored, second: Scored) -> Scored:
    """Where both see a thing, the mean of where and of how sure; else a part of the one's score."""
    table = overlaps(first[0], second[0])
    best, which = table.max(2)
    met = (best >= SAME_IOU) & (first[1] > 0)
    other = second[0].gather(1, which[..., None].expand(-1, -1, 4))
    other_score = second[1].gather(1, which)
    both = first[1] + other_score
    mean = first[0] * first[1][..., None] + other * other_score[..., None]
    mean = mean / both.clamp(min=1e-6)[..., None]
    boxes = torch.where(met[..., None], mean, first[0])
    scores = torch.where(met, both / 2, FIRST_ALONE * first[1])
    alone = second[1] * (table.max(1)[0] < SAME_IOU) * SECOND_ALONE
    joined = torch.cat([boxes, second[0]], 1), torch.cat([scores, alone], 1)
    return suppressed(joined, MOST_IOU, WEAKEST, 50)


def chances(scores: Tensor) -> Tensor:
    """Those of `draw_labels.py`, and none where there is no box."""
    return torch.where(scores > 0, (LEAST_CHANCE + CHANCE_A_SCORE * scores).clamp(max=1), 0)


def told(taught: Scored, old: Scored, labels: Scored) -> Scored:
    """What the student is to see: labels first, then the teachers, then what it saw before."""
    boxes, parts = labels[0], labels[1]
    added = [
        (taught[0], chances(taught[1]), SAME_IOU),
        (old[0], torch.where(old[1] >= OLD_LEAST, OLD_PART * chances(old[1]), 0), SAME_AS_OLD),
    ]
    for more, chance, apart in added:
        met = (overlaps(more, boxes) * (parts > 0)[:, None]).amax(2) >= apart
        boxes, parts = torch.cat([boxes, more], 1), torch.cat([parts, chance * ~met], 1)
    sides = (boxes[..., 2:] - boxes[..., :2]).amin(2)
    parts, order = (parts * (sides >= SMALLEST)).topk(60, 1)
    return boxes.gather(1, order[..., None].expand(-1, -1, 4)), parts


class Losses(nn.Module):
    """Those of YOLOv8 (task-aligned assignment) with chances as targets, and of like features."""

    def __init__(self, stride: Tensor) -> None:
        super().__init__()
        from ultralytics.utils.loss import BboxLoss
        from ultralytics.utils.tal import TaskAlignedAssigner

        self.stride = stride
        self.assign = TaskAlignedAssigner(
            topk=10, num_classes=1, alpha=0.5, beta=6.0, stride=stride.tolist()
        )
        self.of_boxes = BboxLoss(16)
        self.adapters = nn.ModuleList(nn.Conv2d(c, c, 1) for c in NECK)
        self.register_buffer("bins", torch.arange(16.0))

    def forward(self, seen: dict[str, Tensor], target: Scored, side: int) -> Tensor:
        """(3,): of boxes, of scores, of distributions."""
        from ultralytics.utils.tal import dist2bbox, make_anchors

        spread = seen["boxes"].float().permute(0, 2, 1).contiguous()
        logits = seen["scores"].float().permute(0, 2, 1).contiguous()
        points, strides = make_anchors(seen["feats"], self.stride, 0.5)
        points, strides = points.float(), strides.float()
        batch, count, _ = spread.shape
        where = spread.view(batch, count, 4, 16).softmax(3) @ self.bins
        where = dist2bbox(where, points, xywh=False)
        boxes, parts = target
        mask = (parts > 0).float()[..., None]
        _, aims, goals, chosen, index = self.assign(
            logits.detach().sigmoid(), where.detach() * strides, points * strides,
            torch.zeros_like(mask), boxes * mask, mask,
        )  # fmt: skip
        goals = goals * parts.gather(1, index)[..., None]
        total = goals.sum().clamp(min=1)
        of_scores = nn.functional.binary_cross_entropy_with_logits(logits, goals, reduction="sum")
        size = torch.tensor([side, side], device=logits.device)
        of_boxes, of_bins = self.of_boxes(
            spread, where, points, aims / strides, goals, total, chosen, size, strides
        )
        gains = GAINS["box"], GAINS["cls"], GAINS["dfl"]
        return torch.stack([of_boxes * gains[0], of_scores / total * gains[1], of_bins * gains[2]])

    def likeness(self, mine: list[Tensor], theirs: list[Tensor]) -> Tensor:
        """How far the student's features are from the teacher's, both made even a channel."""
        lost = mine[0].new_zeros((), dtype=torch.float32)
        for adapter, a, b in zip(self.adapters, mine, theirs, strict=True):
            small = nn.functional.interpolate(b.float(), a.shape[2:], mode="area")
            pair = [self.even(adapter(a).float()), self.even(small)]
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
            for name, path in zip(("yolov8n", "yolo11n"), args.teachers, strict=False)
        ]
        self.student = placed(network("yolov8n", 1, args.start, False).train())
        self.old, self.averaged = (copy.deepcopy(self.student).eval() for _ in range(2))
        for model in (*self.teachers, self.old, self.averaged):
            model.requires_grad_(False)
        for name, weight in self.student.named_parameters():
            weight.requires_grad_("dfl" not in name)
        for layer in self.student.model[: args.freeze]:
            layer.requires_grad_(False).eval()
        self.losses = placed(Losses(self.student.stride.to(device)))
        self.half = {"device_type": device.type, "dtype": torch.bfloat16}
        # Eleven bits for the teachers: with eight their boxes lie on a grid of two pixels.
        finer = torch.float16 if device.type == "cuda" else torch.bfloat16
        self.finer = {"device_type": device.type, "dtype": finer}
        weights = [p for p in self.student.parameters() if p.requires_grad]
        even = [p for p in weights if p.ndim < 2]
        self.optimiser = torch.optim.AdamW(
            [{"params": even, "weight_decay": 0.0},
             {"params": [p for p in weights if p.ndim > 1], "weight_decay": args.decay},
             {"params": list(self.losses.parameters()), "weight_decay": 0.0}], lr=args.rate,
        )  # fmt: skip

    def step(self, pictures: Tensor, labels: Scored, side: int) -> Tensor:
        """(4,) losses, summed and gone down by."""
        small, scale = pictures, side / pictures.shape[2]
        if scale != 1:
            small = nn.functional.interpolate(
                pictures, (side, side), mode="bilinear", antialias=True, align_corners=False
            )
        small = small.contiguous(memory_format=torch.channels_last)
        target, features = self.taught(pictures, small, labels)
        with torch.autocast(**self.half):
            seen = self.student(small)
            like = self.losses.likeness(seen["feats"], features) if features else torch.zeros(())
        lost = self.losses(seen, (target[0] * scale, target[1]), side)
        lost = torch.cat([lost, like[None].to(lost.device)])
        self.optimiser.zero_grad(set_to_none=True)
        lost.sum().backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 10.0)
        self.optimiser.step()
        return lost.detach()

    @torch.no_grad()
    def taught(
        self, pictures: Tensor, small: Tensor, labels: Scored
    ) -> tuple[Scored, list[Tensor]]:
        """What is to be seen in pictures, and the first teacher's features."""
        if not self.teachers:
            return labels, []
        with torch.autocast(**self.finer):
            (first, features), (second, _) = (seen_by(t, pictures, 40) for t in self.teachers)
            old, _ = seen_by(self.old, small, 30)
        scale = small.shape[2] / pictures.shape[2]
        return told(fused(first, second), (old[0] / scale, old[1]), labels), features


def save(model: nn.Module, output: Path) -> None:
    state = {key: value.half().cpu().numpy() for key, value in model.state_dict().items()}
    np.savez(output, **state)


def main() -> None:
    """Train by the clock."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("start", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--teachers", type=Path, nargs=2, default=(), help="YOLOv8n, YOLO11n")
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
    started = time.monotonic()
    quiet_ultralytics(args.ultralytics)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = torch.backends.cuda.matmul.allow_tf32 = True
    if args.threads:
        torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bank = Bank(args.pack)
    drawn_sides = [CANVAS] if args.teachers else args.sides
    given = batches(bank, args.batch, drawn_sides, args.workers)
    course = Course(args, device)
    print(f"{len(bank)} photos after {time.monotonic() - started:.0f} s", flush=True)
    begun, steps, seen, kept = time.monotonic(), 0, torch.zeros(4, device=device), 0
    whole = args.minutes * 60
    while (gone := (time.monotonic() - begun) / whole) < 1:
        rate = (
            args.rate * min(1, steps / 100 + 0.01) * (0.5 + 0.5 * math.cos(math.pi * gone) + 0.01)
        )
        for group in course.optimiser.param_groups:
            group["lr"] = rate
        side = args.sides[steps % len(args.sides)]
        drawn, boxes, chances = (part.to(device, non_blocking=True) for part in next(given))
        seen += course.step(drawn.float() / 255, (boxes, chances), side)
        steps += 1
        follow(course.averaged, course.student, max(0.002, 1 / (steps + 1)))
        if steps % 100 == 0:
            shown = " ".join(f"{value:.3f}" for value in (seen / 100).tolist())
            print(f"{steps} {time.monotonic() - begun:.0f} s: {shown}", flush=True)
            seen.zero_()
        if gone > (kept + 1) / PARTS:
            kept += 1
            save(course.averaged, args.output.with_stem(f"{args.output.stem}-{kept}"))
    save(course.averaged, args.output)
    print(f"{args.output}: {steps} steps of {args.batch}", flush=True)


if __name__ == "__main__":
    main()
