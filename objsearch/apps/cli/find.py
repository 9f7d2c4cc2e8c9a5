"""`objsearch find`: which photos show the same object?"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from objsearch.apps.cli import options as shared
from objsearch.apps.cli.given import Given
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
from objsearch.apps.cli.waiting import stopwatch, waiting
from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.apps.cli.waiting import Waiting
    from objsearch.search.pipeline import ObjectSearch
    from objsearch.sources import Place, RoiMode
    from objsearch.types import Answer, Hit


def find(
    query: Annotated[
        list[str] | None,
        typer.Argument(
            help="Photos of the wanted thing: files, folders, globs; '-': one on standard input."
        ),
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
    index: shared.IndexOption = None,
    root: shared.RootOption = None,
    library: shared.LibraryOption = None,
    forget: shared.ForgetOption = False,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    mode: shared.ModeOption = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Most hits a query.")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="Least score of a hit.")
    ] = None,
    max_false_alarms: Annotated[
        float | None,
        typer.Option(
            "--max-false-alarms",
            min=0,
            help="Most wrong hits to be expected among the photos searched, at a hit's score.",
        ),
    ] = None,
    verdict: shared.VerdictOption = None,
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
    as_csv: shared.CsvOption = False,
    as_paths: PathsOption = False,
    report: shared.ReportOption = None,
    force: shared.ForceOption = False,
) -> None:
    """Which photos show the same object?

    Exit code 0: hits of the verdicts asked for by --verdict, else same or uncertain ones; 1: none;
    2: an error.
    """
    query, references = _checked(query, unwanted, references, files_from, null, index)
    form = form_of(as_json=as_json, as_csv=as_csv, as_paths=as_paths)
    if each and weight:
        raise UsageError("--weight weighs photos of one thing; with --each every one is another")
    inputs = [*query, *references, *(unwanted or []), config]
    check_outputs([Output("--report", report, PAGE)], inputs, force=force)
    wanted: dict[str, Any] = {
        "top": top,
        "threshold": threshold,
        "max_false_alarms": max_false_alarms,
        "verdicts": [choice.value for choice in verdict or ()] or None,
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
    with waiting() as progress:
        memory = Memory(index, root, library, forget, in_region, wanted["roi_mode"])
        given = Given(preset, config, mode, workers, assignments, filters)
        search = _search(references, given, memory, progress)
        asked = _pictures(query, search)
        answers = _answers(search, asked, wanted, each)
        seen = _shown(answers, form, progress, each=each, null=null)
        progress.say("report")
        _write_page(seen, report, search, asked)
    raise typer.Exit(0 if any(hit.verdict in counting(verdict) for hit in hits_of(seen)) else 1)


def _checked(
    query: list[str] | None,
    unwanted: list[str] | None,
    references: list[str] | None,
    files_from: list[Path] | None,
    null: bool,
    index: Path | None,
) -> tuple[list[str], list[str]]:
    if not query:
        raise UsageError("no query: name at least one photo of the thing to look for")
    check_read_once(*query, *(unwanted or ()), *(references or ()), *(files_from or ()))
    if index is not None and not references and not files_from:
        return query, []
    missing = "nothing to search: name photos or folders with --in PATH"
    return query, listed(references, files_from, null, missing)


class Memory(NamedTuple):
    """Where descriptions are remembered, and of which part of the references they are."""

    folder: Path | None
    root: Path | None
    library: Path | None
    forget: bool
    region: str | None
    roi_mode: RoiMode | None


def _search(references: list[str], given: Given, memory: Memory, progress: Waiting) -> ObjectSearch:
    """A search over the references, or over all of an index."""
    from objsearch.search.pipeline import ObjectSearch
    from objsearch.tasks.indexing import open_index

    if memory.folder is not None:
        progress.say("opening")
        settings = given.over(memory.folder)
        search = open_index(memory.folder, settings, progress, memory.root)
        return search.add(*references) if references else search
    if memory.root is not None:
        raise UsageError("--root says where the photos of an index lie: name that by --index, too")
    progress.say("describing")
    # What is described of a part only is no description of the photo.
    is_forgotten = memory.forget or memory.region is not None
    settings = with_memory(given.settings, memory.library, is_forgotten)
    search = ObjectSearch(settings, progress)
    return search.add(*references, region=memory.region, roi_mode=memory.roi_mode)


def _pictures(names: Iterable[str], search: ObjectSearch) -> list[str | Place]:
    return [picture(name, search.settings) for name in names]


def _answers(
    search: ObjectSearch, asked: list[str | Place], wanted: dict[str, Any], each: bool
) -> Iterator[Answer]:
    if wanted["negatives"] is not None:
        wanted["negatives"] = _pictures(wanted["negatives"], search)
    if each:
        yield from search.find_each(asked, **wanted)
    else:
        yield search.find(*asked, **wanted)


def _write_page(
    answers: Sequence[Answer],
    report: Path | None,
    search: ObjectSearch,
    queries: Sequence[str | Place],
) -> None:
    from objsearch.apps.cli.output import reader_of, write_report
    from objsearch.report.as_html import write_html
    from objsearch.search.thumbnails import kept_picture

    read, kept = reader_of(search, queries), partial(kept_picture, search.references)
    write_report(report, lambda path: write_html(answers, path, read, kept=kept))


def counting(verdict: Sequence[shared.FoundVerdict] | None) -> set[str]:
    """The verdicts that make an answer a find."""
    return {choice.value for choice in verdict or shared.FoundVerdict}


def hits_of(answers: Iterable[Answer]) -> Iterator[Hit]:
    """All hits of several answers."""
    return (hit for answer in answers for hit in answer.hits)


def _shown(
    answers: Iterable[Answer], form: str, progress: Waiting, *, each: bool, null: bool
) -> list[Answer]:
    """Print answers as they come, each with the seconds waited for it; returns them."""
    from objsearch.apps.cli.output import warn

    progress.say("searching")
    seen: list[Answer] = []
    for made in answers:
        answer = replace(made, elapsed_seconds=stopwatch.lap())
        with progress.hidden():
            warn(
                warning
                for warning in answer.warnings
                if not seen or warning not in seen[0].warnings
            )
            if form == "paths":
                print_paths((hit.ref for hit in answer.hits), null)
            else:
                _show(answer, form, each, first=not seen)
        seen.append(answer)
    return seen


def _show(answer: Answer, form: str, each: bool, first: bool) -> None:
    from objsearch.apps.cli.output import print_json, print_table

    if form == "json":
        from objsearch.report.as_json import answer_json

        print_json(answer_json(answer), indent=None if each else 2)
    elif form == "csv":
        from objsearch.report.as_csv import write_csv

        write_csv(answer, sys.stdout, header=first)
    else:
        from objsearch.report.as_table import answer_table

        print_table(answer_table(answer))
