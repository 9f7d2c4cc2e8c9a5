"""`objsearch screen`: which photos are unwanted?"""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
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
from objsearch.apps.cli.remembering import library_of
from objsearch.apps.cli.waiting import stopwatch
from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.tasks.unwanted import Listing


class Action(StrEnum):
    """What becomes of flagged pictures."""

    flag = "flag"
    exclude = "exclude"
    only = "only"


def screen(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="Photos, folders, globs; '-': a photo, or names, on standard input.",
        ),
    ] = None,
    files_from: FilesFromOption = None,
    null: NullOption = False,
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
    library: shared.LibraryOption = None,
    forget: shared.ForgetOption = False,
    include: shared.IncludeOption = None,
    exclude: shared.ExcludeOption = None,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
    as_csv: shared.CsvOption = False,
    as_paths: PathsOption = False,
    report: shared.ReportOption = None,
    force: shared.ForceOption = False,
) -> None:
    """Which photos are unwanted? By a block list, examples, classifiers, or a settings file.

    Exit code 0: flagged ones found, 1: none, 2: an error, also when a photo or a part of the rules
    could not be looked at.
    """
    form = form_of(as_json=as_json, as_csv=as_csv, as_paths=as_paths)
    names = listed_or_piped(paths, files_from, null, "nothing to screen: name photos or folders")
    inputs = [*names, *(block or []), *(examples or []), config]
    check_outputs([Output("--report", report, PAGE)], inputs, force=force)
    given = {"block": block, "examples": examples, "action": action and action.value}
    wanted: dict[str, Any] = {f"screening.{key}": value for key, value in given.items() if value}
    if classifiers:
        wanted["screening.classifiers"] = [_classifier(text) for text in classifiers]
    wanted |= shared.files_filters(include, exclude)
    from objsearch.apps.cli.output import reader_of, warn, write_report
    from objsearch.apps.cli.waiting import waiting

    with waiting() as progress:
        settings = shared.settings_of(preset, config, None, workers, assignments, wanted)
        from objsearch.search.pipeline import ObjectSearch
        from objsearch.tasks.unwanted import screen_images
        from objsearch.tasks.unwanted.unwanted_output import write_page

        folder = library_of(library, forget)
        made = screen_images(names, settings, progress, library=folder)
        listing = replace(made, elapsed_seconds=stopwatch.lap())
        with progress.hidden():
            warn(listing.warnings)
            warn(
                f"{unreadable.ref}: {unreadable.reason}; it was not looked at"
                for unreadable in listing.skipped
            )
            warn(f"{image.ref}: {image.left_out}" for image in listing.images if image.left_out)
            if form == "paths":
                shown = listing.flagged if action in (None, Action.flag) else listing.kept
                print_paths((image.ref for image in shown), null)
            else:
                _show(listing, form)
        progress.say("report")
        read = reader_of(ObjectSearch(settings), names)
        write_report(report, lambda path: write_page(listing, path, read))
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
    from objsearch.apps.cli.output import print_json, print_table
    from objsearch.tasks.unwanted import unwanted_output as told

    if form == "json":
        print_json(told.listing_json(listing), indent=2)
    elif form == "csv":
        sys.stdout.writelines(told.listing_csv(listing))
    else:
        print_table(told.listing_table(listing))
