"""`objsearch calibrate`: from labelled photos to scores that are probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from objsearch.apps.cli import options as shared
from objsearch.errors import UsageError


def calibrate(
    truths: Annotated[
        list[Path],
        typer.Argument(
            metavar="LABELS.csv...",
            help="Ground truths (group_id, path, role, box) or labelled pairs (a, b, same).",
        ),
    ],
    distractors: Annotated[
        list[str] | None, typer.Option("--distractors", help="More photos, none of them right.")
    ] = None,
    precision: Annotated[
        float, typer.Option("--precision", min=0, max=1, help="Print the threshold for this one.")
    ] = 0.99,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="FILE.yaml",
            help="Where the calibration goes; name it in "
            "the settings with 'calibration: FILE.yaml'.",
        ),
    ] = None,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    mode: shared.ModeOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Fit scores to labelled photos: precision and recall a threshold, and a calibration file."""
    from objsearch.apps.cli.output import print_json, progress_bar
    from objsearch.match.calibration import save
    from objsearch.tasks.calibration import calibrate as run

    settings = shared.settings_of(preset, config, mode, workers, assignments)
    with progress_bar() as progress:
        result = run(settings, truths, tuple(distractors or ()), progress)
    if write is not None:
        try:
            save(result.calibration, write)
        except OSError as error:
            raise UsageError(f"cannot write '{write}': {error.strerror}") from None
    if as_json:
        print_json({"schema": "objsearch/calibrate/1", **result.as_data(precision)}, indent=2)
        return
    for line in result.lines(precision):
        typer.echo(line)
    if write is not None:
        typer.echo(f"calibration: {write}", err=True)
