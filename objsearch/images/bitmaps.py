"""BMPs whose colours lie in bits of their own, put where Pillow looks for them.

It refuses those that it has no name for (4 bits a colour, 10), and leaves the alpha of 16 bits out.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from objsearch.images.samples import ROWS

HEAD_BYTES = 70
_FILE_BYTES, _PLAIN_BYTES, _WITH_ALPHA_BYTES = 14, 40, 56
_BIT_FIELDS, _ALPHA_BIT_FIELDS = 3, 6
_USUAL = (0xFF0000, 0xFF00, 0xFF)
_KNOWN = {
    16: ((0x7C00, 0x3E0, 0x1F, 0), (0xF800, 0x7E0, 0x1F, 0)),
    32: (
        (*_USUAL, 0),
        (*_USUAL, 0xFF000000),
        (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        (0xFF000000, 0xFF0000, 0xFF00, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        (0xFF000000, 0xFF00, 0xFF, 0),
        (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
    ),
}
"""By bits a pixel: where red, green, blue and alpha may lie for Pillow."""


def odd_masks(head: bytes) -> tuple[int, ...]:
    """Of red, green, blue and alpha, by the first bytes; none of what Pillow reads right."""
    if not head.startswith(b"BM") or len(head) < HEAD_BYTES:
        return ()
    (n_bytes,) = struct.unpack_from("<I", head, _FILE_BYTES)
    n_bits, compression = struct.unpack_from("<HI", head, 28)
    if n_bits not in _KNOWN or compression not in (_BIT_FIELDS, _ALPHA_BIT_FIELDS):
        return ()
    has_alpha = n_bytes >= _WITH_ALPHA_BYTES or compression == _ALPHA_BIT_FIELDS
    masks = struct.unpack_from("<4I", head, _FILE_BYTES + _PLAIN_BYTES)
    masks = masks if has_alpha else (*masks[:3], 0)
    is_known = compression == _BIT_FIELDS and masks in _KNOWN[n_bits]
    return () if n_bytes < _PLAIN_BYTES or is_known else masks


def with_usual_masks(data: bytes) -> bytes:
    """The picture in 32 bits; the data as they are where its masks are usual, or it is cut."""
    masks = odd_masks(data[:HEAD_BYTES])
    if not masks:
        return data
    start, _, width, height = struct.unpack_from("<IIii", data, 10)
    n_bytes = struct.unpack_from("<H", data, 28)[0] // 8
    across = -(-width * n_bytes // 4) * 4 // n_bytes
    if width < 1 or start + across * abs(height) * n_bytes > len(data):
        return data
    words = np.frombuffer(data, f"<u{n_bytes}", across * abs(height), start)
    layers = _layers(words.reshape(abs(height), across)[:, :width], masks)
    has_alpha = bool(masks[3]) and bool(layers[..., 3].any())  # if all is clear nobody meant it
    head = struct.pack("<IiiHHI", _WITH_ALPHA_BYTES, width, height, 1, 32, _BIT_FIELDS)
    head += struct.pack("<5I", layers.nbytes, 0, 0, 0, 0)
    head += struct.pack("<4I", *_USUAL, 0xFF000000 if has_alpha else 0)
    place = _FILE_BYTES + len(head)
    return struct.pack("<2sIII", b"BM", place + layers.nbytes, 0, place) + head + layers.tobytes()


def _layers(words: NDArray[np.unsignedinteger], masks: tuple[int, ...]) -> NDArray[np.uint8]:
    """(H, W, 4) blue, green, red and alpha of 8 bits."""
    layers = np.zeros((*words.shape, 4), np.uint8)
    red, green, blue, alpha = masks
    for top in range(0, len(words), ROWS):
        rows = words[top : top + ROWS].astype(np.uint64)
        for place, mask in enumerate((blue, green, red, alpha)):
            lowest = mask & -mask
            if mask:
                most = mask // lowest
                parts = ((rows & np.uint64(mask)) // np.uint64(lowest)) * np.uint64(255)
                layers[top : top + ROWS, :, place] = (parts + np.uint64(most // 2)) // np.uint64(
                    most
                )
    return layers
