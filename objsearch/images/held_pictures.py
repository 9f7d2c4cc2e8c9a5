"""Every picture in a file, one after another, at its own depth."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.behind import (
    Behind,
    behind_of,
    is_gain_map,
    says_gain_map,
)
from objsearch.images.damage import without_markers
from objsearch.images.decode import Limits, opened_picture
from objsearch.images.deep import deep_jpeg2000, deep_png, jpeg2000_bits
from objsearch.images.facts import Facts
from objsearch.images.icons import icon_of, n_icons
from objsearch.images.jpeg_scans import jpeg_end
from objsearch.images.mending import mended
from objsearch.images.samples import Samples, strips_of, strips_of_array
from objsearch.images.tells import facts_of, facts_of_png, facts_of_tiff, odd_profile
from objsearch.images.tiff_directories import EXTRA_SAMPLES, TiffFile, with_first
from objsearch.images.tiff_samples import NO_ALPHA, is_wide, wide_samples
from objsearch.images.upright import upright_picture

_LAYERS = 37724  # TIFF tag: an editor's layers
_KNOWN_CHUNKS = 1024
_SMALLER = 0.9
_SAME = 0.97


@dataclass(frozen=True, slots=True, eq=False)
class HeldPicture:
    """One picture of a file. `strips` goes over its samples, upright, as often as it is asked to.

    `is_whole` says whether the samples are all that the file has of it, at its depth of `bits`;
    `shown_ms` is how long a frame stands, to a hundredth of a second, as all formats have it;
    `counts` whether it is more than a smaller version or a gain map of another.
    """

    strips: Callable[[], Iterator[Samples]]
    size_wh: tuple[int, int]
    profile: bytes = b""
    facts: Facts = frozenset()
    bits: int = 8
    is_whole: bool = True
    is_frame: bool = False
    shown_ms: int = 0
    counts: bool = True
    is_gain_map: bool = False
    extra: Behind = field(default_factory=Behind)


def iter_pictures(data: bytes, kind: str, limits: Limits) -> Iterator[HeldPicture]:
    """Each is valid until the next one is asked for. Raises UnreadableImageError."""
    if kind == "TIFF":
        yield from _of_tiff(data, limits)
    elif kind == "JPEG":
        yield from _of_jpeg(data, limits)
    else:
        yield from _of_frames(data, kind, limits)


def _of_tiff(data: bytes, limits: Limits) -> Iterator[HeldPicture]:
    stream = io.BytesIO(data)
    tiff = TiffFile(stream)
    pages, pictures = tiff.pages(), tiff.pictures()
    n_all = len(pages) + sum(len(tiff.subs(page)) for page in pages)
    layers = any(page.sizes.get(_LAYERS, 0) > 100 for page in pages)
    others = any(NO_ALPHA in page.values.get(EXTRA_SAMPLES, ()) for page in pages)
    extra = Behind(has_more=layers or others or n_all > len(pictures))
    for _, directory in pictures:
        limits.check_size(*directory.size_wh)
        at_it = io.BytesIO(with_first(stream, directory.offset))
        if not is_wide(directory):
            with opened_picture(at_it, limits, formats=("TIFF",)) as picture:
                yield replace(_still(picture), extra=extra)
            continue
        try:
            values = wide_samples(at_it)
        except UnreadableImageError:  # Pillow may know it, in 8 bits
            with opened_picture(at_it, limits, formats=("TIFF",)) as picture:
                yield replace(_still(picture), is_whole=False, bits=16)
            continue
        yield replace(_of_array(values), facts=facts_of_tiff(at_it.getvalue()), extra=extra)


def _of_jpeg(data: bytes, limits: Limits) -> Iterator[HeldPicture]:
    mended_stream, _ = mended(io.BytesIO(data))
    data = mended_stream.read()
    data = without_markers(data) or data
    extra = behind_of(data, "JPEG")
    has_map = says_gain_map(data[: jpeg_end(data)])
    embedded = b"GDepth:Data" in data or b"GImage:Data" in data
    with opened_picture(io.BytesIO(data), limits) as picture:
        first = _still(picture)
        small, shape = _tiny(picture), picture.size
        yield replace(first, extra=replace(extra, has_more=extra.has_more or embedded))
    for number, jpeg in enumerate(extra.jpegs):
        with opened_picture(io.BytesIO(jpeg), limits) as picture:
            is_map = is_gain_map(jpeg) or (has_map and number == len(extra.jpegs) - 1)
            is_smaller = max(picture.size) < _SMALLER * max(shape)
            is_version = is_smaller and _alike(small, _tiny(picture))
            yield replace(_still(picture), counts=not (is_map or is_version), is_gain_map=is_map)


def _of_frames(data: bytes, kind: str, limits: Limits) -> Iterator[HeldPicture]:
    extra = behind_of(data, kind)
    bits = _own_bits(data, kind)
    with opened_picture(io.BytesIO(data), limits) as picture:
        if (values := _deep_values(data, picture, bits)) is not None:
            yield replace(_deep(values, picture, data), extra=extra)
            return
        if picture.format == "ICO":
            yield from _of_icon(picture, limits)
            return
        deadline = time.monotonic() + limits.timeout_seconds
        for number in range(getattr(picture, "n_frames", 1)):
            if time.monotonic() > deadline:
                raise UnreadableImageError("it takes too long to go through its frames")
            picture.seek(number)
            limits.check_size(*picture.size)
            still = _still(picture)
            facts = still.facts | (facts_of_png(data) if kind == "PNG" else frozenset())
            is_whole = bits <= 8 or picture.mode.startswith("I")
            still = replace(still, bits=bits, is_whole=is_whole, facts=facts)
            shown_ms = 10 * round(float(picture.info.get("duration") or 0) / 10)
            yield replace(still, is_frame=True, shown_ms=shown_ms, extra=extra)


def _own_bits(data: bytes, kind: str) -> int:
    """Bits a sample by the header, where Pillow may give fewer."""
    if kind == "PNG":
        return 16 if data[24:25] == b"\x10" else 8
    is_jpeg2000 = data[:12].find(b"jP  ") == 4 or data[:2] == b"\xff\x4f"
    return max(jpeg2000_bits(data), default=8) if is_jpeg2000 else 8


def _deep_values(data: bytes, picture: PillowImage.Image, bits: int) -> NDArray[Any] | None:
    """Colours that Pillow gives in 8 bits, at their own depth; None where it does not, or must."""
    if bits <= 8 or picture.mode.startswith("I"):
        return None
    if picture.format == "JPEG2000":
        return deep_jpeg2000(picture)
    return deep_png(data, picture) if picture.format == "PNG" else None


def _deep(values: NDArray[Any], picture: PillowImage.Image, data: bytes) -> HeldPicture:
    facts = facts_of(picture) | (facts_of_png(data) if picture.format == "PNG" else frozenset())
    return replace(_of_array(values), profile=odd_profile(picture), facts=facts)


def _of_icon(picture: PillowImage.Image, limits: Limits) -> Iterator[HeldPicture]:
    for number in range(n_icons(picture)):
        frame = icon_of(picture, number)
        limits.check_size(*frame.size)
        frame.load()
        yield _loaded(frame)


def _still(picture: PillowImage.Image) -> HeldPicture:
    picture.load()
    upright = upright_picture(picture)
    return replace(_loaded(upright), profile=odd_profile(picture), facts=facts_of(picture))


def _loaded(picture: PillowImage.Image) -> HeldPicture:
    return HeldPicture(partial(strips_of, picture), picture.size)


def _of_array(values: NDArray[Any]) -> HeldPicture:
    size_wh = int(values.shape[1]), int(values.shape[0])
    return HeldPicture(partial(strips_of_array, values), size_wh, bits=8 * values.itemsize)


def _tiny(picture: PillowImage.Image) -> NDArray[np.float64]:
    small = picture.convert("L").resize((16, 16), PillowImage.Resampling.BOX)
    return np.asarray(small, np.float64)


def _alike(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    if min(first.std(), second.std()) < 1:
        return False
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1]) > _SAME
