"""One file a format, all of the same drawing: a PNG query finds them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from objsearch.search.pipeline import ObjectSearch
from objsearch.types import Answer
from tests.images import drawings, files

OTHERS = 6


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """The query is a PNG of a part of the drawing; the names' extensions tell nothing."""
    folder = tmp_path_factory.mktemp("formats")
    for name, data in files.every_format().items():
        (folder / name.replace(".", "-")).write_bytes(data)
    for seed in range(OTHERS):
        other = drawings.raster(drawings.polygons(seed=100 + seed))
        (folder / f"other-{seed}").write_bytes(drawings.encoded(other, "PNG"))
    query = drawings.encoded(files.pixels()[20:280, 30:380], "PNG")
    search = ObjectSearch.open("fast", {"search.shortlist": None, "search.threshold": 0.0})
    return search.add(folder).find(query)


@pytest.mark.parametrize("name", sorted(files.every_format()))
def test_found(answer: Answer, name: str) -> None:
    hits = {Path(hit.ref.uri).name: hit for hit in answer.hits}
    hit = hits[name.replace(".", "-")]
    others = [h.score for n, h in hits.items() if n.startswith("other")]
    assert hit.verdict == "same"
    assert hit.score > max(others, default=0.0)


def test_nothing_is_skipped(answer: Answer) -> None:
    assert answer.skipped == ()
    assert answer.compared == answer.scanned == len(files.every_format()) + OTHERS


def test_other_drawings_are_others(answer: Answer) -> None:
    for hit in answer.hits:
        if Path(hit.ref.uri).name.startswith("other"):
            assert hit.verdict != "same"


def test_pages_and_frames_are_found_by_their_refs(tmp_path: Path) -> None:
    """The one frame of an animation, the one page of a document, that shows the drawing."""
    blank = [drawings.raster(drawings.polygons(seed=200 + k, count=30)) for k in range(3)]
    frames = [blank[0], files.pixels(), blank[1], blank[2]]
    (tmp_path / "a.webp").write_bytes(files.animation(frames, "WEBP"))
    (tmp_path / "b.pdf").write_bytes(files.pdf(frames))
    (tmp_path / "c.avi").write_bytes(files.video(frames, "c.avi", "MJPG", rate=10))
    search = ObjectSearch.open("fast", {"input.frames": "all"}).add(tmp_path)
    assert len(search.index) == 12
    answer = search.find(files.every_format()["drawing.png"])
    same = {Path(hit.ref.uri).name + str(hit.ref)[len(hit.ref.uri) :] for hit in answer.hits[:3]}
    assert same == {"a.webp#frame=1", "b.pdf#page=2", "c.avi#t=0.1"}
    again = search.find(str(answer.hits[0].ref))
    assert str(answer.hits[0].ref) not in [str(hit.ref) for hit in again.hits]
    assert str(again.hits[0].ref) in [str(hit.ref) for hit in answer.hits[:3]]
    whole = search.find(str(tmp_path / "b.pdf"))
    assert not any(hit.ref.uri.endswith(".pdf") for hit in whole.hits)
