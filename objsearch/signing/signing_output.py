"""A listing of signatures as plain data, CSV, a table for people, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from objsearch.files import write_whole
from objsearch.report.as_json import plain, rounded
from objsearch.report.cells import csv_line
from objsearch.report.rows import Name, Rows
from objsearch.report.templates import page_of
from objsearch.report.wording import shown
from objsearch.signing.findings import (
    NOT_LOOKED,
    NOT_SIGNED,
    Finding,
    Listing,
    SignatureVerdict,
)

SIGNED_SCHEMA = "objsearch/signed/1"
COLUMNS = ("path", "kind", "percentage", "state", "verdict", "pages", "notes")
SIGNS: dict[SignatureVerdict, str] = {
    "signed": "✓",
    "invalid": "✕",
    "unverified": "?",
    "unsigned": "·",
}
_STYLES: dict[SignatureVerdict, str] = {
    "signed": "bold green",
    "invalid": "bold red",
    "unverified": "yellow",
    "unsigned": "dim",
}


def listing_json(listing: Listing) -> dict[str, Any]:
    """Everything that was found and looked for, also where there was nothing."""
    return {
        "schema": SIGNED_SCHEMA,
        "findings": [_finding_json(finding) for finding in listing.findings],
        "signed": len({finding.ref for finding in listing.signed}),
        "scanned": listing.scanned,
        "checked": listing.checked,
        "skipped": [
            {"ref": str(unreadable.ref), "reason": unreadable.reason}
            for unreadable in listing.skipped
        ],
        "notes": list(listing.notes),
        "settings": plain(listing.settings),
        "elapsed_seconds": rounded(listing.elapsed_seconds, 3),
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "path": str(finding.ref),
        "kind": finding.kind,
        "percentage": rounded(finding.percentage, 2),
        "state": finding.state,
        "verdict": finding.verdict,
        "pages": finding.pages,
        "notes": list(finding.notes),
        "details": plain(finding.details),
    }


def listing_csv(listing: Listing) -> Iterator[str]:
    """The findings as lines of CSV, with a line of columns first."""
    yield csv_line(COLUMNS)
    for finding in listing.findings:
        percentage = "" if finding.percentage is None else f"{finding.percentage:.2f}"
        cells = (
            str(finding.ref),
            finding.kind,
            percentage,
            finding.state,
            finding.verdict,
            str(finding.pages),
        )
        yield csv_line((*cells, "; ".join(finding.notes)))


def percentage_text(finding: Finding) -> str:
    """`98.4%`; a dash for kinds that have none. Only what is 100 reads so."""
    if finding.percentage is None:
        return "-"
    if finding.percentage >= 100.0:
        return "100%"
    return f"{min(finding.percentage, 99.9):.1f}%"


def listing_table(listing: Listing, every: bool = False) -> RenderableType:
    """Every signature, and a line for each file without any; with `every`, all that was asked."""
    table = Rows(("path", "kind", ">percentage", "state", "verdict", ">pages"), wide=0)
    for finding in listing.findings if every else listing.told():
        notes = [Text(shown(note), "dim") for note in finding.notes]
        table.add(
            Group(Name(finding.ref), *notes),
            kind_text(finding, every),
            percentage_text(finding),
            state_text(finding, every),
            Text(finding.verdict, _STYLES[finding.verdict]),
            str(finding.pages),
        )
    return Group(table, Text(summary(listing), "dim"), "")


def kind_text(finding: Finding, every: bool = False) -> str:
    """A finding's kind; of a line that stands for a whole file without any, a dash."""
    is_of_file = finding.verdict == "unsigned" or finding.state == NOT_LOOKED
    return "-" if is_of_file and not every else finding.kind


def state_text(finding: Finding, every: bool = False) -> str:
    """A finding's state; of a line that stands for a whole file without any, `nothing found`."""
    if finding.state == NOT_SIGNED and not every:
        return "nothing found"
    if finding.state == NOT_LOOKED and not every:
        return "not all looked for"
    return shown(finding.state)


def summary(listing: Listing) -> str:
    """One line: how many files are signed, and how many were looked at."""
    n_files = {
        verdict: len({finding.ref for finding in listing.findings if finding.verdict == verdict})
        for verdict in ("signed", "invalid", "unverified")
    }
    counts = [f"{n_files['signed']} signed"]
    counts += [f"{n} {word}" for word, n in n_files.items() if n and word != "signed"]
    counts += [f"{listing.scanned} scanned", f"{len(listing.skipped)} skipped"]
    return ", ".join((*counts, f"{listing.elapsed_seconds:.1f} s"))


def write_page(listing: Listing, path: Path) -> None:
    """A self-contained page. It appears under its name only when it is complete.

    Raises OSError when it cannot be written.
    """
    page = page_of(
        Path(__file__).with_name("page.html"),
        path,
        {"percentage": percentage_text, "state": state_text, "kind": kind_text},
        listing=listing,
        told=listing.told(),
        signs=SIGNS,
        summary=summary(listing),
    )
    write_whole(path, page)
