"""The tree of subcommands. Nothing heavy is imported here, so that `--help` answers at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

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

_COMMANDS: Mapping[str, Callable[..., None]] = {
    "find": find.find,
    "compare": compare.compare,
    "detect": detect.detect,
    "evaluate": evaluate.evaluate,
    "calibrate": calibrate.calibrate,
    "larger": larger.larger,
    "screen": screen.screen,
    "sign": sign.sign,
    "signed": signed.signed,
    "doctor": doctor.doctor,
    "models": models.models,
}
_GROUPS: Mapping[str, typer.Typer] = {
    "duplicates": duplicates.app,
    "index": index.app,
    "config": config.app,
}


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"objsearch {__version__}")
        for name, version in doctor.versions().items():
            typer.echo(f"  {name} {version}")
        raise typer.Exit


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


def tree(only: str = "") -> typer.Typer:
    """All subcommands, or one of them by name."""
    app = typer.Typer(
        name="objsearch",
        help="Which of these photos show the same object?",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, command in _COMMANDS.items():
        if only in ("", name):
            app.command(name, cls=Command)(command)
    for name, group in _GROUPS.items():
        if only in ("", name):
            app.add_typer(group, name=name)
    app.callback()(root)
    return app


def reader(words: Sequence[str]) -> Callable[[], Any]:
    """What reads a command line and runs it.

    Most of what a start costs before the work is reading what every subcommand takes: where one is
    named first, the others are left alone.
    """
    is_named = bool(words) and (words[0] in _COMMANDS or words[0] in _GROUPS)
    return _reader(words[0] if is_named else "")


@cache
def _reader(only: str) -> Callable[[], Any]:
    return typer.main.get_command(tree(only))
