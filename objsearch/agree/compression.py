"""What JPEG compression did to a picture, told from its pixels alone.

A block of 8 x 8 pixels is stored as 64 frequencies, each in whole steps of its own. Decoded pixels
still show these steps, and with them what the same compression does to another picture is no longer
a guess (Fan and de Queiroz, "Identification of bitmap compression history", IEEE TIP 2003).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""(H, W) luminance, 0 to 255, whose first pixel begins a block."""
Steps = NDArray[np.float32]
"""(8, 8) the step of each frequency, in levels; 0 where none was found."""

BLOCK = 8
"""Pixels a side of what JPEG compresses by itself."""
COSINES = np.sqrt(2 / BLOCK) * np.cos(
    np.pi / BLOCK * np.arange(BLOCK)[:, None] * (np.arange(BLOCK) + 0.5)
).astype(np.float32)
COSINES[0] /= np.sqrt(2)
"""(8, 8) the cosine transform: orthonormal, a row a frequency."""
ASKED = np.arange(3, 128, dtype=np.float32)
"""Steps that are looked for: finer ones are no coarser than the rounding of pixels."""
ROUNDING = 0.4
"""Mean square by which whole steps lie off after pixels were rounded, in two spaces of colour."""
LEAST_BLOCKS, MOST_BLOCKS, LEAST_STEPS = 32, 256, 3
"""Blocks that are asked for, and coefficients that are a step or more, for a step to be seen."""
MIDDLE = 128
"""The level that is stored as 0."""
DARKEST, BRIGHTEST = 2 - MIDDLE, 253 - MIDDLE
"""A block with more extreme levels was clipped after it was compressed."""


def steps_of(plane: Plane) -> Steps:
    """The steps in which a picture was stored; zeros where it never was, or was changed since."""
    blocks = _blocks(plane)
    blocks = blocks[(blocks.min((1, 2)) >= DARKEST) & (blocks.max((1, 2)) <= BRIGHTEST)]
    steps = np.zeros((BLOCK, BLOCK), np.float32)
    if len(blocks) < LEAST_BLOCKS:
        return steps
    liveliest = np.argsort(-blocks.std((1, 2)), kind="stable")[:MOST_BLOCKS]
    coefficients = COSINES @ blocks[liveliest] @ COSINES.T
    for row, column in np.ndindex(BLOCK, BLOCK):
        steps[row, column] = _step(coefficients[:, row, column])
    # Where nothing but zeros is left, the step is more than twice what was there, and hardly ever
    # finer than those of coarser detail.
    coarser = np.maximum.accumulate(np.maximum.accumulate(steps, axis=0), axis=1)
    is_empty = (steps == 0) & (np.square(coefficients).mean(0) < ROUNDING)
    least = 2 * np.abs(coefficients).max(0) + 1
    return np.where(is_empty, np.maximum(coarser, least), steps)


def _step(values: NDArray[np.float32]) -> float:
    """The largest step of which all values are about whole multiples; 0 where there is none."""
    # Of a step more than twice a value, that is no multiple but 0.
    most = 2 * np.partition(np.abs(values), -LEAST_STEPS)[-LEAST_STEPS]
    asked = ASKED[most >= ASKED]
    multiples = np.rint(values[None] / asked[:, None])
    off = np.square(values[None] - multiples * asked[:, None]).mean(1)
    is_seen = (off < ROUNDING) & ((multiples != 0).sum(1) >= LEAST_STEPS)
    return float(asked[is_seen][-1]) if is_seen.any() else 0.0


def stored(plane: Plane, steps: Steps) -> Plane:
    """The picture after it was stored in these steps."""
    blocks = COSINES @ _blocks(plane) @ COSINES.T
    whole = np.where(steps > 0, np.rint(blocks / np.maximum(steps, 1e-6)) * steps, blocks)
    height, width = plane.shape
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    back = (COSINES.T @ whole @ COSINES).reshape(rows, columns, BLOCK, BLOCK)
    plane = back.swapaxes(1, 2).reshape(rows * BLOCK, -1)[:height, :width] + MIDDLE
    return np.asarray(plane, np.float32)


def _blocks(plane: Plane) -> Plane:
    """(N, 8, 8) the blocks, row by row, middle gray at 0; the last ones are filled up."""
    down, right = (-side % BLOCK for side in plane.shape)
    whole = np.pad(plane, ((0, down), (0, right)), mode="edge")
    cut = whole.reshape(whole.shape[0] // BLOCK, BLOCK, -1, BLOCK).swapaxes(1, 2)
    return np.asarray(cut.reshape(-1, BLOCK, BLOCK) - MIDDLE, np.float32)
