"""Things that nobody scanned: a few solids stuck together, painted in a few colours.

With stripes, spots, letters or a piece of a photo on some; for `render_turned.py`.
"""

from __future__ import annotations

import colorsys
import random
import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Colour = tuple[float, ...]
Part = tuple[trimesh.Trimesh, NDArray[np.float32] | None, Image.Image | None, Colour]
"""A mesh, places on its print, the print, and a colour in 0 to 1; () where the mesh has it."""

PRINT = 256  # pixels a side


def palette(rng: random.Random) -> list[Colour]:
    """One to four colours, grays among them."""
    colours: list[Colour] = []
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.25:
            colours.append((rng.choice([0.05, 0.12, 0.5, 0.8, 0.95]),) * 3)
        else:
            hue, strength, light = rng.random(), rng.uniform(0.3, 1), rng.uniform(0.25, 1)
            colours.append(colorsys.hsv_to_rgb(hue, strength, light))
    return colours


class Print:
    """What is printed on a solid."""

    def __init__(self, rng: random.Random, colours: list[Colour]) -> None:
        self.rng, self.colours = rng, colours
        self.picture = Image.new("RGB", (PRINT, PRINT), self.ink())
        self.draw = ImageDraw.Draw(self.picture)

    def ink(self) -> tuple[int, ...]:
        return tuple(round(255 * level) for level in self.rng.choice(self.colours))

    def corner(self) -> tuple[int, int]:
        return self.rng.randint(0, PRINT), self.rng.randint(0, PRINT)

    def stripes(self) -> None:
        step, is_upright = self.rng.randint(8, 60), self.rng.random() < 0.5
        for k in range(0, PRINT, 2 * step):
            box = (k, 0, k + step, PRINT) if is_upright else (0, k, PRINT, k + step)
            self.draw.rectangle(box, fill=self.ink())

    def spots(self) -> None:
        for _ in range(self.rng.randint(5, 40)):
            self.draw.circle(self.corner(), self.rng.randint(4, 30), fill=self.ink())

    def blocks(self) -> None:
        for _ in range(self.rng.randint(2, 8)):
            x, y = self.corner()
            far = (x + self.rng.randint(10, 150), y + self.rng.randint(10, 150))
            self.draw.rectangle((x, y, *far), fill=self.ink())
        self.letters()

    def letters(self) -> None:
        for _ in range(self.rng.randint(1, 4)):
            word = "".join(self.rng.choices(string.ascii_uppercase, k=self.rng.randint(2, 7)))
            place = (self.rng.randint(0, PRINT // 2), self.rng.randint(0, PRINT - 60))
            self.draw.text(place, word, fill=self.ink(), font_size=self.rng.randint(24, 90))

    def photo(self, path: Path) -> None:
        """A piece of a photo, on half of the prints with an edge around it."""
        photo = Image.open(path).convert("RGB")
        part = self.rng.uniform(0.4, 1)
        wide, high = photo.width * part, photo.height * part
        x, y = self.rng.uniform(0, photo.width - wide), self.rng.uniform(0, photo.height - high)
        edge = self.rng.choice([0, self.rng.randint(2, 50)])
        inside = PRINT - 2 * edge
        piece = photo.resize((inside, inside), box=(x, y, x + wide, y + high))
        self.picture.paste(piece, (edge, edge))


def print_of(rng: random.Random, colours: list[Colour], photos: list[Path]) -> Image.Image:
    """Stripes, spots, letters, blocks, or, where there are photos, as often a piece of one."""
    made = Print(rng, colours)
    kind = rng.choice(["stripes", "spots", "letters", "blocks", *["photo"] * (2 if photos else 0)])
    if kind == "photo":
        made.photo(rng.choice(photos))
    else:
        getattr(made, kind)()
    return made.picture


def lathe(rng: random.Random) -> trimesh.Trimesh:
    """A bottle, a cup, a vase: a line turned around."""
    heights = np.sort([0, *(rng.uniform(0, 1) for _ in range(rng.randint(1, 5))), 1])
    line = np.array([[rng.uniform(0.12, 0.5), h * rng.uniform(0.8, 2.2)] for h in heights])
    line[:, 1].sort()
    line = np.vstack([[0.001, line[0, 1]], line, [0.001, line[-1, 1]]])
    return trimesh.creation.revolve(line, sections=40)


def ball(rng: random.Random) -> trimesh.Trimesh:
    made = trimesh.creation.icosphere(subdivisions=3)
    made.apply_scale([rng.uniform(0.2, 0.7) for _ in range(3)])
    return made


SOLIDS: tuple[tuple[int, Callable[[random.Random], trimesh.Trimesh]], ...] = (
    (2, lambda rng: trimesh.creation.box([rng.uniform(0.2, 1.4) for _ in range(3)])),
    (2, lathe),
    (1, ball),
    (1, lambda rng: trimesh.creation.cylinder(rng.uniform(0.1, 0.6), rng.uniform(0.2, 1.5))),
    (1, lambda rng: trimesh.creation.torus(rng.uniform(0.25, 0.6), rng.uniform(0.04, 0.2))),
    (1, lambda rng: trimesh.creation.cone(rng.uniform(0.2, 0.6), rng.uniform(0.3, 1.3))),
    (1, lambda rng: trimesh.creation.capsule(rng.uniform(0.3, 1.2), rng.uniform(0.1, 0.4))),
)
"""How often, and how it is made."""


def solid(rng: random.Random) -> trimesh.Trimesh:
    weights, makers = zip(*SOLIDS, strict=True)
    return rng.choices(makers, weights)[0](rng)


def around(mesh: trimesh.Trimesh, repeats: int) -> tuple[trimesh.Trimesh, NDArray[np.float32]]:
    """Places on a print wrapped around a solid, or laid on each side of a box."""
    corners = mesh.triangles.reshape(-1, 3)
    loose = trimesh.Trimesh(corners, np.arange(len(corners)).reshape(-1, 3), process=False)
    low, size = corners.min(0), np.ptp(corners, axis=0) + 1e-9
    place = (corners - low) / size
    if len(mesh.faces) == 12:
        normal = np.repeat(np.abs(mesh.face_normals).argmax(1), 3)
        uv = np.stack([np.where(normal == 0, place[:, 1], place[:, 0]),
                       np.where(normal == 2, place[:, 1], place[:, 2])], 1)  # fmt: skip
        return loose, uv.astype(np.float32)
    centre = corners - (low + size / 2)
    turn = np.arctan2(centre[:, 1], centre[:, 0]).reshape(-1, 3) / (2 * np.pi) + 0.5
    # A face over the seam: its places are counted on.
    turn = np.where(turn.max(1, keepdims=True) - turn > 0.5, turn + 1, turn).ravel()
    return loose, np.stack([turn * repeats, place[:, 2]], 1).astype(np.float32)


def made_thing(rng: random.Random, photos: list[Path]) -> list[Part]:
    """One to five solids; one alone is always printed on, for a bare solid could be any."""
    colours, parts = palette(rng), []
    count = rng.choice([1, 1, 2, 2, 3, 4, 5])
    for k in range(count):
        mesh = solid(rng)
        if k:
            mesh.apply_scale(rng.uniform(0.25, 0.8))
            if rng.random() < 0.4:
                mesh.apply_transform(trimesh.transformations.random_rotation_matrix())
            direction = np.array([rng.gauss(0, 1) for _ in range(3)])
            mesh.apply_translation(0.45 * direction / np.linalg.norm(direction))
        if count == 1 or rng.random() < 0.5:
            loose, places = around(mesh, rng.choice([1, 1, 2]))
            parts.append((loose, places, print_of(rng, colours, photos), (1.0, 1.0, 1.0)))
        else:
            parts.append((mesh, None, None, rng.choice(colours)))
    return parts
