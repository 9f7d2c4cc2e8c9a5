"""`objsearch duplicates`: find copies, remove them by a plan, and take that back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from objsearch.apps.cli import duplicates_applying as applying
from objsearch.apps.cli import options as shared
from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.screening import Screen
    from objsearch.settings import Settings
    from objsearch.tasks.duplicates import Plan

PLAN = "plan"
PRESET = "copies"


class PlanByDefault(TyperGroup):
    """`duplicates PATH…` is `duplicates plan PATH…`; a folder called `apply` is `./apply`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = [PLAN, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=PlanByDefault,
    no_args_is_help=True,
    help="Find copies among photos: `duplicates PATH... --plan PLAN.json` plans and changes "
    "nothing, `apply` removes what a plan says, `undo` brings it back.",
)


@app.command(PLAN)
def plan(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Photos: files, folders or globs.")
    ],
    plan_file: Annotated[
        Path | None, typer.Option("--plan", metavar="PLAN.json", help="Where to write the plan.")
    ] = None,
    references: Annotated[
        list[str] | None,
        typer.Option(
            "--reference",
            metavar="PATH",
            help="A protected folder: looked at too, nothing in it is ever removed; repeat.",
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="PATH",
            help="Only copies of what lies there, such as a test set; protected; repeat.",
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="RULES",
            help="What is better, most important first: reference, pixels, bytes, format, oldest, "
            "path, newest, fewest-bytes, shortest-path; joined by commas.",
        ),
    ] = None,
    n_kept: Annotated[
        int | None, typer.Option("--copies", min=1, help="Copies kept of each group.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="Least score of a copy.")
    ] = None,
    remove: Annotated[
        str | None,
        typer.Option(
            "--remove",
            metavar="KINDS",
            help="What goes besides the same pictures, where the kept file shows all of it: part, "
            "edited, or both joined by a comma. They are to be reviewed otherwise.",
        ),
    ] = None,
    related: Annotated[
        bool,
        typer.Option(
            "--related", help="Also list what shows the same view and is no copy: another moment."
        ),
    ] = False,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="GLOB", help="Pass over; repeat.")
    ] = None,
    decisions: shared.DecisionsOption = None,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV for programs, a row a file.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="A page for review.")
    ] = None,
) -> None:
    """Find copies and plan what goes; changes nothing. Exit code 0: found, 1: none, 2: an error."""
    if as_json and as_csv:
        raise UsageError("give either --json or --csv, not both")
    wanted = {
        "duplicates.keep": keep.split(",") if keep else None,
        "duplicates.n_kept": n_kept,
        "duplicates.threshold": threshold,
        "duplicates.remove": remove.split(",") if remove else None,
        "duplicates.related": related or None,
        "duplicates.decisions": str(decisions) if decisions else None,
        "input.exclude": exclude,
    }
    settings = shared.settings_with(wanted, preset, config, workers, assignments, PRESET)
    from objsearch.apps.cli.output import progress_bar, warn
    from objsearch.tasks.duplicates import plan_duplicates, write_plan
    from objsearch.tasks.duplicates.screening import open_screen

    screen = open_screen(settings)
    with progress_bar() as progress:
        made = plan_duplicates(
            paths, settings, references=references or [], against=against or [], progress=progress
        )
    warn((*made.warnings, *(f"{one.path}: {one.reason}" for one in made.skipped)))
    if plan_file is not None:
        write_plan(made, plan_file)
        typer.echo(f"plan: {plan_file}", err=True)
    _show(made, "json" if as_json else "csv" if as_csv else "table")
    if report is not None:
        _write_report(made, report, settings, screen)
    raise typer.Exit(0 if made.groups else 1)


def _show(made: Plan, form: str) -> None:
    from objsearch.tasks.duplicates import forms

    if form == "json":
        from objsearch.apps.cli.output import print_json
        from objsearch.tasks.duplicates import plan_json

        print_json(plan_json(made), indent=1)
    elif form == "csv":
        sys.stdout.writelines(forms.plan_csv(made))
    else:
        from rich.console import Console

        Console().print(forms.plan_table(made))


def _write_report(made: Plan, path: Path, settings: Settings, screen: Screen) -> None:
    from objsearch.sources import Place, read_image
    from objsearch.tasks.duplicates.forms import write_page
    from objsearch.tasks.duplicates.screening import flagged_members
    from objsearch.types import Image

    def read(ref: Any) -> Any:
        image = read_image(Place(ref), settings.input.reading)
        return image.pixels if isinstance(image, Image) else None

    try:
        write_page(made, path, read, flagged_members(made, screen))
    except OSError as error:
        raise UsageError(f"cannot write the report '{path}': {error.strerror}") from None
    typer.echo(f"report: {path}", err=True)


app.command("apply")(applying.apply)
app.command("undo")(applying.undo)
app.command("ignore")(applying.ignore)
