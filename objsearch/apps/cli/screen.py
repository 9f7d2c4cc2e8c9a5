"""`objsearch screen`: which photos are unwanted?"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from objsearch.apps.cli import options as shared
from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.settings import Settings
    from objsearch.tasks.screening import Listing


class Action(StrEnum):
    """What becomes of flagged pictures."""

    flag = "flag"
    exclude = "exclude"
    only = "only"


def screen(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Photos, folders, globs.")],
    block: Annotated[
        list[str] | None,
        typer.Option("--block", metavar="PATH", help="Known images whose copies to find; repeat."),
    ] = None,
    examples: Annotated[
        list[str] | None,
        typer.Option("--examples", metavar="PATH", help="What is unwanted looks so; repeat."),
    ] = None,
    classifiers: Annotated[
        list[str] | None,
        typer.Option(
            "--classifier", metavar="NAME[=SCORE]", help="open-nsfw, nudenet, ...; repeat."
        ),
    ] = None,
    action: Annotated[
        Action | None,
        typer.Option(
            "--action", help="flag: mark them. exclude: list the others. only: list none but them."
        ),
    ] = None,
    config: shared.ConfigOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV for programs, a row a flag.")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE.html", help="A page of what was flagged, blurred."),
    ] = None,
) -> None:
    """Which photos are unwanted? By a block list, examples, classifiers, or a settings file.

    Exit code 0: flagged ones found, 1: none, 2: an error, also when a photo or a part of the rules
    could not be looked at.
    """
    if as_json and as_csv:
        raise UsageError("give either --json or --csv, not both")
    from objsearch.apps.cli.output import progress_bar, warn
    from objsearch.tasks.screening import screen_images

    given = {"block": block, "examples": examples, "action": action and action.value}
    wanted: dict[str, Any] = {f"screening.{key}": one for key, one in given.items() if one}
    if classifiers:
        wanted["screening.classifiers"] = [_classifier(text) for text in classifiers]
    settings = shared.settings_of(None, config, None, workers, assignments, wanted)
    with progress_bar() as progress:
        listing = screen_images(list(paths), settings, progress)
    warn(f"{one.ref}: {one.reason}; it was not looked at" for one in listing.skipped)
    warn(f"{one.ref}: {one.left_out}" for one in listing.images if one.left_out)
    _show(listing, "json" if as_json else "csv" if as_csv else "table")
    if html is not None:
        _write_page(settings, listing, html)
    raise typer.Exit(2 if listing.skipped else 0 if listing.flagged else 1)


def _classifier(text: str) -> dict[str, Any]:
    name, separator, score = text.partition("=")
    if not separator:
        return {"name": name}
    try:
        return {"name": name, "threshold": float(score)}
    except ValueError:
        raise UsageError(f"--classifier wants NAME or NAME=SCORE, not '{text}'") from None


def _show(listing: Listing, form: str) -> None:
    from objsearch.tasks.screening import forms

    if form == "json":
        from objsearch.apps.cli.output import print_json

        print_json(forms.listing_json(listing), indent=2)
    elif form == "csv":
        sys.stdout.writelines(forms.listing_csv(listing))
    else:
        from rich.console import Console

        Console().print(forms.listing_table(listing))


def _write_page(settings: Settings, listing: Listing, path: Path) -> None:
    from objsearch.apps.cli.output import reader_of
    from objsearch.pipeline import ObjectSearch
    from objsearch.tasks.screening.forms import write_page

    try:
        write_page(listing, path, reader_of(ObjectSearch(settings)))
    except OSError as error:
        raise UsageError(f"cannot write the page '{path}': {error.strerror}") from None
    typer.echo(f"page: {path}", err=True)
