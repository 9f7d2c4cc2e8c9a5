"""Files written whole or not at all, and on the disk when the call returns; and what lies where."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from objsearch.errors import UsageError


def write_whole(path: str | os.PathLike[str], parts: Iterable[str]) -> None:
    """Replace a file's content in one step, and see it to the disk.

    `parts` are written as they come, so that a page never has to fit into memory; should making one
    fail, the file stays as it was. What is no file, such as a pipe or /dev/stdout, is written to.
    Raises OSError.
    """
    if is_stream(path):
        with open(path, "a", encoding="utf-8", newline="\n") as stream:
            stream.writelines(parts)
        return
    with replacing(os.path.realpath(path)) as whole:
        whole.writelines(part.encode() for part in parts)


def write_own(path: str | os.PathLike[str], text: str) -> None:
    """Replace a file of ours in a folder of ours; a link at its name goes, and leads nowhere.

    Such a folder may come from somebody else. Raises OSError.
    """
    with replacing(path) as whole:
        whole.write(text.encode())


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """What is to stand at a name once all of it is on the disk; on an error, nothing happens.

    Whoever may read what is there may read that, and nobody else. Raises OSError.
    """
    target = os.fspath(path)
    unfinished = f"{target}.{secrets.token_hex(4)}.part"
    stream = open(unfinished, "xb")  # noqa: SIM115  (what has that name already is not ours)
    try:
        with stream:
            if os.path.isfile(target) and not os.path.islink(target):
                shutil.copymode(target, unfinished)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
    sync_folder(os.path.dirname(target))


_ALREADY_OPEN = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
"""These may lead to a file, which a shell holds open and others write to as well."""


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether something has to be written to and cannot be replaced."""
    is_other = os.path.exists(path) and not os.path.isfile(path)
    return is_other or os.fspath(path).startswith(_ALREADY_OPEN)


def sync_folder(folder: str) -> None:
    """See the names in a folder to the disk, where the system lets folders be opened."""
    if os.name == "nt":
        return
    try:
        handle = os.open(folder or ".", os.O_RDONLY)
    except PermissionError:  # a folder that one may write to and not list
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lies_in(path: str, roots: Iterable[str]) -> bool:
    """Whether a real path is one of the roots, or lies under one."""
    return any(path == root or path.startswith(os.path.join(root, "")) for root in roots)


def read_record(path: str | Path, schema: str, what: str) -> dict[str, Any]:
    """A JSON object with that `schema`; raises UsageError that says what is there instead."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read '{path}': {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"'{path}' is not JSON: give {what}") from None
    if not isinstance(data, dict) or data.get("schema") != schema:
        said = data.get("schema") if isinstance(data, dict) else None
        if isinstance(said, str) and said.rpartition("/")[0] == schema.rpartition("/")[0]:
            raise UsageError(f"'{path}' is of another version ({said}, not {schema}): make it anew")
        raise UsageError(f"'{path}' is not {what} (its schema is {said!r}, not '{schema}')")
    return data


def is_below_record(folder: str, name: str, schema: str) -> bool:
    """Whether a folder or one above it holds a JSON record of that name and schema."""
    while True:
        if _holds_record(os.path.join(folder, name), schema):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above


def _holds_record(path: str, schema: str) -> bool:
    return schema.encode() in beginning_of(path, 200)


def beginning_of(path: str | os.PathLike[str], n_bytes: int) -> bytes:
    """The first bytes of a regular file; none where there is no such file, or it is not to be read.

    A name says nothing: a pipe of that name would be waited for without an end.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as stream:
            return stream.read(n_bytes)
    except OSError:
        return b""


def open_regular(path: str | os.PathLike[str], flags: int = 0) -> int:
    """A handle to read a regular file by; raises OSError for anything else, and waits for none."""
    handle = os.open(path, os.O_RDONLY | _NO_WAITING | flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(None, "not a regular file")
    return handle


_NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
