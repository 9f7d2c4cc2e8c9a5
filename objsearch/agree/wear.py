"""Which of two pictures of one size lost something on the way: tones, colour, sharpness?

Both are the same picture, so what one lacks was taken from it: highlights that were clipped, levels
that were merged, colours that were drained, edges that were softened, blocks that JPEG left. Noise
cannot be told from grain that somebody took away, and says nothing.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

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
SMOOTHER = 0.8
"""Of the other's steps, beside the contrast, from which one was smoothed, or the other sharpened:
toned copies have 0.86 and more, those that JPEG smoothed 0.81, what a filter against noise made of
a photo mostly less."""
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


class Signs:
    """What a picture (H, W, 3) RGB tells of what it lost; measured when first asked for.

    A picture is held against many others, and measured once.
    """

    def __init__(self, pixels: Pixels) -> None:
        self.light = gray(pixels)
        self.colour = _colour(pixels)

    @cached_property
    def table(self) -> Levels:
        """(256,) the part of the pixels that each level has."""
        return _histogram(self.light)

    @cached_property
    def range(self) -> float:
        """Levels between the darkest and the lightest, but for a few pixels."""
        return _range(self.table)

    @cached_property
    def tiles(self) -> Light:
        """Steps between neighbours, in the mean of each tile."""
        return _tiles(self.light)

    @cached_property
    def steps(self) -> tuple[float, float]:
        """Steps between neighbours in the liveliest quarter of the tiles, and in the quietest."""
        return _steps(self.tiles)

    @cached_property
    def contrast(self) -> float:
        """Deviation of the light."""
        return _contrast(self.light)

    @cached_property
    def blockiness(self) -> float:
        """How much steps over the borders of blocks of JPEG stand out."""
        return _blockiness(self.light)

    @cached_property
    def steepest(self) -> float:
        """How steep the steepest edges are, beside the contrast."""
        return _steepest(self.light) / self.contrast


def worn(first: Pixels, second: Pixels) -> int | None:
    """0 or 1 for the one that lost something; None where neither did, or each in another way.

    Both (H, W, 3) RGB of one size, the same picture upright, not resampled to get here.
    """
    return poorer_of(Signs(first), Signs(second))


def poorer_of(first: Signs, second: Signs) -> int | None:
    """`worn` of two pictures that were measured before."""
    sides = (first, second)
    if _is_noise([side.steps for side in sides]):
        return None
    signs: set[int | None] = {
        _fewer([side.range for side in sides], NARROWER),
        _drained([side.colour for side in sides]),
    }
    if any(_is_drawn(side.table, side.tiles) for side in sides):
        signs.add(_fewer([side.steepest for side in sides], SOFTER))
    else:
        signs |= {
            _more_at_ends([side.light for side in sides], [side.table for side in sides]),
            _greater([side.blockiness for side in sides], BLOCKY),
            # Beside the contrast: what was made brighter has greater steps, and is no sharper.
            _fewer([side.steps[0] / side.contrast for side in sides], SOFTER),
        }
    signs -= {None}
    return signs.pop() if len(signs) == 1 else None


def finer_of(first: Signs, second: Signs) -> int | None:
    """0 or 1 for the one with plainly more fine detail, be it that the other was smoothed, or that
    this one was sharpened; None where neither has, or what it has more is noise."""
    sides = (first, second)
    if _is_noise([side.steps for side in sides]):
        return None
    less = _fewer([side.steps[0] / side.contrast for side in sides], SMOOTHER)
    return None if less is None else 1 - less


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
    counts = cv2.calcHist([light], [0], None, [256], [0, 256])
    return np.asarray(counts.ravel() / light.size, np.float64)


def _at_ends(table: Levels) -> float:
    """The part of the pixels that are as light, or as dark, as the picture gets."""
    there = np.flatnonzero(table > RARE_LEVEL)
    if not len(there):
        return 0.0
    low, high = int(there[0]), int(there[-1])
    return float(table[: low + END_LEVELS + 1].sum() + table[max(0, high - END_LEVELS) :].sum())


def _colour(pixels: Pixels) -> float:
    """How far colours lie apart, in levels of Cr and Cb (ITU-R BT.601): a tint is none."""
    some = np.ascontiguousarray(pixels[::2, ::2])
    _, deviations = cv2.meanStdDev(cv2.cvtColor(some, cv2.COLOR_RGB2YCrCb))
    return float(np.linalg.norm(deviations[1:]))


def _blockiness(light: NDArray[np.uint8]) -> float:
    """Steps over the borders of 8 x 8 blocks from the corner, over the median of those within."""
    ratios = []
    along = cv2.absdiff(light[:, 1:], light[:, :-1])
    down = cv2.absdiff(light[1:], light[:-1])
    for steps in (_mean(along, 0), _mean(down, 1)):
        n = len(steps) // 8 * 8
        by_place = steps[:n].reshape(-1, 8).mean(axis=0)
        ratios.append(float(by_place[7] / max(float(np.median(by_place[:7])), 0.1)))
    return max(ratios)


def _mean(steps: NDArray[Any], axis: int) -> Levels:
    """(N,) means along the rows (0: over all of them) or the columns of steps."""
    means = cv2.reduce(steps, axis, cv2.REDUCE_AVG, dtype=cv2.CV_64F)
    return np.asarray(means, np.float64).ravel()


def _steepest(light: NDArray[np.uint8]) -> float:
    """How steep the steepest edges are."""
    across = cv2.absdiff(light[1:-1, 2:], light[1:-1, :-2])
    along = cv2.absdiff(light[2:, 1:-1], light[:-2, 1:-1])
    steep = np.asarray(cv2.max(across, along), np.uint8)
    if not steep.size:
        return 0.0
    n_edges = max(1, round(EDGES * steep.size))
    # Of levels, a table says the same as putting all of them in order.
    counts = np.bincount(steep.ravel(), minlength=256)[::-1]
    taken = np.diff(np.minimum(np.cumsum(counts), n_edges), prepend=0)
    return float(taken @ np.arange(256)[::-1]) / n_edges


def _contrast(light: NDArray[np.uint8]) -> float:
    return max(1.0, float(cv2.meanStdDev(light)[1][0, 0]))


def _tiles(light: NDArray[np.uint8]) -> Light:
    """Steps between neighbours, in the mean of each tile."""
    fine = np.abs(cv2.Laplacian(light, cv2.CV_32F, ksize=1))
    high, wide = (size // TILE * TILE for size in light.shape)
    if not high or not wide:
        return np.zeros((high // TILE, wide // TILE), np.float32)
    tiles = cv2.resize(
        np.ascontiguousarray(fine[:high, :wide]), (wide // TILE, high // TILE),
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    return np.asarray(tiles, np.float32)


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
