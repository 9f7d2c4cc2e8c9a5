"""Where a command may write: what is new, or an earlier output of the same form; never an input.

Told by content, before any work begins: an existing file has to be one that this tool would write
there, or an empty one, or `--force` is given.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from objsearch.errors import UsageError
from objsearch.files import is_stream

if TYPE_CHECKING:
    from objsearch.sources import Place

_HEAD_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of output: what it is called, and how an earlier one is told by its content."""

    name: str
    is_ours: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Output:
    """A file that an option names to be written; without a path nothing is."""

    option: str
    path: Path | None
    form: Form


def check_outputs(
    outputs: Sequence[Output], inputs: Iterable[str | Path | Place | None], *, force: bool = False
) -> None:
    """Refuse what must not or cannot be written, before the work begins.

    `inputs` are all names that the command reads from: photos, folders, globs, settings; what was
    piped in is no file. Raises UsageError that names the option and the file, and says what to do.
    """
    named = [(output, output.path) for output in outputs if output.path is not None]
    sources = [os.fspath(name) for name in inputs if isinstance(name, str | Path)]
    targets: dict[str, str] = {}
    for output, path in named:
        _check_place(output.option, path)
        other = targets.setdefault(os.path.realpath(path), output.option)
        if other != output.option:
            raise UsageError(f"{other} and {output.option} both name '{path}': name two files")
        if os.path.isfile(path) and not is_stream(path):
            _check_existing(output, path, sources, force)


def check_folder(
    option: str,
    folder: Path,
    inputs: Iterable[str | Path | Place | None],
    *,
    force: bool,
    pattern: str,
) -> None:
    """The same for a folder of pictures named by `pattern` that is made where there is none."""
    _check_name(option, folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{option}: cannot write to '{folder}', which is no folder")
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{option}: cannot write to '{folder}': no right to write in '{there}'")
    sources = [os.fspath(name) for name in inputs if isinstance(name, str | Path)]
    for path in sorted(folder.glob(pattern)):
        if not path.exists():
            told = "is a link that leads nowhere; remove it, or name another folder"
            raise UsageError(f"{option}: '{path}' {told}")
        _check_existing(Output(option, path, DRAWING), path, sources, force)


def _check_name(option: str, path: Path) -> None:
    if path == Path("-"):  # standard output takes the data; and such a file is hard to get rid of
        raise UsageError(f"{option}: '-' is standard output elsewhere, and not here; give a name")


def _check_place(option: str, path: Path) -> None:
    _check_name(option, path)
    if path.is_dir():
        raise UsageError(f"{option}: cannot write '{path}', which is a folder; name a file in it")
    if is_stream(path):
        return
    try:
        target = Path(os.path.realpath(path))
    except FileNotFoundError:
        raise UsageError(f"{option}: cannot write '{path}': the current folder is gone") from None
    folder = target.parent
    if not folder.is_dir():
        raise UsageError(f"{option}: cannot write '{path}': there is no folder '{folder}'")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{option}: cannot write '{path}': no right to write in '{folder}'")
    if target.exists() and not os.access(target, os.W_OK):
        raise UsageError(f"{option}: cannot write '{path}': it is write-protected")


def _check_existing(output: Output, path: Path, sources: Sequence[str], force: bool) -> None:
    is_ours = output.form.is_ours(os.fspath(path))
    if _is_input(path, sources, even_in_folders=not is_ours):
        raise UsageError(
            f"{output.option}: '{path}' is one of the inputs, which are never replaced; "
            "name another file"
        )
    if not (is_ours or force or os.path.getsize(path) == 0):
        raise UsageError(
            f"{output.option}: '{path}' exists, and is not {output.form.name}; "
            "name another file, or replace it with --force"
        )


def _is_input(path: Path, sources: Sequence[str], *, even_in_folders: bool) -> bool:
    """Whether a file is among the inputs: named outright, by a glob, or in one of the folders.

    An earlier output that lies in a folder of photos is none.
    """
    real = os.path.realpath(path)
    for name in _files_and_folders(sources):
        if os.path.isdir(name):
            inside = os.path.join(os.path.realpath(name), "")
            if even_in_folders and real.startswith(inside):
                return True
        elif os.path.samefile(name, path):
            return True
    return False


def _files_and_folders(sources: Sequence[str]) -> Iterator[str]:
    for source in sources:
        bare = source.split("#", 1)[0]
        if os.path.exists(source):
            yield source
        elif os.path.exists(bare):
            yield bare  # a page, a frame or a part of a file
        elif glob.has_magic(source):
            yield from filter(os.path.exists, glob.iglob(source, recursive=True))


def _head(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(_HEAD_BYTES)
    except OSError:
        return b""


def _is_page(path: str) -> bool:
    return b'<meta name="generator" content="objsearch">' in _head(path)


def _is_plan(path: str) -> bool:
    return re.match(rb'\s*\{\s*"schema":\s*"objsearch/duplicates/\d+"', _head(path)) is not None


def _is_calibration(path: str) -> bool:
    from objsearch.errors import ConfigError
    from objsearch.match.calibration import load

    is_yaml = Path(path).suffix in (".yaml", ".yml")
    try:
        return is_yaml and bool(load(path).coefficients)
    except ConfigError:
        return False


def _is_drawing(path: str) -> bool:
    from PIL import Image as PillowImage

    try:
        with PillowImage.open(path) as picture:
            return picture.info.get("Software") == "objsearch"
    except (OSError, ValueError, SyntaxError):
        return False


PAGE = Form("a page by objsearch", _is_page)
PLAN_FILE = Form("a plan by 'objsearch duplicates'", _is_plan)
CALIBRATION = Form("a calibration by 'objsearch calibrate'", _is_calibration)
SIGNED = Form("a signed picture", lambda path: True)
"""Only the password tells: whoever signs looks."""
DRAWING = Form("a drawing by 'objsearch detect'", _is_drawing)
