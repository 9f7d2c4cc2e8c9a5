"""Answers as CSV, for programs and spreadsheets: one row a hit, columns by name in the first row.

Cells hold what was found, as it is: to a spreadsheet, a name that begins with `=` is a formula.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TextIO

from objsearch.report.as_json import SCORE_DIGITS, box_numbers, rounded, significant
from objsearch.report.cells import csv_line
from objsearch.types import Answer, Box, Flag, Hit, ImageRef

COLUMNS = (
    "query",
    "ref",
    "score",
    "verdict",
    "width",
    "height",
    "inliers",
    "query_box_xyxy",
    "reference_box_xyxy",
    "overlap_query",
    "overlap_reference",
    "note",
    "view_scores",
    "negative_scores",
    "flags",
    "false_alarms",
)


def write_csv(answer: Answer, stream: TextIO, *, header: bool = True) -> None:
    """Write an answer's hits; `header` for the first answer of several in one stream.

    Boxes are `x1,y1,x2,y2` of the best pair in pixels; what is unknown is empty. A name that the
    stream's encoding cannot hold is written with `\\udce9` in place of the odd byte.
    """
    for line in csv_lines(answer.hits, answer.flags, header=header):
        stream.write(_writable(line, stream))


def csv_lines(
    hits: Iterable[Hit],
    flags: Mapping[ImageRef, Sequence[Flag]] = MappingProxyType({}),
    *,
    header: bool = True,
) -> Iterator[str]:
    """The rows as text, each with its newline at the end."""
    if header:
        yield csv_line(COLUMNS)
    for hit in hits:
        scores = {flag.rule: flag.score for flag in flags.get(hit.ref, ())}
        yield csv_line([*_cells(hit), _scores(scores), _short(hit.false_alarms)])


def _cells(hit: Hit) -> list[str]:
    best = hit.pairs[0] if hit.pairs else None
    return [
        str(hit.query),
        str(hit.ref),
        _number(hit.score),
        hit.verdict,
        str(hit.size_wh[0]),
        str(hit.size_wh[1]),
        str(best.inliers if best else 0),
        _box(best.query.box_xyxy) if best else "",
        _box(best.reference.box_xyxy) if best else "",
        _number(best.overlap_query if best else None),
        _number(best.overlap_reference if best else None),
        hit.note,
        _scores(hit.view_scores),
        _scores(hit.negative_scores),
    ]


def _scores(scores: Mapping[str, float]) -> str:
    """A JSON object; empty where there is nothing to say."""
    return json.dumps({ref: rounded(value, SCORE_DIGITS) for ref, value in scores.items()}) * bool(
        scores
    )


def _number(value: float | None) -> str:
    finite = rounded(value, SCORE_DIGITS)
    return "" if finite is None else f"{finite:.{SCORE_DIGITS}f}"


def _short(value: float | None) -> str:
    short = significant(value)
    return "" if short is None else f"{short:g}"


def _box(box: Box) -> str:
    numbers = box_numbers(box)
    return "" if None in numbers else ",".join(f"{value:.10g}" for value in numbers)


def _writable(line: str, stream: TextIO) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    errors = getattr(stream, "errors", None) or "strict"
    try:
        line.encode(encoding, errors)
    except UnicodeEncodeError:
        return line.encode(encoding, "backslashreplace").decode(encoding)
    return line
