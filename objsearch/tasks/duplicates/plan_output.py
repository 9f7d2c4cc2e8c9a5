"""A plan as CSV, and as a table for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group as Together
from rich.console import RenderableType
from rich.text import Text

from objsearch.report.cells import csv_line
from objsearch.report.rows import Name, Rows
from objsearch.report.wording import files, percent, shown
from objsearch.types.plans import Plan

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


def plan_csv(plan: Plan) -> Iterator[str]:
    """The plan as lines of CSV, a row a file, with a line of columns first."""
    yield csv_line(COLUMNS)
    for group in plan.groups:
        for member in group.members:
            yield csv_line(
                (
                    str(group.group),
                    member.action,
                    member.path,
                    str(member.width),
                    str(member.height),
                    str(member.bytes),
                    f"{member.similarity_to_keep:.6f}",
                    str(member.identical_to_keep).lower(),
                    member.reason,
                    member.relation or "",
                    " ".join(",".join(map(str, box)) for box in member.differs),
                    "; ".join(member.lacks),
                )
            )


def plan_table(plan: Plan) -> RenderableType:
    """A row a file, kept ones first, with why."""
    if not plan.groups:
        return Together(Text("No copies found.", "yellow"), Text(summary(plan), "dim"), "")
    table = Rows((">#", "action", "path", ">size", ">bytes", ">alike"), wide=2)
    for group in plan.groups:
        for number, member in enumerate(group.members):
            table.add(
                str(group.group) if number == 0 else "",
                Text(member.action, _STYLES[member.action]),
                Together(Name(member.path), Text(shown(member.reason), "dim", overflow="fold")),
                f"{member.width}x{member.height}",
                f"{member.bytes:,}",
                "same" if member.identical_to_keep else percent(member.similarity_to_keep),
            )
    return Together(table, Text(summary(plan), "dim"), "")


_STYLES = {"keep": "bold green", "remove": "red", "review": "yellow"}


def summary(plan: Plan) -> str:
    """One line: what would go, what it frees, and what was looked at."""
    removed = sum(1 for _ in plan.removed())
    n_read = plan.scanned - plan.remembered
    remembered = [f"{plan.remembered:,} remembered", f"{n_read:,} read"] if plan.remembered else []
    counts = [
        f"{len(plan.groups):,} {'group' if len(plan.groups) == 1 else 'groups'}",
        f"{files(removed)} to remove ({megabytes(plan.removed_bytes)})",
        f"{sum(1 for _ in plan.reviewed()):,} to review",
        f"{plan.scanned:,} scanned",
        *remembered,
        f"{len(plan.skipped):,} skipped",
    ]
    if plan.ignored:
        counts.append(f"{plan.ignored:,} pairs ignored as decided")
    return ", ".join(counts)


def megabytes(n_bytes: int) -> str:
    """`12.3 MB`; less than one in kB."""
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:,.1f} kB"
