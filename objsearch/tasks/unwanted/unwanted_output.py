"""What screening found as plain data, CSV, a table for people, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from objsearch.files import write_whole
from objsearch.images.transform import shrunk
from objsearch.report.as_json import flag_json, plain, rounded
from objsearch.report.blurring import reading_blurred
from objsearch.report.cells import csv_line
from objsearch.report.pictures import PREVIEW_SIDE, Album, Read
from objsearch.report.rows import Name, Rows
from objsearch.report.templates import PAGE_BYTES, page_of
from objsearch.report.wording import percent, shown
from objsearch.tasks.unwanted.looking import Listing, Screened

SCREEN_SCHEMA = "objsearch/screen/1"
COLUMNS = ("path", "action", "flagged", "rule", "score", "reason", "width", "height")
MOST_SHOWN = 500


def listing_json(listing: Listing) -> dict[str, Any]:
    """Everything that was looked at, and what was not."""
    return {
        "schema": SCREEN_SCHEMA,
        "kept": [_image_json(image) for image in listing.kept],
        "filtered": [_image_json(image) for image in listing.filtered],
        "flagged": len(listing.flagged),
        "scanned": listing.scanned,
        "remembered": listing.remembered,
        "skipped": [
            {"ref": str(unreadable.ref), "reason": unreadable.reason}
            for unreadable in listing.skipped
        ],
        "warnings": list(listing.warnings),
        "settings": plain(listing.settings),
        "elapsed_seconds": rounded(listing.elapsed_seconds, 3),
    }


def _image_json(image: Screened) -> dict[str, Any]:
    return {
        "path": str(image.ref),
        "width": image.size_wh[0],
        "height": image.size_wh[1],
        "flags": [flag_json(flag) for flag in image.flags],
        "left_out": image.left_out,
    }


def listing_csv(listing: Listing) -> Iterator[str]:
    """A line a rule that a picture is caught by, one with empty cells for a clean picture."""
    yield csv_line(COLUMNS)
    filtered = {image.ref for image in listing.filtered}
    for image in listing.images:
        action = "filtered" if image.ref in filtered else "kept"
        size = [str(value) for value in image.size_wh]
        rules = [[flag.rule, f"{flag.score:.6f}", flag.reason] for flag in image.flags]
        for rule in rules or [["", "", ""]]:
            yield csv_line([str(image.ref), action, str(bool(image.flags)).lower(), *rule, *size])


def listing_table(listing: Listing) -> RenderableType:
    """The flagged pictures with rule and score; the clean ones too where only they are kept."""
    table = Rows(("picture, and why", "rule", ">score"), wide=0)
    for image in listing.flagged:
        for number, flag in enumerate(image.flags):
            name = [Name(image.ref)] if number == 0 else []
            why = Group(*name, Text(shown(flag.reason), "dim", overflow="fold"))
            table.add(why, flag.rule, percent(flag.score))
    parts: list[RenderableType] = [table] if listing.flagged else [Text("Nothing flagged.")]
    if listing.settings["action"] == "exclude":
        parts += [Text("kept:", "bold"), *(Name(image.ref) for image in listing.kept)]
    return Group(*parts, Text(summary(listing), "dim"), "")


def summary(listing: Listing) -> str:
    """One line: how many are flagged, filtered, looked at and not looked at."""
    counts = [f"{len(listing.flagged)} flagged", f"{len(listing.filtered)} filtered out"]
    counts += [f"{listing.scanned} scanned", f"{len(listing.skipped)} skipped, not called clean"]
    if listing.remembered:
        counts.append(f"{listing.remembered} of the block list remembered")
    return ", ".join((*counts, f"{listing.elapsed_seconds:.1f} s"))


@dataclass(frozen=True, slots=True)
class _Row:
    image: Screened
    uri: str


def write_page(listing: Listing, path: Path, read: Read) -> None:
    """A self-contained page of the flagged pictures, blurred. It appears when it is complete.

    Raises OSError when it cannot be written.
    """
    hidden = reading_blurred(read, [image.ref for image in listing.flagged])
    page = page_of(
        Path(__file__).with_name("page.html"),
        path,
        {},
        listing=listing,
        rows=_rows(listing, Album(hidden, PAGE_BYTES)),
        summary=summary(listing),
    )
    write_whole(path, page)


def _rows(listing: Listing, album: Album) -> Iterator[_Row]:
    for number, image in enumerate(listing.flagged):
        is_shown = number < MOST_SHOWN and album.has_room
        pixels = album.whole(image.ref, image.size_wh) if is_shown else None
        yield _Row(image, "" if pixels is None else album.jpeg(shrunk(pixels, PREVIEW_SIDE // 2)))
