"""Pictures to train a detector on, drawn from labelled photos: cut, scaled, mixed, coloured.

Boxes are (N, 4), corners in pixels, each with the chance that a thing is there; a chance of 0 fills
up. Batches are drawn by worker processes, without end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

GRAY = 114
MOST_BOXES = 60
LEAST_LEFT = 0.4  # of a box, where a picture's edge cuts it
LEAST_SIDE = 5  # pixels, of a box
MIXED = 0.45  # share of pictures that show four photos
Picture = NDArray[np.uint8]
Boxes = NDArray[np.float32]
Slot = tuple[int, int, int, int]


class Bank:
    """Photos of a pack (`training/pack.py`), their boxes, chances and how often they are drawn."""

    def __init__(self, listed: Path) -> None:
        entries: list[dict[str, Any]] = json.loads(listed.read_text())
        with ThreadPoolExecutor() as pool:
            self.photos = list(
                pool.map(lambda e: cv2.imread(str(listed.parent / e["file"])), entries)
            )
        weights = np.cumsum([entry["weight"] for entry in entries])
        self.ends = weights / weights[-1]
        self.boxes = [np.array(e["boxes"], np.float32).reshape(-1, 4) for e in entries]
        self.chances = [
            np.array(e.get("chances", np.ones(len(e["boxes"]))), np.float32) for e in entries
        ]

    def __len__(self) -> int:
        return len(self.photos)


def laid(
    bank: Bank, random: np.random.Generator, canvas: Picture, slot: Slot, zoom: float
) -> tuple[Boxes, NDArray[np.float32]]:
    """Lay a photo into a part of the canvas, `zoom` times as large as fits; its boxes there."""
    k = int(np.searchsorted(bank.ends, random.random()))
    photo = bank.photos[k]
    high, wide = photo.shape[:2]
    room = np.array([slot[2] - slot[0], slot[3] - slot[1]])
    stretch = np.exp(random.uniform(-0.1, 0.1))
    scale = min(room / (wide, high)) * zoom
    size = np.maximum(np.rint([wide * scale * stretch, high * scale / stretch]), 2).astype(int)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    photo = cv2.resize(photo, tuple(size.tolist()), interpolation=way)
    boxes = bank.boxes[k] * np.tile(size, 2).astype(np.float32)
    if random.random() < 0.5:
        photo = photo[:, ::-1]
        boxes[:, [0, 2]] = size[0] - boxes[:, [2, 0]]
    # A smaller photo lies anywhere in the slot, a larger one is cut anywhere.
    spare = room - size
    left, top = (np.sign(spare) * random.integers(0, abs(spare) + 1)).tolist()
    x, y = max(left, 0), max(top, 0)
    part = photo[max(-top, 0) :, max(-left, 0) :][: room[1] - y, : room[0] - x]
    canvas[slot[1] + y :, slot[0] + x :][: part.shape[0], : part.shape[1]] = part
    whole = boxes + np.tile([slot[0] + left, slot[1] + top], 2).astype(np.float32)
    cut = np.clip(whole, np.tile(slot[:2], 2), np.tile(slot[2:], 2)).astype(np.float32)
    sides = cut[:, 2:] - cut[:, :2]
    area = (whole[:, 2:] - whole[:, :2]).prod(1)
    is_seen = (sides.prod(1) > LEAST_LEFT * area) & (
        sides.min(1, initial=side_of(canvas)) >= LEAST_SIDE
    )
    return cut[is_seen], bank.chances[k][is_seen]


def side_of(canvas: Picture) -> int:
    return canvas.shape[0]


def coloured(random: np.random.Generator, picture: Picture) -> Picture:
    """Other light, other colours, some blur and noise."""
    gray = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    strength = 0.0 if random.random() < 0.08 else random.uniform(0.5, 1.5)
    picture = cv2.addWeighted(picture, strength, gray, 1 - strength, 0)
    gain = random.uniform(0.65, 1.35) * random.uniform(0.93, 1.07, 3)
    levels = np.arange(256)[:, None] / 255 * gain + random.uniform(-0.08, 0.08)
    curves = levels.clip(0, 1) ** np.exp(random.uniform(-0.35, 0.35))
    picture = cv2.LUT(picture, (curves * 255).round().astype(np.uint8)[None])
    if random.random() < 0.25:
        picture = cv2.blur(picture, (3, 3))
    if random.random() < 0.3:
        noise = np.zeros(picture.shape, np.int16)
        cv2.randn(noise, 0, random.uniform(0, 8))
        picture = (picture + noise).clip(0, 255).astype(np.uint8)
    return picture


def slots_of(random: np.random.Generator, side: int) -> list[tuple[Slot, float]]:
    """Where photos go, and how large: one or four."""
    if random.random() < MIXED:
        x, y = (random.uniform(0.3, 0.7, 2) * side).astype(int).tolist()
        parts = [(0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side)]
        return [(part, float(np.exp(random.uniform(-0.1, 1.0)))) for part in parts]
    # Half as they are when searched; the others nearer, or a little farther.
    zoom = 1.0 if random.random() < 0.5 else float(np.exp(random.uniform(-0.4, 0.8)))
    return [((0, 0, side, side), zoom)]


def drawn(
    bank: Bank, random: np.random.Generator, side: int
) -> tuple[Picture, Boxes, NDArray[np.float32]]:
    """A picture (side, side, 3), BGR, with MOST_BOXES boxes and chances."""
    canvas = np.full((side, side, 3), GRAY, np.uint8)
    told = [laid(bank, random, canvas, slot, zoom) for slot, zoom in slots_of(random, side)]
    boxes, chances = (np.concatenate(rows) for rows in zip(*told, strict=True))
    first = np.argsort(-chances)[:MOST_BOXES]
    gap = MOST_BOXES - len(first)
    is_gray = (canvas == GRAY).all(2, keepdims=True)  # margins are no light of a photo
    canvas = np.where(is_gray, canvas, coloured(random, canvas))
    return canvas, np.pad(boxes[first], ((0, gap), (0, 0))), np.pad(chances[first], (0, gap))


class Batches(IterableDataset):  # type: ignore[type-arg]
    """Batches without end: (B, 3, side, side) uint8 RGB, (B, N, 4) and (B, N), sides in turn."""

    def __init__(self, bank: Bank, count: int, sides: Sequence[int]) -> None:
        self.bank, self.count, self.sides = bank, count, sides

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        worker = get_worker_info()
        random = np.random.default_rng(worker.id if worker else 0)
        cv2.setNumThreads(1)
        while True:
            for side in self.sides:
                rows = [drawn(self.bank, random, side) for _ in range(self.count)]
                pictures, boxes, chances = (np.stack(column) for column in zip(*rows, strict=True))
                flat = np.ascontiguousarray(pictures[..., ::-1].transpose(0, 3, 1, 2))
                yield torch.from_numpy(flat), torch.from_numpy(boxes), torch.from_numpy(chances)


def batches(bank: Bank, count: int, sides: Sequence[int], workers: int) -> Iterator[Any]:
    """Batches from worker processes."""
    given = Batches(bank, count, sides)
    return iter(DataLoader(given, batch_size=None, num_workers=workers, prefetch_factor=4))
