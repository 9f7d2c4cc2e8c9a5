"""BMPs whose colours lie anywhere among their bits."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from objsearch.errors import UnreadableImageError
from objsearch.images.decode import Limits, decode
from objsearch.images.holdings import holdings_of
from tests.pictures import drawing

PICTURE = drawing(37, 53, 2)
ALPHA = np.linspace(0, 255, 53).astype(np.uint8)[None].repeat(37, 0)


def bmp(
    masks: tuple[int, ...], n_bits: int, *, alpha: np.ndarray = ALPHA, is_upright: bool = False
) -> bytes:
    """The picture, each sample in as many bits as its mask has."""
    words = np.zeros((37, 53), np.uint64)
    for values, mask in zip((*np.moveaxis(PICTURE, 2, 0), alpha), masks, strict=False):
        if mask:
            lowest = mask & -mask
            part = np.round(values.astype(np.float64) / 255 * (mask // lowest)).astype(np.uint64)
            words |= part * np.uint64(lowest)
    across = -(-53 * n_bits // 32) * 32 // n_bits
    rows = np.zeros((37, across), f"<u{n_bits // 8}")
    rows[:, :53] = words if is_upright else words[::-1]
    height = -37 if is_upright else 37
    kind, n_bytes = (6, 40) if len(masks) == 4 and is_upright else (3, 40 + 4 * len(masks))
    head = struct.pack(
        "<IiiHHIIIIII", n_bytes, 53, height, 1, n_bits, kind, rows.nbytes, 0, 0, 0, 0
    )
    head += struct.pack(f"<{len(masks)}I", *masks)
    place = 14 + len(head)
    return struct.pack("<2sIII", b"BM", place + rows.nbytes, 0, place) + head + rows.tobytes()


MASKS = {
    "4 bits a colour": ((0xF00, 0xF0, 0xF), 16, 9),
    "4 bits, and of alpha": ((0xF00, 0xF0, 0xF, 0xF000), 16, 9),
    "10 bits a colour": ((0x3FF00000, 0xFFC00, 0x3FF), 32, 1),
    "10 bits, and alpha": ((0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000), 32, 1),
    "one bit of alpha": ((0x7C00, 0x3E0, 0x1F, 0x8000), 16, 5),
    "places of its own": ((0xFF000000, 0xFF0, 0xFF0000), 32, 1),
    "the usual places": ((0xF800, 0x7E0, 0x1F), 16, 5),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("is_upright", [False, True])
def test_colours_may_lie_anywhere(name: str, is_upright: bool) -> None:
    masks, n_bits, most = MASKS[name]
    data = bmp(masks, n_bits, is_upright=is_upright)
    decoded = decode(data)
    assert decoded.format == "BMP" and decoded.warnings == ()
    if len(masks) == 3:
        assert decoded.alpha is None
        assert np.abs(decoded.pixels.astype(int) - PICTURE).max() <= most
        return
    assert decoded.alpha is not None
    step = 255 / (masks[3] // (masks[3] & -masks[3]))
    assert np.abs(decoded.alpha - ALPHA.astype(int)).max() <= step / 2 + 1
    opaque = decoded.alpha == 255
    assert np.abs(decoded.pixels.astype(int) - PICTURE)[opaque].max() <= most
    assert holdings_of(data, Limits()).has_alpha


def test_alpha_that_is_nothing_everywhere_is_none() -> None:
    data = bmp((0xF00, 0xF0, 0xF, 0xF000), 16, alpha=np.zeros_like(ALPHA))
    decoded = decode(data)
    assert decoded.alpha is None
    assert np.abs(decoded.pixels.astype(int) - PICTURE).max() <= 9


def test_cut_ones_are_refused() -> None:
    for masks, n_bits, _ in MASKS.values():
        with pytest.raises(UnreadableImageError):
            decode(bmp(masks, n_bits)[:-200])
