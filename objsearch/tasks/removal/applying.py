"""Applying a plan: every file is looked at again, and goes only if nothing has changed.

The manifest is on the disk before the first file moves. Killed at any moment, the same call goes on
where it stopped, or `undo` takes it back.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from objsearch.errors import UsageError
from objsearch.files import lies_in
from objsearch.flow import Progress, silent
from objsearch.tasks.removal.held_names import HeldNames
from objsearch.tasks.removal.intact import Intact, Stamp, is_file
from objsearch.tasks.removal.manifest import Manifest, Method, Move, read_manifest
from objsearch.tasks.removal.moving import (
    bring_back,
    clear_away,
    is_same_content,
    move,
    set_aside,
)
from objsearch.types.plans import MANIFEST, Fingerprint, Group, Plan

CHANGED = "it changed since the plan was made"
GONE = "it is not there any more"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan: the moves with their states, and where the manifest lies, if any.

    `n_before` counts the files that a former run had removed: nothing was done with them now.
    """

    manifest: Path
    moves: tuple[Move, ...]
    n_before: int = 0

    @property
    def removed(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if move.state == "removed")

    @property
    def left(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if move.state == "left")


def apply_plan(
    plan: Plan,
    quarantine: str | Path,
    *,
    method: Method = "quarantine",
    progress: Progress = silent,
) -> Outcome:
    """Remove what the plan removes: into a folder of the quarantine, the trash, or for good.

    The manifest, and the files with the quarantine method, lie in `quarantine/PLAN-ID/`; where
    nothing was removed, there is neither. Raises UsageError when that folder cannot be written or
    another process is at it.
    """
    folder = os.path.join(os.path.realpath(quarantine), plan.id)
    manifest = os.path.join(folder, MANIFEST)
    is_new = not os.path.exists(manifest)
    if is_new and not any(True for _ in plan.removed()):
        return Outcome(Path(manifest), ())
    with locked(folder):
        outcome = _Run(plan, folder, method).apply(progress)
        is_needless = is_new and not outcome.removed
        if is_needless:
            os.unlink(manifest)
    if is_needless:
        clear_away(folder)
    return outcome


@contextmanager
def locked(folder: str) -> Iterator[None]:
    """Keep other processes from the same quarantine. Raises UsageError when one is at it."""
    from filelock import FileLock, Timeout

    try:
        # For its owner alone: photos may come from folders that others cannot look into.
        os.makedirs(folder, mode=0o700, exist_ok=True)
        lock = FileLock(os.path.join(folder, ".lock"))
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"'{folder}' is in use: its plan is being applied or undone") from None
    except OSError as error:
        raise UsageError(f"cannot write to '{folder}': {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


class _Run:
    """One application of a plan, new or gone on with."""

    def __init__(self, plan: Plan, folder: str, method: Method) -> None:
        self.plan = plan
        self.folder = folder
        self.path = os.path.join(folder, MANIFEST)
        self.is_going_on = os.path.exists(self.path)
        self.going = {member.path for member in plan.removed()}
        self.intact = Intact(plan.files)
        self.manifest = self._manifest(method)

    def _manifest(self, method: Method) -> Manifest:
        """The manifest of a run that was stopped, completed; or a new one."""
        if self.is_going_on:
            manifest = read_manifest(self.path)
            if manifest.method != method and any(entry.state != "left" for entry in manifest.moves):
                raise UsageError(_begun_otherwise(manifest, self.path))
            manifest.method = method
        else:
            manifest = Manifest(plan=self.plan.id, method=method, moves=[])
        listed = {entry.path for entry in manifest.moves if not _is_over(entry)}
        names = HeldNames(self.folder, (entry.target for entry in manifest.moves))
        targets: dict[str, str] = {}
        for member in self.plan.removed():
            if member.path not in listed:
                target = names.free(member.path) if method == "quarantine" else ""
                targets[member.path] = target
                fingerprint = self.plan.files[member.path]
                twin = targets.get(fingerprint.same_file_as, "")
                manifest.moves.append(_move(member.path, target, fingerprint, twin))
        return manifest

    def apply(self, progress: Progress) -> Outcome:
        group_of = {
            member.path: group
            for group in self.plan.groups
            for member in group.members
            if member.action == "remove"
        }
        self.manifest.written(self.path)
        n_before = sum(entry.state == "removed" for entry in self.manifest.moves)
        try:
            moves = self.manifest.moves
            for done, entry in enumerate(moves, 1):
                if entry.path in group_of and entry.state in ("planned", "left"):
                    self._settle(entry, group_of[entry.path])
                progress("apply", done, len(moves))
        finally:
            self.manifest.written(self.path)
        return Outcome(Path(self.path), tuple(self.manifest.moves), n_before)

    def _settle(self, entry: Move, group: Group) -> None:
        """Remove one file, or say why not."""
        try:
            if self.manifest.method != "quarantine":
                bring_back(entry.path, entry.sha256, entry.bytes)
            if not os.path.lexists(entry.path):
                self._settle_missing(entry)
                return
            seen = self.intact.stamp(entry.path)
            reason = self._objection(entry, group, seen) or self._remove(entry, group, seen)
        except OSError as error:
            reason = f"it cannot be removed ({error.strerror or error})"
        entry.state, entry.reason = ("left", reason) if reason else ("removed", "")

    def _settle_missing(self, entry: Move) -> None:
        target = os.path.join(self.folder, entry.target) if entry.target else ""
        is_there = bool(target) and is_same_content(target, entry.sha256, entry.bytes)
        # What was to be deleted or put into the trash, and is gone, went in a run that was stopped.
        if is_there or (not entry.target and entry.state == "planned" and self.is_going_on):
            entry.state, entry.reason = "removed", ""
        else:
            entry.state, entry.reason = "left", GONE

    def _objection(self, entry: Move, group: Group, seen: Stamp | None) -> str:
        """Why a file must stay; nothing when it may go."""
        if lies_in(os.path.realpath(entry.path), self.plan.protected):
            return "it lies in a protected folder"
        if not self.intact.is_unchanged(entry.path):
            return CHANGED
        for path in self._kept(entry, group):
            if not self.intact.is_there(path):
                return f"the file to be kept is missing or changed: {path}"
            if os.path.samefile(path, entry.path):
                return f"it is the same file as the one to be kept: {path}"
        # To read what is kept takes a while, and what is at hand may have been edited meanwhile.
        return "" if self.intact.stamp(entry.path) == seen else CHANGED

    def _kept(self, entry: Move, group: Group) -> list[str]:
        """The files that have to be there for one to go."""
        kept = dict.fromkeys(member.path for member in group.having("keep"))
        keep = self.plan.files[entry.path].keep
        if keep not in self.going:  # else somebody keeps another file of the group
            kept[keep] = None
        return [path for path in kept if path]

    def _remove(self, entry: Move, group: Group, seen: Stamp | None) -> str:
        """Take a file away where what is to be kept stays; else say why not.

        Two names may lead to one file, and nothing tells: of a share that is mounted twice, of a
        folder that is seen through another file system. And another run may be about to remove
        what this one keeps. So the file goes where it can be brought back from, and then the kept
        ones are looked at once more: of two runs, one at least sees what the other has done.
        """
        method = self.manifest.method
        is_held = method == "quarantine"
        kept = {path: self.intact.stamp(path) for path in self._kept(entry, group)}
        aside = self._quarantined(entry) if is_held else set_aside(entry.path, entry.sha256)
        gone = [path for path, stamp in kept.items() if not self.intact.is_there(path, stamp)]
        is_other = method == "delete" and not self._is_seen(aside, entry, seen)
        if gone or is_other or method == "trash":
            move(aside, entry.path, entry.sha256)
        if gone:
            return f"the file to be kept is gone, or another, when this one goes: {gone[0]}"
        if is_other:  # a folder above it was another when the file was looked at
            return CHANGED
        if method == "delete":
            os.unlink(aside)
        return _trashed(entry.path) if method == "trash" else ""

    @staticmethod
    def _is_seen(aside: str, entry: Move, seen: Stamp | None) -> bool:
        """Whether it is the file that was looked at; some systems number a file by its name."""
        return is_file(aside, seen) or is_same_content(aside, entry.sha256, entry.bytes)

    def _quarantined(self, entry: Move) -> str:
        """Move a file into quarantine, and return where it lies."""
        target = os.path.join(self.folder, entry.target)
        if os.path.lexists(target):
            if is_same_content(target, entry.sha256, entry.bytes):
                os.unlink(target)  # a move that was stopped between the copy and the removal
            else:
                self._take_another_name(entry)
                target = os.path.join(self.folder, entry.target)
        twin = os.path.join(self.folder, entry.twin) if entry.twin else ""
        move(entry.path, target, entry.sha256, twin)
        return target

    def _take_another_name(self, entry: Move) -> None:
        """The name in quarantine is taken by now: the manifest says the new one before it is."""
        names = HeldNames(self.folder, (other.target for other in self.manifest.moves))
        former, entry.target = entry.target, names.free(entry.path)
        for other in self.manifest.moves:
            if other.twin == former:
                other.twin = entry.target
        self.manifest.written(self.path)


def _move(path: str, target: str, fingerprint: Fingerprint, twin: str) -> Move:
    seen = os.lstat(path) if os.path.lexists(path) else None
    return Move(
        path=path,
        target=target,
        sha256=fingerprint.sha256,
        bytes=fingerprint.bytes,
        mtime_ns=seen.st_mtime_ns if seen else fingerprint.mtime_ns,
        atime_ns=seen.st_atime_ns if seen else 0,
        mode=stat.S_IMODE(seen.st_mode) if seen else 0,
        keep=fingerprint.keep,
        twin=twin,
    )


def _begun_otherwise(manifest: Manifest, path: str) -> str:
    """Why another method cannot be taken, and what to do."""
    if any(entry.state == "planned" for entry in manifest.moves):
        return (
            f"'{os.path.dirname(path)}' was begun with the method {manifest.method}: go on with "
            "that, or name another quarantine folder"
        )
    back = f"; 'objsearch duplicates undo {path}' brings them back"
    return (
        f"this plan was applied before, with the method {manifest.method}, and its files are gone"
        f"{back if manifest.method == 'quarantine' else ''}"
    )


def _is_over(entry: Move) -> bool:
    """Whether a move says nothing of a file that has its old name: it came back."""
    return entry.state == "restored" or (entry.state == "removed" and os.path.lexists(entry.path))


def _trashed(path: str) -> str:
    from send2trash import send2trash

    try:
        send2trash(path)
    except OSError as error:
        return f"the trash does not take it ({error.strerror or error})"
    return ""
