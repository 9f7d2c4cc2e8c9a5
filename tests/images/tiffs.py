"""A small writer of TIFFs in forms that no codec at hand writes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Page:
    """Samples (H, W) or (H, W, C) of any type, and tags that differ from the usual ones."""

    samples: np.ndarray
    tags: dict[int, tuple[int, ...]] = field(default_factory=dict)
    subs: list[Page] = field(default_factory=list)
    is_planar: bool = False


def tiff(pages: list[Page], order: str = "<") -> bytes:
    """The bytes of a classic TIFF, uncompressed."""
    data = bytearray((b"II*\0" if order == "<" else b"MM\0*") + b"\0\0\0\0")
    link = 4
    for page in pages:
        offset, following = _put(data, page, order)
        struct.pack_into(order + "I", data, link, offset)
        link = following
    return bytes(data)


def _put(data: bytearray, page: Page, order: str) -> tuple[int, int]:
    subs = [_put(data, sub, order)[0] for sub in page.subs]
    samples = page.samples
    n_samples = 1 if samples.ndim == 2 else samples.shape[2]
    planes = np.moveaxis(samples, 2, 0) if page.is_planar else samples[None]
    strips = [plane.astype(plane.dtype.newbyteorder(order)).tobytes() for plane in planes]
    places = []
    for strip in strips:
        places.append(len(data))
        data += strip + b"\0" * (len(strip) % 2)
    form = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    bits = (8 * samples.itemsize,) * n_samples
    tags: dict[int, tuple[str, tuple[int, ...]]] = {
        256: ("I", (samples.shape[1],)),
        257: ("I", (samples.shape[0],)),
        258: ("H", bits),
        259: ("H", (1,)),
        262: ("H", (2 if n_samples >= 3 else 1,)),
        273: ("I", tuple(places)),
        277: ("H", (n_samples,)),
        278: ("I", (samples.shape[0],)),
        279: ("I", tuple(len(strip) for strip in strips)),
        284: ("H", (2 if page.is_planar else 1,)),
        339: ("H", (form,) * n_samples),
    }
    if n_samples == 4:
        tags[338] = ("H", (2,))
    if subs:
        tags[330] = ("I", tuple(subs))
    tags |= {tag: ("H" if tag != 254 else "I", values) for tag, values in page.tags.items()}
    return _directory(data, tags, order)


def _directory(
    data: bytearray, tags: dict[int, tuple[str, tuple[int, ...]]], order: str
) -> tuple[int, int]:
    entries = []
    for tag, (code, values) in sorted(tags.items()):
        raw = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(raw) > 4:
            place = len(data)
            data += raw + b"\0" * (len(raw) % 2)
            raw = struct.pack(order + "I", place)
        kind = {"H": 3, "I": 4}[code]
        entries.append(struct.pack(order + "HHI", tag, kind, len(values)) + raw.ljust(4, b"\0"))
    offset = len(data)
    data += struct.pack(order + "H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    return offset, len(data) - 4
