"""Larger copies as plain data, CSV, a table for people, and a page that shows the detail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from objsearch.report.as_json import SCORE_DIGITS, box_numbers, flags_json, plain, rounded
from objsearch.report.cells import csv_line
from objsearch.report.rows import Name, Rows
from objsearch.report.wording import flags_sentence, percent, shown
from objsearch.tasks.larger.found import LargerAnswer, LargerCopy

LARGER_SCHEMA = "objsearch/larger/1"
COLUMNS = (
    *("query", "ref", "width", "height", "scale", "coverage", "pixels", "suspected_upscale"),
    *("detail", "agreement", "measured_by", "score", "verdict", "note", "differs"),
)


def larger_json(answer: LargerAnswer) -> dict[str, Any]:
    """Everything that was found, also what is not larger, as a count."""
    width, height = answer.query.size_wh
    return {
        "schema": LARGER_SCHEMA,
        "query": str(answer.query.ref),
        "width": width,
        "height": height,
        "query_box_xyxy": box_numbers(answer.query_box_xyxy),
        "copies": [_copy_json(copy) for copy in answer.copies],
        "not_larger": answer.not_larger,
        "other_shots": answer.other_shots,
        "scanned": answer.scanned,
        "compared": answer.compared,
        "remembered": answer.remembered,
        "skipped": [
            {"ref": str(unreadable.ref), "reason": unreadable.reason}
            for unreadable in answer.skipped
        ],
        "flags": flags_json(answer.flags),
        "screened_out": [str(ref) for ref in answer.screened_out],
        "warnings": list(answer.warnings),
        "settings": plain(answer.settings),
        "elapsed_seconds": rounded(answer.elapsed_seconds, 3),
    }


def _copy_json(copy: LargerCopy) -> dict[str, Any]:
    return {
        "ref": str(copy.ref),
        "width": copy.size_wh[0],
        "height": copy.size_wh[1],
        "scale": rounded(copy.scale, 4),
        "coverage": rounded(copy.coverage, 4),
        "pixels": round(copy.pixels),
        "suspected_upscale": copy.suspected_upscale,
        "detail": rounded(copy.detail, 4),
        "agreement": rounded(copy.agreement, 4),
        "measured_by": copy.measured_by,
        "score": rounded(copy.hit.score, SCORE_DIGITS),
        "verdict": copy.hit.verdict,
        "note": copy.note,
        "differs": [box_numbers(box) for box in copy.differs[1]],
    }


def larger_csv(answer: LargerAnswer) -> Iterator[str]:
    """A line a copy, with a line of columns first."""
    yield csv_line(COLUMNS)
    for copy in answer.copies:
        data = {"query": str(answer.query.ref), **_copy_json(copy)}
        cells = [data[column] for column in COLUMNS]
        yield csv_line(_cell(value) for value in cells)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(",".join(map(str, box)) for box in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def larger_table(answer: LargerAnswer) -> RenderableType:
    """The query, a row a copy, largest first, and what was searched."""
    width, height = answer.query_box_xyxy.width, answer.query_box_xyxy.height
    head = Group(Name(answer.query.ref, "bold"), Text(f"{width:.0f}x{height:.0f}", "dim"))
    if not answer.copies:
        return Group(head, Text("No larger copy found.", "yellow"), _summary(answer), "")
    table = Rows(("image", ">size", ">scale", ">holds", ">score", ""), wide=0)
    for copy in answer.copies:
        table.add(
            Group(Name(copy.ref), *_remarks(answer, copy)),
            f"{copy.size_wh[0]}x{copy.size_wh[1]}",
            scale_text(copy),
            percent(copy.coverage),
            percent(copy.hit.score),
            Text(mark_text(copy), "yellow"),
        )
    return Group(head, table, _summary(answer), "")


def _remarks(answer: LargerAnswer, copy: LargerCopy) -> list[Text]:
    flags = answer.flags.get(copy.ref)
    told = [Text(shown(copy.note), "dim")] if copy.note else []
    return [*told, Text(flags_sentence(flags), "red")] if flags else told


def scale_text(copy: LargerCopy) -> str:
    """`3.00x`, as exact as it was measured."""
    return f"{copy.scale:.2f}x"


def mark_text(copy: LargerCopy) -> str:
    """What there is to suspect."""
    n_places = len(copy.differs[1])
    told = ["suspected upscale"] if copy.suspected_upscale else []
    if n_places:
        told.append(f"differs in {n_places} {'place' if n_places == 1 else 'places'}")
    return ", ".join(told)


def summary(answer: LargerAnswer) -> str:
    """One line: what was found, and what was looked at."""
    n_suspected = sum(copy.suspected_upscale for copy in answer.copies)
    counts = [f"{len(answer.copies)} larger"]
    if n_suspected:
        counts[0] += f" ({n_suspected} suspected {'upscale' if n_suspected == 1 else 'upscales'})"
    counts.append(f"{answer.not_larger} not larger")
    if answer.other_shots:
        counts.append(f"{answer.other_shots} other shots of it")
    counts.append(f"{answer.scanned} scanned")
    if answer.remembered:
        counts.append(f"{answer.remembered} remembered")
    if answer.screened_out:
        counts.append(f"{len(answer.screened_out)} screened out")
    counts += [f"{answer.scanned - answer.compared} skipped", f"{answer.elapsed_seconds:.1f} s"]
    return ", ".join(counts)


def _summary(answer: LargerAnswer) -> Text:
    return Text(summary(answer), "dim")
