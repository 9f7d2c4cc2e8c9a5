"""`objsearch larger`: which references are larger copies of a photo?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from objsearch.apps.cli import options as shared
from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.pipeline import ObjectSearch
    from objsearch.tasks.larger import LargerAnswer


def larger(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="The photo at hand.")],
    references: Annotated[
        list[str],
        typer.Argument(metavar="REFERENCE...", help="Photos to search: files, folders, globs."),
    ],
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="Least score of a copy.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="X,Y,W,H", help="The part of the query that counts."),
    ] = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV for programs, a row a copy.")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE.html", help="A page that shows the detail."),
    ] = None,
) -> None:
    """Which photos show the same with more pixels, largest first? The preset is 'larger'.

    Enlarged copies that show no more than the query are marked. Exit code 0: found, 1: none found,
    2: an error.
    """
    if as_json and as_csv:
        raise UsageError("give either --json or --csv, not both")
    from objsearch.apps.cli.output import progress_bar, warn
    from objsearch.pipeline import ObjectSearch
    from objsearch.tasks.larger import find_larger

    chosen = preset if preset is not None or config is not None else "larger"
    settings = shared.settings_of(chosen, config, None, workers, assignments)
    with progress_bar() as progress:
        search = ObjectSearch(settings, progress).add(*references)
        answer = find_larger(search, query, threshold=threshold, region=region)
    warn(answer.warnings)
    warn(f"{one.ref}: {one.reason}" for one in answer.skipped)
    _show(answer, "json" if as_json else "csv" if as_csv else "table")
    if html is not None:
        _write_page(search, answer, html)
    raise typer.Exit(0 if answer.copies else 1)


def _show(answer: LargerAnswer, form: str) -> None:
    from objsearch.tasks.larger import forms

    if form == "json":
        from objsearch.apps.cli.output import print_json

        print_json(forms.larger_json(answer), indent=2)
    elif form == "csv":
        sys.stdout.writelines(forms.larger_csv(answer))
    else:
        from rich.console import Console

        Console().print(forms.larger_table(answer))


def _write_page(search: ObjectSearch, answer: LargerAnswer, path: Path) -> None:
    from objsearch.apps.cli.output import reader_of
    from objsearch.tasks.larger.as_html import write_page

    try:
        write_page(answer, path, reader_of(search))
    except OSError as error:
        raise UsageError(f"cannot write the page '{path}': {error.strerror}") from None
    typer.echo(f"page: {path}", err=True)
