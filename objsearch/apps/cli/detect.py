"""`objsearch detect`: where in a photo are things?"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from objsearch.apps.cli import options as shared
from objsearch.apps.cli.names import FilesFromOption, NullOption, form_of, listed_or_piped
from objsearch.apps.cli.outputs import check_folder
from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.types import Image, Region, Unreadable

COLUMNS = ("ref", "width", "height", "label", "confidence", "proposal", "box_xyxy")


def detect(
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IMAGE...",
            help="Photos, folders, globs; '-': a photo, or names, on standard input.",
        ),
    ] = None,
    files_from: FilesFromOption = None,
    null: NullOption = False,
    include: shared.IncludeOption = None,
    exclude: shared.ExcludeOption = None,
    preset: shared.PresetOption = None,
    config: shared.ConfigOption = None,
    mode: shared.ModeOption = None,
    workers: shared.WorkersOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
    as_csv: shared.CsvOption = False,
    draw: Annotated[
        Path | None,
        typer.Option("--draw", metavar="DIR", help="Write the photos with their boxes."),
    ] = None,
    force: shared.ForceOption = False,
) -> None:
    """Where are things? A line a photo. Exit code 0, or 2 when a photo cannot be read."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    names = listed_or_piped(images, files_from, null, "no photo: name photos or folders")
    if draw is not None:
        check_folder("--draw", draw, [*names, config], force=force, pattern="[0-9]*-*.png")
    from objsearch.apps.cli.waiting import waiting

    filters = shared.files_filters(include, exclude)
    is_complete = True
    with waiting() as progress:
        settings = shared.settings_of(preset, config, mode, workers, assignments, filters)
        from objsearch.search.pipeline import ObjectSearch
        from objsearch.types import Unreadable

        progress.say("detect")
        for number, (image, regions) in enumerate(ObjectSearch(settings).detect(*names), 1):
            if isinstance(image, Unreadable):
                is_complete = False
            elif draw is not None:
                _draw(image, regions, draw, number)
            with progress.hidden():
                _print(image, regions, form, is_first=number == 1)
    raise typer.Exit(0 if is_complete else 2)


def _print(
    image: Image | Unreadable, regions: tuple[Region, ...], form: str, is_first: bool
) -> None:
    from objsearch.apps.cli.output import print_json, print_line, warn
    from objsearch.report.as_json import detection_json
    from objsearch.types import Unreadable

    if form == "csv" and is_first:
        _print_row(COLUMNS)
    if isinstance(image, Unreadable):
        warn([f"{image.ref}: {image.reason}"])
        if form == "json":
            print_json({"ref": str(image.ref), "skipped": image.reason})
        return
    warn(f"{image.ref}: {warning}" for warning in image.warnings)
    data = detection_json(image, regions)
    if form == "json":
        print_json(data)
        return
    if form == "csv":
        for region in data["regions"]:
            box = ",".join(f"{value:g}" for value in region["box_xyxy"])
            told = (region["label"], f"{region['confidence']:.4f}", region["proposal"], box)
            _print_row((data["ref"], data["width"], data["height"], *told))
        return
    print_line(f"{data['ref']}  {data['width']} x {data['height']}")
    for region in data["regions"]:
        box = ", ".join(f"{value:.0f}" for value in region["box_xyxy"])
        print_line(
            f"  {region['confidence']:.2f}  {region['label']:<10} {box}  ({region['proposal']})"
        )


def _print_row(cells: Iterable[object]) -> None:
    from objsearch.report.cells import csv_line

    sys.stdout.write(csv_line(cells))


def _draw(image: Image, regions: tuple[Region, ...], folder: Path, number: int) -> None:
    from PIL import Image as PillowImage
    from PIL.PngImagePlugin import PngInfo

    from objsearch.images.draw import draw_regions
    from objsearch.sources import is_url

    uri = image.ref.uri
    stem = Path(uri.partition("?")[0] if is_url(uri) else uri).stem.strip("<>") or "image"
    mark = PngInfo()  # tells an earlier drawing from a photo of that name
    mark.add_text("Software", "objsearch")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The number keeps apart photos of the same name from different folders.
        PillowImage.fromarray(draw_regions(image.pixels, regions)).save(
            folder / f"{number:04d}-{stem}.png", pnginfo=mark
        )
    except OSError as error:
        raise UsageError(f"cannot write to '{folder}': {error.strerror or error}") from None
