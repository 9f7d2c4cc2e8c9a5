"""A transparent picture on other grounds: what is around a thing decides how its edges look."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from objsearch.images.samples import Samples, on_ground, spread
from objsearch.types import Box, Image, Pixels

GROUNDS = (255, 0)
"""Gray levels: a light and a dark ground."""

_SEEN = 3.0
_MOSTLY = 0.4


def other_grounds(image: Image) -> tuple[Image, ...]:
    """The same picture on those of a white and a black ground that it does not lie on already.

    And cut to what is opaque, where that is a small part: then also on its own ground. None for
    an opaque picture, and none on which nothing of it would be seen. The refs stay.
    """
    if image.alpha is None:
        return ()
    level = round(float(np.mean(image.ground)))
    box = opaque_box(image)
    is_cut = box is not None and box.area < _MOSTLY * image.frame.area
    levels = [ground for ground in GROUNDS if abs(ground - level) > 127 or is_cut]
    laid = [
        version for version in (_laid_on(image, version) for version in levels) if _is_seen(version)
    ]
    return tuple(_cut(version, box) if is_cut and box is not None else version for version in laid)


def opaque_box(image: Image) -> Box | None:
    """The box of all pixels that are not wholly transparent; None where there are none."""
    if image.alpha is None:
        return image.frame
    rows, columns = (np.flatnonzero(image.alpha.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _laid_on(image: Image, level: int) -> Image:
    assert image.alpha is not None
    clear = (1 - image.alpha.astype(np.float32) / 255)[..., None]
    change = (level - np.array(image.ground, np.float32)) * clear
    pixels: Pixels = np.round(image.pixels + change).clip(0, 255).astype(np.uint8)
    return replace(image, pixels=pixels, ground=(level, level, level))


def _is_seen(image: Image) -> bool:
    step = max(1, max(image.size_wh) // 512)
    return spread(on_ground(Samples(image.pixels[::step, ::step]), 0.0)) >= _SEEN


def _cut(image: Image, box: Box) -> Image:
    x1, y1, x2, y2 = (int(v) for v in box)
    assert image.alpha is not None
    left, top = image.offset_xy
    return replace(
        image,
        pixels=np.ascontiguousarray(image.pixels[y1:y2, x1:x2]),
        alpha=image.alpha[y1:y2, x1:x2],
        offset_xy=(left + x1, top + y1),
        full_size_wh=image.full_size_wh or image.size_wh,
    )
