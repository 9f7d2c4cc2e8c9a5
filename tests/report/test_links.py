"""Links from pages to files: relative, safe for any name, none for what lies in memory."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

import pytest

from objsearch.report.as_html import write_html
from objsearch.report.links import link_of
from objsearch.types import Answer, ImageRef
from tests.report.cases import hit


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("/a/photos/mug.jpg", "photos/mug.jpg"),
        ("/b/mug 1.jpg", "../b/mug%201.jpg"),
        ("/a/scan.pdf#page=3", "scan.pdf#page=3"),
        ("/a/x.jpg#xywh=1,2,3,4", "x.jpg"),
        ("/a/javascript:alert(1).jpg", "javascript%3Aalert%281%29.jpg"),
        ('/a/50%#"<.jpg', "50%25%23%22%3C.jpg"),
        (os.fsdecode(b"/a/\xe9.jpg"), "%E9.jpg"),
        ("https://example.org/a.jpg?b=1", "https://example.org/a.jpg?b=1"),
        ("<bytes:1>", ""),
        ("https://me:word@example.org/a.jpg", ""),
        ("https://***@example.org/a.jpg", ""),
        ("https://example.org/a.jpg?token=abc", ""),
    ],
)
def test_where_names_lead(ref: str, expected: str) -> None:
    assert link_of(ref, Path("/a/page.html")) == expected
    assert link_of(ImageRef.parse(ref), Path("/a/page.html")) == expected


def test_a_page_leads_to_its_photos_and_no_link_dangles(answer: Answer, tmp_path: Path) -> None:
    photo = tmp_path / "photos" / "mug \xe9.jpg"
    found = replace(answer, hits=(hit(str(photo)),))
    page = tmp_path / "report.html"
    write_html([found, found], page, lambda ref: None)
    text = page.read_text(encoding="utf-8")
    links = re.findall(r'<a [^>]*href="([^"]*)"', text)
    assert "photos/mug%20%C3%A9.jpg" in links
    assert unquote("photos/mug%20%C3%A9.jpg") == os.path.relpath(photo, tmp_path)
    inner = {unescape(one) for one in re.findall(r'href="#([^"]*)"', text)}
    assert inner <= set(re.findall(r'id="([^"]*)"', text))
    assert unquote_to_bytes("%E9") == b"\xe9"
