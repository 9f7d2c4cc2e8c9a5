"""Has any place another colour, after all that one toning of the whole picture explains?

What brings tone together place by place is generous: a gain and an offset a channel make red into
crimson, and nothing contradicts on a plain ground. Here one toning has to explain the colours of
all places: a power, white balance without an offset of its own for any channel, and a strength of
colour. Neutral ground holds the white balance, so a thing in another colour shows. Colour is
judged in wide windows, flat ones too: there compression leaves the mean as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.places import Map, pool, whole_places
from objsearch.agree.tone import grayed, samples
from objsearch.images.transform import gray
from objsearch.types import Pixels

Values = NDArray[np.floating[Any]]
Way = Literal["coloured", "brightened", "balanced", "gray"]

ANOTHER = 7.0
"""Levels of colour (Cr and Cb) that the mean of a window may be beside where toning leads.

JPEG 12 to 18 leaves 5 at most, noise 3 (`det/val`); pink and rose on white ground are 8 apart.
"""
LIGHT = 0.5
"""What a level of light counts: a toning that explains colours must not lose the light to do so."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
EXPLAINED = 4.5
"""The same once toned. A toning that is right leaves 3 at most; one that is bent until it explains
two colours of a product (a black lifted to 40, a power of 3) seldom comes so near."""
WINDOW, NEAR = 3.0, 1.0
"""Deviations of a window, in places: wider than a block of JPEG with halved colour; and of one that
says where a difference ends."""
MOST_BALANCE = 1.3
"""Times that white balance raises one channel over another: more is a lacquer of another colour."""
POWERS = (0.27, 0.33, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6, 1.9, 2.3, 2.9, 3.6)
"""That are tried: gamma, and what camera programs do to shadows."""
N_SAMPLES = 1500
LEAST_SAMPLES = 64
N_ROUNDS = 4
QUIET = 1.5
"""Levels of a residual below which it pulls like any other."""
CAP = 64.0
"""Levels from which a residual counts no more: what differs in places must not choose the power."""
ONE_GAIN = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
"""Three gains and an offset of two numbers: where much is cut off, gains of their own go astray."""
CLIPPED = (2, 253)
"""Levels beyond were cut off, and say nothing of the toning."""
MOST_COLOUR = 2.5
"""Times the colour of a picture that a filter makes of it."""
FAINT = 10.0
"""Squared levels that hold the strength of colour at 1 where there is none to fit it by."""

NEUTRAL = 3.0
"""Levels of colour that are none: JPEG leaves as much."""
ONE_HUE = 0.97
"""Length of the mean of all colours over the mean of their lengths: 1 where all are of one hue."""
BETWEEN = (0.2, 0.6)
"""Of the strongest colours: a photo holds many in between, a flat product next to none."""
FEW, NOT_ALL = 0.1, 0.9
"""The part of all places that may lie between, and that may be coloured at all.

Of 250 photos that were looked at none has so few and so much of one hue.
"""


@dataclass(frozen=True, slots=True, eq=False)
class _Toning:
    """`table` (256, 3) of what becomes of levels; how strong colour is made; of gray alone?"""

    table: Values
    strength: float
    is_of_gray: bool

    def apply(self, picture: Pixels) -> Map:
        """Colour and light (H / STEP, W / STEP, 3) of a picture's places in this toning."""
        source = grayed(picture) if self.is_of_gray else picture
        toned = cv2.LUT(source, self.table.astype(np.float32)[None])
        colour, light = _colour_and_light(np.asarray(toned, np.float32))
        return np.dstack([self.strength * colour, light])


def other_hue(first: Pixels, second: Pixels, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H / STEP, W / STEP) the places of two pictures on one grid that have another colour.

    None where any one toning of the whole explains all of them, a copy in gray or sepia too.
    """
    first, second, inside = whole_places(first), whole_places(second), whole_places(inside)
    shown = (pool(inside.astype(np.float32)) > 0.99).astype(np.float32)
    sides = [np.dstack(_colour_and_light(side.astype(np.float32))) for side in (first, second)]
    colours = tuple(side[..., :2] for side in sides)
    gaps = colours[0] - colours[1]
    apart = _apart(gaps, shown)
    if float(apart.max()) <= ANOTHER:
        return _flat_colour(colours, shown > 0)
    for is_back, toning in _tonings(first, second, inside):
        toned, wanted = (second, sides[0]) if is_back else (first, sides[1])
        left = wanted - toning.apply(toned)
        beside = _apart(left, shown)
        if float(beside.max()) <= EXPLAINED:
            return _flat_colour(colours, shown > 0)
        # Told are the places that the toning leaves which fits the rest best.
        gaps, apart = (left, beside) if beside.mean() < apart.mean() else (gaps, apart)
    # A wide window sees what is beside it too.
    plainly = apart > EXPLAINED
    near = plainly & (_apart(gaps, shown, NEAR) > EXPLAINED)
    return np.asarray(near if near.any() else plainly)


def _tonings(
    first: Pixels, second: Pixels, inside: NDArray[np.bool_]
) -> Iterator[tuple[bool, _Toning]]:
    """Whether it is one of the second picture into the first, and a toning."""
    x, y = samples(first, second, inside)
    step = max(1, len(x) // N_SAMPLES)
    x, y = x[::step], y[::step]
    if len(x) < LEAST_SAMPLES:
        return
    for way in get_args(Way):
        for is_back in (False, True):
            toning = _fitted(y, x, way) if is_back else _fitted(x, y, way)
            if toning is not None:
                yield is_back, toning


def _fitted(x: Pixels, y: Pixels, way: Way) -> _Toning | None:
    """What makes colours x (N, 3) most like y; None where only an odd balance does."""
    is_of_gray = way == "gray"
    weights = _level_weights(x)
    source = grayed(x[None])[0] if is_of_gray else x
    wanted = y.astype(float)
    if way == "coloured":  # and no more: beside light, strength is hard to tell
        as_it_is = np.repeat(np.arange(256.0)[:, None], 3, axis=1)
        return _Toning(
            as_it_is, _strength(_colour(x.astype(float)), _colour(wanted), weights), False
        )
    levels = np.arange(256) / 255
    held = ONE_GAIN if way == "brightened" else np.eye(4)
    # A channel a row: along rows of three all of this takes three times as long.
    rows, wanted_rows = (np.ascontiguousarray(side.T) for side in (source, wanted))
    tried = []
    for power in POWERS:
        curve = 255 * levels**power
        gains, offset = _lines(curve[rows], wanted_rows, weights[:, 0], held)
        table = np.clip(curve[:, None] * gains + offset, 0, 255)
        toned = np.stack([table[row, channel] for channel, row in enumerate(rows)])
        misses = np.minimum(np.abs(toned - wanted_rows), CAP)
        tried.append((float((misses @ weights).mean()) / len(x), power, gains, table, toned.T))
    _, _, gains, table, toned = min(tried, key=lambda trial: trial[:2])
    if way == "balanced" and gains.max() > MOST_BALANCE * gains.min():
        return None
    # Where much was cut off, a strength of its own goes astray as gains do.
    is_free = way == "balanced"
    strength = _strength(_colour(toned), _colour(wanted), weights) if is_free else 1.0
    return _Toning(table, strength, is_of_gray)


def _level_weights(x: Pixels) -> Values:
    """(N, 1) so that a few letters and a wide ground hold a toning nearly as much."""
    level = gray(x[None])[0].astype(np.intp) >> 4
    weights = np.bincount(level, minlength=16)[level] ** -0.5
    return np.asarray((weights / weights.mean())[:, None])


def _lines(source: Values, wanted: Values, weights: Values, held: Values) -> tuple[Values, float]:
    """A gain a channel and one offset for all, of (3, N); what differs in a few places does not
    pull.

    `held` (4, K) says what of these goes together.
    """
    low, high = CLIPPED
    is_low, is_high = wanted <= low, wanted >= high
    # What was cut off may have been led anywhere beyond.
    pull = weights * ~(is_low | is_high)
    hold = float(source.shape[1])
    unknown = np.array([1.0, 1.0, 1.0, 0.0])
    for number in range(N_ROUNDS):
        if number:
            away = source * unknown[:3, None] + unknown[3] - wanted
            is_beyond = (is_low & (away < 0)) | (is_high & (away > 0))
            pull = weights * ~is_beyond / np.maximum(np.abs(away), QUIET)
        drawn = pull * source
        left = np.diag([*(_dots(drawn, source) + hold), pull.sum() + 1e-3 * hold])
        left[:3, 3] = left[3, :3] = drawn.sum(axis=1)
        right = np.array([*(_dots(drawn, wanted) + hold), float(np.vdot(pull, wanted))])
        unknown = held @ np.linalg.solve(held.T @ left @ held, held.T @ right)
    return unknown[:3], float(unknown[3])


def _dots(first: Values, second: Values) -> Values:
    """(C,) products of rows (C, N)."""
    return np.asarray(np.einsum("cn,cn->c", first, second))


def _strength(source: Values, wanted: Values, weights: Values) -> float:
    pull, hold = weights, FAINT * float(weights.sum())
    strength = 1.0
    for _ in range(N_ROUNDS):
        both = float((pull * source * wanted).sum()) + hold
        strength = both / (float((pull * source * source).sum()) + hold)
        away = np.linalg.norm(wanted - strength * source, axis=1, keepdims=True)
        pull = weights / np.maximum(away, QUIET)
    return min(max(strength, 0.0), MOST_COLOUR)


def _apart(gaps: Values, shown: Map, window: float = WINDOW) -> Map:
    """(H, W) levels that the mean colours of windows are apart, of gaps (H, W, C) a place."""
    held = cv2.GaussianBlur(shown, (0, 0), window)
    sums = cv2.GaussianBlur(np.asarray(gaps * shown[..., None], np.float32), (0, 0), window)
    apart = np.linalg.norm(sums, axis=2) / np.maximum(held, 1e-3)
    return np.asarray(np.where(held > 0.3, apart, 0), np.float32)


def _flat_colour(colours: tuple[Values, ...], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where one picture has flat colour of one hue, and the other none at all.

    That may be a copy in gray, or a product in gray beside one in beige: nothing can tell. A photo
    has more than one hue, and a flat one would be told by its ground.
    """
    nowhere = np.zeros(inside.shape, bool)
    soft = [cv2.GaussianBlur(np.asarray(side, np.float32), (0, 0), 1.0) for side in colours]
    lengths = [np.where(inside, np.linalg.norm(side, axis=2), 0) for side in soft]
    coloured = [side > NEUTRAL for side in lengths]
    k = int(coloured[1].sum() > coloured[0].sum())
    where, length = coloured[k], lengths[k]
    if not where.any() or float(lengths[1 - k][where].mean()) > NEUTRAL:
        return nowhere
    strongest = float(np.quantile(length[where], 0.9))
    between = (length > BETWEEN[0] * strongest) & (length < BETWEEN[1] * strongest)
    resultant = resultant_of(soft[k][where])
    n_inside = max(1, int(inside.sum()))
    is_flat = int(between.sum()) < FEW * n_inside and int(where.sum()) < NOT_ALL * n_inside
    is_plain = is_flat and resultant > ONE_HUE and strongest > ANOTHER
    return where if is_plain else nowhere


def resultant_of(colours: NDArray[Any]) -> float:
    """How much of one hue colours (N, 2) are, from 0 to 1; not of none."""
    return float(np.linalg.norm(colours.sum(axis=0)) / np.linalg.norm(colours, axis=1).sum())


def _colour_and_light(picture: Map) -> tuple[Values, Values]:
    """(H, W, 2) colour and (H, W) what counts of light, of a picture's places."""
    places = pool(picture)
    return _colour(places), LIGHT * (places @ LUMA)


def _colour(values: Values) -> Values:
    """(..., 2) Cr and Cb without their middle, of (..., 3) RGB."""
    light = values @ LUMA
    red, blue = 0.713 * (values[..., 0] - light), 0.564 * (values[..., 2] - light)
    return np.stack([red, blue], axis=-1)
