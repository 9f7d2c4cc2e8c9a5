"""Pictures made by rule, and edits whose truth is known."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from PIL import Image as PillowImage

from objsearch.types import Image, ImageRef, Pixels


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def flat(height: int, width: int, value: int = 128) -> Pixels:
    return np.full((height, width, 3), value, np.uint8)


def drawing(height: int, width: int, seed: int = 0) -> Pixels:
    """Many overlapping rectangles and discs: corners all over, nothing repeated."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 200, np.uint8)
    for number in range(60):
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = int(rng.integers(4, max(5, width // 4))), int(rng.integers(4, max(5, height // 4)))
        if number % 3:
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
        else:
            cv2.circle(picture, (x, y), w // 2 + 2, colour, -1)
    return picture


def board(seed: int) -> Pixels:
    """A chess board with letters for pieces: all boards share most of their detail's places."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:640, 0:640] // 80
    picture = np.where(((rows + columns) % 2)[..., None], (181, 136, 99), (240, 217, 181))
    picture = picture.astype(np.uint8)
    for place in rng.choice(64, 30, replace=False):
        at = (int(place % 8 * 80 + 18), int(place // 8 * 80 + 62))
        piece = "KQRBNPkqrbnp"[rng.integers(12)]
        cv2.putText(picture, piece, at, cv2.FONT_HERSHEY_COMPLEX, 2.0, (0, 0, 0), 2, cv2.LINE_AA)
    return picture


def grainy(height: int, width: int, seed: int = 0) -> Pixels:
    """A drawing with the grain and shade of a photo: smaller copies lack some of it."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 60, (height, width, 3)).astype(np.float32)
    made = drawing(height, width, seed).astype(np.float32) * 0.6 + 60
    made += cv2.GaussianBlur(noise, (0, 0), 6) * 4 + cv2.GaussianBlur(noise, (0, 0), 0.8) * 0.3
    return np.clip(cv2.GaussianBlur(made, (0, 0), 0.6), 0, 255).astype(np.uint8)


def image(pixels: Pixels, uri: str = "made.png") -> Image:
    return Image(ImageRef(uri), pixels)


def brightened(pixels: Pixels) -> Pixels:
    return np.clip(pixels * 1.25 + 15.0, 0, 255).astype(np.uint8)


def cropped(pixels: Pixels, part: float = 0.7) -> Pixels:
    """The middle, `part` of the width and of the height."""
    height, width = pixels.shape[:2]
    dx, dy = round(width * (1 - part) / 2), round(height * (1 - part) / 2)
    return np.ascontiguousarray(pixels[dy : height - dy, dx : width - dx])


def rotated(pixels: Pixels, degrees: float = 12.0) -> Pixels:
    turned = PillowImage.fromarray(pixels).rotate(
        degrees, PillowImage.Resampling.BICUBIC, expand=True, fillcolor=(127, 127, 127)
    )
    return np.asarray(turned, np.uint8)


def warped(pixels: Pixels, transform: np.ndarray, size_wh: tuple[int, int]) -> Pixels:
    return np.asarray(
        cv2.warpPerspective(
            pixels, transform, size_wh, flags=cv2.INTER_CUBIC, borderValue=(127, 127, 127)
        ),
        np.uint8,
    )


def encoded(pixels: Pixels, kind: str, **options: Any) -> bytes:
    """A file's bytes in one of Pillow's formats."""
    stream = io.BytesIO()
    PillowImage.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    """What is left after a JPEG of that quality."""
    stream = io.BytesIO(encoded(pixels, "JPEG", quality=quality))
    return np.asarray(PillowImage.open(stream).convert("RGB"))


def page(seed: int) -> Pixels:
    """A page of letters, other ones for each seed: (H, W, 3)."""
    rng = np.random.default_rng(seed)
    sheet = np.full((640, 480, 3), 250, np.uint8)
    for top in range(50, 610, 22):
        letters = "".join(rng.choice(list("abcdefghiklmnoprstuvw    "), 40))
        cv2.putText(sheet, letters, (30, top), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1)
    return sheet
