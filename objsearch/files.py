"""Files written whole or not at all, and on the disk when the call returns; and what lies where."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

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
    try:
        with open(path, "rb") as stream:
            return schema.encode() in stream.read(200)
    except OSError:
        return False
