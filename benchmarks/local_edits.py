"""Changes of a picture in one place, with a mask of where: what a copy must not have.

A letter more, another face, an erased sign, another colour, a thing moved by a few pixels. Used to fit
what tells places that differ (`fit.py`) and to report on others (`benchmarks/near_strangers.py`).
"""

from __future__ import annotations

import random
import string

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

Picture = Image.Image

VISIBLE = 14
"""Gray levels, softened, from which a change counts."""


def differing(one: Picture, other: Picture) -> NDArray[np.uint8]:
    """(H, W) 1 where two pictures of one size visibly differ."""
    gap = np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).max(axis=2)
    return (cv2.GaussianBlur(gap, (0, 0), 1.5) > VISIBLE).astype(np.uint8)


def _place(p: Picture, r: random.Random, low: float, high: float) -> tuple[int, int, int, int]:
    side = min(p.size)
    w, h = (max(4, round(side * r.uniform(low, high))) for _ in range(2))
    x, y = r.randrange(max(1, p.width - w)), r.randrange(max(1, p.height - h))
    return x, y, w, h


def patched(p: Picture, r: random.Random, other: Picture) -> Picture:
    """Something from another photo."""
    x, y, w, h = _place(p, r, 0.03, 0.3)
    made = p.copy()
    mask = Image.new("L", (w, h), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, w - 1, h - 1), fill=255)
    piece = ImageOps.fit(other, (w, h)) if r.random() < 0.5 else other.crop((x, y, x + w, y + h))
    made.paste(piece, (x, y), mask if r.random() < 0.7 else None)
    return made


def words(r: random.Random, low: int = 1, high: int = 12) -> str:
    letters = string.ascii_letters + string.digits * 2
    return "".join(r.choice(letters) for _ in range(r.randint(low, high)))


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(7, round(size)))


def written(p: Picture, r: random.Random, _: Picture) -> Picture:
    """Letters in the ink of a pen or a press."""
    made = p.copy()
    size = min(p.size) * r.uniform(0.025, 0.1)
    x, y = r.randrange(round(p.width * 0.8)), r.randrange(round(p.height * 0.9))
    ink = r.choice(((0, 0, 0), (20, 30, 120), (255, 255, 255), (200, 30, 20)))
    ImageDraw.Draw(made).text((x, y), words(r), ink, font(size))
    return made


def erased(p: Picture, r: random.Random, _: Picture) -> Picture:
    """What stood there is gone: painted over from its surroundings."""
    x, y, w, h = _place(p, r, 0.04, 0.2)
    mask = np.zeros((p.height, p.width), np.uint8)
    mask[y : y + h, x : x + w] = 255
    return Image.fromarray(cv2.inpaint(np.asarray(p), mask, 3, cv2.INPAINT_TELEA))


def recoloured(p: Picture, r: random.Random, _: Picture) -> Picture:
    """Another hue in one place, the light as it was."""
    x, y, w, h = _place(p, r, 0.1, 0.5)
    values = np.asarray(p).copy()
    lab = cv2.cvtColor(values[y : y + h, x : x + w], cv2.COLOR_RGB2LAB).astype(np.float32)
    angle = np.deg2rad(r.uniform(60, 300))
    a, b = lab[..., 1] - 128, lab[..., 2] - 128
    lab[..., 1] = 128 + a * np.cos(angle) - b * np.sin(angle)
    lab[..., 2] = 128 + a * np.sin(angle) + b * np.cos(angle)
    values[y : y + h, x : x + w] = cv2.cvtColor(np.clip(lab, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
    return Image.fromarray(values)


def moved(p: Picture, r: random.Random, _: Picture) -> Picture:
    """A part of it lies a few pixels beside where it was: depth, or a thing that moved."""
    x, y, w, h = _place(p, r, 0.15, 0.6)
    dx, dy = (r.choice((-1, 1)) * r.randint(2, 10) for _ in range(2))
    made = p.copy()
    made.paste(p.crop((x, y, x + w, y + h)), (x + dx, y + dy))
    return made


LOCAL = (patched, written, erased, recoloured, moved)


def page(r: random.Random, texts: int | None = None) -> Picture:
    """A drawn form or page: lines, boxes, words; `texts` seeds what is written, not where."""
    width, height = r.choice(((595, 842), (700, 520), (560, 560), (827, 1169)))
    ground = r.choice(((255, 255, 255), (250, 248, 240), (235, 240, 250)))
    made = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(made)
    inside = random.Random(texts) if texts is not None else r
    size = r.choice((11, 13, 16, 22))
    draw.text((30, 20), words(r, 6, 14), (0, 0, 0), font(size * 1.6))
    left = r.choice((30, 160))
    for row in range(r.randint(4, max(5, (height - 120) // (2 * size)))):
        top = 30 + size * 3 + row * size * 2
        if top > height - size * 2:
            break
        draw.text((30, top), words(r, 3, 9), (40, 40, 40), font(size * 0.7))
        if r.random() < 0.7:
            draw.rectangle((left + 100, top - 2, width - 30, top + size + 5), outline=(90, 90, 90))
        draw.text((left + 106, top), words(inside, 3, 18), (0, 0, 0), font(size))
    return made
