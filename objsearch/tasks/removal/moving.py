"""Moving one file so that it is somewhere whole at every moment, and nothing is ever overwritten.

On one file system a file gets its second name before it loses the first; across file systems it is
copied, read back and compared before the original goes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from contextlib import suppress

from objsearch.files import open_regular, sync_folder

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}
PART = ".objsearch-part"
ASIDE = ".objsearch-aside"
"""Of the name beside its own that a file has for a moment, before it is deleted."""


def part_of(target: str, sha256: str) -> str:
    """The name of a copy that is not whole yet; no one else's."""
    return f"{target}.{sha256[:12]}{PART}"


def sweep(target: str, sha256: str) -> None:
    """Remove what a copying that was killed has left."""
    with suppress(OSError):
        os.unlink(part_of(target, sha256))


class ChangedError(OSError):
    """The file is not the one that was to be moved."""


def digest_of(path: str) -> str:
    """Hex SHA-256 of a regular file's bytes. Raises OSError; a link is not followed."""
    with open(_opened(path), "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_readable(path: str) -> bool:
    """Whether a regular file can be opened and read from."""
    try:
        with open(_opened(path), "rb") as stream:
            stream.read(1)
    except OSError:
        return False
    return True


def _opened(path: str) -> int:
    return open_regular(path, getattr(os, "O_NOFOLLOW", 0))


def move(source: str, target: str, sha256: str, twin: str = "") -> None:
    """Move a file to a free name. Raises FileExistsError for a taken one, and other OSErrors.

    Whatever is raised, and whenever the process is killed, the bytes lie under one of both names.
    `twin` is another name of the same file that was moved before: the two stay one file.
    """
    os.makedirs(os.path.dirname(target), exist_ok=True)
    before = os.lstat(source)
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno == errno.EXDEV:
            _carried(source, target, sha256, twin)
        elif error.errno in _NO_LINKS:
            _renamed(source, target)
            return
        else:
            raise
    sync_folder(os.path.dirname(target))
    after = os.lstat(source)
    if (before.st_ino, before.st_size, before.st_mtime_ns) != (
        after.st_ino,
        after.st_size,
        after.st_mtime_ns,
    ):
        os.unlink(target)
        raise ChangedError(None, "it changed while it was being moved")
    try:
        os.unlink(source)
    except OSError:
        os.unlink(target)  # the folder lets nothing go: all is as it was
        raise


def _renamed(source: str, target: str) -> None:
    """Where a file system knows no hard links. The name was free a moment ago."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "the name is taken", target)
    os.rename(source, target)
    sync_folder(os.path.dirname(target))


def _carried(source: str, target: str, sha256: str, twin: str) -> None:
    """To another file system: once for all names of a file."""
    if twin and is_same_content(twin, sha256, os.lstat(source).st_size):
        os.link(twin, target, follow_symlinks=False)
    else:
        _copied(source, target, sha256)


def _copied(source: str, target: str, sha256: str) -> None:
    """A verified copy on another file system, under its name only when it is whole."""
    part = part_of(target, sha256)
    sweep(target, sha256)
    try:
        shutil.copyfile(source, part, follow_symlinks=False)
        shutil.copystat(source, part, follow_symlinks=False)
        _keep_owner(source, part)
        with open(part, "rb") as stream:
            os.fsync(stream.fileno())
        if digest_of(part) != sha256:
            raise ChangedError(None, "it changed while it was being copied")
        try:
            os.link(part, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _renamed(part, target)
    finally:
        sweep(target, sha256)


def _keep_owner(source: str, target: str) -> None:
    if hasattr(os, "chown"):
        status = os.lstat(source)
        with suppress(PermissionError):
            os.chown(target, status.st_uid, status.st_gid)
            os.chmod(target, stat.S_IMODE(status.st_mode))  # changing the owner drops some bits


def set_aside(path: str, sha256: str) -> str:
    """Give a file another name beside its own, and return that. Raises OSError."""
    aside = path + ASIDE
    if os.path.lexists(aside) and os.path.samestat(os.lstat(aside), os.lstat(path)):
        os.unlink(aside)  # stopped while the file had both names
    move(path, aside, sha256)
    return aside


def bring_back(path: str, sha256: str, n_bytes: int) -> None:
    """Give a file that was set aside by a run that was killed its name again. Raises OSError."""
    aside = path + ASIDE
    if not os.path.lexists(path) and is_same_content(aside, sha256, n_bytes):
        move(aside, path, sha256)


def is_same_content(path: str, sha256: str, n_bytes: int) -> bool:
    """Whether a regular file with these bytes lies there."""
    try:
        seen = os.lstat(path)
        return stat.S_ISREG(seen.st_mode) and seen.st_size == n_bytes and digest_of(path) == sha256
    except OSError:
        return False


def clear_away(folder: str) -> None:
    """Take away a folder in which nothing is kept, and the quarantine if nothing else is in it."""
    with suppress(OSError):
        os.unlink(os.path.join(folder, ".lock"))
    with suppress(OSError):
        os.rmdir(folder)
        os.rmdir(os.path.dirname(folder))
