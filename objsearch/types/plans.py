"""A plan: which files are copies of which, and what is to become of each. It changes nothing.

What a program reads is `groups`, each with its `members`; `files` holds what tells whether a file
is still the one that was planned for. People may edit the actions: applying checks them again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

SCHEMA: Literal["objsearch/duplicates/2"] = "objsearch/duplicates/2"

MANIFEST: Literal["manifest.json"] = "manifest.json"
QUARANTINE: Literal["objsearch/quarantine/1"] = "objsearch/quarantine/1"
"""Name and schema of what lies in a folder of removed files: what was moved, and from where."""

Action = Literal["keep", "remove", "review"]
"""`review`: somebody has to look; `apply` never touches it."""
Relation = Literal["identical-bytes", "identical-pixels", "same-picture", "part", "edited"]
"""What a member is to the kept file, surest first; a group has the loosest of its members.

Same bytes; other bytes, same samples at the files' own depth on every page; the same picture
re-encoded, resized, turned by quarter turns or toned as a whole; a cut of it; mirrored, turned,
framed, or with places that differ.
"""
RELATIONS: tuple[Relation, ...] = get_args(Relation)
PlanBox = tuple[int, int, int, int]
"""x1, y1, x2, y2, half-open, in pixels of the upright picture."""

Transform = tuple[float, float, float, float, float, float, float, float, float]
"""A homography, row by row, between the centres of pixels of two upright pictures."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("should be text")
    return value


FileText = Annotated[str, PlainValidator(_text, json_schema_input_type=str)]
"""Text that may hold a file's name: one that is not UTF-8 has odd bytes as lone surrogates."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Member(_Record):
    """One file of a group. `similarity_to_keep` in [0, 1]; 1 for what is kept.

    `differs` are the places in which it differs from the kept file; `lacks` says what the kept file
    lacks that this one has.
    """

    path: FileText
    action: Action
    similarity_to_keep: float = Field(ge=0, le=1)
    identical_to_keep: bool
    width: int
    height: int
    bytes: int
    reason: FileText
    relation: Relation | None = None
    """To the file `copy_of`; None for the first kept one."""
    copy_of: FileText = ""
    """The file of this group that it was compared with, which stays."""
    differs: tuple[PlanBox, ...] = ()
    lacks: tuple[str, ...] = ()
    transform: Transform | None = None
    """From pixels of this picture to those of `copy_of`; None where all of them are the same."""


class Group(_Record):
    """A kept file and its copies. Every removed member is alike to a kept one, not to a third."""

    group: int
    relation: Relation
    members: tuple[Member, ...]

    def having(self, action: Action) -> Iterator[Member]:
        """The members that are kept, removed, or to be reviewed."""
        return (member for member in self.members if member.action == action)


class Fingerprint(_Record):
    """What a file was when the plan was made.

    `keep` is the file it is a copy of; `same_file_as` another name (hard link) of the same file.
    """

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int
    mtime_ns: int
    keep: FileText = ""
    same_file_as: FileText = ""


class Passed(_Record):
    """A file that was not compared, and why."""

    path: FileText
    reason: FileText


class Related(_Record):
    """Two pictures of one view that are no copies: another moment, or cuts that overlap."""

    path: FileText
    other: FileText


class Plan(_Record):
    """What `objsearch duplicates` writes. The same files give the same, whatever is remembered."""

    format: Literal["objsearch/duplicates/2"] = Field(SCHEMA, alias="schema")
    groups: tuple[Group, ...]
    files: dict[FileText, Fingerprint]
    protected: tuple[FileText, ...] = ()
    """Folders and files, by real path, that nothing is removed from."""
    scanned: int = 0
    compared: int = 0
    skipped: tuple[Passed, ...] = ()
    remembered: int = 0
    """Files, of those scanned, of which nothing had to be read before they were compared."""
    ignored: int = 0
    """Pairs left alone because someone has said that they are no duplicates."""
    related: tuple[Related, ...] = ()
    """Where it was asked for: what shows the same view, and is no copy."""
    warnings: tuple[FileText, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)
    not_duplicates: tuple[tuple[FileText, FileText], ...] = ()
    """Pairs of files that somebody has looked at: `apply` remembers that they are no duplicates."""

    @property
    def id(self) -> str:
        """Twelve hex digits: the same for the same groups and files, whatever the settings."""
        what = [self.model_dump(include={"groups", "files"})]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]

    def removed(self) -> Iterator[Member]:
        """All that is to be removed."""
        return (member for group in self.groups for member in group.having("remove"))

    def reviewed(self) -> Iterator[Member]:
        """All that somebody has to look at."""
        return (member for group in self.groups for member in group.having("review"))

    @property
    def removed_bytes(self) -> int:
        """What applying frees; a file of several names counts once."""
        return sum(
            member.bytes for member in self.removed() if not self.files[member.path].same_file_as
        )


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain data, the part for programs first."""
    removed = list(plan.removed())
    totals = {
        "groups": len(plan.groups),
        "removed": len(removed),
        "to_review": sum(1 for _ in plan.reviewed()),
        "removed_bytes": plan.removed_bytes,
    }
    data = plan.model_dump(by_alias=True)
    return {"schema": data.pop("schema"), "id": plan.id, "totals": totals, **data}
