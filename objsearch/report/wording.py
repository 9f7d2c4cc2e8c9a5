"""How people read it: names, percents, places and notes, for tables and pages.

Names of files are strangers' text. Here they become safe to show: no control character, no byte
that is not text, nothing that turns the direction of what follows.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence

from objsearch.types import Answer, Box, Flag, ImageRef, Region, RegionPair, Verdict

SIGNS: dict[Verdict, str] = {"same": "✓", "uncertain": "?", "different": "✕"}
"""What tells the verdicts apart where there is no colour."""

_NOTES = {
    "too_few_features": "too little structure to be compared",
    "like_a_negative": "more like what is not wanted",
    "shared_print": "shared print: differs here",
    "differs_beside": "another version, or another of its template: differs beside the thing",
    "not_laid": "few keypoints agree, and the pictures could not be laid over each other",
    "nothing_in_common": "no descriptor in common to be compared by",
    "not_read_again": "it cannot be read again, so nobody has looked for what differs",
    "replaced": "changed since it was described",
}

_UNSHOWABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of what a terminal obeys, of what cannot be seen or turns the text around it (Unicode
Standard Annex 9), of half characters, and of what ends a line."""
_JOINERS = frozenset("\u200c\u200d")
"""Words of some languages, and emoji, are written with these."""


def shown(name: object) -> str:
    """A name or a sentence, with what cannot be shown safely written as `\\x1b` or `\\u202e`."""
    return "".join(_shown(character) for character in str(name))


def _shown(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _UNSHOWABLE:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file's name that is not UTF-8 (PEP 383)
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def folder_and_name(ref: ImageRef | str) -> tuple[str, str]:
    """`photos/`, `mug.jpg#page=2`: a name in two parts, so that the second is never cut off."""
    text = str(ref)
    slash = text.rstrip("/").rfind("/")
    cut = (slash if slash >= 0 else text.rfind("\\")) + 1
    return shown(text[:cut]), shown(text[cut:])


def percent(value: float | None) -> str:
    """`97.7%`. Only what is 1 reads 100%, only what is 0 reads 0%; what is unknown, a dash."""
    if value is None or not math.isfinite(value):
        return "-"
    if value <= 0 or value >= 1 - 1e-6:
        return f"{max(0.0, min(1.0, value)):.0%}"
    return f"{min(max(value, 0.001), 0.999):.1%}"


def expected(number: float | None) -> str:
    """`<0.01`, `0.3`, `12`, `1,200`: a number to be expected; what is unknown, a dash."""
    if number is None or not math.isfinite(number):
        return "-"
    if 0 < number < 0.01:
        return "<0.01"
    return (
        f"{number:,.0f}" if number >= 9.5 else f"{number:.2g}" if number < 0.95 else f"{number:.1f}"
    )


def files(n: int) -> str:
    """`1 file`, `1,234 files`."""
    return f"{n:,} file" if n == 1 else f"{n:,} files"


def place(box: Box) -> str:
    """`193x134 at 89,161`: size and corner in whole pixels."""
    return f"{box.width:.0f}x{box.height:.0f} at {box.x1:.0f},{box.y1:.0f}"


def region_name(region: Region) -> str:
    """What a region is called: its label, or what it is of the image."""
    if region.is_frame:
        return "whole image"
    if region.proposal == "geometry":
        return "part"
    return shown(region.label)


def matched(pair: RegionPair) -> str:
    """What matched where, as one line: `cup as vase, 193x134 at 89,161`."""
    query, reference = region_name(pair.query), region_name(pair.reference)
    what = query if query == reference else f"{query} as {reference}"
    if pair.reference.is_frame:
        return what
    return f"{what}, {place(pair.reference.box_xyxy)}"


def differing(pair: RegionPair, most: int = 3) -> str:
    """Where the reference differs: `56x40 at 120,88; 12x9 at 10,7; 4 more`; nothing: nowhere."""
    boxes = pair.differs[1]
    told = [place(box) for box in boxes[:most]]
    if len(boxes) > most:
        told.append(f"{len(boxes) - most} more")
    return "; ".join(told)


def views_said(scores: Mapping[str, float]) -> str:
    """`box.png 97.7%, toys.jpg 3.1%`: what each of several images said, the greatest first."""
    ordered = sorted(scores.items(), key=lambda said: (-said[1], said[0]))
    return ", ".join(f"{folder_and_name(ref)[1]} {percent(score)}" for ref, score in ordered)


def note_sentence(note: str) -> str:
    """A hit's note in words."""
    return _NOTES.get(note, shown(note))


def flags_sentence(flags: Sequence[Flag]) -> str:
    """`flagged: block-list 100% (a copy of bad/1.jpg)`."""
    told = [f"{flag.rule} {percent(flag.score)} ({shown(flag.reason)})" for flag in flags]
    return f"flagged: {', '.join(told)}"


def nothing_found(answer: Answer) -> str:
    """Why an answer is empty."""
    if not answer.queries:
        return "Nothing was looked for: the query cannot be read."
    search = answer.settings.get("search")
    threshold = search.get("threshold") if isinstance(search, Mapping) else None
    if answer.found:
        return f"No hits on this page of the answer; {answer.found} in all."
    if isinstance(threshold, int | float):
        most = search.get("max_false_alarms") if isinstance(search, Mapping) else None
        verdicts = search.get("verdicts") if isinstance(search, Mapping) else None
        wanted = f" with the verdict {' or '.join(verdicts)}" if verdicts else ""
        rare = f" at {most:g} false alarms or fewer" if isinstance(most, int | float) else ""
        return f"Nothing found: no image scored {100 * threshold:g}% or more{rare}{wanted}."
    return "Nothing found."
