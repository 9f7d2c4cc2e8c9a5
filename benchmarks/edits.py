"""Copies of a photo by families of edits, each with parameters drawn from a seed.

Used by `duplicates_edits.py` (what is grouped and removed) and by `training/agreement/fit.py` (what
the agreement of pictures is fitted to), with other seeds and other photos. `REMOVABLE` are those that
show the same picture: re-encoded, resized, turned by quarter turns, toned as a whole.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Picture = Image.Image
Edit = Callable[[Picture, random.Random, Picture], Picture]
"""Photo, random numbers, another photo to lay it on or over -> the edited copy."""


def jpeg(picture: Picture, quality: int) -> Picture:
    """What is left after a JPEG of that quality."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def cropped(picture: Picture, part: float, x: float, y: float) -> Picture:
    """A part of width and height; x and y in [0, 1] say from where."""
    width, height = picture.size
    w, h = max(16, round(width * part)), max(16, round(height * part))
    left, top = round((width - w) * x), round((height - h) * y)
    return picture.crop((left, top, left + w, top + h))


def _crop(low: float, high: float, at: str, p: Picture, r: random.Random, _: Picture) -> Picture:
    place = (0.5, 0.5) if at == "middle" else (r.choice((0, 1)), r.choice((0, 1)))
    if at == "anywhere":
        place = (r.random(), r.random())
    return cropped(p, r.uniform(low, high), *place)


def _turn(low: float, high: float, how: str, p: Picture, r: random.Random, _: Picture) -> Picture:
    degrees = r.uniform(low, high) * r.choice((-1, 1))
    if how == "clipped":
        return p.rotate(degrees, Image.Resampling.BICUBIC)
    if how == "reflected":
        pixels = np.asarray(p)
        height, width = pixels.shape[:2]
        rim = ((height // 2, height // 2), (width // 2, width // 2), (0, 0))
        wide = Image.fromarray(np.pad(pixels, rim, mode="reflect"))
        turned = wide.rotate(degrees, Image.Resampling.BICUBIC)
        left, top = width // 2, height // 2
        return turned.crop((left, top, left + width, top + height))
    return p.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))


def _aspect(p: Picture, r: random.Random, _: Picture) -> Picture:
    factor = r.uniform(0.65, 0.85)
    size = (round(p.width * factor), p.height) if r.random() < 0.5 else (p.width, round(p.height * factor))
    return p.resize(size, Image.Resampling.LANCZOS)


def _scaled(low: float, high: float, p: Picture, r: random.Random, _: Picture) -> Picture:
    factor = r.uniform(low, high)
    how = r.choice((Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX))
    return p.resize((max(8, round(p.width * factor)), max(8, round(p.height * factor))), how)


def _noise(p: Picture, r: random.Random, _: Picture) -> Picture:
    values = np.asarray(p, np.float32)
    spread = np.random.default_rng(r.randrange(1 << 30)).normal(0, r.uniform(6, 18), values.shape)
    return Image.fromarray(np.clip(values + spread, 0, 255).astype(np.uint8))


def _gamma(p: Picture, r: random.Random, _: Picture) -> Picture:
    power = r.choice((r.uniform(0.55, 0.8), r.uniform(1.25, 1.8)))
    return p.point([round(255 * (k / 255) ** power) for k in range(256)] * 3)


def _bright(p: Picture, r: random.Random, _: Picture) -> Picture:
    return ImageEnhance.Brightness(p).enhance(r.uniform(1.15, 1.4))


def _filter(p: Picture, r: random.Random, _: Picture) -> Picture:
    """Warm or cool, with more contrast and another saturation, as phone apps do it."""
    toned = ImageEnhance.Color(ImageEnhance.Contrast(p).enhance(r.uniform(1.1, 1.4))).enhance(
        r.choice((r.uniform(0.3, 0.7), r.uniform(1.3, 1.7)))
    )
    tint = Image.new("RGB", p.size, r.choice(((255, 180, 90), (90, 150, 255), (200, 120, 200))))
    return Image.blend(toned, tint, r.uniform(0.08, 0.2))


def _frame(p: Picture, r: random.Random, _: Picture) -> Picture:
    width = round(min(p.size) * r.uniform(0.06, 0.2))
    return ImageOps.expand(p, width, r.choice(((255, 255, 255), (0, 0, 0), (120, 90, 60))))


WORDS = ("SUMMER HOLIDAY", "NEVER AGAIN", "LOT 4711", "see you there", "MONDAY", "BEST OF", "no. 23")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(8, size))


def _caption(p: Picture, r: random.Random, _: Picture) -> Picture:
    made = p.copy()
    draw = ImageDraw.Draw(made)
    high = round(p.height * r.uniform(0.1, 0.18))
    top = r.choice((0, p.height - high))
    if r.random() < 0.5:
        draw.rectangle((0, top, p.width, top + high), fill=r.choice(((0, 0, 0), (255, 255, 255))))
        ink = (255, 255, 255) if made.getpixel((1, top + 1)) == (0, 0, 0) else (0, 0, 0)
        draw.text((high // 3, top + high // 5), r.choice(WORDS), ink, _font(high // 2))
        return made
    draw.text(
        (p.width // 2, top + high // 2), r.choice(WORDS), (255, 255, 255), _font(round(high * 0.7)),
        anchor="mm", stroke_width=max(1, high // 16), stroke_fill=(0, 0, 0),
    )  # fmt: skip
    return made


def _sticker(p: Picture, r: random.Random, other: Picture) -> Picture:
    made = p.copy()
    side = round(min(p.size) * r.uniform(0.2, 0.4))
    x, y = r.randrange(p.width - side), r.randrange(p.height - side)
    patch = ImageOps.fit(other, (side, side))
    mask = Image.new("L", (side, side), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), fill=255)
    made.paste(patch, (x, y), mask)
    return made


def _screenshot(p: Picture, r: random.Random, _: Picture) -> Picture:
    """The photo in a viewer: bars, text and buttons around."""
    width = round(p.width * r.uniform(1.1, 1.5))
    bar, foot = round(p.height * 0.12), round(p.height * r.uniform(0.2, 0.6))
    ground = r.choice(((24, 24, 24), (250, 250, 250), (225, 230, 240)))
    made = Image.new("RGB", (width, p.height + bar + foot), ground)
    made.paste(p, ((width - p.width) // 2, bar))
    draw = ImageDraw.Draw(made)
    ink = (230, 230, 230) if sum(ground) < 300 else (40, 40, 40)
    draw.text((8, bar // 4), "12:47   photos", ink, _font(bar // 2))
    for row in range(3):
        top = p.height + bar + foot * (row + 1) // 5
        draw.text((12, top), r.choice(WORDS) + "  " + r.choice(WORDS), ink, _font(foot // 8))
    return made


def _perspective(p: Picture, r: random.Random, _: Picture) -> Picture:
    width, height = p.size
    amount = r.uniform(0.08, 0.18)

    def off() -> tuple[float, float]:
        return r.uniform(0, amount) * width, r.uniform(0, amount) * height

    (a, b), (c, d), (e, f), (g, h) = off(), off(), off(), off()
    corners = [(a, b), (width - c, d), (width - e, height - f), (g, height - h)]
    rows, goal = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (width, 0), (width, height), (0, height)], strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        goal += [u, v]
    coefficients = np.linalg.solve(np.array(rows, float), np.array(goal, float))
    return p.transform(p.size, Image.Transform.PERSPECTIVE, list(coefficients), Image.Resampling.BICUBIC)


def _collage(p: Picture, r: random.Random, other: Picture) -> Picture:
    second = ImageOps.fit(other, p.size)
    pair = [p, second] if r.random() < 0.5 else [second, p]
    gap = r.choice((0, 6))
    if r.random() < 0.5:
        made = Image.new("RGB", (2 * p.width + gap, p.height), (255, 255, 255))
        made.paste(pair[0], (0, 0))
        made.paste(pair[1], (p.width + gap, 0))
        return made
    made = Image.new("RGB", (p.width, 2 * p.height + gap), (255, 255, 255))
    made.paste(pair[0], (0, 0))
    made.paste(pair[1], (0, p.height + gap))
    return made


def _after(*edits: Edit) -> Edit:
    def both(p: Picture, r: random.Random, other: Picture) -> Picture:
        for edit in edits:
            p = edit(p, r, other)
        return p

    return both


def _plain(make: Callable[[Picture], Picture]) -> Edit:
    return lambda p, _r, _other: make(p)


def _quarter(p: Picture, r: random.Random, _: Picture) -> Picture:
    return p.transpose(
        r.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270))
    )


def _recompressed(low: int, high: int, p: Picture, r: random.Random, _: Picture) -> Picture:
    return jpeg(p, r.randint(low, high))


REMOVABLE: dict[str, Edit] = {
    "jpeg 15": partial(_recompressed, 12, 18),
    "quarter size": partial(_scaled, 0.22, 0.3),
    "half size, jpeg 60": _after(partial(_scaled, 0.4, 0.7), partial(_recompressed, 50, 70)),
    "blur": lambda p, r, _: p.filter(ImageFilter.GaussianBlur(r.uniform(0.8, 2.2))),
    "noise": _noise,
    "gray": _plain(lambda p: ImageOps.grayscale(p).convert("RGB")),
    "gamma": _gamma,
    "brightened": _bright,
    "quarter turn": _quarter,
    "enlarged": partial(_scaled, 1.3, 1.8),
}
OTHERS: dict[str, Edit] = {
    "crop 70 %": partial(_crop, 0.65, 0.75, "anywhere"),
    "crop 50 %": partial(_crop, 0.45, 0.55, "anywhere"),
    "crop 35 %": partial(_crop, 0.33, 0.38, "middle"),
    "corner crop": partial(_crop, 0.5, 0.7, "corner"),
    "turn, clipped": partial(_turn, 5, 30, "clipped"),
    "turn, reflected": partial(_turn, 5, 30, "reflected"),
    "turn on white": partial(_turn, 20, 45, "expand"),
    "mirrored": _plain(ImageOps.mirror),
    "mirrored crop": _after(_plain(ImageOps.mirror), partial(_crop, 0.6, 0.8, "anywhere")),
    "aspect": _aspect,
    "filter": _filter,
    "frame": _frame,
    "caption": _caption,
    "sticker": _sticker,
    "screenshot": _screenshot,
    "perspective": _perspective,
    "collage": _collage,
    "crop, turn, jpeg 40": _after(
        partial(_crop, 0.65, 0.8, "anywhere"), partial(_turn, 5, 20, "clipped"), partial(_recompressed, 35, 45)
    ),
}
EDITS: dict[str, Edit] = {**REMOVABLE, **OTHERS}
