"""`objsearch larger`: which references are larger copies of a photo?"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from objsearch.apps.cli import options as shared
from objsearch.apps.cli.names import (
    FilesFromOption,
    NullOption,
    PathsOption,
    check_read_once,
    form_of,
    listed,
    picture,
    print_paths,
)
from objsearch.apps.cli.outputs import PAGE, Output, check_outputs
from objsearch.apps.cli.remembering import with_memory
from objsearch.apps.cli.waiting import stopwatch

if TYPE_CHECKING:
    from objsearch.tasks.larger import LargerAnswer


def larger(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="The photo at hand; '-': on standard input.")
    ],
    former_references: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REFERENCE...]", help="Say --in REFERENCE...", hidden=True),
    ] = None,
    references: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            metavar="PATH...",
            help="Photos to search: files, folders, globs, all that follow; '-': names on "
            "standard input.",
        ),
    ] = None,
    files_from: FilesFromOption = None,
    null: NullOption = False,
    library: shared.LibraryOption = None,
    forget: shared.ForgetOption = False,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="Least score of a copy.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="X,Y,W,H", help="The part of the query that counts."),
    ] = None,
    include: shared.IncludeOption = None,
    exclude: shared.ExcludeOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
    as_csv: shared.CsvOption = False,
    as_paths: PathsOption = False,
    report: shared.ReportOption = None,
    force: shared.ForceOption = False,
) -> None:
    """Which photos show the same with more pixels, largest first? The preset is 'larger'.

    Enlarged copies that show no more than the query are marked. Exit code 0: found, 1: none found,
    2: an error.
    """
    form = form_of(as_json=as_json, as_csv=as_csv, as_paths=as_paths)
    if former_references:
        from objsearch.apps.cli.output import hint

        hint("photos to search come after --in: objsearch larger QUERY --in PATH...")
    given = [*(former_references or ()), *(references or ())]
    check_read_once(query, *given, *(files_from or ()))
    missing = "nothing to search: name photos or folders with --in PATH"
    names = listed(given, files_from, null, missing)
    check_outputs([Output("--report", report, PAGE)], [query, *names, config], force=force)
    from objsearch.apps.cli.output import reader_of, warn, write_report
    from objsearch.apps.cli.waiting import waiting

    chosen = preset if preset is not None or config is not None else "larger"
    filters = shared.files_filters(include, exclude)
    with waiting() as progress:
        plain = shared.settings_of(chosen, config, None, workers, assignments, filters)
        settings = with_memory(plain, library, forget)
        from objsearch.search.pipeline import ObjectSearch
        from objsearch.tasks.larger import find_larger
        from objsearch.tasks.larger.larger_page import write_page

        progress.say("describing")
        search = ObjectSearch(settings, progress).add(*names)
        progress.say("searching")
        asked = picture(query, settings)
        made = find_larger(search, asked, threshold=threshold, region=region)
        answer = replace(made, elapsed_seconds=stopwatch.lap())
        with progress.hidden():
            warn(answer.warnings)
            warn(f"{unreadable.ref}: {unreadable.reason}" for unreadable in answer.skipped)
            if form == "paths":
                print_paths((copy.ref for copy in answer.copies), null)
            else:
                _show(answer, form)
        progress.say("report")
        read = reader_of(search, [asked], reduced=False)
        write_report(report, lambda path: write_page(answer, path, read))
    raise typer.Exit(0 if answer.copies else 1)


def _show(answer: LargerAnswer, form: str) -> None:
    from objsearch.apps.cli.output import print_json, print_table
    from objsearch.tasks.larger import larger_output as told

    if form == "json":
        print_json(told.larger_json(answer), indent=2)
    elif form == "csv":
        sys.stdout.writelines(told.larger_csv(answer))
    else:
        print_table(told.larger_table(answer))
