"""Files written whole or not at all, and on the disk when the call returns."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress


def write_whole(path: str | os.PathLike[str], parts: Iterable[str]) -> None:
    """Replace a file's content in one step, and see it to the disk.

    `parts` are written as they come, so that a page never has to fit into memory; should making one
    fail, the file stays as it was. What is no file, such as /dev/stdout, is written to. Raises
    OSError.
    """
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(parts)
        return
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


def sync_folder(folder: str) -> None:
    """See the names in a folder to the disk, where the system lets folders be opened."""
    if os.name == "nt":
        return
    handle = os.open(folder or ".", os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
