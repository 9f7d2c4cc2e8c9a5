"""Two pictures of one size: stored as JPEG alike, are they the same?

Compression leaves waves beside hard edges and merges faint colours, in drawings most of all. Where
one of two pictures was compressed more coarsely, the other is compressed as much: what differs then
is no trace of that. Of whether and how a picture was compressed it tells itself: to store it once
more in the same way changes next to nothing, where a little finer or coarser does (Farid, "Exposing
digital forgeries from JPEG ghosts", IEEE TIFS 2009).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from objsearch.agree.compression import BLOCK
from objsearch.images.transform import gray
from objsearch.types import Pixels

QUALITIES = range(5, 97)
"""Finer ones leave nothing to be seen."""
DIP = 0.5
"""Change beside that of qualities nearby from which a picture was stored so: of 26 sheets and their
copies (`benchmarks/near_strangers.py`) those stored have 0.01 at most, others 0.9 and more; photos
that were stored finely reach 0.3."""
NEARBY = 3
LEAST_BLOCKS, MANY_BLOCKS = 8, 128
"""Blocks with light and shade that are asked for, and that are enough."""
UNIT = 2 * BLOCK
"""Pixels a side of what is compressed by itself where colours are halved."""
SIDE = 256
"""Pixels of the square, that with the most of these, which is looked at."""
LIVELY = 2.0
"""Gray levels, as a deviation, from which a block says something."""
DARKEST, BRIGHTEST = 2, 253
"""A block with more extreme levels in a channel was clipped when it was read, and says nothing."""
SAMPLINGS = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
"""Colours halved each way, as most programs do, or in full."""

Light = NDArray[np.uint8]
"""(H, W)"""


def compressed_alike(first: Pixels, second: Pixels) -> tuple[Pixels, Pixels] | None:
    """Both (H, W, 3), the finer one stored as coarsely as the other; None where neither is."""
    pair = first, second
    qualities = [quality_of(side) or 100 for side in pair]
    if qualities == [100, 100]:
        # Of pages and drawings, whose blocks are clipped, only the pair can tell.
        qualities = [quality_between(*pair[::-1]) or 100, quality_between(*pair) or 100]
    if qualities[0] < qualities[1]:
        return first, _stored_like(second, first, qualities[0])
    if qualities[1] < qualities[0]:
        return _stored_like(first, second, qualities[1]), second
    return None


def quality_of(picture: Pixels) -> int | None:
    """The quality at which (H, W, 3) was stored as JPEG; None where it was not, or changed since.

    The coarsest, where it was stored several times. Only where blocks begin at the first pixel; by
    the tables of the Independent JPEG Group.
    """
    part, is_telling = _liveliest(picture)
    if is_telling.sum() < LEAST_BLOCKS:
        return None
    # Blocks are stored one by one: those that tell, beside each other, change as in their places.
    blocks = _blocks(gray(part))[is_telling]
    blocks = blocks[:: max(1, len(blocks) // MANY_BLOCKS)]
    strip = np.ascontiguousarray(blocks.swapaxes(0, 1).reshape(BLOCK, -1))
    return _dip(np.array([_change(strip, quality) for quality in QUALITIES]))


def quality_between(finer: Pixels, coarser: Pixels) -> int | None:
    """The quality of JPEG that makes the one (H, W, 3) of the other; None where none does.

    Told by the liveliest square: where the two differ there for another reason, none is found.
    """
    squares = [
        (rows, columns) for rows in _parts(finer.shape[0]) for columns in _parts(finer.shape[1])
    ]
    if not squares:
        return None
    liveliest = max(squares, key=lambda square: float(finer[square].std()))
    given, other = (
        cv2.cvtColor(np.ascontiguousarray(side[liveliest]), cv2.COLOR_RGB2BGR)
        for side in (finer, coarser)
    )
    away = [cv2.norm(_coded(given, quality), other, cv2.NORM_L1) for quality in QUALITIES]
    return _dip(np.array(away) / given.size)


def _dip(changes: NDArray[np.float64]) -> int | None:
    """The coarsest quality whose change is far below that of those nearby."""
    dips = np.array(
        [
            changes[k]
            / max(1e-6, min(changes[k - NEARBY : k].min(), changes[k + 2 :][:NEARBY].max()))
            for k in range(NEARBY, len(changes) - NEARBY)
        ]
    )
    if not (dips < DIP).any():
        return None
    first = int(np.argmax(dips < DIP))
    return QUALITIES[first + NEARBY + int(np.argmin(dips[first : first + NEARBY]))]


def stored(picture: Pixels, quality: int, sampling: int = SAMPLINGS[0]) -> Pixels:
    """What is left of (H, W, 3) RGB after JPEG of a quality."""
    read = _coded(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality, sampling)
    return np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8)


def stored_light(light: Light, quality: int) -> Light:
    """The same of light alone, which is faster."""
    _, data = cv2.imencode(".jpg", light, [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert read is not None  # written just now
    return np.asarray(read, np.uint8)


def _coded(picture: cv2.typing.MatLike, quality: int, sampling: int = SAMPLINGS[0]) -> Pixels:
    """The same of (H, W, 3) BGR."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", picture, options)
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert read is not None  # written just now
    return np.asarray(read, np.uint8)


def _stored_like(picture: Pixels, like: Pixels, quality: int) -> Pixels:
    sampling = min(
        SAMPLINGS, key=lambda way: cv2.norm(stored(like, quality, way), like, cv2.NORM_L1)
    )
    return stored(picture, quality, sampling)


def _change(light: Light, quality: int) -> float:
    """By how much a picture changes when it is stored so."""
    return cv2.norm(stored_light(light, quality), light, cv2.NORM_L1) / light.size


def _liveliest(picture: Pixels) -> tuple[Pixels, NDArray[np.bool_]]:
    """Of nine squares, cut to whole blocks, the first with enough to tell, or that with most."""
    best = picture[:0, :0], np.zeros((0, 0), bool)
    for rows in _parts(picture.shape[0]):
        for columns in _parts(picture.shape[1]):
            part = np.ascontiguousarray(picture[rows, columns])
            is_telling = _is_telling(part)
            if is_telling.sum() > best[1].sum():
                best = part, is_telling
            if is_telling.sum() >= MANY_BLOCKS:
                return best
    return best


def _parts(length: int) -> list[slice]:
    whole = length // BLOCK * BLOCK
    last = max(0, whole - SIDE)
    starts = dict.fromkeys((last // 2 // UNIT * UNIT, 0, last // UNIT * UNIT))  # the middle first
    return [slice(start, min(start + SIDE, whole)) for start in starts] if whole else []


def _is_telling(picture: Pixels) -> NDArray[np.bool_]:
    """(H / 8, W / 8) blocks with some light and shade, none of it clipped."""
    darkest, brightest = (_blocks(picture.min(2)), _blocks(picture.max(2)))
    is_whole = (darkest.min((2, 3)) > DARKEST) & (brightest.max((2, 3)) < BRIGHTEST)
    return np.asarray(is_whole & (_blocks(gray(picture)).std((2, 3)) > LIVELY))


def _blocks(plane: Light) -> Light:
    """(H / 8, W / 8, 8, 8), without what fills no block."""
    rows, columns = (side // BLOCK for side in plane.shape)
    whole = plane[: rows * BLOCK, : columns * BLOCK]
    return whole.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
