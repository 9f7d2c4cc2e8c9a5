"""`objsearch calibrate`: from labelled photos to scores that are probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from objsearch.apps.cli import options as shared
from objsearch.apps.cli.outputs import CALIBRATION, Output, check_outputs
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
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
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
    force: shared.ForceOption = False,
    as_json: shared.JsonOption = False,
) -> None:
    """Fit scores to labelled photos: precision and recall a threshold, and a calibration file."""
    if out is not None and out.suffix not in (".yaml", ".yml"):
        raise UsageError(f"--out: '{out}' has to end in .yaml, so that settings can name it")
    inputs = [*truths, *(distractors or []), config]
    check_outputs([Output("--out", out, CALIBRATION)], inputs, force=force)
    from objsearch.apps.cli.output import print_json, print_line, tell_written, warn
    from objsearch.apps.cli.waiting import waiting

    with waiting() as progress:
        settings = shared.settings_of(preset, config, mode, workers, assignments)
        from objsearch.match.calibration import save
        from objsearch.tasks.evaluation.calibrating import calibrate as run

        result = run(settings, truths, tuple(distractors or ()), progress)
    warn(result.warnings)
    if out is not None:
        try:
            save(result.calibration, out)
        except OSError as error:
            raise UsageError(f"cannot write '{out}': {error.strerror}") from None
    if as_json:
        print_json({"schema": "objsearch/calibrate/1", **result.as_data(precision)}, indent=2)
        return
    for line in result.lines(precision):
        print_line(line)
    if out is not None:
        tell_written("calibration", out)
