"""CSV: one row a hit, one header, any name."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from objsearch.report.as_csv import COLUMNS, csv_lines, write_csv
from objsearch.types import Answer, Box
from tests.report.cases import HOSTILE, hit, pair


def test_rows_read_back(answer: Answer) -> None:
    rows = list(csv.DictReader(io.StringIO("".join(csv_lines(answer.hits)))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["ref"] for row in rows] == [HOSTILE, "gone.jpg"]
    assert rows[0]["score"] == "0.973123"
    assert rows[0]["query_box_xyxy"] == "20,15,120,90"
    assert rows[0]["inliers"] == "88"
    assert COLUMNS[-1] == "false_alarms"  # columns that were there keep their places
    rare = list(csv.DictReader(io.StringIO("".join(csv_lines([hit(false_alarms=2.34567e-9)])))))
    assert (rare[0]["false_alarms"], rows[0]["false_alarms"]) == ("2.35e-09", "")
    assert rows[0]["overlap_query"] == "0.500000"


def test_header_comes_once_for_several_answers(answer: Answer) -> None:
    stream = io.StringIO()
    write_csv(answer, stream)
    write_csv(answer, stream, header=False)
    assert stream.getvalue().count("query_box_xyxy") == 1
    assert len(list(csv.reader(io.StringIO(stream.getvalue())))) == 5


def test_an_empty_answer_is_a_header(answer: Answer) -> None:
    stream = io.StringIO()
    write_csv(replace(answer, hits=()), stream)
    assert stream.getvalue() == ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_no_stream_is_broken_by_a_name(answer: Answer, encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    write_csv(answer, stream)
    stream.flush()
    assert b"\\udce9" in raw.getvalue()


def test_a_stream_that_can_keep_odd_bytes_keeps_them(answer: Answer) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="")
    write_csv(answer, stream)
    stream.flush()
    assert b"\xe9.jpg" in raw.getvalue()


def test_missing_evidence_is_empty_and_large_boxes_stay_exact() -> None:
    big = replace(pair(), query=replace(pair().query, box_xyxy=Box(0, 0, 1234567.25, 2)))
    bare, large = list(
        csv.DictReader(io.StringIO("".join(csv_lines([hit(pairs=()), hit(pairs=(big,))]))))
    )
    assert (bare["inliers"], bare["query_box_xyxy"], bare["overlap_query"]) == ("0", "", "")
    assert large["query_box_xyxy"] == "0,0,1234567.25,2"
