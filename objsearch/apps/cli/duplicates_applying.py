"""`objsearch duplicates apply`, `undo` and `ignore`: what is done with a plan."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from objsearch.apps.cli import options as shared
from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.settings import Settings
    from objsearch.tasks.duplicates import Plan
    from objsearch.tasks.removal import Outcome
    from objsearch.tasks.removal.manifest import Method


def apply(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="A plan, as written.")],
    quarantine: Annotated[
        Path | None,
        typer.Option(
            "--quarantine",
            metavar="FOLDER",
            help="Where the files go; without: PLAN-quarantine beside the plan.",
        ),
    ] = None,
    trash: Annotated[bool, typer.Option("--trash", help="Put them into the trash.")] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete them for good; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    decisions: shared.DecisionsOption = None,
    config: shared.ConfigOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Remove what a plan says, into quarantine. What has changed since stays, with the reason.

    What a plan from the page for review calls no duplicates is remembered as by `ignore`.

    Exit code 0: done, 1: nothing could be removed, 2: an error.
    """
    if trash and delete:
        raise UsageError("give either --trash or --delete, not both")
    from objsearch.apps.cli.waiting import waiting
    from objsearch.tasks.removal import apply_plan, read_plan

    plan = read_plan(plan_file)
    if delete and not yes:
        _confirm(plan)
    if plan.not_duplicates:
        _remember(plan, decisions, config)
    method: Method = "trash" if trash else "delete" if delete else "quarantine"
    folder = quarantine or plan_file.with_name(f"{plan_file.stem}-quarantine")
    try:
        with waiting() as progress:
            outcome = apply_plan(plan, folder, method=method, progress=progress)
    except KeyboardInterrupt:
        raise UsageError(
            "stopped; the same command goes on, and 'objsearch duplicates undo "
            f"{folder / plan.id / 'manifest.json'}' brings back what is in quarantine"
        ) from None
    _tell(outcome, method, as_json)
    raise typer.Exit(0 if outcome.removed or not outcome.left else 1)


def _remember(plan: Plan, decisions: Path | None, config: Path | None) -> None:
    """Add what is no duplicate to the decisions that the plan was made by, or to the named ones."""
    from objsearch.apps.cli.output import warn
    from objsearch.report.wording import shown
    from objsearch.tasks.duplicates import decide_planned
    from objsearch.tasks.duplicates.decisions import decisions_path

    rules = plan.settings.get("duplicates")
    planned_by = rules.get("decisions") if isinstance(rules, dict) and config is None else None
    settings = _deciding(decisions or planned_by, config)
    n_pairs, problems = decide_planned(plan, settings)
    warn(map(shown, problems))
    if n_pairs:
        pairs = "1 pair" if n_pairs == 1 else f"{n_pairs:,} pairs"
        told = f"no duplicates from now on: {pairs}, in {shown(decisions_path(settings))}"
        typer.echo(told, err=True)


def _deciding(decisions: object, config: Path | None) -> Settings:
    wanted = {"duplicates.decisions": str(decisions) if decisions else None}
    return shared.settings_with(wanted, None, config, None, None, "copies")


def _confirm(plan: Plan) -> None:
    from objsearch.report.wording import files

    n = sum(1 for _ in plan.removed())
    question = f"Delete {files(n)} for good? What is deleted cannot be brought back."
    try:
        is_sure = typer.confirm(question, err=True)
    except typer.Abort:  # no terminal, and so nobody to ask
        is_sure = False
    if not is_sure:
        raise UsageError("nothing was deleted; --yes deletes without asking")


def _tell(outcome: Outcome, method: str, as_json: bool) -> None:
    from objsearch.apps.cli.output import hint, print_json, print_line, warn
    from objsearch.report.wording import files, shown
    from objsearch.tasks.removal.applying import GONE

    warn(f"left: {shown(move.path)}: {shown(move.reason)}" for move in outcome.left)
    n_now = len(outcome.removed) - outcome.n_before
    if n_now == 0 and outcome.left and all(move.reason == GONE for move in outcome.left):
        hint("none of the files is there any more: was this plan applied before, elsewhere?")
    if as_json:
        print_json(
            {
                "schema": "objsearch/duplicates-applied/1",
                "method": method,
                "manifest": str(outcome.manifest) if outcome.removed else "",
                "removed": [move.path for move in outcome.removed],
                "removed_before": outcome.n_before,
                "left": [{"path": move.path, "reason": move.reason} for move in outcome.left],
            },
            indent=1,
        )
        return
    if n_now or not outcome.n_before:
        typer.echo(f"{files(n_now)} removed, {len(outcome.left)} left where they were")
    else:
        typer.echo("nothing more to remove")
    if outcome.n_before:
        typer.echo(f"{files(outcome.n_before)} removed by this plan before")
    if outcome.removed:
        print_line(f"manifest: {outcome.manifest}")
    if method == "quarantine" and outcome.removed:
        named = shlex.quote(str(outcome.manifest))
        print_line(f"bring them back with: objsearch duplicates undo {named}")


def undo(
    manifest: Annotated[
        Path,
        typer.Argument(
            metavar="MANIFEST.json", help="As `duplicates apply` names it, or its folder."
        ),
    ],
    as_json: shared.JsonOption = False,
) -> None:
    """Bring back what `apply` moved into quarantine: same bytes, same times, nothing overwritten.

    Exit code 0: all is back, 1: something could not be, 2: an error.
    """
    from objsearch.apps.cli.output import print_json, warn
    from objsearch.apps.cli.waiting import waiting
    from objsearch.report.wording import files, shown
    from objsearch.tasks.removal import undo as run

    with waiting() as progress:
        undone = run(manifest, progress=progress)
    warn(f"not restored: {shown(move.path)}: {shown(move.reason)}" for move in undone.left)
    if as_json:
        print_json(
            {
                "schema": "objsearch/duplicates-undone/1",
                "restored": [move.path for move in undone.restored],
                "left": [{"path": move.path, "reason": move.reason} for move in undone.left],
            },
            indent=1,
        )
    else:
        typer.echo(f"{files(len(undone.restored))} restored, {len(undone.left)} not")
    raise typer.Exit(1 if undone.left else 0)


def ignore(
    paths: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Photos that are no duplicates.")
    ],
    forget: Annotated[
        bool, typer.Option("--forget", help="Take it back: they may be duplicates again.")
    ] = False,
    decisions: shared.DecisionsOption = None,
    config: shared.ConfigOption = None,
) -> None:
    """Say that photos are not duplicates of each other; remembered by content, through renames."""
    from objsearch.tasks.duplicates import decide

    n_pairs = decide(paths, _deciding(decisions, config), apart=not forget)
    typer.echo(f"{n_pairs} pairs {'forgotten' if forget else 'are no duplicates from now on'}")
