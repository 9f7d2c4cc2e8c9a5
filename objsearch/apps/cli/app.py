"""The tree of subcommands. Nothing heavy is imported here, so that `--help` answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from objsearch import __version__
from objsearch.apps.cli import (
    calibrate,
    compare,
    config,
    detect,
    doctor,
    duplicates,
    evaluate,
    find,
    index,
    larger,
    models,
    screen,
    sign,
    signed,
)
from objsearch.apps.cli.command import Command

app = typer.Typer(
    name="objsearch",
    help="Which of these photos show the same object?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("find", cls=Command)(find.find)
app.command("compare", cls=Command)(compare.compare)
app.command("detect", cls=Command)(detect.detect)
app.command("evaluate", cls=Command)(evaluate.evaluate)
app.command("calibrate", cls=Command)(calibrate.calibrate)
app.command("larger", cls=Command)(larger.larger)
app.command("screen", cls=Command)(screen.screen)
app.command("sign", cls=Command)(sign.sign)
app.command("signed", cls=Command)(signed.signed)
app.command("doctor", cls=Command)(doctor.doctor)
app.command("models", cls=Command)(models.models)
app.add_typer(duplicates.app, name="duplicates")
app.add_typer(index.app, name="index")
app.add_typer(config.app, name="config")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"objsearch {__version__}")
        for name, version in doctor.versions().items():
            typer.echo(f"  {name} {version}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version, and those of the parts.",
        ),
    ] = False,
) -> None:
    """Which of these photos show the same object?"""
