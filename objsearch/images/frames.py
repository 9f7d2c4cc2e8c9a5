"""Files of several pictures that Pillow reads: TIFF pages (from 1), animation frames (from 0)."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError
from objsearch.images.behind import pictures_in
from objsearch.images.decode import (
    Decoded,
    Limits,
    Part,
    decode_tiff,
    decoded_frame,
    opened_picture,
    told_in_a_sentence,
)
from objsearch.images.icons import icon_of, n_icons
from objsearch.images.kinds import is_tiff, kind_of
from objsearch.images.tiff_directories import TiffFile, picture_stream

ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
"""Kinds whose frames follow one another in time, each built upon the former."""


def tiff_pages(data: bytes | BinaryIO, limits: Limits) -> list[Part]:
    """The full pages of a TIFF, by number; smaller versions of a page are none."""
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    with told_in_a_sentence(limits):
        return [Part(page=number) for number, _ in TiffFile(stream).pictures()]


def decode_part(data: bytes | BinaryIO, part: Part, name: str, limits: Limits) -> Decoded:
    """One page or frame. Raises UnreadableImageError when there is none of that number."""
    wanted = part.page - 1 if part.page is not None else part.frame
    word = "page" if part.page is not None else "frame"
    if wanted is None:
        raise UnreadableImageError("it is no video: it has no times")
    if wanted < 0:
        raise UnreadableImageError(f"{word}s count from {'1' if word == 'page' else '0'}")
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    if word == "page" and is_tiff(stream):
        with told_in_a_sentence(limits):
            at_page = picture_stream(stream, wanted + 1)
        return decode_tiff(at_page, name, limits)
    stream.seek(0)
    if word == "frame" and kind_of(stream.read(4)) == "JPEG":
        stream.seek(0)
        jpegs = dict(pictures_in(stream.read()))
        if wanted in jpegs:
            return decode_jpeg(jpegs[wanted], name, limits)
    stream.seek(0)
    with opened_picture(data, limits) as picture:
        if picture.format == "ICO":
            return _icon(picture, wanted, name, limits)
        _go_to(picture, wanted, word, limits)
        return decoded_frame(picture, name, limits)


def _go_to(picture: PillowImage.Image, wanted: int, word: str, limits: Limits) -> None:
    deadline = time.monotonic() + limits.timeout_seconds
    for number in range(wanted + 1):
        if not _reached(picture, number, deadline):
            raise _none_such(word, number)


def _none_such(word: str, count: int) -> UnreadableImageError:
    counted = f"{count} {word}{'' if count == 1 else 's'}"
    return UnreadableImageError(f"there is no such {word}: it has {counted}")


def iter_frames(
    data: bytes | BinaryIO, step: int, name: str, limits: Limits
) -> Iterator[tuple[Part, Decoded | UnreadableImageError]]:
    """Every `step`-th frame, one at a time in memory. A picture that stands still has no part.

    A frame that cannot be decoded is the last: those after it are built upon it.
    """
    number = 0
    try:
        with opened_picture(data, limits) as picture:
            is_animated = getattr(picture, "is_animated", False)
            while _reached(picture, number, time.monotonic() + limits.timeout_seconds):
                if number % step == 0:
                    part = Part(frame=number) if is_animated else Part()
                    yield part, decoded_frame(picture, name if number == 0 else "", limits)
                number += 1
    except UnreadableImageError as error:
        yield (Part(frame=number) if number else Part()), error


def decode_jpeg(data: bytes, name: str, limits: Limits) -> Decoded:
    """One of the pictures of a JPEG file, as it lies there."""
    with opened_picture(data, limits) as picture:
        return decoded_frame(picture, name, limits)


def iter_jpegs(
    pictures: Iterable[tuple[int, bytes]], name: str, limits: Limits
) -> Iterator[tuple[Part, Decoded | UnreadableImageError]]:
    """The pictures of a JPEG file, by their numbers; a damaged one ends nothing."""
    for number, jpeg in pictures:
        try:
            yield Part(frame=number), decode_jpeg(jpeg, name if number == 0 else "", limits)
        except UnreadableImageError as error:
            yield Part(frame=number), error


def iter_icons(
    data: bytes | BinaryIO, step: int, name: str, limits: Limits
) -> Iterator[tuple[Part, Decoded | UnreadableImageError]]:
    """Every `step`-th picture of an icon, its sizes; the largest comes first. One has no part."""
    with opened_picture(data, limits) as picture:
        count = n_icons(picture)
        for number in range(0, count, step):
            part = Part(frame=number) if count > 1 else Part()
            try:
                yield part, _icon(picture, number, name if number == 0 else "", limits)
            except UnreadableImageError as error:
                yield part, error


def _icon(picture: PillowImage.Image, number: int, name: str, limits: Limits) -> Decoded:
    count = n_icons(picture)
    if number >= count:
        raise _none_such("frame", count)
    with told_in_a_sentence(limits):
        return decoded_frame(icon_of(picture, number), name, limits)


def _reached(picture: PillowImage.Image, number: int, deadline: float) -> bool:
    """Go to a page or frame; whether there is one. Pillow counts both from 0."""
    if time.monotonic() > deadline:
        raise UnreadableImageError("it takes too long to go through its frames")
    try:
        picture.seek(number)
    except EOFError:
        return False
    return True
