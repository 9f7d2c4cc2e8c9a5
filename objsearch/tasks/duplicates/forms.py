"""A plan as CSV, as a table for people, and as a page for review."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rich import box
from rich.console import Group as Together
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from objsearch.flags import Flag
from objsearch.report.as_table import Name
from objsearch.report.blurring import reading_blurred
from objsearch.report.pictures import Album, Picture, Read
from objsearch.report.wording import flags_sentence, folder_and_name, percent, shown
from objsearch.saving import write_whole
from objsearch.tasks.duplicates.plan import Group, Member, Plan
from objsearch.types import ImageRef

COLUMNS = (
    "group",
    "action",
    "path",
    "width",
    "height",
    "bytes",
    "similarity_to_keep",
    "identical_to_keep",
    "reason",
    "relation",
    "differs",
    "lacks",
)
PAGE_BYTES = 64 * 1024 * 1024
"""Pictures that one page may hold; members after that are listed without."""


def plan_csv(plan: Plan) -> Iterator[str]:
    """The plan as lines of CSV, a row a file, with a line of columns first."""
    yield _line(COLUMNS)
    for group in plan.groups:
        for one in group.members:
            yield _line(
                (
                    str(group.group),
                    one.action,
                    one.path,
                    str(one.width),
                    str(one.height),
                    str(one.bytes),
                    f"{one.similarity_to_keep:.6f}",
                    str(one.identical_to_keep).lower(),
                    one.reason,
                    one.relation or "",
                    " ".join(",".join(map(str, box)) for box in one.differs),
                    "; ".join(one.lacks),
                )
            )


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def plan_table(plan: Plan) -> RenderableType:
    """A row a file, kept ones first, with why."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("action", no_wrap=True)
    table.add_column("path")
    for name in ("size", "bytes", "alike"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in plan.groups:
        for number, one in enumerate(group.members):
            table.add_row(
                str(group.group) if number == 0 else "",
                Text(one.action, _STYLES[one.action]),
                Together(Name(one.path), Text(shown(one.reason), "dim")),
                f"{one.width}x{one.height}",
                f"{one.bytes:,}",
                "same" if one.identical_to_keep else percent(one.similarity_to_keep),
            )
    return Together(table, Text(summary(plan), "dim"), "")


_STYLES = {"keep": "bold green", "remove": "red", "review": "yellow"}


def summary(plan: Plan) -> str:
    """One line: what would go, what it frees, and what was looked at."""
    removed = sum(1 for _ in plan.removed())
    counts = [
        f"{len(plan.groups):,} groups",
        f"{removed:,} files to remove ({megabytes(plan.removed_bytes)})",
        f"{sum(1 for _ in plan.reviewed()):,} to review",
        f"{plan.scanned:,} scanned",
        f"{len(plan.skipped):,} skipped",
    ]
    if plan.ignored:
        counts.append(f"{plan.ignored:,} pairs ignored as decided")
    return ", ".join(counts)


def megabytes(n_bytes: int) -> str:
    """`12.3 MB`; less than one in kB."""
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:,.1f} kB"


def write_page(
    plan: Plan, path: Path, read: Read, flags: Mapping[ImageRef, tuple[Flag, ...]] | None = None
) -> None:
    """A self-contained page that shows each group side by side. Raises OSError.

    `read` gives a picture's pixels, or None; it is asked for one picture at a time. Pictures that
    `flags` has something against are blurred, and it is said why.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        shown=shown,
        percent=percent,
        parts=folder_and_name,
        megabytes=megabytes,
        flagged=flags_sentence,
    )
    flags = flags or {}
    album = Album(reading_blurred(read, flags), PAGE_BYTES)
    page = environment.get_template("review.html").generate(
        plan=plan,
        summary=summary(plan),
        groups=((group, _pictures(group, album)) for group in plan.groups),
        flags={ref.uri: said for ref, said in flags.items()},
    )
    write_whole(path, page)


def _pictures(group: Group, album: Album) -> list[tuple[Member, Picture]]:
    shots = []
    for one in group.members:
        size_wh = (one.width, one.height)
        ref = ImageRef(one.path)
        photo = album.photo(ref, size_wh) if album.has_room else None
        shots.append((one, album.picture(ref, size_wh, photo)))
    return shots
