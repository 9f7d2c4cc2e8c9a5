"""The page: self-contained, safe for any name, complete, the same on every run."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.report import as_html, sections
from objsearch.report.as_html import write_html
from objsearch.types import Answer, Flag, ImageRef, Pixels, Unreadable
from tests.report.cases import HOSTILE, QUERY_WH, hit, pair, verification

Reader = Callable[[ImageRef], Pixels | None]
VOID = {"meta", "input", "br", "wbr"}
# SVG elements that the page closes themselves.
SELF_CLOSED = {"use", "image", "rect", "path", "circle", "polygon"}


class Page(HTMLParser):
    """What a browser would see: elements, addresses, ids, text; tags that are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.links: list[str] = []  # nothing is fetched from these until somebody clicks
        self.ids: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            assert tag not in SELF_CLOSED
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for key, value in attrs:
            assert not key.startswith("on")
            if key in ("href", "src", "action", "data"):
                is_followed = tag == "a" and not (value or "").startswith("#")
                (self.links if is_followed else self.addresses).append(value or "")
            if key == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(tmp_path: Path, answers: list[Answer], read: Reader) -> Page:
    path = tmp_path / "page.html"
    write_html(answers, path, read)
    assert list(tmp_path.iterdir()) == [path]
    return Page(path.read_bytes().decode("utf-8"))


def test_nothing_comes_from_outside_and_every_reference_resolves(
    tmp_path: Path, answer: Answer, read: Reader
) -> None:
    made = page(tmp_path, [answer, answer], read)
    assert all(one.startswith(("#", "data:image/jpeg;base64,")) for one in made.addresses)
    inside = {one[1:] for one in made.addresses if one.startswith("#")}
    inside |= set(re.findall(r"url\(#([^)]+)\)", made.html))
    assert inside <= set(made.ids)
    assert len(set(made.ids)) == len(made.ids)
    assert not [one for one in made.links if ":" in one]  # to files beside the page alone
    assert "http://" not in made.html and "https://" not in made.html
    assert not {"link", "iframe", "object", "embed", "img", "base"} & set(made.tags)


def test_hostile_names_stay_text(tmp_path: Path, answer: Answer, read: Reader) -> None:
    made = page(tmp_path, [answer], read)
    assert made.tags.count("script") == 1
    assert "photos/<script>alert(1)</script>\"'&\\u202egpj.\\x1b[31m\\xe9.jpg" in made.text
    assert "the file is <empty>" in made.text
    assert "\u202e" not in made.html and "\x1b" not in made.html


def test_the_policy_allows_just_the_pages_own_script(
    tmp_path: Path, answer: Answer, read: Reader
) -> None:
    html = page(tmp_path, [answer], read).html
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "default-src 'none'; img-src data:;" in html


def test_a_hit_shows_its_evidence(tmp_path: Path, answer: Answer, read: Reader) -> None:
    made = page(tmp_path, [answer], read)
    for text in ("97.3%", "homography", "embedding 0.500", "orb 0.750", "50.0%", "25.0%", "88"):
        assert text in made.text
    assert "the file is gone or has changed" in made.text  # of gone.jpg
    assert "further, weaker pair not drawn" in made.text
    assert "Skipped: 1 file" in made.text and "threshold: 0.2" in made.text
    assert "odd<i>.png" in made.text


def test_false_alarms_are_told_where_they_are_known(
    tmp_path: Path, answer: Answer, read: Reader
) -> None:
    unknown = page(tmp_path, [answer], read)
    assert "false alarms" not in unknown.text
    made = page(tmp_path, [replace(answer, hits=(hit(false_alarms=0.31),))], read)
    assert "0.31 false alarms" in made.text
    many = tuple(hit(f"{n}.jpg", false_alarms=n / 2) for n in range(25))
    listed = page(tmp_path, [replace(answer, hits=many, found=25)], read)
    assert "False alarms" in listed.text and "12" in listed.text


def test_pictures_are_small_and_embedded_once(
    tmp_path: Path, answer: Answer, query_pixels: Pixels
) -> None:
    large = np.repeat(np.repeat(query_pixels, 20, axis=0), 20, axis=1)
    view = replace(answer.queries[0], size_wh=(3000, 2020))
    bare = hit(pairs=(pair(),), size_wh=(3000, 2020))
    made = page(tmp_path, [replace(answer, queries=(view,), hits=(bare,) * 5)], lambda ref: large)
    pictures = [one for one in made.addresses if one.startswith("data:")]
    assert len(pictures) == 2  # the query and the reference, however often they are shown
    for one in pictures:
        with PillowImage.open(io.BytesIO(base64.b64decode(one.partition(",")[2]))) as opened:
            assert max(opened.size) == 640


def test_further_hits_are_listed_without_pictures(
    tmp_path: Path, answer: Answer, read: Reader
) -> None:
    many = replace(answer, hits=tuple(hit(f"{n}.jpg") for n in range(25)), found=25)
    made = page(tmp_path, [many], read)
    assert made.tags.count("article") == sections.EVIDENCE_A_QUERY == 20
    assert "Further hits: 5" in made.text and "24.jpg" in made.text


def test_a_full_page_lists_what_it_cannot_show(
    tmp_path: Path, answer: Answer, read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as_html, "PAGE_BYTES", 0)
    made = page(tmp_path, [answer], read)
    assert "Hits: 2" in made.text and "left out to keep the page small" in made.text


def test_what_answers_share_is_said_once(tmp_path: Path, answer: Answer, read: Reader) -> None:
    other = replace(
        answer, skipped=(*answer.skipped, Unreadable(ImageRef("own.jpg"), "it has no pixels"))
    )
    made = page(tmp_path, [answer, other], read)
    assert made.text.count("broken<b>.jpg") == 1
    assert made.text.count("own.jpg") == 1
    assert made.text.count("Settings in force") == 1


def test_several_views_say_which_one_saw_it(tmp_path: Path, answer: Answer, read: Reader) -> None:
    other = replace(answer.queries[0], ref=ImageRef("q/other.jpg", xywh=(1, 2, 30, 40)))
    seen = hit(view_scores={"q/thing.jpg": 0.97, "q/other.jpg": 0.125}, note="too_few_features")
    made = page(tmp_path, [replace(answer, queries=(*answer.queries, other), hits=(seen,))], read)
    assert "2 views of one wanted thing" in made.text
    assert "q/other.jpg 12.5%" in made.text
    assert "too little structure" in made.text
    assert "the part searched" in made.text


@pytest.mark.parametrize("pairs", [(), (pair(found=verification("fundamental")),)])
def test_a_hit_without_a_plane_has_no_overlay(
    tmp_path: Path, answer: Answer, read: Reader, pairs: tuple[object, ...]
) -> None:
    made = page(tmp_path, [replace(answer, hits=(hit(pairs=pairs),))], read)
    assert "article" in made.tags and "polygon" not in made.tags


def test_empty_answers_look_like_something(tmp_path: Path, answer: Answer, read: Reader) -> None:
    made = page(tmp_path, [replace(answer, hits=(), found=0)], read)
    assert "Nothing found: no image scored 20% or more." in made.text
    assert "No query was searched for." in page(tmp_path, [], read).text
    assert "No hits on this page" in page(tmp_path, [replace(answer, hits=())], read).text


def test_the_same_answers_give_the_same_bytes(tmp_path: Path, answer: Answer, read: Reader) -> None:
    assert page(tmp_path, [answer], read).html == page(tmp_path, [answer], read).html


def test_a_failed_page_leaves_the_former_one(tmp_path: Path, answer: Answer) -> None:
    def broken(ref: ImageRef) -> Pixels | None:
        raise RuntimeError(str(ref))

    path = tmp_path / "page.html"
    path.write_text("former")
    with pytest.raises(RuntimeError):
        write_html([answer], path, broken)
    assert path.read_text() == "former" and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(OSError):
        write_html([answer], tmp_path / "no" / "page.html", broken)


def test_an_image_of_another_size_is_not_drawn_on(tmp_path: Path, answer: Answer) -> None:
    other = np.zeros((QUERY_WH[1] + 1, QUERY_WH[0], 3), np.uint8)
    made = page(tmp_path, [answer], lambda ref: other)
    assert not any(one.startswith("data:") for one in made.addresses)
    assert HOSTILE.startswith("photos/") and "gone or has changed" in made.text


def test_a_kept_thumbnail_stands_in_for_a_file_that_is_away(
    tmp_path: Path, answer: Answer, reference_pixels: Pixels
) -> None:
    """In the page it says so; of what is flagged it shows as little as the file would."""
    small = np.ascontiguousarray(reference_pixels[::4, ::4])

    def shown(*flagged: ImageRef) -> tuple[Page, list[Pixels]]:
        flags = {ref: (Flag("examples", 0.9, "like one"),) for ref in flagged}
        path = tmp_path / "page.html"
        write_html(
            [replace(answer, flags=flags)],
            path,
            lambda ref: None,
            kept=lambda ref: small if ref.uri == HOSTILE else None,
        )
        made = Page(path.read_bytes().decode("utf-8"))
        data = [one.partition(",")[2] for one in made.addresses if one.startswith("data:")]
        opened = (PillowImage.open(io.BytesIO(base64.b64decode(text))) for text in data)
        return made, [np.asarray(picture, np.uint8) for picture in opened]

    made, [picture] = shown()
    assert "A kept thumbnail: the file is gone or has changed." in made.text
    assert picture.shape == small.shape
    detail = float(np.abs(np.diff(picture.astype(int), axis=1)).mean())
    _, [blurred] = shown(ImageRef(HOSTILE))
    assert float(np.abs(np.diff(blurred.astype(int), axis=1)).mean()) < detail / 2
