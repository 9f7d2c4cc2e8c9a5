"""`objsearch index`: photos described once, searched from then on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from objsearch.apps.cli import options as shared
from objsearch.apps.cli.command import Command
from objsearch.apps.cli.given import Given
from objsearch.apps.cli.names import FilesFromOption, NullOption, listed

if TYPE_CHECKING:
    from objsearch.tasks.indexing import Tally

app = typer.Typer(
    no_args_is_help=True,
    help="An index of photos in a folder: built once, kept up, searched with `find --index`.",
)
FolderOption = Annotated[
    Path, typer.Option("--index", metavar="DIR", help="The folder of the index.")
]
PhotosArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="PHOTO...", help="Photos, folders, globs; '-': names on stdin."),
]


def build(
    folder: FolderOption,
    photos: PhotosArgument = None,
    files_from: FilesFromOption = None,
    null: NullOption = False,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    mode: shared.ModeOption = None,
    include: shared.IncludeOption = None,
    exclude: shared.ExcludeOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew", help="Set what is there, such as a damaged index, aside, and begin again."
        ),
    ] = False,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="Know photos by their places below this folder, so that the index can be moved "
            "along with it; of an index that has a root: where that lies now.",
        ),
    ] = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Describe photos into an index. What it knows already is not read again.

    A build that was stopped goes on where it was. Exit code 0, or 1 when a photo cannot be read.
    """
    from objsearch.apps.cli.waiting import waiting

    names = listed(photos, files_from, null, "no photo: name photos or folders")
    with waiting() as progress:
        from objsearch.tasks.indexing import build_index

        filters = shared.files_filters(include, exclude)
        said = Given(preset, config, mode, workers, assignments, filters)
        settings = said.over(folder, anew=anew)
        tally = build_index(folder, names, settings, progress, anew=anew, root=root)
    _tell(tally, as_json)


def update(
    folder: FolderOption,
    root: shared.RootOption = None,
    config: shared.ConfigOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Read again what has changed since it was described. What is gone stays: see `prune`."""
    from objsearch.apps.cli.waiting import waiting

    with waiting() as progress:
        from objsearch.tasks.indexing import update_index

        settings = Given(None, config, None, workers, assignments, {}).over(folder)
        tally = update_index(folder, settings, progress, root)
    _tell(tally, as_json)


def remove(
    folder: FolderOption, photos: PhotosArgument = None, root: shared.RootOption = None
) -> None:
    """Forget photos, or all in folders. The files themselves stay where they are."""
    from objsearch.tasks.indexing import remove_from_index

    named = listed(photos, None, False, "no photo: name what to forget")
    _tell(remove_from_index(folder, named, root))


def prune(folder: FolderOption, root: shared.RootOption = None) -> None:
    """Forget the photos whose files are gone."""
    from objsearch.tasks.indexing import prune_index

    _tell(prune_index(folder, root))


def compact(folder: FolderOption, root: shared.RootOption = None) -> None:
    """Give back the room of what was forgotten, and sort what is looked up."""
    from objsearch.tasks.indexing import compact_index

    _show(compact_index(folder, root), as_json=False)


def info(
    folder: FolderOption,
    root: shared.RootOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read all of it: is it still what was written?")
    ] = False,
    as_json: shared.JsonOption = False,
) -> None:
    """What an index holds, and what should be done next."""
    from objsearch.tasks.indexing import index_info

    _show(index_info(folder, root, check=check), as_json)


def _tell(tally: Tally, as_json: bool = False) -> None:
    from objsearch.apps.cli.output import print_json, warn

    unreadable = [(str(photo.ref), photo.reason) for photo in tally.unreadable]
    if as_json:
        counts = {
            "described": tally.described,
            "remembered": tally.remembered,
            "removed": tally.removed,
        }
        listed = [{"ref": ref, "reason": reason} for ref, reason in unreadable]
        print_json({**counts, "unreadable": listed})
    else:
        warn(f"{ref}: {reason}" for ref, reason in unreadable)
        typer.echo(
            f"{tally.described} described, {tally.remembered} remembered, "
            f"{tally.removed} forgotten, {len(unreadable)} unreadable"
        )
    raise typer.Exit(1 if unreadable else 0)


def _show(facts: dict[str, Any], as_json: bool) -> None:
    from objsearch.apps.cli.output import print_json, print_line
    from objsearch.tasks.indexing import info_lines

    if as_json:
        print_json(facts)
        return
    for line in info_lines(facts):
        print_line(line)


for command in (build, update, remove, prune, compact, info):
    app.command(command.__name__, cls=Command)(command)
app.command("add", cls=Command)(build)
