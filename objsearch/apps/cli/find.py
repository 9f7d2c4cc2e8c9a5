"""`objsearch find`: which photos show the same object?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from objsearch.apps.cli import options as shared
from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.pipeline import ObjectSearch
    from objsearch.types import Answer


def find(
    query: Annotated[
        list[str] | None,
        typer.Argument(help="Photos of the wanted thing: files, folders or globs."),
    ] = None,
    references: Annotated[
        list[str] | None,
        typer.Option(
            "--in", metavar="PATH", help="Photos to search: files, folders, globs; repeat."
        ),
    ] = None,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    mode: shared.ModeOption = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Most hits a query.")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="Least score of a hit.")
    ] = None,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Hits to pass over.")] = 0,
    region: shared.RegionOption = None,
    in_region: shared.InRegionOption = None,
    roi_mode: shared.RoiModeOption = None,
    fusion: Annotated[
        shared.Fusion | None,
        typer.Option("--fusion", help="How several photos of one thing become one score."),
    ] = None,
    weight: shared.WeightOption = None,
    unwanted: shared.NotOption = None,
    include: shared.IncludeOption = None,
    exclude: shared.ExcludeOption = None,
    label: shared.LabelOption = None,
    since: shared.SinceOption = None,
    until: shared.UntilOption = None,
    min_bytes: shared.MinBytesOption = None,
    max_bytes: shared.MaxBytesOption = None,
    min_pixels: shared.MinPixelsOption = None,
    max_pixels: shared.MaxPixelsOption = None,
    each: Annotated[
        bool, typer.Option("--each", help="Every query is a thing of its own, with its own answer.")
    ] = False,
    include_query: Annotated[
        bool, typer.Option("--include-query", help="Let a query file be its own hit.")
    ] = False,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV for programs, a row a hit.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="A page with the evidence.")
    ] = None,
) -> None:
    """Which photos show the same object? Exit code 0: found, 1: nothing found, 2: an error."""
    query, references = _checked(query, references)
    _check_fit(as_json and as_csv, each and bool(weight))
    wanted: dict[str, Any] = {
        "top": top,
        "threshold": threshold,
        "offset": offset or None,
        "fusion": fusion.value if fusion else None,
        "include_query": include_query or None,
        "region": region,
        "roi_mode": roi_mode.value if roi_mode else None,
        "weights": weight or None,
        "negatives": unwanted or None,
    }
    filters = shared.filters_of(
        include=include,
        exclude=exclude,
        labels=label,
        changed_from=since,
        changed_to=until,
        min_bytes=min_bytes,
        max_bytes=max_bytes,
        min_pixels=min_pixels,
        max_pixels=max_pixels,
    )
    from objsearch.apps.cli.output import progress_bar
    from objsearch.pipeline import ObjectSearch

    settings = shared.settings_of(preset, config, mode, workers, assignments, filters)
    with progress_bar() as progress:
        search = ObjectSearch(settings, progress)
        search.add(*references, region=in_region, roi_mode=wanted["roi_mode"])
    answers = search.find_each(query, **wanted) if each else iter([search.find(*query, **wanted)])
    seen = _shown(answers, "json" if as_json else "csv" if as_csv else "table", each)
    if report is not None:
        _write_report(search, seen, report)
    raise typer.Exit(0 if any(answer.hits for answer in seen) else 1)


def _checked(query: list[str] | None, references: list[str] | None) -> tuple[list[str], list[str]]:
    if not query:
        raise UsageError("no query: name at least one photo of the thing to look for")
    if not references:
        raise UsageError("nothing to search: name photos or folders with --in PATH")
    return query, references


def _check_fit(two_forms: bool, weighed_each: bool) -> None:
    if two_forms:
        raise UsageError("give either --json or --csv, not both")
    if weighed_each:
        raise UsageError("--weight weighs photos of one thing; with --each every photo is another")


def _shown(answers: Iterable[Answer], form: str, each: bool) -> list[Answer]:
    """Print answers as they come; returns them for the report."""
    from objsearch.apps.cli.output import warn

    seen: list[Answer] = []
    for answer in answers:
        fresh = [w for w in answer.warnings if not seen or w not in seen[0].warnings]
        warn(fresh)
        _show(answer, form, each, first=not seen)
        seen.append(answer)
    return seen


def _show(answer: Answer, form: str, each: bool, first: bool) -> None:
    import sys

    if form == "json":
        from objsearch.apps.cli.output import print_json
        from objsearch.report.as_json import answer_json

        print_json(answer_json(answer), indent=None if each else 2)
    elif form == "csv":
        from objsearch.report.as_csv import write_csv

        write_csv(answer, sys.stdout, header=first)
    else:
        from rich.console import Console

        from objsearch.report.as_table import answer_table

        Console().print(answer_table(answer))


def _write_report(search: ObjectSearch, answers: list[Answer], path: Path) -> None:
    from objsearch.apps.cli.output import reader_of
    from objsearch.report.as_html import write_html

    try:
        write_html(answers, path, reader_of(search))
    except OSError as error:
        raise UsageError(f"cannot write the report '{path}': {error.strerror}") from None
    typer.echo(f"report: {path}", err=True)
