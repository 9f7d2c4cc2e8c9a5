"""What a file holds, all of it: what must not get lost when another is kept in its place."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Protocol

import cv2
import numpy as np

from objsearch.errors import UnreadableImageError
from objsearch.images import boxes
from objsearch.images.damage import damage_of
from objsearch.images.decode import Limits, check_bytes, opened_picture
from objsearch.images.facts import Facts, tells_in
from objsearch.images.held_pictures import HeldPicture, iter_pictures
from objsearch.images.kinds import HEAD_BYTES, kind_of
from objsearch.images.raw import is_raw
from objsearch.images.samples import Samples, is_lost_in_8_bits, is_lost_on
from objsearch.images.tells import facts_of_tiff

_LOSSLESS_TIFF = {"raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "group3"}
_LOSSLESS_TIFF |= {"group4", "tiff_ccitt", "lzma", "zstd"}
_NEARLY_GRAY = 2
"""Gray levels by which the colours of a gray picture may differ, by rounding."""


class Openable(Protocol):
    """Bytes that can be opened again and again."""

    def open(self) -> BinaryIO: ...


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that a file holds.

    `samples` is equal for two files only if all that they show is: every page, frame and embedded
    picture, at the file's own depth, with alpha and colour profile, upright; how long
    each frame stands does not count (that is in `timing`), nor do colours under what is wholly
    transparent. Where it starts with
    `bytes:` the samples could not be had, and it is equal for equal bytes alone.
    `n_pictures` counts pages, frames and embedded pictures, without smaller versions and gain maps.
    `has_more`: something follows the picture, or lies in it, that is not known or not compared: an
    editor's layers, smaller versions in a TIFF. `bits` a sample;
    `n_colours` is 1 for gray, also in a file of colours, or 3; `has_alpha`: not all is opaque;
    `has_inks`: its colours are those of a press (CMYK);
    `is_clear`: nothing is to be seen, whatever it is laid on.
    `lost_by_conversion`: in 8 bits on the background next to nothing of it is to be seen, or its
    numbers were stretched to be shown: equal looks then do not mean equal pictures. `is_damaged`:
    it was read, but part of what is to be seen is not the picture. `is_lossless`: its format keeps
    all that it was given, as it does not where colours had to be chosen for a palette.
    """

    samples: str
    n_pictures: int = 1
    is_animated: bool = False
    timing: str = ""
    has_film: bool = False
    has_more: bool = False
    has_gain_map: bool = False
    bits: int = 8
    n_colours: int = 3
    has_alpha: bool = False
    has_inks: bool = False
    is_clear: bool = False
    lost_by_conversion: bool = False
    is_damaged: bool = False
    is_lossless: bool = False
    facts: Facts = frozenset()

    @property
    def tells(self) -> frozenset[str]:
        """What it tells of beside its pixels: `date`, `caption`, ..."""
        return tells_in(self.facts)


def holdings_of(content: bytes | str | os.PathLike[str] | Openable, limits: Limits) -> Holdings:
    """Look at all of a file: given as bytes, a path, or something to open.

    Raises UnreadableImageError with the reason, and OSError.
    """
    data = _read(content, limits)
    name = os.fspath(content) if isinstance(content, str | os.PathLike) else ""
    name = name or str(getattr(content, "name", ""))
    kind = kind_of(data[:HEAD_BYTES])
    if is_raw(io.BytesIO(data), kind, name):
        return Holdings(_by_bytes(data), bits=16, facts=facts_of_tiff(data))
    if kind == "HEIF":
        return _of_boxes(data)
    if kind in ("PDF", "VIDEO", "WMF", "EMF", "SVG", "JXL"):
        return Holdings(_by_bytes(data), has_film=kind == "VIDEO")
    seen = list(_looked_at(iter_pictures(data, kind, limits), limits))
    if not seen:
        raise UnreadableImageError("there is no picture in it")
    holdings = _together(seen, data, limits)
    if kind != "AVIF":
        return holdings
    held = boxes.held_of(data)
    if held.bits > 8:  # Pillow gives 8 of them
        holdings = replace(holdings, samples=_by_bytes(data), bits=held.bits)
    return replace(
        holdings,
        n_pictures=max(held.n_pictures, holdings.n_pictures),
        has_gain_map=held.has_gain_map,
    )


def _read(content: bytes | str | os.PathLike[str] | Openable, limits: Limits) -> bytes:
    if isinstance(content, bytes):
        data = content
    elif isinstance(content, str | os.PathLike):
        with open(content, "rb") as stream:
            data = stream.read(limits.max_bytes + 1)
    else:
        with content.open() as opened:
            data = opened.read(limits.max_bytes + 1)
    check_bytes(len(data), limits)
    return data


def _of_boxes(data: bytes) -> Holdings:
    held = boxes.held_of(data)
    return Holdings(
        _by_bytes(data),
        n_pictures=held.n_pictures,
        has_film=held.has_film,
        has_gain_map=held.has_gain_map,
        bits=held.bits,
        has_alpha=held.has_alpha,
        facts=boxes.facts_of(data),
    )


def _by_bytes(data: bytes) -> str:
    return f"bytes:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found out about one picture of a file."""

    picture: HeldPicture
    digest: str
    dtype: np.dtype[Any]
    is_gray: bool
    has_alpha: bool
    is_clear: bool
    is_lost: bool
    has_inks: bool


def _looked_at(pictures: Iterator[HeldPicture], limits: Limits) -> Iterator[_Seen]:
    for picture in pictures:
        is_same = is_near = is_opaque = is_clear = True
        dtype = np.dtype(np.uint8)
        thin: list[Samples] = []
        step = max(1, max(picture.size_wh) // 512)
        for strip in picture.strips():
            dtype = strip.values.dtype
            if is_near:  # nearly all photos are known for coloured by their first strip
                same, near = _grayness(strip)
                is_same, is_near = is_same and same, near
            is_opaque = is_opaque and _is_opaque(strip)
            is_clear = is_clear and strip.alpha is not None and not strip.alpha.any()
            thin.append(_thin(strip, step))
        digest = _digest(picture, is_same and is_near, is_opaque)
        is_lost = _is_lost(_joined(thin), is_opaque, limits)
        has_inks = thin[0].model == "CMYK"
        yield _Seen(picture, digest, dtype, is_near, not is_opaque, is_clear, is_lost, has_inks)


def _thin(strip: Samples, step: int) -> Samples:
    alpha = None if strip.alpha is None else strip.alpha[::step, ::step]
    return Samples(strip.values[::step, ::step].copy(), alpha, strip.model)


def _joined(strips: list[Samples]) -> Samples:
    values = np.concatenate([strip.values for strip in strips])
    has_alpha = strips[0].alpha is not None
    alpha = np.concatenate([np.asarray(strip.alpha) for strip in strips]) if has_alpha else None
    return Samples(values, alpha, strips[0].model)


def _grayness(strip: Samples) -> tuple[bool, bool]:
    """Whether all colours of a strip are equal, and whether they nearly are."""
    values = strip.cleaned().values
    if values.shape[2] == 1:
        return True, True
    if strip.model != "shown":
        return False, strip.model == "CMYK" and not values[..., :3].any()
    red, green, blue = (values[..., channel] for channel in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return True, True
    if values.dtype != np.uint8:
        return False, False
    far = max(int(cv2.absdiff(red, other).max()) for other in (green, blue))
    return False, far <= _NEARLY_GRAY


def _is_opaque(strip: Samples) -> bool:
    if strip.alpha is None:
        return True
    most = np.iinfo(strip.alpha.dtype).max if strip.alpha.dtype.kind in "iu" else 1.0
    return bool((strip.alpha >= most).all())


def _digest(picture: HeldPicture, is_gray: bool, is_opaque: bool) -> str:
    """Hex SHA-256 of one picture: gray as one colour, and without an alpha that hides nothing."""
    digest = hashlib.sha256()
    for number, strip in enumerate(picture.strips()):
        cleaned = strip.cleaned()
        values = cleaned.values[..., :1] if is_gray else cleaned.values
        if number == 0:
            head = (picture.size_wh, values.dtype.str, values.shape[2], is_opaque, strip.model)
            digest.update(repr(head).encode() + picture.profile)
        digest.update(np.ascontiguousarray(values).data)
        if not is_opaque and cleaned.alpha is not None:
            digest.update(np.ascontiguousarray(cleaned.alpha).data)
    return digest.hexdigest()


def _is_lost(sample: Samples, is_opaque: bool, limits: Limits) -> bool:
    if sample.values.dtype == np.uint8:
        is_shown = is_opaque or sample.model != "shown"
        return not is_shown and is_lost_on(sample, float(np.mean(limits.background)))
    return sample.values.dtype != np.uint16 or is_lost_in_8_bits(sample.values)


def _is_lossless(data: bytes, limits: Limits) -> bool:
    """Whether the format of the first picture loses nothing; False of what is not known."""
    try:
        with opened_picture(data, limits, ("PNG", "BMP", "TIFF")) as picture:
            compression = picture.info.get("compression")
            is_kept = picture.format != "TIFF" or compression in _LOSSLESS_TIFF
            return is_kept and picture.mode not in ("P", "PA")
    except UnreadableImageError:
        return False


def _together(every: list[_Seen], data: bytes, limits: Limits) -> Holdings:
    counted = [seen for seen in every if seen.picture.counts]
    first = every[0].picture
    is_animated = first.is_frame and len(counted) > 1
    digest = hashlib.sha256("".join(seen.digest for seen in counted).encode())
    times = ",".join(str(seen.picture.shown_ms) for seen in counted)
    extra = first.extra
    is_whole = all(seen.picture.is_whole for seen in counted)
    bits = max(max(8 * seen.dtype.itemsize, seen.picture.bits) for seen in counted)
    return Holdings(
        digest.hexdigest() if is_whole else _by_bytes(data),
        n_pictures=len(counted),
        is_animated=is_animated,
        timing=hashlib.sha256(times.encode()).hexdigest() if is_animated else "",
        has_film=extra.has_film,
        has_more=extra.has_more,
        has_gain_map=any(seen.picture.is_gain_map for seen in every),
        bits=bits,
        n_colours=1 if all(seen.is_gray for seen in counted) else 3,
        has_alpha=any(seen.has_alpha for seen in counted),
        has_inks=any(seen.has_inks for seen in counted),
        is_clear=all(seen.is_clear for seen in counted),
        lost_by_conversion=any(seen.is_lost for seen in counted),
        is_damaged=data.startswith(b"\xff\xd8") and bool(damage_of(data)),
        is_lossless=_is_lossless(data, limits),
        facts=first.facts,
    )
