"""Files written whole or not at all, and on the disk when the call returns."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress


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
    target = os.path.realpath(path)
    unfinished = f"{target}.{os.getpid()}.part"
    try:
        with open(unfinished, "w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(parts)
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
