"""Plain data: the promised keys, finite numbers, the same on every run."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objsearch.report.as_json import answer_json, comparison_json, detection_json, plain, rounded
from objsearch.types import Answer, Box, Image, ImageRef
from tests.report.cases import HOSTILE, hit, pair, region, verification


def test_an_answer_has_exactly_the_promised_keys(answer: Answer) -> None:
    data = answer_json(answer)
    assert list(data) == [
        *("schema", "queries", "hits", "found", "scanned", "compared", "filtered", "remembered"),
        *(
            "n_skipped",
            "skipped",
            "flags",
            "screened_out",
            "warnings",
            "settings",
            "elapsed_seconds",
        ),
    ]
    assert data["schema"] == "objsearch/find/1"
    assert set(data["queries"][0]) == {"ref", "width", "height", "regions"}
    assert set(data["queries"][0]["regions"][0]) == {"box_xyxy", "label", "confidence", "proposal"}
    assert set(data["hits"][0]) == {
        *("ref", "score", "verdict", "width", "height", "query", "note", "pairs"),
        *("view_scores", "negative_scores", "false_alarms"),
    }
    assert set(data["hits"][0]["pairs"][0]) == {
        *("query", "query_box_xyxy", "reference_box_xyxy", "query_label", "reference_label"),
        *("score", "verdict", "inliers", "model", "mirrored", "transform"),
        *("overlap_query", "overlap_reference", "similarities", "evidence", "differs"),
    }
    assert data["skipped"] == [{"ref": "broken<b>.jpg", "reason": "the file is <empty>"}]


def test_numbers_are_rounded_and_evidence_told(answer: Answer) -> None:
    best, second = answer_json(answer)["hits"][0]["pairs"]
    assert best["score"] == 0.973123
    rare, unknown = answer_json(replace(answer, hits=(hit(false_alarms=2.34567e-9), hit())))["hits"]
    assert rare["false_alarms"] == 2.35e-9 and unknown["false_alarms"] is None
    assert best["query_box_xyxy"] == [20.0, 15.0, 120.0, 90.0]
    assert best["model"] == "homography"
    np.testing.assert_allclose(best["transform"], verification().transform, rtol=1e-8)
    assert second["transform"] is None and second["model"] is None and second["inliers"] == 0


def test_text_is_strict_json_and_reads_back_for_any_name(answer: Answer) -> None:
    text = json.dumps(answer_json(answer), allow_nan=False)
    assert text == json.dumps(answer_json(answer), allow_nan=False)
    assert text.isascii()
    assert json.loads(text)["hits"][0]["ref"] == HOSTILE


def test_a_transform_that_is_not_finite_is_left_out() -> None:
    broken = replace(verification(), transform=np.full((3, 3), np.inf))
    data = comparison_json(hit(pairs=(pair(found=broken),)), "q/thing.jpg", {})
    assert data["pairs"][0]["transform"] is None


def test_a_comparison_names_both_sides() -> None:
    data = comparison_json(hit(), ImageRef("q/thing.jpg"), {"a": 1})
    assert list(data) == [
        *("schema", "query", "reference", "score", "verdict", "note", "pairs", "settings"),
    ]
    assert data["schema"] == "objsearch/compare/1"
    assert (data["query"], data["reference"]) == ("q/thing.jpg", HOSTILE)


def test_a_detection_lists_regions_in_order() -> None:
    image = Image(ImageRef("a.jpg"), np.zeros((4, 6, 3), np.uint8))
    data = detection_json(image, [region((0.123456, 1, 2, 3))])
    assert (data["ref"], data["width"], data["height"]) == ("a.jpg", 6, 4)
    assert data["regions"] == [
        {"box_xyxy": [0.12, 1.0, 2.0, 3.0], "label": "cup", "confidence": 0.875,
         "proposal": "detector"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        ((1, math.inf), [1, None]),
        ({1: Path("a")}, {"1": "a"}),
        ({"b", "a"}, ["a", "b"]),
        (np.float32(0.5), 0.5),
        (True, True),
        (Box(1, 2, 3, 4), [1, 2, 3, 4]),
    ],
)
def test_settings_become_plain(value: Any, expected: Any) -> None:
    assert plain(value) == expected


def test_there_is_no_negative_zero() -> None:
    assert str(rounded(-0.0000001, 3)) == "0.0"
