"""Lists of names for scripts, from a file or standard input and out again: lines, or NUL.

`-` among names stands for names; where one picture is wanted, it is that picture itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.settings import Settings
    from objsearch.sources import Place

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
PIPED = "<stdin>"
"""What a picture on standard input is called."""


def listed(
    given: Sequence[str] | None, files: Sequence[Path] | None, null: bool, what: str
) -> list[str]:
    """The names given, `-` replaced by those on standard input, and those in files.

    Raises UsageError when there is none, saying that `what` is missing; when a list cannot be read.
    """
    named = _listed(given, files, null, what, takes_picture=False)
    return [name for name in named if isinstance(name, str)]


def listed_or_piped(
    given: Sequence[str] | None, files: Sequence[Path] | None, null: bool, what: str
) -> list[str | Place]:
    """As `listed`, where `-` may also be a picture in place of names."""
    return _listed(given, files, null, what, takes_picture=True)


def _listed(
    given: Sequence[str] | None,
    files: Sequence[Path] | None,
    null: bool,
    what: str,
    *,
    takes_picture: bool,
) -> list[str | Place]:
    from objsearch.sources import Place
    from objsearch.types import ImageRef

    check_read_once(*(given or ()), *(files or ()))
    names: list[str | Place] = []
    for name in given or ():
        if name != STANDARD_INPUT:
            names.append(name)
            continue
        data = _read(name)
        if takes_picture and not null and _is_picture(data):
            names.append(Place(ImageRef(PIPED), data))
        else:
            names += _names(data, null)
    for file in files or ():
        names += _names(_read(os.fspath(file)), null)
    if not names:
        is_list = bool(files) or bool(given)
        raise UsageError("the list of names is empty" if is_list else what)
    return names


def picture(name: str, settings: Settings) -> str | Place:
    """The picture on standard input for `-`, its page for `-#page=2`; another name as it is.

    What is wrong with it is told to whoever reads it.
    """
    if name.partition("#")[0] != STANDARD_INPUT:
        return name
    from objsearch.sources import AtHand, place_of

    place = place_of(PIPED + name.removeprefix(STANDARD_INPUT))
    return AtHand().keep(replace(place, content=sys.stdin.buffer), settings.input.reading)


def check_read_once(*names: str | Path) -> None:
    """Raises UsageError where standard input is named twice: the second would find it empty."""
    bare = [os.fspath(name).partition("#")[0] for name in names]
    if bare.count(STANDARD_INPUT) > 1:
        raise UsageError("'-' is named twice, and standard input can be read once: name a file")


def _read(name: str) -> bytes:
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read()
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"--files-from: cannot read '{name}': {error.strerror}") from None


def _names(data: bytes, null: bool) -> list[str]:
    """Names as the system has them; of lines without what ends them on Windows."""
    if not null and _is_picture(data):
        raise UsageError(
            "a list of names is wanted there, and this is a picture: name its file instead"
        )
    if not null and b"\0" in data:
        raise UsageError("the names in the list end with NUL: say so with --null (-0)")
    parts = data.split(b"\0") if null else data.removeprefix(b"\xef\xbb\xbf").splitlines()
    return [os.fsdecode(part) for part in parts if part]


def _is_picture(data: bytes) -> bool:
    """Whether bytes are no list of names: a name may well begin with `BM`, and holds no NUL."""
    from objsearch.images.kinds import HEAD_BYTES, kind_of

    kind = kind_of(data[:HEAD_BYTES])
    return kind in ("PDF", "SVG") or (kind != "" and b"\0" in data)


def print_paths(refs: Iterable[object], null: bool) -> None:
    """Each name once, as it is, with no escapes: odd bytes as they were, and URLs whole."""
    from objsearch.types import ImageRef

    end = "\0" if null else "\n"
    sys.stdout.flush()
    texts = (ref.text if isinstance(ref, ImageRef) else str(ref) for ref in refs)
    names = "".join(f"{text}{end}" for text in dict.fromkeys(texts))
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
