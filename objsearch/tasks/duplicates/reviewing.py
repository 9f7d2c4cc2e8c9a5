"""A plan as a page to decide on: one file with its pictures, its script and nothing from outside.

What is chosen there is saved as a plan again, which `read_plan` checks like any other. Names of
files are strangers' text: the template escapes them, and a content security policy in the page lets
nothing run but its own scripts, by their hashes, and nothing be fetched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from objsearch.files import lies_in, write_whole
from objsearch.report.blurring import reading_blurred
from objsearch.report.pictures import PREVIEW_SIDE, Album, Picture, Read
from objsearch.report.templates import PAGE_BYTES, hash_of, page_of
from objsearch.report.wording import shown
from objsearch.tasks.duplicates.overlaying import Overlay, overlay_of
from objsearch.tasks.duplicates.plan_output import megabytes, summary
from objsearch.types import Flag, ImageRef
from objsearch.types.plans import Group, Member, Plan

GROUPS_A_PAGE = 50
SCRIPTS = ("review_choices.js", "review_laying.js", "review.js", "review_compare.js")
"""In this order, each using those before."""

_FOLDER = Path(__file__).parent
_SIDES = (PREVIEW_SIDE, 480, 320)
_BYTES_A_PIXEL = 0.25
"""Of a square as large as a preview's longer side, as a JPEG in base 64: measured on photos."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A member as the page shows it.

    `file` is the place in the group of the first name of the same file, `of` that of what it was
    compared with, -1 for none. `can` names what may be chosen for it.
    """

    member: Member
    picture: Picture
    uri: str
    file: int
    of: int
    can: tuple[str, ...]
    overlay: Overlay | None


def write_page(
    plan: Plan, path: Path, read: Read, flags: Mapping[ImageRef, tuple[Flag, ...]] | None = None
) -> None:
    """A self-contained page on which each group is decided on. Raises OSError.

    `read` gives a picture's pixels, or None; it is asked for one picture at a time. Pictures that
    `flags` has something against are blurred, and it is said why.
    """
    flags = flags or {}
    n_pictures = sum(len(group.members) for group in plan.groups)
    album = Album(reading_blurred(read, flags), PAGE_BYTES, preview_side(n_pictures))
    notes: dict[int, list[dict[str, Any]]] = {}
    scripts = [_text(name) for name in SCRIPTS]
    style = _text("review.css")
    page = page_of(
        _FOLDER / "review.html",
        path,
        {"megabytes": megabytes, "reason": _reason},
        plan=plan,
        summary=summary(plan),
        sections=_sections(plan, album, notes),
        data=lambda: _data(plan, notes),
        flags={ref.uri: said for ref, said in flags.items()},
        # Ours, and no data in them.
        scripts=[Markup(script) for script in scripts],
        style=Markup(style),
        script_hashes=Markup(" ".join(f"'{hash_of(script)}'" for script in scripts)),
        style_hash=Markup(f"'{hash_of(style)}'"),
    )
    write_whole(path, page)


def preview_side(n_pictures: int) -> int:
    """The longer side of previews with which so many fit onto a page, in pixels."""
    fitting = (side for side in _SIDES if n_pictures * side**2 * _BYTES_A_PIXEL <= PAGE_BYTES)
    return next(fitting, _SIDES[-1])


def file_uri(path: str) -> str:
    """What a browser opens a file by, whatever bytes its name has."""
    return Path(os.path.abspath(path)).as_uri()


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _sections(
    plan: Plan, album: Album, notes: dict[int, list[dict[str, Any]]]
) -> Iterator[tuple[int, Group, list[Shot]]]:
    """The groups with their places in the plan, those to be reviewed first; fills `notes`."""
    order = sorted(
        range(len(plan.groups)), key=lambda number: not any(plan.groups[number].having("review"))
    )
    for number in order:
        shots = _shots(plan, plan.groups[number], album)
        notes[number] = [_note(shot) for shot in shots]
        yield number, plan.groups[number], shots


def _shots(plan: Plan, group: Group, album: Album) -> list[Shot]:
    places = {member.path: place for place, member in reversed(list(enumerate(group.members)))}
    protected = [
        lies_in(os.path.realpath(member.path), plan.protected) if plan.protected else False
        for member in group.members
    ]
    shots = []
    for place, member in enumerate(group.members):
        of = places.get(member.copy_of, -1)
        of = -1 if of == place else of
        shots.append(
            Shot(
                member=member,
                picture=_picture(member, album),
                uri=file_uri(member.path),
                file=places.get(plan.files[member.path].same_file_as, place),
                of=of,
                can=_choices(member, of, protected[place], of >= 0 and protected[of]),
                overlay=overlay_of(member, group.members[of]) if of >= 0 else None,
            )
        )
    return shots


def _picture(member: Member, album: Album) -> Picture:
    size_wh = (member.width, member.height)
    ref = ImageRef(member.path)
    photo = album.photo(ref, size_wh) if album.has_room else None
    return album.picture(ref, size_wh, photo)


def _choices(
    member: Member, of: int, is_protected: bool, is_other_protected: bool
) -> tuple[str, ...]:
    """What may be chosen for a member: keep, keeper (instead of the other), remove, both, apart."""
    if of < 0:
        return ("keep",) if is_protected else ("keep", "remove")
    offered = {
        "keeper": not is_other_protected,
        "remove": not is_protected,
        "both": True,
        "apart": member.relation != "identical-bytes",
    }
    return tuple(name for name, is_offered in offered.items() if is_offered)


def _reason(shot: Shot) -> str:
    """Why a member is where it is, with the first picture of its group not named once more.

    What it says of what is lacking is left out: that stands on its own.
    """
    why, lacks = shot.member.reason, ", ".join(shot.member.lacks)
    for words in ("; that one lacks ", ", which lacks "):
        said, _, rest = why.rpartition(words)
        if lacks and rest == lacks:
            why = said
    return shown(why.replace(shot.member.copy_of, "the first", 1) if shot.of == 0 else why)


def _note(shot: Shot) -> dict[str, Any]:
    """What the script has to know of a member that the plan does not say."""
    overlay = asdict(shot.overlay) if shot.overlay else None
    return {"file": shot.file, "of": shot.of, "can": shot.can, "overlay": overlay}


def _data(plan: Plan, notes: Mapping[int, Sequence[dict[str, Any]]]) -> dict[str, Markup]:
    """The plan for the script: its groups, and the rest as a text that is saved as it is.

    A browser's numbers are too short for times in nanoseconds: it must not read and write them.
    """
    rest = plan.model_dump(by_alias=True)
    groups = rest.pop("groups")
    rest.pop("not_duplicates")
    page = {
        "id": plan.id,
        "groups_a_page": GROUPS_A_PAGE,
        "notes": [notes[number] for number in range(len(plan.groups))],
        "other_names": [
            name for name, fingerprint in plan.files.items() if fingerprint.same_file_as
        ],
    }
    parts = {"groups": groups, "rest": rest, "page": page}
    return {name: _inert(part) for name, part in parts.items()}


def _inert(data: object) -> Markup:
    """JSON in ASCII that ends no element of a page, whatever names are in it."""
    return Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))
