"""`objsearch duplicates`: find copies, remove them by a plan, and take that back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from objsearch.apps.cli import duplicates_applying as applying
from objsearch.apps.cli import options as shared
from objsearch.apps.cli.command import Command
from objsearch.apps.cli.names import (
    FilesFromOption,
    NullOption,
    PathsOption,
    form_of,
    listed,
    print_paths,
)
from objsearch.apps.cli.outputs import PAGE, PLAN_FILE, Output, check_outputs
from objsearch.apps.cli.remembering import library_of

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


@app.command(PLAN, cls=Command)
def plan(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="Photos: files, folders or globs; '-': names on standard input.",
        ),
    ] = None,
    files_from: FilesFromOption = None,
    null: NullOption = False,
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
    exact_only: Annotated[
        bool,
        typer.Option("--exact-only", help="Only the same bytes and the same pixels; much faster."),
    ] = False,
    include: shared.IncludeOption = None,
    exclude: shared.ExcludeOption = None,
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
    decisions: shared.DecisionsOption = None,
    library: shared.LibraryOption = None,
    forget: shared.ForgetOption = False,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
    as_csv: shared.CsvOption = False,
    as_paths: PathsOption = False,
    report: shared.ReportOption = None,
    force: shared.ForceOption = False,
) -> None:
    """Find copies and plan what goes; changes nothing. Exit code 0: found, 1: none, 2: an error."""
    form = form_of(as_json=as_json, as_csv=as_csv, as_paths=as_paths)
    names = listed(paths, files_from, null, "nothing to look at: name photos or folders")
    outputs = [Output("--plan", plan_file, PLAN_FILE), Output("--report", report, PAGE)]
    inputs = [*names, *(references or []), *(against or []), decisions, config]
    check_outputs(outputs, inputs, force=force)
    wanted = {
        "duplicates.keep": keep.split(",") if keep else None,
        "duplicates.n_kept": n_kept,
        "duplicates.threshold": threshold,
        "duplicates.exact_only": exact_only or None,
        "duplicates.remove": remove.split(",") if remove else None,
        "duplicates.related": related or None,
        "duplicates.decisions": str(decisions) if decisions else None,
        **shared.files_filters(include, exclude),
    }
    from objsearch.apps.cli.output import tell_written, warn, write_report
    from objsearch.apps.cli.waiting import waiting

    with waiting() as progress:
        settings = shared.settings_with(wanted, preset, config, workers, assignments, PRESET)
        from objsearch.tasks.duplicates import plan_duplicates
        from objsearch.tasks.duplicates.flagging import open_screen
        from objsearch.tasks.removal import write_plan

        screen = open_screen(settings)
        folder = library_of(library, forget)
        sides = {"references": references or [], "against": against or []}
        made = plan_duplicates(names, settings, **sides, progress=progress, library=folder)
        with progress.hidden():
            warn((*made.warnings, *(f"{passed.path}: {passed.reason}" for passed in made.skipped)))
            if plan_file is not None:
                write_plan(made, plan_file)
                tell_written("plan", plan_file)
            _show(made, form, null)
        progress.say("report")
        write_report(report, lambda path: _write_page(made, path, settings, screen))
    raise typer.Exit(0 if made.groups else 1)


def _show(made: Plan, form: str, null: bool) -> None:
    from objsearch.apps.cli.output import print_json, print_table
    from objsearch.tasks.duplicates import plan_output as told

    if form == "json":
        from objsearch.tasks.duplicates import plan_json

        print_json(plan_json(made), indent=1)
    elif form == "csv":
        sys.stdout.writelines(told.plan_csv(made))
    elif form == "paths":
        print_paths((member.path for member in made.removed()), null)
    else:
        print_table(told.plan_table(made))


def _write_page(made: Plan, path: Path, settings: Settings, screen: Screen) -> None:
    from objsearch.sources import Place, read_image
    from objsearch.tasks.duplicates.flagging import flagged_members
    from objsearch.tasks.duplicates.reviewing import write_page
    from objsearch.types import Image

    def read(ref: Any) -> Any:
        image = read_image(Place(ref), settings.input.reading)
        return image.pixels if isinstance(image, Image) else None

    write_page(made, path, read, flagged_members(made, screen))


app.command("apply", cls=Command)(applying.apply)
app.command("undo", cls=Command)(applying.undo)
app.command("ignore", cls=Command)(applying.ignore)
