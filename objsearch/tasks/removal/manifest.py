"""The manifest: what applying a plan is about to move, written to the disk before anything moves.

Where a file is tells what has become of it, so the manifest is right at every moment, also when the
process is killed: a file lies under its own name, in quarantine, or, while it is copied to another
file system, under both.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from objsearch.errors import UsageError
from objsearch.files import read_record, write_own
from objsearch.types.plans import QUARANTINE, FileText

State = Literal["planned", "removed", "left", "restored"]
Method = Literal["quarantine", "trash", "delete"]


class Move(BaseModel):
    """One name of one file. `target` is relative to the manifest's folder, empty for the trash.

    `state` is what the last run has seen: `left` with the `reason` stays where it was.
    """

    model_config = ConfigDict(extra="forbid")

    path: FileText
    target: FileText
    sha256: str
    bytes: int
    mtime_ns: int
    atime_ns: int = 0
    mode: int = 0
    keep: FileText = ""
    twin: FileText = ""
    """The target of another name (hard link) of the same file, moved before."""
    state: State = "planned"
    reason: FileText = ""


class Manifest(BaseModel):
    """All moves of one plan."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["objsearch/quarantine/1"] = Field(QUARANTINE, alias="schema")
    plan: str
    method: Method
    moves: list[Move]

    def written(self, path: str) -> None:
        """Put the manifest on the disk, whole. Raises OSError."""
        data = self.model_dump(by_alias=True)
        write_own(path, json.dumps(data, indent=1) + "\n")


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest; raises UsageError that names the file and what is wrong with it."""
    data = read_record(path, QUARANTINE, "a manifest by 'objsearch duplicates apply'")
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        raise UsageError(f"{path}: {first_mistake(error)}") from None
    for entry in manifest.moves:
        if os.path.isabs(entry.target) or os.pardir in entry.target.split(os.sep):
            raise UsageError(f"{path}: the target '{entry.target}' lies outside of the quarantine")
    return manifest


def first_mistake(error: ValidationError) -> str:
    """The first thing that a record lacks or has wrong, with its place in the file."""
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg'].lower()}"
