"""Undoing an application: what lies in quarantine goes back under its own name, never over another.

A run that was killed is undone like one that ended: where the files lie says what has happened.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from objsearch.errors import UsageError
from objsearch.files import lies_in
from objsearch.flow import Progress, silent
from objsearch.tasks.removal.applying import locked
from objsearch.tasks.removal.manifest import Manifest, Move, read_manifest
from objsearch.tasks.removal.moving import PART, is_same_content, move, sweep
from objsearch.types.plans import MANIFEST


@dataclass(frozen=True, slots=True)
class Undone:
    """The moves taken back, and those that could not be, each with its reason."""

    restored: tuple[Move, ...]
    left: tuple[Move, ...]


def undo(manifest_path: str | Path, *, progress: Progress = silent) -> Undone:
    """Put back all that a manifest says was moved: the same bytes, times and permissions.

    A quarantine folder stands for the one manifest in it. Raises UsageError for what is no
    manifest, for several of them, and for one whose files are beyond recall.
    """
    path = os.path.realpath(_manifest_in(Path(manifest_path)))
    folder = os.path.dirname(path)
    manifest = read_manifest(path)
    if manifest.method != "quarantine":
        where = "lie in the trash" if manifest.method == "trash" else "are deleted"
        raise UsageError(f"'{manifest_path}': these files {where}; only a quarantine can be undone")
    restored, left = [], []
    names = _names_by_file(manifest)
    targets = {entry.target for entry in manifest.moves}
    with locked(folder):
        try:
            for done, entry in enumerate(manifest.moves, 1):
                if entry.state != "restored":
                    reason = _put_back(entry, folder, names[entry.twin or entry.target])
                    if reason is None:
                        restored.append(entry)
                    elif reason:
                        left.append(entry)
                progress("undo", done, len(manifest.moves))
        finally:
            manifest.written(path)
        _tidy(folder, targets)
    return Undone(tuple(restored), tuple(left))


def _manifest_in(path: Path) -> Path:
    if not path.is_dir():
        return path
    manifests = sorted((*path.glob(MANIFEST), *path.glob(f"*/{MANIFEST}")))
    if len(manifests) != 1:
        several = f"holds several manifests: {', '.join(map(str, manifests))}"
        raise UsageError(f"'{path}' {several if manifests else f'holds no {MANIFEST}'}")
    return manifests[0]


def _names_by_file(manifest: Manifest) -> dict[str, list[str]]:
    """All names of each file, by the target of the first of them."""
    names: dict[str, list[str]] = {}
    for entry in manifest.moves:
        names.setdefault(entry.twin or entry.target, []).append(entry.path)
    return names


def _put_back(entry: Move, folder: str, names: Sequence[str]) -> str | None:
    """None when the file is back; why not otherwise, or nothing when it never went."""
    held = os.path.join(folder, entry.target)
    sweep(entry.path, entry.sha256)
    if not lies_in(os.path.realpath(os.path.dirname(held)), (folder,)):
        return _left(entry, "a link leads out of the quarantine to it")
    if not os.path.lexists(held):
        return _without_quarantine(entry)
    if not is_same_content(held, entry.sha256, entry.bytes):
        return _left(entry, "the file in the quarantine has changed")
    try:
        if os.path.lexists(entry.path):
            if not _is_the_same(entry.path, held, entry):
                return _left(entry, "another file has its name now")
            os.unlink(held)  # the run was killed while the file had both names
        else:
            # Another name of the same file may be back, or may never have gone.
            twin = next(filter(os.path.isfile, names), "")
            move(held, entry.path, entry.sha256, twin)
        with suppress(PermissionError):
            os.utime(entry.path, ns=(entry.atime_ns or entry.mtime_ns, entry.mtime_ns))
    except OSError as error:
        return _left(entry, f"it cannot be put back ({error.strerror or error})")
    entry.state, entry.reason = "restored", ""
    return None


def _without_quarantine(entry: Move) -> str | None:
    if entry.state != "removed":
        return ""
    if is_same_content(entry.path, entry.sha256, entry.bytes):  # an undoing that was killed
        entry.state, entry.reason = "restored", ""
        return None
    return _left(entry, "it is not in the quarantine any more")


def _left(entry: Move, reason: str) -> str:
    entry.state, entry.reason = "removed", reason
    return reason


def _is_the_same(path: str, held: str, entry: Move) -> bool:
    if os.path.samefile(path, held):
        return True
    seen = os.lstat(path)
    return seen.st_mtime_ns == entry.mtime_ns and is_same_content(path, entry.sha256, entry.bytes)


def _tidy(folder: str, targets: Collection[str]) -> None:
    """Remove what copies that were stopped have left, and empty folders; no file that was moved."""
    if os.path.islink(os.path.join(folder, "files")):
        return  # none of ours: what lies there is somebody's own
    for inner, _, names in os.walk(os.path.join(folder, "files"), topdown=False):
        for name in names:
            path = os.path.join(inner, name)
            if name.endswith(PART) and os.path.relpath(path, folder) not in targets:
                os.unlink(path)
        with suppress(OSError):
            os.rmdir(inner)
