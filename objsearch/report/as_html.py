"""Answers as one HTML page with the evidence drawn: everything in one file, nothing from outside.

Names of files are strangers' text: the template escapes them, and a content security policy in the
page lets no other script run and nothing be fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from objsearch.files import write_whole
from objsearch.images.draw import PALETTE
from objsearch.report.blurring import flagged_in, reading_blurred
from objsearch.report.drawing import hex_colour
from objsearch.report.pictures import Album, Read
from objsearch.report.sections import Shared, contents, sections
from objsearch.report.templates import PAGE_BYTES, hash_of, page_of
from objsearch.report.wording import (
    SIGNS,
    expected,
    note_sentence,
    nothing_found,
    region_name,
)
from objsearch.types import Answer

_FOLDER = Path(__file__).parent


def write_html(
    answers: Sequence[Answer],
    path: Path,
    read: Read,
    title: str = "Which photos show the same object?",
    kept: Read = lambda _: None,
) -> None:
    """Write the page for one or several answers.

    `read` gives the pixels of a whole image (its ref has no `xywh`) or None; it is asked again for
    every picture, one at a time; where it has none, `kept` may give a small copy. What screening
    has flagged is blurred. A page appears under its name only when it is complete. Raises OSError
    when it cannot be written.
    """
    flagged = flagged_in(answers)
    read, kept = reading_blurred(read, flagged), reading_blurred(kept, flagged)
    write_whole(path, _page(answers, Album(read, PAGE_BYTES, kept=kept), title, path))


def _page(answers: Sequence[Answer], album: Album, title: str, path: Path) -> Iterator[str]:
    script = (_FOLDER / "page.js").read_text(encoding="utf-8")
    shared = Shared.of(answers)
    return page_of(
        _FOLDER / "page.html",
        path,
        _FILTERS,
        title=title,
        script=Markup(script),  # ours, and no data in it
        script_hash=hash_of(script),
        colours=[hex_colour(colour) for colour in PALETTE],
        entries=contents(answers),
        sections=sections(answers, album, shared),
        shared=shared,
        n_found=sum(answer.found for answer in answers),
    )


def _breakable(text: str) -> Markup:
    """A name that may be broken after its slashes, dots, dashes and underscores."""
    return Markup(re.sub(r"([/\\_.-])(?=[^/\\_.-])", r"\1<wbr>", str(escape(text))))


_FILTERS: dict[str, Callable[..., Any]] = {
    "note": note_sentence,
    "expected": expected,
    "region": region_name,
    "breakable": _breakable,
    "sign": SIGNS.__getitem__,
    "nothing_found": nothing_found,
}
