"""`objsearch evaluate`: how good is a search, on photos whose answer is known?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from objsearch.apps.cli import options as shared


def evaluate(
    truth: Annotated[
        Path,
        typer.Argument(metavar="GROUNDTRUTH.csv", help="Columns group_id, path, role, box."),
    ],
    distractors: Annotated[
        list[str] | None, typer.Option("--distractors", help="More photos to search in; repeat.")
    ] = None,
    all_queries: Annotated[
        bool, typer.Option("--all-queries", help="Every photo of a group is a query.")
    ] = False,
    boxes: Annotated[
        bool, typer.Option("--boxes/--no-boxes", help="Whether a query's box is its region.")
    ] = True,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    mode: shared.ModeOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """How good is a search? mAP, top 1, recall, wrong verdicts, localisation."""
    from objsearch.apps.cli.output import print_json, warn
    from objsearch.apps.cli.waiting import waiting

    with waiting() as progress:
        settings = shared.settings_of(preset, config, mode, workers, assignments)
        from objsearch.search.pipeline import ObjectSearch
        from objsearch.tasks.evaluation import Options
        from objsearch.tasks.evaluation import evaluate as run
        from objsearch.tasks.evaluation.groundtruth import read_groundtruth

        rows = read_groundtruth(truth)
        search = ObjectSearch(settings, progress)
        evaluation = run(search, rows, Options(all_queries, boxes, tuple(distractors or ())))
    warn(f"{unreadable.ref}: {unreadable.reason}" for unreadable in search.skipped)
    warn(evaluation.warnings)
    figures = evaluation.figures()
    if as_json:
        from objsearch.report.as_json import plain

        document = {"schema": "objsearch/evaluate/1", "groundtruth": str(truth), "figures": figures}
        print_json({**document, "settings": plain(settings.answer_settings())}, indent=2)
        return
    for name, value in figures.items():
        typer.echo(f"{name:<26} {'-' if value is None else value}")
