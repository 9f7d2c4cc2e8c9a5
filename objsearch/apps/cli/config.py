"""`objsearch config`: presets, what is in force, and the schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from objsearch.apps.cli import options as shared

app = typer.Typer(
    help="Presets, what is in force, and the schema for editors.", no_args_is_help=True
)


@app.command()
def presets() -> None:
    """The presets and what each is for."""
    from objsearch.settings import load_settings, preset_names

    for name in preset_names():
        typer.echo(f"{name:<14} {load_settings(name).description}")


@app.command()
def show(
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    mode: shared.ModeOption = None,
    assignments: shared.SetOption = None,
) -> None:
    """Everything that is in force, as a YAML that can be saved and changed."""
    from objsearch.settings import dump_yaml

    typer.echo(dump_yaml(shared.settings_of(preset, config, mode, None, assignments)), nl=False)


@app.command()
def check(file: Annotated[Path, typer.Argument(metavar="FILE.yaml")]) -> None:
    """Whether a YAML file is right; a mistake is named with its line."""
    from objsearch.apps.cli.output import print_line
    from objsearch.search.recipe import weights_not_here
    from objsearch.search.scoring import Scoring
    from objsearch.settings import load_settings

    settings = load_settings(file)
    notes = Scoring(settings).notes(())
    print_line(f"{file}: all right")
    for note in notes:
        print_line(f"{file}: {note}")
    for option in weights_not_here(settings):
        print_line(f"{file}: {option} is not on this machine")


@app.command()
def schema() -> None:
    """JSON Schema of a settings file, for editors."""
    from objsearch.apps.cli.output import print_json
    from objsearch.settings import json_schema

    print_json(json_schema(), indent=2)
