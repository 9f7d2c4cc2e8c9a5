"""Answers for people on a terminal: rich renderables that fit its width.

Verdicts are words first and colours second. Names are shown whole, on several lines where there is
little room; nothing in them reaches the terminal as a control code.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from objsearch.report.rows import Name, Rows
from objsearch.report.wording import (
    differing,
    expected,
    flags_sentence,
    matched,
    note_sentence,
    nothing_found,
    percent,
    place,
    region_name,
    shown,
    views_said,
)
from objsearch.types import Answer, Hit, ImageRef, RegionPair, Unreadable, Verdict

_STYLES: dict[Verdict, str] = {"same": "bold green", "uncertain": "yellow", "different": "dim"}
_REASONS_TOLD = 3


def answer_table(answer: Answer) -> RenderableType:
    """The query's name, its hits, and the summary of what was searched."""
    parts: list[RenderableType] = [Name(query.ref, "bold") for query in answer.queries]
    parts.append(hits_table(answer) if answer.hits else Text(nothing_found(answer), "yellow"))
    parts += [
        Group(Name(ref), Text("filtered out", "dim"), *flagged(answer, ref))
        for ref in answer.screened_out
    ]
    return Group(*parts, summary(answer), "")


def flagged(answer: Answer, ref: ImageRef) -> list[Text]:
    """A line with what screening has against an image, where it has anything."""
    flags = answer.flags.get(ref)
    return [Text(flags_sentence(flags), "red")] if flags else []


def hits_table(answer: Answer) -> Rows:
    """A row of two lines a hit, best first, numbered on from the answer's offset."""
    is_known = any(hit.false_alarms is not None for hit in answer.hits)
    alarms = (">false\nalarms",) if is_known else ()
    names = (">#", "image, and what matched where", ">score", *alarms, "verdict", ">size")
    rows = Rows((*names, ">inliers"), wide=1)
    for rank, hit in enumerate(answer.hits, first_rank(answer)):
        rows.add(
            str(rank),
            Group(
                Name(hit.ref),
                _told(hit, several_views=len(answer.queries) > 1),
                *flagged(answer, hit.ref),
            ),
            percent(hit.score),
            *(expected(hit.false_alarms) for _ in alarms),
            _verdict(hit.verdict),
            f"{hit.size_wh[0]}x{hit.size_wh[1]}",
            str(hit.pairs[0].inliers if hit.pairs else 0),
        )
    return rows


def first_rank(answer: Answer) -> int:
    """The number of the answer's first hit among all that were found."""
    search = answer.settings.get("search")
    offset = search.get("offset", 0) if isinstance(search, dict) else 0
    return 1 + (offset if isinstance(offset, int) else 0)


def comparison_table(hit: Hit) -> RenderableType:
    """Two images, how alike they are, and the pairs of regions that say so."""
    head = Table.grid(padding=(0, 2))
    head.add_column(style="dim", no_wrap=True)
    head.add_column(ratio=1)
    head.add_row("query", Name(hit.query))
    head.add_row("reference", Name(hit.ref))
    head.add_row("score", percent(hit.score))
    head.add_row("verdict", _verdict(hit.verdict))
    if hit.note:
        head.add_row("note", _noted(hit))
    return Group(head, _pairs_table(hit.pairs)) if hit.pairs else head


def _pairs_table(pairs: Sequence[RegionPair]) -> Rows:
    headings = ("in the query, in the reference", ">score", "verdict", ">inliers")
    table = Rows((*headings, ">found", ">covers"), wide=0)
    for pair in pairs:
        sides = (pair.query, pair.reference)
        table.add(
            Group(*(Text(f"{region_name(region)}, {place(region.box_xyxy)}") for region in sides)),
            percent(pair.score),
            _verdict(pair.verdict),
            str(pair.inliers),
            percent(pair.overlap_query),
            percent(pair.overlap_reference),
        )
    return table


def summary(answer: Answer) -> Text:
    """One line: what was found, searched and left out, with the first reasons."""
    counts = [
        f"{answer.found} found",
        f"{answer.scanned} scanned",
        f"{answer.compared} compared",
        f"{answer.n_skipped} skipped{_reasons(answer.skipped, answer.n_skipped)}",
        f"{answer.elapsed_seconds:.1f} s",
    ]
    if answer.remembered:
        counts.insert(2, f"{answer.remembered} remembered")
    if answer.filtered:
        counts.insert(1, f"{answer.filtered} filtered out")
    if answer.screened_out:
        counts.insert(1, f"{len(answer.screened_out)} screened out")
    if answer.found > len(answer.hits) > 0:
        counts[0] += f" ({len(answer.hits)} shown)"
    return Text(", ".join(counts), "dim")


def _reasons(skipped: Sequence[Unreadable], count: int) -> str:
    told = [
        f"{shown(unreadable.ref)}: {shown(unreadable.reason)}"
        for unreadable in skipped[:_REASONS_TOLD]
    ]
    if told and count > len(told):
        told.append(f"{count - len(told)} more")
    return f" ({'; '.join(told)})" if told else ""


def _told(hit: Hit, several_views: bool) -> Text:
    """What matched where in the best pair, by which view, and the hit's note."""
    parts = [matched(hit.pairs[0])] if hit.pairs else []
    n_more = sum(pair.verdict != "different" for pair in hit.pairs[1:])
    if n_more:
        parts[0] += f" (+{n_more} more)"
    if several_views:
        parts.append(f"seen by {shown(hit.query)} (each view: {views_said(hit.view_scores)})")
    if hit.negative_scores:
        parts.append(f"not wanted: {views_said(hit.negative_scores)}")
    if hit.note:
        parts.append(_noted(hit))
    return Text("; ".join(parts), "dim")


def _noted(hit: Hit) -> str:
    """The note, with the places that differ behind it."""
    where = differing(hit.pairs[0]) if hit.pairs else ""
    return note_sentence(hit.note) + (f" ({where})" if where else "")


def _verdict(verdict: Verdict) -> Text:
    return Text(verdict, _STYLES[verdict])
