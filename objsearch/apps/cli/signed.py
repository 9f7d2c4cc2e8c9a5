"""`objsearch signed`: which images carry a digital signature?"""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from objsearch.apps.cli import options as shared
from objsearch.apps.cli.password import PasswordFileOption
from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.tasks.signing import Listing


class Kind(StrEnum):
    """The kinds of signature."""

    pixel = "pixel"
    robust = "robust"
    c2pa = "c2pa"
    pdf = "pdf"


def signed(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Photos, PDFs, folders or globs.")
    ],
    kinds: Annotated[
        list[Kind] | None,
        typer.Option("--kind", help="Look for this kind alone; repeat. Without: all that can be."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", min=0, max=100, help="Least percent of a password signature; else 75."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Stop reading pixels when the answer is beyond doubt.")
    ] = False,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            "--trust", metavar="PEM", help="Certificates of authorities that are trusted; repeat."
        ),
    ] = None,
    password_file: PasswordFileOption = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="GLOB", help="Pass over; repeat.")
    ] = None,
    config: shared.ConfigOption = None,
    workers: shared.WorkersOption = None,
    every: Annotated[
        bool, typer.Option("--all", help="A row a kind for each file, in the table too.")
    ] = False,
    as_json: shared.JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV for programs.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="The listing as a page.")
    ] = None,
) -> None:
    """Which images are signed? Exit code 0: found signed ones, 1: none, 2: an error."""
    if as_json and as_csv:
        raise UsageError("give either --json or --csv, not both")
    from objsearch.apps.cli.output import progress_bar, warn
    from objsearch.apps.cli.password import optional_password
    from objsearch.tasks.signing import Wanted, check_signatures

    given: dict[str, Any] = {
        "kinds": tuple(kind.value for kind in kinds or ()) or None,
        "threshold": threshold,
        "quick": quick or None,
        "trust": tuple(map(str, trust or ())) or None,
    }
    overrides = {f"signing.{key}": value for key, value in given.items() if value is not None}
    settings = shared.settings_of(None, config, None, workers, None, overrides)
    section = settings.signing
    needs_password = not section.kinds or bool({"pixel", "robust"} & set(section.kinds))
    password = optional_password(password_file, section) if needs_password else None
    filters = settings.input.filters
    with progress_bar() as progress:
        listing = check_signatures(
            list(paths),
            Wanted.of(settings, password),
            progress,
            replace(filters, exclude=(*filters.exclude, *(exclude or ()))),
        )
    warn(listing.notes)
    warn(f"{one.ref}: {one.reason}" for one in listing.skipped)
    _show(listing, "json" if as_json else "csv" if as_csv else "table", every)
    if report is not None:
        _write_report(listing, report)
    raise typer.Exit(0 if listing.signed else 1)


def _show(listing: Listing, form: str, every: bool) -> None:
    from objsearch.tasks.signing import forms

    if form == "json":
        from objsearch.apps.cli.output import print_json

        print_json(forms.listing_json(listing), indent=2)
    elif form == "csv":
        sys.stdout.writelines(forms.listing_csv(listing))
    else:
        from rich.console import Console

        Console().print(forms.listing_table(listing, every))


def _write_report(listing: Listing, path: Path) -> None:
    from objsearch.tasks.signing.forms import write_page

    try:
        write_page(listing, path)
    except OSError as error:
        raise UsageError(f"cannot write the report '{path}': {error.strerror}") from None
    typer.echo(f"report: {path}", err=True)
