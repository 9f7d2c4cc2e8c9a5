"""Tables: fit the terminal, keep the name, say verdicts in words, pass on no control codes."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from objsearch.report.as_table import (
    answer_table,
    comparison_table,
    hits_table,
    summary,
)
from objsearch.types import Answer, ImageRef, Unreadable
from tests.report.cases import hit


def printed(what: RenderableType, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(what)
    return stream.getvalue()


def test_a_name_is_shown_whole(answer: Answer) -> None:
    long = hit("a/very/long/way/down/to/the/last/of/all/the/folders/there/are/mug.jpg")
    text = printed(hits_table(replace(answer, hits=(long,))))
    names = "".join(line.lstrip(" 1").split(" ")[0] for line in text.splitlines())
    assert str(long.ref) in names and "…" not in text
    assert "97.3%" in text and "same" in text and "203x157" in text and "88" in text
    assert "cup as vase, 100x90 at 60,40" in text


def test_false_alarms_stand_beside_the_score_where_they_are_known(answer: Answer) -> None:
    assert "false alarms" not in printed(answer_table(answer))
    some = (hit("a.jpg", false_alarms=0.004), hit("b.jpg", false_alarms=12.3), hit("c.jpg"))
    lines = printed(answer_table(replace(answer, hits=some))).splitlines()
    head = next(n for n, line in enumerate(lines) if "verdict" in line)
    assert "score   alarms   verdict" in lines[head] and "false" in lines[head - 1]
    assert "false alarms <0.01" in printed(answer_table(replace(answer, hits=some)), 60)
    told = [line.split() for line in lines if "97.3%" in line]
    assert [words[words.index("97.3%") + 1] for words in told] == ["<0.01", "12", "-"]


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_every_line_fits(answer: Answer, width: int) -> None:
    answer = replace(answer, hits=tuple(replace(hit, false_alarms=1e6) for hit in answer.hits))
    for what in (answer_table(answer), comparison_table(answer.hits[0])):
        assert all(cell_len(line) <= width for line in printed(what, width).splitlines())


def test_names_send_no_control_codes(answer: Answer) -> None:
    text = printed(answer_table(answer), 200) + printed(comparison_table(hit()), 200)
    assert "\x1b" not in text and "\u202e" not in text
    assert "\\x1b[31m\\xe9.jpg" in text
    text.encode("utf-8")


def test_the_summary_tells_the_first_reasons(answer: Answer) -> None:
    skipped = tuple(Unreadable(ImageRef(f"{n}.jpg"), "the file is empty") for n in range(5))
    text = str(summary(replace(answer, skipped=skipped, scanned=9, found=9)))
    assert text.startswith("9 found (2 shown), 9 scanned, 4 compared, 5 skipped (0.jpg: the file")
    assert "2 more)" in text and text.endswith("1.2 s")


def test_an_empty_answer_says_why(answer: Answer) -> None:
    text = printed(answer_table(replace(answer, hits=(), found=0)))
    assert "Nothing found: no image scored 20% or more." in text
    asked = {"search": {"threshold": 0.2, "max_false_alarms": 0.1}}
    text = printed(answer_table(replace(answer, hits=(), found=0, settings=asked)))
    assert "no image scored 20% or more at 0.1 false alarms or fewer." in text


def test_ranks_go_on_from_the_offset(answer: Answer) -> None:
    text = printed(hits_table(replace(answer, settings={"search": {"offset": 40}})))
    assert "41" in text and "42" in text


def test_a_note_and_the_view_are_told(answer: Answer) -> None:
    noted = hit(note="too_few_features", pairs=())
    text = printed(answer_table(replace(answer, queries=answer.queries * 2, hits=(noted,))), 160)
    assert "too little structure" in text and "seen by q/thing.jpg" in text
    assert "too little structure" in printed(comparison_table(noted))


@pytest.mark.parametrize("width", [20, 40, 60])
def test_narrow_terminals_get_blocks_of_lines(answer: Answer, width: int) -> None:
    long = hit("a/very/long/way/down/写真/the/last/of/all/the/folders/there/are/mug.jpg")
    text = printed(hits_table(replace(answer, hits=(long,))), width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    plain = "".join(line.strip() for line in text.splitlines())
    assert str(long.ref) in plain
    for told in ("score 97.3%", "verdict same", "size 203x157", "inliers 88"):
        assert told.replace(" ", "") in plain.replace(" ", "")
