"""Which of two pictures of one size lost something on the way: tones, colour, sharpness?

Both are the same picture, so what one lacks was taken from it: highlights that were clipped, levels
that were merged, colours that were drained, edges that were softened, blocks that JPEG left. Noise
cannot be told from grain that somebody took away, and says nothing.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.images.transform import gray
from objsearch.types import Pixels

Light = NDArray[np.float32]
Levels = NDArray[np.float64]

NARROWER = 0.6
"""Of the other's range of light: what eight bits had between was merged."""
OUTERMOST = 1e-3
"""Part of the pixels on either side that may lie beyond the range."""
RARE_LEVEL = 2e-5
"""Part of the pixels from which a level is there."""
END_LEVELS = 1
"""Gray levels beside the lightest and the darkest that count as lying at the end."""
MORE_AT_ENDS, TIMES_AT_ENDS = 0.03, 2.5
"""So much more of one picture lies at an end of its own range, where it was cut off."""
PAPER, SPREAD_AT_ENDS = 0.3, 12.0
"""More than that at the ends may be a page, on which the other has next to one level, too: what was
cut off of a photo had many."""
DRAINED = 0.6
"""Of the other's colour; both have some."""
LEAST_COLOUR = 6.0
"""Deviation of the colours, in gray levels, that is worth the name: a tint or noise that was laid
over a gray picture has 3 to 5."""
BLOCKY = 1.6
"""Steps over the borders of 8 x 8 blocks (JPEG) over the other's, each beside steps within."""
SOFTER = 0.5
"""Of the other's steps between neighbours, where both have edges: JPEG rings as it compresses hard,
and what was sharpened has more steps, too, both by less."""
EDGES = 0.02
"""Part of the pixels that are looked at for the edges of a drawing, most of which is flat."""
NOISY = 0.5
"""Of what the lively places have more, the quiet ones have so much more, too: that is noise."""
TILE = 16
FLAT, DRAWN = 0.3, 0.2
"""Steps below which a tile is flat, and the part of such tiles from which a picture is taken for a
drawing: JPEG spreads what lies at the ends of its range, and gives its edges more steps."""
DRAWN_LEVELS = 96
"""A picture of fewer gray levels is taken for a drawing, too."""


def worn(first: Pixels, second: Pixels) -> int | None:
    """0 or 1 for the one that lost something; None where neither did, or each in another way.

    Both (H, W, 3) RGB of one size, the same picture upright, not resampled to get here.
    """
    sides = first, second
    lights = [gray(side) for side in sides]
    tiles = [_tiles(light) for light in lights]
    steps = [_steps(tiled) for tiled in tiles]
    if _is_noise(steps):
        return None
    tables = [_histogram(light) for light in lights]
    signs: set[int | None] = {
        _fewer([_range(table) for table in tables], NARROWER),
        _drained([_colour(side) for side in sides]),
    }
    if any(map(_is_drawn, tables, tiles)):
        signs.add(_fewer([_steepest(light) for light in lights], SOFTER))
    else:
        signs |= {
            _more_at_ends(lights, tables),
            _greater([_blockiness(light) for light in lights], BLOCKY),
            # Beside the contrast: what was made brighter has greater steps, and is no sharper.
            _fewer(
                [lively / _contrast(x) for x, (lively, _) in zip(lights, steps, strict=True)],
                SOFTER,
            ),
        }
    signs -= {None}
    return signs.pop() if len(signs) == 1 else None


def _is_drawn(table: Levels, tiles: Light) -> bool:
    n_levels = int(np.count_nonzero(table > RARE_LEVEL))
    flat = float((tiles < FLAT).mean()) if tiles.size else 1.0
    return n_levels < DRAWN_LEVELS or flat > DRAWN


def _fewer(values: list[float], part: float) -> int | None:
    least = int(values[1] < values[0])
    return least if values[least] < part * values[1 - least] else None


def _greater(values: list[float], times: float) -> int | None:
    most = int(values[1] > values[0])
    return most if values[most] > times * values[1 - most] else None


def _more_at_ends(lights: list[NDArray[np.uint8]], tables: list[Levels]) -> int | None:
    values = [_at_ends(table) for table in tables]
    most = int(values[1] > values[0])
    more, less = values[most], values[1 - most]
    if more - less <= MORE_AT_ENDS or more <= TIMES_AT_ENDS * less:
        return None
    is_cut_off = more < PAPER or _spread_at_ends(lights, tables, most) > SPREAD_AT_ENDS
    return most if is_cut_off else None


def _spread_at_ends(lights: list[NDArray[np.uint8]], tables: list[Levels], most: int) -> float:
    """Deviation of the levels of one where the other lies at the more frequent of its ends."""
    there = np.flatnonzero(tables[most] > RARE_LEVEL)
    ends = lights[most] <= there[0] + END_LEVELS, lights[most] >= there[-1] - END_LEVELS
    return float(lights[1 - most][max(ends, key=np.count_nonzero)].std())


def _drained(values: list[float]) -> int | None:
    return None if max(values) < LEAST_COLOUR else _fewer(values, DRAINED)


def _range(table: Levels) -> float:
    so_far = np.cumsum(table)
    low, high = np.searchsorted(so_far, (OUTERMOST, 1 - OUTERMOST))
    return float(high - low)


def _histogram(light: NDArray[np.uint8]) -> Levels:
    """(256,) the part of the pixels that each level has."""
    return np.bincount(light.ravel(), minlength=256) / light.size


def _at_ends(table: Levels) -> float:
    """The part of the pixels that are as light, or as dark, as the picture gets."""
    there = np.flatnonzero(table > RARE_LEVEL)
    if not len(there):
        return 0.0
    low, high = int(there[0]), int(there[-1])
    return float(table[: low + END_LEVELS + 1].sum() + table[max(0, high - END_LEVELS) :].sum())


def _colour(pixels: Pixels) -> float:
    """How far colours lie apart, in levels of Cr and Cb (ITU-R BT.601): a tint is none."""
    colours = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)[::2, ::2, 1:].astype(np.float32)
    return float(np.sqrt(colours.var(axis=(0, 1)).sum()))


def _blockiness(light: NDArray[np.uint8]) -> float:
    """Steps over the borders of 8 x 8 blocks from the corner, over the median of those within."""
    ratios = []
    for side in (light, light.T):
        steps = np.abs(np.diff(side.astype(np.float32), axis=1)).mean(axis=0)
        n = len(steps) // 8 * 8
        by_place = steps[:n].reshape(-1, 8).mean(axis=0)
        ratios.append(float(by_place[7] / max(float(np.median(by_place[:7])), 0.1)))
    return max(ratios)


def _steepest(light: NDArray[np.uint8]) -> float:
    """How steep the steepest edges are, beside the contrast."""
    values = light.astype(np.float32)
    across = np.abs(values[1:-1, 2:] - values[1:-1, :-2])
    along = np.abs(values[2:, 1:-1] - values[:-2, 1:-1])
    steep = np.maximum(across, along).ravel()
    if not steep.size:
        return 0.0
    least = max(1, round(EDGES * steep.size))
    return float(np.partition(steep, -least)[-least:].mean()) / _contrast(light)


def _contrast(light: NDArray[np.uint8]) -> float:
    return max(1.0, float(light.std()))


def _tiles(light: NDArray[np.uint8]) -> Light:
    """Steps between neighbours, in the mean of each tile."""
    fine = np.abs(cv2.Laplacian(light, cv2.CV_32F, ksize=1))
    high, wide = (size // TILE * TILE for size in light.shape)
    tiles = fine[:high, :wide].reshape(high // TILE, TILE, wide // TILE, TILE)
    return np.asarray(tiles.mean(axis=(1, 3)), np.float32)


def _steps(tiles: Light) -> tuple[float, float]:
    """Steps between neighbours in the liveliest quarter of the tiles, and in the quietest."""
    if not tiles.size:
        return 0.0, 0.0
    low, middle = np.quantile(tiles, (0.25, 0.75))
    return float(tiles[tiles >= middle].mean()), float(tiles[tiles <= low].mean())


def _is_noise(steps: list[tuple[float, float]]) -> bool:
    """Whether one has more steps everywhere alike: its quiet places have them as its edges do."""
    (lively, quiet), (other_lively, other_quiet) = steps
    more, more_in_quiet = other_lively**2 - lively**2, other_quiet**2 - quiet**2
    is_much = max(lively, other_lively) > 1.05 * min(lively, other_lively)
    return is_much and more_in_quiet / more > NOISY
