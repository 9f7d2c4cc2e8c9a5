"""Lists of names for scripts, from a file or standard input and out again: lines, or NUL."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from objsearch.errors import UsageError

FilesFromOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--files-from",
        metavar="FILE",
        help="Read names of photos from a file, one a line; '-' is standard input. Repeat.",
    ),
]
NullOption = Annotated[
    bool,
    typer.Option(
        "--null", "-0", help="Names in lists, read or printed by --paths, end with NUL, not a line."
    ),
]
PathsOption = Annotated[
    bool, typer.Option("--paths", help="The names of what was found alone, for other programs.")
]

STANDARD_INPUT = "-"


def listed(
    given: Sequence[str] | None, files: Sequence[Path] | None, null: bool, what: str
) -> list[str]:
    """The names given, `-` replaced by those on standard input, and those in files.

    Raises UsageError when there is none, saying that `what` is missing; when a list cannot be read.
    """
    names: list[str] = []
    for name in given or ():
        names += _names(_read(name), null) if name == STANDARD_INPUT else [name]
    for file in files or ():
        names += _names(_read(os.fspath(file)), null)
    if not names:
        is_list = bool(files) or bool(given)
        raise UsageError("the list of names is empty" if is_list else what)
    return names


def _read(name: str) -> bytes:
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read()
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"--files-from: cannot read '{name}': {error.strerror}") from None


def _names(data: bytes, null: bool) -> list[str]:
    """Names as the system has them; of lines without what ends them on Windows."""
    if not null and b"\0" in data:
        raise UsageError("the names in the list end with NUL: say so with --null (-0)")
    parts = data.split(b"\0") if null else data.removeprefix(b"\xef\xbb\xbf").splitlines()
    return [os.fsdecode(part) for part in parts if part]


def print_paths(refs: Iterable[object], null: bool) -> None:
    """Each name once, as it is, with no escapes: odd bytes come out as they were."""
    end = "\0" if null else "\n"
    sys.stdout.flush()
    names = "".join(f"{ref}{end}" for ref in dict.fromkeys(map(str, refs)))
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(names)
    else:
        stream.write(os.fsencode(names))
        stream.flush()


def form_of(*, as_json: bool, as_csv: bool = False, as_paths: bool = False) -> str:
    """`json`, `csv`, `paths` or `table`; raises UsageError when two are asked for."""
    asked = {"json": as_json, "csv": as_csv, "paths": as_paths}
    forms = [name for name, is_asked in asked.items() if is_asked]
    if len(forms) > 1:
        raise UsageError(f"give either --{forms[0]} or --{forms[1]}, not both")
    return forms[0] if forms else "table"
