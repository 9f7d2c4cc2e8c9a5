"""The directories of a TIFF: which of its pictures are pages, which only smaller versions of them.

A camera or a scanner may put a thumbnail first, and the picture behind it or in a sub-directory:
what is the picture is told by its subfile type and its size, never by its place.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from objsearch.errors import UnreadableImageError

SUBFILE_TYPE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
ORIENTATION, N_SAMPLES, PLANAR, SUB_DIRECTORIES, SAMPLE_FORMAT = 274, 277, 284, 330, 339
EXTRA_SAMPLES = 338

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
_TYPE_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}

MAX_DIRECTORIES = 10_000
"""A bomb of empty directories ends here."""

_MOST_VALUES = 64
_THUMBNAIL_SIDE = 512


@dataclass(frozen=True, slots=True)
class Directory:
    """One picture of a TIFF: where its directory lies in the file, and its small values by tag.

    `places` says where in the file the values of a tag stand; `sizes` how many bytes they take.
    """

    offset: int
    values: Mapping[int, tuple[int, ...]]
    places: Mapping[int, int]
    sizes: Mapping[int, int]

    def value(self, tag: int, default: int) -> int:
        return self.values.get(tag, (default,))[0] if self.values.get(tag) else default

    @property
    def size_wh(self) -> tuple[int, int]:
        return self.value(WIDTH, 0), self.value(HEIGHT, 0)

    @property
    def n_pixels(self) -> int:
        return self.size_wh[0] * self.size_wh[1]

    @property
    def is_reduced(self) -> bool:
        """Whether it says of itself that it is a smaller version of another."""
        return bool(self.value(SUBFILE_TYPE, 0) & 1)

    @property
    def is_mask(self) -> bool:
        return bool(self.value(SUBFILE_TYPE, 0) & 4)


class TiffFile:
    """The directories of an open TIFF, read as they are asked for.

    Raises UnreadableImageError when what should be a TIFF has no header.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        stream.seek(0)
        head = stream.read(16)
        if head[:2] not in (b"II", b"MM") or len(head) < 8:
            raise UnreadableImageError("not an image in a known format")
        self.order = "<" if head[:2] == b"II" else ">"
        self.is_big = struct.unpack(self.order + "H", head[2:4])[0] == 43
        if self.is_big and len(head) < 16:
            raise UnreadableImageError("the file is cut short")
        self.offset_place = 8 if self.is_big else 4
        self.offset_code = "Q" if self.is_big else "I"
        start = head[self.offset_place :][: 8 if self.is_big else 4]
        self._first = int(struct.unpack(self.order + self.offset_code, start)[0])

    def pages(self) -> list[Directory]:
        """The chain of directories, the first one first, thumbnails and masks among them."""
        directories: list[Directory] = []
        seen: set[int] = set()
        offset = self._first
        while offset and offset not in seen and len(directories) < MAX_DIRECTORIES:
            seen.add(offset)
            read = self._read(offset)
            if read is None:
                break
            directory, offset = read
            directories.append(directory)
        return directories

    def full_version(self, page: Directory) -> Directory | None:
        """The picture that a page stands for: itself, or one in a sub-directory if it is reduced.

        None for a page that is nothing but a smaller version or a mask of another.
        """
        if page.is_mask:
            return None
        if not page.is_reduced:
            return page
        full = [
            directory
            for directory in self.subs(page)
            if not directory.is_reduced and not directory.is_mask
        ]
        return max(full, key=lambda directory: directory.n_pixels, default=None)

    def subs(self, page: Directory) -> list[Directory]:
        """The sub-directories of a page."""
        read = (self._read(offset) for offset in page.values.get(SUB_DIRECTORIES, ()))
        return [entry[0] for entry in read if entry is not None]

    def pictures(self) -> list[tuple[int, Directory]]:
        """The full pictures with the numbers of their pages, from 1."""
        pages = self.pages()
        full = [(number, self.full_version(page)) for number, page in enumerate(pages, 1)]
        pictures = [(number, directory) for number, directory in full if directory is not None]
        if not pictures and pages:  # each says that it is a smaller version: then the largest is it
            number, largest = max(enumerate(pages, 1), key=lambda numbered: numbered[1].n_pixels)
            return [(number, largest)]
        if len(pictures) > 1 and _is_thumbnail(pictures[0][1], pictures[1][1]):
            return pictures[1:]
        return pictures

    def _read(self, offset: int) -> tuple[Directory, int] | None:
        """A directory and the place of the next one; None where there is none."""
        count_code, entry_bytes = ("Q", 20) if self.is_big else ("H", 12)
        count_bytes = 8 if self.is_big else 2
        raw = self._at(offset, count_bytes)
        if len(raw) < count_bytes:
            return None
        count = min(int(struct.unpack(self.order + count_code, raw)[0]), 65_535)
        width = struct.calcsize(self.order + self.offset_code)
        body = self._at(offset + count_bytes, count * entry_bytes + width)
        if len(body) < count * entry_bytes:
            return None
        values, places, sizes = {}, {}, {}
        for number in range(count):
            start = number * entry_bytes
            place = offset + count_bytes + start
            tag, numbers, where, n_bytes = self._entry(body[start : start + entry_bytes], place)
            values[tag], places[tag], sizes[tag] = numbers, where, n_bytes
        end = body[count * entry_bytes :]
        following = struct.unpack(self.order + self.offset_code, end)[0] if len(end) == width else 0
        return Directory(offset, values, places, sizes), int(following)

    def _entry(self, entry: bytes, place: int) -> tuple[int, tuple[int, ...], int, int]:
        """Tag, values (none where they are many or no whole numbers), their place and bytes."""
        count_code = "Q" if self.is_big else "I"
        tag, kind, count = struct.unpack(self.order + "HH" + count_code, entry[: -self._inline])
        n_bytes = _TYPE_BYTES.get(kind, 8) * count
        is_inline = n_bytes <= self._inline
        at = place + len(entry) - self._inline
        if not is_inline:
            at = struct.unpack(self.order + self.offset_code, entry[-self._inline :])[0]
        code = _TYPE_CODES.get(kind)
        if code is None or not 0 < count <= _MOST_VALUES:
            return tag, (), at, n_bytes
        raw = entry[-self._inline :][:n_bytes] if is_inline else self._at(at, n_bytes)
        if len(raw) < n_bytes:
            return tag, (), at, n_bytes
        return tag, struct.unpack(f"{self.order}{count}{code}", raw), at, n_bytes

    @property
    def _inline(self) -> int:
        return 8 if self.is_big else 4

    def _at(self, offset: int, n_bytes: int) -> bytes:
        try:
            self._stream.seek(offset)
            return self._stream.read(n_bytes)
        except (OverflowError, ValueError, OSError):
            return b""


def _is_thumbnail(first: Directory, second: Directory) -> bool:
    """Whether a small first picture is, without saying so, a far smaller one of the next."""
    (width, height), (full_width, full_height) = first.size_wh, second.size_wh
    if min(width, height, full_width, full_height) < 1 or max(width, height) > _THUMBNAIL_SIDE:
        return False
    scale = full_width / width
    return scale >= 3 and abs(full_height / height / scale - 1) < 0.03


def with_first(stream: BinaryIO, offset: int) -> bytes:
    """A TIFF's bytes with its header changed so that the directory at `offset` is the first."""
    tiff = TiffFile(stream)
    stream.seek(0)
    data = bytearray(stream.read())
    struct.pack_into(tiff.order + tiff.offset_code, data, tiff.offset_place, offset)
    return bytes(data)


def picture_stream(stream: BinaryIO, page: int | None = None) -> BinaryIO:
    """The TIFF itself, or one that begins with the picture of a page, from 1; None: the main one.

    Raises UnreadableImageError when there is no page of that number.
    """
    tiff = TiffFile(stream)
    pages = tiff.pages()
    if page is None:
        _, wanted = next(iter(tiff.pictures()), (0, None))
        if wanted is None:
            raise UnreadableImageError("the file is cut short")
    elif page > len(pages):
        count = f"{len(pages)} page{'' if len(pages) == 1 else 's'}"
        raise UnreadableImageError(f"there is no such page: it has {count}")
    else:
        wanted = tiff.full_version(pages[page - 1]) or pages[page - 1]
    if pages and wanted.offset == pages[0].offset:
        return stream
    return io.BytesIO(with_first(stream, wanted.offset))
