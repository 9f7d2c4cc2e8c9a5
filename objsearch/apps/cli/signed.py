"""`objsearch signed`: which images carry a digital signature?"""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from objsearch.apps.cli import options as shared
from objsearch.apps.cli.names import (
    FilesFromOption,
    NullOption,
    PathsOption,
    form_of,
    listed_or_piped,
    print_paths,
)
from objsearch.apps.cli.outputs import PAGE, Output, check_outputs
from objsearch.apps.cli.password import PasswordFileOption
from objsearch.apps.cli.waiting import stopwatch

if TYPE_CHECKING:
    from objsearch.settings import Settings
    from objsearch.signing import Listing, Password, Wanted


INVALID = 3
"""Exit code where a signature does not fit its file: a script must not take it for none."""


class Kind(StrEnum):
    """The kinds of signature."""

    pixel = "pixel"
    robust = "robust"
    c2pa = "c2pa"
    pdf = "pdf"


def signed(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="Photos, PDFs, folders or globs; '-': a photo, or names, on standard input.",
        ),
    ] = None,
    files_from: FilesFromOption = None,
    null: NullOption = False,
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
    include: shared.IncludeOption = None,
    exclude: shared.ExcludeOption = None,
    config: shared.ConfigOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    every: Annotated[
        bool, typer.Option("--all", help="A row a kind for each file, in the table too.")
    ] = False,
    as_json: shared.JsonOption = False,
    as_csv: shared.CsvOption = False,
    as_paths: PathsOption = False,
    report: shared.ReportOption = None,
    force: shared.ForceOption = False,
) -> None:
    """Which images are signed?

    Exit code 0: signed ones found, and all of them valid; 1: none; 2: an error; 3: an invalid one.
    """
    form = form_of(as_json=as_json, as_csv=as_csv, as_paths=as_paths)
    names = listed_or_piped(paths, files_from, null, "nothing to look at: name photos or folders")
    inputs = [*names, *(trust or []), password_file, config]
    check_outputs([Output("--report", report, PAGE)], inputs, force=force)
    given: dict[str, Any] = {
        "kinds": tuple(kind.value for kind in kinds or ()) or None,
        "threshold": threshold,
        "quick": quick or None,
        "trust": tuple(map(str, trust or ())) or None,
    }
    overrides = {f"signing.{key}": value for key, value in given.items() if value is not None}
    overrides |= shared.files_filters(include, exclude)
    from objsearch.apps.cli.output import warn, write_report
    from objsearch.apps.cli.password import optional_password
    from objsearch.apps.cli.waiting import waiting

    with waiting():  # and not while a password is asked for
        settings = shared.settings_of(None, config, None, workers, assignments, overrides)
    section = settings.signing
    needs_password = not section.kinds or bool({"pixel", "robust"} & set(section.kinds))
    password = optional_password(password_file, section) if needs_password else None
    with waiting() as progress:
        from objsearch.signing import check_signatures
        from objsearch.signing.signing_output import write_page

        wanted = wanted_of(settings, password)
        made = check_signatures(names, wanted, progress, settings.input.filters)
        listing = replace(made, elapsed_seconds=stopwatch.lap())
        with progress.hidden():
            warn(listing.notes)
            warn(f"{unreadable.ref}: {unreadable.reason}" for unreadable in listing.skipped)
            if form == "paths":
                print_paths((finding.ref for finding in listing.signed), null)
            else:
                _show(listing, form, every)
        write_report(report, lambda path: write_page(listing, path))
    raise typer.Exit(INVALID if listing.invalid else 0 if listing.signed else 1)


def wanted_of(settings: Settings, password: Password | None) -> Wanted:
    """What the settings' section `signing` asks for."""
    from objsearch.signing import Wanted

    section = settings.signing
    return Wanted(
        password,
        section.kinds,
        section.threshold,
        section.quick,
        section.trust,
        settings.input.reading,
        settings.run.n_workers,
    )


def _show(listing: Listing, form: str, every: bool) -> None:
    from objsearch.apps.cli.output import print_json, print_table
    from objsearch.signing import signing_output as told

    if form == "json":
        print_json(told.listing_json(listing), indent=2)
    elif form == "csv":
        sys.stdout.writelines(told.listing_csv(listing))
    else:
        print_table(told.listing_table(listing, every))
