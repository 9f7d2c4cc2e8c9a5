"""`objsearch compare`: do two photos show the same object?"""

from __future__ import annotations

from typing import Annotated

import typer

from objsearch.apps.cli import options as shared
from objsearch.apps.cli.names import check_read_once, picture


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A photo; '-': one on standard input.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    mode: shared.ModeOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Do two photos show the same object? Exit code 0: same, 1: not, 2: error."""
    check_read_once(first, second)
    from objsearch.apps.cli.output import print_json, print_table, warn
    from objsearch.apps.cli.waiting import waiting

    with waiting():
        settings = shared.settings_of(preset, config, mode, workers, assignments)
        from objsearch.search.pipeline import ObjectSearch

        search = ObjectSearch(settings)
        hit = search.compare(picture(first, settings), picture(second, settings))
    warn(search.comparer.scoring.notes([hit]))
    if as_json:
        from objsearch.report.as_json import comparison_json

        print_json(comparison_json(hit, hit.query, settings.answer_settings()), indent=2)
    else:
        from objsearch.report.as_table import comparison_table

        print_table(comparison_table(hit))
    raise typer.Exit(0 if hit.verdict == "same" else 1)
