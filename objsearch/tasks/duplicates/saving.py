"""Files written whole or not at all, and on the disk when the call returns."""

from __future__ import annotations

import os
from contextlib import suppress


def write_whole(path: str, text: str) -> None:
    """Replace a file's content in one step, and see it to the disk. Raises OSError."""
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):  # /dev/stdout is written to
        with open(target, "w", encoding="utf-8") as stream:
            stream.write(text)
        return
    unfinished = f"{target}.{os.getpid()}.part"
    try:
        with open(unfinished, "w", encoding="utf-8") as stream:
            stream.write(text)
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
