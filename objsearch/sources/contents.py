"""The bytes behind a place: a file on disk, or something in memory under a name."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Protocol

from objsearch.errors import UnreadableImageError
from objsearch.files import open_regular
from objsearch.images.kinds import HEAD_BYTES, kind_of
from objsearch.images.raw import refined_kind


class Content(Protocol):
    """Bytes that can be gone over again and again."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str:
        """By the first bytes, as `kind_of` names it."""

    @property
    def key(self) -> str:
        """Equal for the same bytes as before."""

    def open(self) -> BinaryIO: ...

    @property
    def path(self) -> str:
        """A file with these bytes, for readers that want one."""


class FileContent:
    """A regular file of at most `max_bytes`.

    Raises OSError. Pipes and devices are refused before they are opened: they may never end, and
    opening some of them does things.
    """

    def __init__(self, path: str, max_bytes: int) -> None:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(None, "not a regular file")
        _check_size(status.st_size, max_bytes)
        self.path = path
        self.name = path
        self.key = f"{os.path.abspath(path)}:{status.st_size}:{status.st_mtime_ns}"
        with self.open() as stream:
            self.kind = refined_kind(stream, kind_of(stream.read(HEAD_BYTES)), path)

    def open(self) -> BinaryIO:
        # A pipe put in the file's place meanwhile must not be waited for.
        return os.fdopen(open_regular(self.path), "rb")


class MemoryContent:
    """Bytes at hand; put into a temporary file while a reader needs one, and gone with this."""

    def __init__(self, data: bytes, name: str, max_bytes: int) -> None:
        _check_size(len(data), max_bytes)
        self.name = name
        self.kind = refined_kind(io.BytesIO(data), kind_of(data[:HEAD_BYTES]), name)
        self._data = data
        self._lock = threading.Lock()
        self._path = ""

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)

    @property
    def path(self) -> str:
        with self._lock:
            if not self._path:
                self._path = _copy_on_disk(self._data)
                weakref.finalize(self, _remove, self._path)
            return self._path

    @property
    def key(self) -> str:
        return self.path


def _copy_on_disk(data: bytes) -> str:
    """A temporary file of that content. Raises OSError with what to do."""
    path = ""
    try:
        handle, path = tempfile.mkstemp(prefix="objsearch-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
    except OSError as error:
        _remove(path)  # half of it would be taken for a damaged file
        raise OSError(None, f"{NO_COPY}: {error.strerror}; {ELSEWHERE}") from None
    return path


NO_COPY = "a temporary copy of it cannot be written"
ELSEWHERE = "the variable TMPDIR names another folder for that"
GIVES_TEXT = "the stream gives text; open it in binary mode"


def _remove(path: str) -> None:
    with suppress(OSError):
        os.remove(path)


def _check_size(n_bytes: int, max_bytes: int) -> None:
    if n_bytes == 0:
        raise UnreadableImageError("the file is empty")
    if n_bytes > max_bytes:
        raise UnreadableImageError(f"larger than {max_bytes:,} bytes, the limit input.max_bytes")


def read_stream(stream: BinaryIO, max_bytes: int) -> bytes:
    """What a stream holds from where it stands: at most one byte more than the limit."""
    parts = []
    wanted = max_bytes + 1
    if isinstance(stream, io.TextIOBase):  # reading it would stumble over bytes that are no text
        raise UnreadableImageError(GIVES_TEXT)
    while wanted > 0:
        part = stream.read(min(wanted, 1024 * 1024))
        if not part:
            break
        if isinstance(part, str):
            raise UnreadableImageError(GIVES_TEXT)
        parts.append(bytes(part))
        wanted -= len(part)
    return b"".join(parts)


@contextmanager
def opened(content: Content) -> Iterator[BinaryIO]:
    """The content's stream, closed in the end."""
    stream = content.open()
    try:
        yield stream
    finally:
        stream.close()
