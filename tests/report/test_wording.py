"""What people read."""

from __future__ import annotations

import math

import pytest

from objsearch.report.wording import expected, folder_and_name, matched, percent, shown
from objsearch.types import ImageRef
from tests.report.cases import pair


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "100%"), (1 - 1e-7, "100%"), (0.99996, "99.9%"), (0.5, "50.0%"),
        (0.00001, "0.1%"), (0.0, "0%"), (None, "-"), (math.nan, "-"),
    ],
)  # fmt: skip
def test_percent(value: float | None, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (math.nan, "-"),
        (0.0, "0"),
        (1e-9, "<0.01"),
        (0.0123, "0.012"),
        (0.3, "0.3"),
        (0.96, "1.0"),
        (2.34, "2.3"),
        (9.6, "10"),
        (1234.5, "1,234"),
    ],
)
def test_a_number_to_be_expected(number: float | None, text: str) -> None:
    assert expected(number) == text


def test_shown_keeps_words_and_emoji_and_spells_out_the_rest() -> None:
    assert shown("写真 👩‍🔬 é.jpg") == "写真 👩‍🔬 é.jpg"
    assert shown("a\nb\x1b\x85\u2028\u202e\udce9\ud800") == (
        "a\\x0ab\\x1b\\x85\\u2028\\u202e\\xe9\\ud800"
    )
    # Else two names look the same where one of two files is to go.
    assert shown("a\u200b\u2060\ufeff\U000e0041.jpg") == "a\\u200b\\u2060\\ufeff\\U000e0041.jpg"


@pytest.mark.parametrize(
    ("ref", "halves"),
    [
        (ImageRef("a/b/c.pdf", page=3), ("a/b/", "c.pdf#page=3")),
        (ImageRef("c:\\x\\y.jpg"), ("c:\\x\\", "y.jpg")),
        (ImageRef("a/\x1b\udce9.jpg"), ("a/", "\\x1b\\xe9.jpg")),
        (ImageRef("<bytes:1>"), ("", "<bytes:1>")),
    ],
)
def test_folder_and_name(ref: ImageRef, halves: tuple[str, str]) -> None:
    assert folder_and_name(ref) == halves


def test_matched_tells_what_and_where() -> None:
    assert matched(pair()) == "cup as vase, 100x90 at 60,40"
