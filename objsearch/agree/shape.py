"""What a transform makes of a picture's outline: by it a scan is told from a photograph."""

from __future__ import annotations

import cv2
import numpy as np

from objsearch.agree.laying import Matrix
from objsearch.match.geometry import jacobian


def outline(size_wh: tuple[int, int]) -> Matrix:
    """Corners of a picture, (4, 2), its pixels' centres on whole numbers."""
    w, h = size_wh
    return np.array([[-0.5, -0.5], [w - 0.5, -0.5], [w - 0.5, h - 0.5], [-0.5, h - 0.5]])


def step(transform: Matrix, size_wh: tuple[int, int]) -> Matrix:
    """(2, 2) how a small step from the middle of a picture moves."""
    return jacobian(transform, np.array([size_wh[0] / 2, size_wh[1] / 2]))


def stretch(transform: Matrix, size_wh: tuple[int, int]) -> float:
    """How many times more the middle of a picture is enlarged one way than the other, from 1."""
    longer, shorter = np.linalg.svd(step(transform, size_wh), compute_uv=False)
    return float(longer / max(shorter, 1e-12))


def bend(transform: Matrix, size_wh: tuple[int, int]) -> float:
    """How many times longer a side becomes than the one opposite, from 1."""
    quad = cv2.perspectiveTransform(outline(size_wh)[None], transform)[0]
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    pairs = sides[0] / sides[2], sides[1] / sides[3]
    return float(max(max(pair, 1 / pair) for pair in pairs))
