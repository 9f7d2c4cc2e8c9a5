"""The answer's promises, kept by every search whatever its algorithm."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.errors import ConfigError, UsageError
from objsearch.images.decode import decode
from objsearch.images.transform import resize
from objsearch.report.as_json import answer_json
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings, preset_names
from objsearch.sources import key_of
from objsearch.types import Answer, ImageRef, Pixels, Verification
from tests.conftest import ROOT
from tests.pictures import brightened, cropped, drawing, encoded, flat, noise

QUERY = "palace.jpg"


def refs(answer: Answer) -> list[str]:
    return [Path(hit.ref.uri).name for hit in answer.hits]


def scores(answer: Answer) -> dict[str, float]:
    return {str(hit.ref): hit.score for hit in answer.hits}


def as_bytes(answer: Answer) -> bytes:
    """The answer as JSON, without the one thing that changes from run to run."""
    data = answer_json(answer)
    data.pop("elapsed_seconds")
    return json.dumps(data).encode()


def halved(path: Path) -> Pixels:
    pixels = decode(path.read_bytes()).pixels
    return resize(pixels, (pixels.shape[1] // 2, pixels.shape[0] // 2))


def size_of(path: Path) -> tuple[int, int]:
    height, width = decode(path.read_bytes()).pixels.shape[:2]
    return width, height


@pytest.fixture(scope="module")
def folders(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All example photos, a copy of one, a flat picture and two files that are no pictures."""
    folder = tmp_path_factory.mktemp("more")
    (folder / "copy.png").write_bytes(
        encoded(decode((photos / "toys.jpg").read_bytes()).pixels, "PNG")
    )
    (folder / "flat.png").write_bytes(encoded(flat(90, 120), "PNG"))
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "words.png").write_text("no picture")
    return [photos, folder]


@pytest.fixture(scope="module")
def search(first_look: dict[str, Any], folders: list[Path]) -> ObjectSearch:
    """Without a second look, which is nine tenths of what a search of few points costs."""
    return ObjectSearch.open(first_look).add(*folders)


@pytest.fixture(scope="module")
def looking(
    quick: dict[str, Any], folders: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> ObjectSearch:
    """With one, for what it may change: scores, their order, and how many hits there are.

    What it takes grows with the photos: they are half as large.
    """
    photos, more = folders
    folder = tmp_path_factory.mktemp("halved")
    for path in photos.iterdir():
        PillowImage.fromarray(halved(path)).save(folder / path.name)
    return ObjectSearch.open(quick).add(folder, more)


@pytest.fixture(scope="module")
def few(some: list[Path], photos: Path) -> Callable[[str], ObjectSearch]:
    """A search by a preset over eight photos, three of which are looked for; nobody adds to it."""
    shown = ("composed_box_on_gravel.jpg", "composed_cup_by_markers.jpg", "two_books.jpg")

    @cache
    def search(preset: str) -> ObjectSearch:
        return ObjectSearch.open(preset).add(*some, *(photos / name for name in shown))

    return search


# Order and counting


def test_hits_come_by_score_then_ref(looking: ObjectSearch, queries: Path) -> None:
    answer = looking.find(queries / QUERY, threshold=0)
    order = [(-hit.score, str(hit.ref)) for hit in answer.hits]
    assert order == sorted(order)
    assert refs(answer)[0] == "palace_copy_recompressed.jpg"
    tied = Counter(score for score, _ in order)
    assert max(tied.values()) > 3  # so that the second half of the rule was tried


def test_every_reference_is_accounted_for(search: ObjectSearch, queries: Path) -> None:
    answer = search.find(queries / QUERY, threshold=0)
    assert answer.scanned == 36
    assert answer.scanned == answer.compared + len(answer.skipped)
    assert {Path(one.ref.uri).name: one.reason for one in answer.skipped} == {
        "empty.jpg": "the file is empty",
        "words.png": "not an image in a known format",
    }
    assert len(answer.hits) == answer.compared == answer.found


def test_adding_twice_counts_once(quick: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(drawing(61, 83), "PNG"))
    (tmp_path / "b.png").write_bytes(b"broken")
    search = ObjectSearch.open(quick).add(tmp_path).add(tmp_path, tmp_path / "a.png")
    answer = search.find(tmp_path / "a.png", include_query=True)
    assert (answer.scanned, answer.compared, len(answer.skipped)) == (2, 1, 1)
    assert len(answer.hits) == 1


def test_a_file_that_was_mended_is_skipped_no_longer(quick: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"broken")
    (tmp_path / "b.png").write_bytes(encoded(drawing(61, 83), "PNG"))
    search = ObjectSearch.open(quick).add(tmp_path)
    path.write_bytes(encoded(drawing(61, 83), "PNG"))
    answer = search.add(tmp_path).find(tmp_path / "b.png")
    assert answer.skipped == ()
    assert (answer.scanned, answer.compared) == (2, 2)
    assert refs(answer) == ["a.png"]


def test_searches_by_the_same_settings_share_no_images(
    quick: dict[str, Any], some: list[Path]
) -> None:
    settings = load_settings(quick)
    one, other = ObjectSearch(settings).add(some[0]), ObjectSearch(settings).add(some[1])
    assert [len(one.index), len(other.index)] == [1, 1]


def test_one_row_an_image(search: ObjectSearch, queries: Path) -> None:
    every = [str(hit.ref) for hit in search.find(queries / QUERY, threshold=0).hits]
    assert len(every) == len(set(every))


# Threshold, top, offset


@pytest.mark.parametrize("fusion", ["max", "mean", "rrf", "min"])
def test_the_threshold_is_inclusive_and_monotone(
    search: ObjectSearch, looking: ObjectSearch, queries: Path, fusion: str
) -> None:
    names = [QUERY, "motorcycle.jpg"][: 1 + (fusion != "max")]
    looking = looking if fusion in ("max", "rrf") else search  # of scores, and of ranks
    views, _ = looking.viewer.views([halved(queries / name) for name in names])  # described once
    every = scores(looking.find(*views, threshold=0, fusion=fusion))
    for threshold in sorted({0.001, 0.9, 1.0, *sorted(every.values())[-3:]}):
        found = scores(looking.find(*views, threshold=threshold, fusion=fusion))
        assert found == {ref: score for ref, score in every.items() if score >= threshold}


@pytest.mark.parametrize("fusion", ["max", "rrf"])
@pytest.mark.parametrize("preset", ["quick", "fast"])
def test_raising_the_threshold_adds_no_hit_beyond_the_shortlist(
    preset: str,
    fusion: str,
    looking: ObjectSearch,
    few: Callable[[str], ObjectSearch],
    queries: Path,
) -> None:
    searching = looking if preset == "quick" else few(preset)
    names = (QUERY, "motorcycle.jpg")
    views, _ = searching.viewer.views([halved(queries / name) for name in names])  # described once
    options = {"fusion": fusion, "shortlist": 2, "second_look": {"candidates": 2, "doubtful": 1}}
    before = scores(searching.find(*views, threshold=0, **options))
    for threshold in (0.001, 0.3, 0.6, 0.95):
        found = scores(searching.find(*views, threshold=threshold, **options))
        assert set(found) <= set(before)
        assert all(score >= threshold for score in found.values())
        before = found


def test_top_and_offset_page_through(looking: ObjectSearch, queries: Path) -> None:
    [query], _ = looking.viewer.views([halved(queries / QUERY)])  # described once
    every = looking.find(query, threshold=0)
    pages: list[str] = []
    for offset in range(0, 40, 13):
        page = looking.find(query, threshold=0, top=13, offset=offset)
        assert len(page.hits) <= 13
        assert page.found == every.found
        pages += refs(page)
    assert pages == refs(every)
    assert looking.find(query, threshold=0, offset=1000).hits == ()
    assert refs(looking.find(query, top=1)) == refs(every)[:1]


@pytest.mark.parametrize(
    "options",
    [
        {"treshold": 0.3},
        {"threshold": 1.5},
        {"threshold": float("nan")},
        {"top": 0},
        {"top": "many"},
        {"offset": -1},
        {"fusion": "median"},
        {"shortlist": 0},
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_told(
    search: ObjectSearch, queries: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        search.find(queries / QUERY, **options)


def test_the_settings_in_force_are_in_the_answer(search: ObjectSearch, queries: Path) -> None:
    said = search.find(queries / QUERY, threshold=0.37, top=5, fusion="mean").settings
    assert said["search"] == {
        **search.settings.search.model_dump(mode="json"),
        **{"threshold": 0.37, "top": 5, "fusion": "mean"},
    }
    assert said["detector"] == {"name": "whole-image"}
    assert json.dumps(said)


# The same picture


@pytest.mark.parametrize("preset", preset_names())
def test_an_image_against_itself_scores_1(preset: str, some: list[Path], photos: Path) -> None:
    search = ObjectSearch.open(preset)
    # Repeated texture, blur and things that outline nothing are the hard ones.
    for path in (*some[:2], photos / "box_in_scene.png", photos / "grass.jpg"):
        hit = search.compare(path, path)
        assert hit.score == pytest.approx(1.0, abs=1e-6), path.name
        assert hit.verdict == "same"
        assert hit.pairs[0].overlap_query == pytest.approx(1.0, abs=1e-3)


def test_an_image_against_itself_scores_1_in_object_mode(some: list[Path]) -> None:
    search = ObjectSearch.open("default", {"assignment.frames": False})
    hit = search.compare(some[-1], some[-1])
    assert hit.score == pytest.approx(1.0, abs=1e-6)
    assert hit.verdict == "same"


def test_the_same_pixels_in_another_file_score_1(search: ObjectSearch, photos: Path) -> None:
    first = search.find(photos / "toys.jpg").hits[0]
    assert Path(first.ref.uri).name == "copy.png"
    assert first.score == pytest.approx(1.0, abs=1e-6)


def test_the_query_is_left_out_unless_asked_for(search: ObjectSearch, photos: Path) -> None:
    path = photos / "toys.jpg"
    assert "toys.jpg" not in refs(search.find(path, threshold=0))
    assert "toys.jpg" in refs(search.find(path, threshold=0, include_query=True))
    for other_way in (f"{photos}/../photos/toys.jpg", f"{path}#xywh=10,10,200,200"):
        assert "toys.jpg" not in refs(search.find(other_way, threshold=0))
    assert "toys.jpg" in refs(search.find(path.read_bytes(), threshold=0))
    both = search.find(path, photos / "coins.png", threshold=0)
    assert not {"toys.jpg", "coins.png"} & set(refs(both))
    assert both.compared == 34


def test_a_query_by_the_ref_of_an_indexed_image(search: ObjectSearch, photos: Path) -> None:
    ref = next(search.images()).ref
    assert search.find(ref, include_query=True).hits[0].ref == ref
    assert search.find(str(ref), include_query=True).hits[0].ref == ref


@pytest.mark.parametrize("preset", preset_names())
def test_whichever_comes_first_the_score_is_the_same(
    preset: str, photos: Path, queries: Path
) -> None:
    search = ObjectSearch.open(preset)
    pairs: list[tuple[Any, Any]] = [
        tuple(map(halved, (queries / "electronics_book.jpg", photos / "two_books.jpg"))),
        (queries / "box.png", photos / "box_in_scene.png"),
    ]
    if preset == "default":  # strangers are compared in every way there is: small ones
        pairs.append(tuple(map(halved, (queries / "cat.jpg", photos / "coins.png"))))
    for number, (query, photo) in enumerate(pairs):
        one, other = search.compare(query, photo), search.compare(photo, query)
        assert one.score == other.score, number
        assert one.verdict == other.verdict, number


def test_told_from_the_other_side_the_evidence_is_turned(photos: Path, queries: Path) -> None:
    search = ObjectSearch.open("fast")
    paths = queries / "box.png", photos / "box_in_scene.png"
    one, other = search.compare(*paths), search.compare(*paths[::-1])
    assert (str(one.query), str(one.ref)) == tuple(map(str, paths))
    assert (str(other.query), str(other.ref)) == tuple(map(str, paths[::-1]))
    assert one.size_wh == (512, 384) and other.size_wh == (324, 223)
    there, back = one.pairs[0], other.pairs[0]
    assert there.query.box_xyxy == pytest.approx(back.reference.box_xyxy)
    assert there.reference.box_xyxy == pytest.approx(back.query.box_xyxy)
    assert there.overlap_query == pytest.approx(back.overlap_reference)
    assert there.verification is not None and back.verification is not None
    product = there.verification.transform @ back.verification.transform
    assert np.allclose(product / product[2, 2], np.eye(3), atol=1e-6)


# The same answer however the work is spread


@pytest.mark.parametrize("preset", ["default", "copies"])
def test_workers_and_batches_change_no_byte(
    preset: str, some: list[Path], queries: Path, photos: Path
) -> None:
    references = [*some, photos / "two_books.jpg", photos / "blurred_clock.jpg"]
    views = [queries / "electronics_book.jpg", queries / QUERY]
    seen = set()
    for workers, size in ((1, 1), (2, 8), (3, 2)):
        changes = {"run.workers": workers, "run.batch_size": size, "search.shortlist": 5}
        changes["search.second_look.doubtful"] = 3  # one for every worker
        search = ObjectSearch.open(preset, changes).add(*references)
        seen.add(as_bytes(search.find(*views, threshold=0)))
    assert len(seen) == 1


def test_workers_change_no_byte_beside_threads_of_linear_algebra(
    some: list[Path], queries: Path, clean_environment: dict[str, str]
) -> None:
    """In a process of its own: in that of the tests there is one of them (`tests/__init__.py`)."""
    names, query = [str(path) for path in some[:3]], str(queries / "toys_whale_marked.jpg")
    code = f"""
from objsearch import ObjectSearch
from tests.search.test_pipeline import as_bytes
seen = set()
for workers in (1, 3):
    search = ObjectSearch.open("sift", {{"run.workers": workers}}).add(*{names!r})
    seen.add(as_bytes(search.find({query!r}, threshold=0, second_look={{"doubtful": 1}})))
assert len(seen) == 1
"""
    threads = {"OPENBLAS_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)}
    environment = {**clean_environment, **threads}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=300)


def test_the_order_of_adding_changes_no_byte(
    quick: dict[str, Any], some: list[Path], queries: Path
) -> None:
    answers = [
        ObjectSearch.open(quick).add(*paths).find(queries / QUERY, threshold=0)
        for paths in (some, some[::-1])
    ]
    assert as_bytes(answers[0]) == as_bytes(answers[1])


def test_a_search_can_be_asked_again(looking: ObjectSearch, queries: Path) -> None:
    first = as_bytes(looking.find(queries / QUERY, threshold=0))
    looking.find(queries / "motorcycle.jpg")
    assert as_bytes(looking.find(queries / QUERY, threshold=0)) == first


# Too little structure


def test_a_flat_picture_is_noted_and_never_scored(search: ObjectSearch, queries: Path) -> None:
    answer = search.find(queries / QUERY, threshold=0)
    [hit] = [hit for hit in answer.hits if hit.ref.uri.endswith("flat.png")]
    assert (hit.note, hit.score, hit.verdict, hit.pairs) == (
        "too_few_features",
        0.0,
        "uncertain",
        (),
    )
    assert all(hit.note == "" for hit in answer.hits if not hit.ref.uri.endswith("flat.png"))


@pytest.mark.parametrize("preset", preset_names())
def test_a_flat_query_finds_nothing_and_says_why(preset: str, some: list[Path]) -> None:
    search = ObjectSearch.open(preset)
    for pixels in (flat(200, 300, 0), flat(200, 300, 255), flat(1, 1)):
        hit = search.compare(pixels, some[0])
        assert (hit.note, hit.score) == ("too_few_features", 0.0)
        assert hit.verdict != "same"
    # Sensor noise is no structure either; two flat pictures are not the same for being flat.
    grainy = np.clip(flat(200, 300) + noise(200, 300).astype(float) / 128 - 1, 0, 255)
    hit = search.compare(grainy.astype(np.uint8), flat(200, 300, 90))
    assert (hit.note, hit.score) == ("too_few_features", 0.0)
    assert search.compare(flat(50, 50), flat(50, 50)).score == pytest.approx(1.0, abs=1e-6)


# Regions of interest


@pytest.mark.parametrize("preset", ["fast", "default"])
def test_a_region_is_searched_like_its_lossless_crop(
    preset: str, few: Callable[[str], ObjectSearch], photos: Path, tmp_path: Path
) -> None:
    search = few(preset)
    options = {"threshold": 0, "second_look": {"doubtful": 1}}
    for name, (x, y, w, h) in {
        "composed_box_on_gravel.jpg": (219, 117, 391, 363),
        "composed_cup_by_markers.jpg": (95, 5, 478, 245),
    }.items():
        whole = decode((photos / name).read_bytes()).pixels
        crop = np.ascontiguousarray(whole[y : y + h, x : x + w])
        (tmp_path / "crop.png").write_bytes(encoded(crop, "PNG"))
        by_region = search.find(photos / name, region=(x, y, w, h), include_query=True, **options)
        by_crop = search.find(tmp_path / "crop.png", **options)
        assert scores(by_region) == pytest.approx(scores(by_crop), abs=1e-3)


def test_a_region_in_the_ref_is_a_region(search: ObjectSearch, photos: Path) -> None:
    path = photos / "toys.jpg"
    by_option = search.find(path, region=(100, 80, 300, 200), threshold=0)
    by_ref = search.find(f"{path}#xywh=100,80,300,200", threshold=0)
    assert scores(by_option) == scores(by_ref)


def test_a_search_among_the_query_alone_says_so(quick: dict[str, Any], some: list[Path]) -> None:
    search = ObjectSearch.open(quick).add(some[0])
    [told] = search.find(some[0]).warnings
    assert told.startswith("all that was searched is the query itself")
    assert search.find(some[0], include_query=True).warnings == ()
    assert search.add(some[1]).find(some[0]).warnings == ()


def test_a_region_that_is_not_used_is_told(quick: dict[str, Any], some: list[Path]) -> None:
    part, whole = f"{some[0]}#xywh=10,10,200,200", some[1]
    percent = f"{some[2]}#xywh=percent:10,10,50,50"
    search = ObjectSearch.open(quick).add(part, whole, region="5%,5%,90%,90%")
    told = "it names its own part, and the region 5%,5%,90%,90% is not used"
    assert search.find(whole).warnings == (f"{part}: {told}",)
    asked = search.find(part, percent, whole, region="0,0,100,100").warnings
    assert [warning for warning in asked if "the region 0,0,100,100 is not used" in warning] == [
        f"{name}: it names its own part, and the region 0,0,100,100 is not used"
        for name in (part, some[2])
    ]


def test_boxes_of_a_region_are_in_the_whole_image(search: ObjectSearch, photos: Path) -> None:
    path = photos / "toys.jpg"
    look = {"doubtful": 2}  # the photo and its copy
    answer = search.find(path, region="100,80,300,200", include_query=True, second_look=look)
    query = answer.queries[0]
    assert query.size_wh == size_of(path)
    assert query.regions[-1].box_xyxy == (100, 80, 400, 280)
    [hit] = [hit for hit in answer.hits if hit.ref.uri == str(path)]
    pair = hit.pairs[0]
    assert pair.verification is not None
    # The region lies where it came from: the movement is none at all.
    assert np.allclose(pair.verification.transform, np.eye(3), atol=0.02 * 400)
    assert pair.reference.box_xyxy == pytest.approx((100, 80, 400, 280), abs=12)


@pytest.mark.parametrize(
    ("given", "box"),
    [
        ("10,20,100,50", (10, 20, 110, 70)),
        ((10, 20, 100, 50), (10, 20, 110, 70)),
        ("0.25,0.5,0.5,0.25", None),
        ("25%,50%,50%,25%", None),
        ("25.0%, 50%, 50%, 25%", None),
    ],
)
def test_regions_in_pixels_fractions_and_percent(
    search: ObjectSearch, photos: Path, given: Any, box: tuple[float, ...] | None
) -> None:
    path = photos / "toys.jpg"
    width, height = size_of(path)
    expected = box or (width / 4, height / 2, width * 3 / 4, height * 3 / 4)
    frame = search.find(path, region=given).queries[0].regions[-1]
    assert frame.box_xyxy == pytest.approx(expected, abs=1)


def test_a_region_over_the_edge_is_clipped_with_a_warning(
    search: ObjectSearch, photos: Path
) -> None:
    path = photos / "toys.jpg"
    width, _ = size_of(path)
    answer = search.find(path, region=(width - 200, -50, 5000, 250))
    assert answer.queries[0].regions[-1].box_xyxy == (width - 200, 0, width, 200)
    assert any("clipped" in warning for warning in answer.warnings)


@pytest.mark.parametrize(
    "region",
    [
        *("", "10,10", "a,b,c,d", "10,10,0,5", "10,10,5,-5", "10%,10,5,5", "nan,0,10,10"),
        *("0,0,inf,10", "1e999,0,1,1", "9000,9000,10,10"),
        (1, 2, 3),
    ],
    ids=str,
)
def test_a_region_that_is_none_is_told(search: ObjectSearch, photos: Path, region: Any) -> None:
    with pytest.raises(Exception) as caught:
        search.find(photos / "toys.jpg", region=region)
    kinds = {kind.__name__ for kind in type(caught.value).__mro__}
    assert "ObjSearchError" in kinds
    assert "region" in str(caught.value)


# Several views


def test_the_order_of_views_never_matters(
    search: ObjectSearch, looking: ObjectSearch, queries: Path
) -> None:
    names = (QUERY, "motorcycle.jpg", "marker_board.jpg")
    views, _ = looking.viewer.views([halved(queries / name) for name in names])  # described once
    for fusion, searching in (
        ("max", looking),
        ("rrf", looking),
        ("mean", search),
        ("min", search),
    ):
        answers = [
            searching.find(*order, fusion=fusion, threshold=0) for order in (views, views[::-1])
        ]
        hits = [answer_json(replace(one, queries=()))["hits"] for one in answers]
        for hit in [*hits[0], *hits[1]]:
            hit["view_scores"] = sorted(hit["view_scores"].items())
        assert hits[0] == hits[1]


def test_each_hit_shows_every_view_and_which_won(looking: ObjectSearch, queries: Path) -> None:
    views = [queries / QUERY, queries / "motorcycle.jpg"]
    alone = [scores(looking.find(view, threshold=0)) for view in views]
    fused = looking.find(*views, threshold=0)
    assert len(fused.queries) == 2
    for hit in fused.hits:
        said = [one[str(hit.ref)] for one in alone]
        assert hit.view_scores == {str(v): s for v, s in zip(views, said, strict=True)}
        assert hit.score == max(said)
        assert hit.view_scores[str(hit.query)] == max(said)
    assert {"palace_copy_recompressed.jpg", "motorcycle_garage.jpg"} <= set(refs(fused)[:4])


def test_a_repeated_view_changes_nothing_under_max(
    search: ObjectSearch, queries: Path, tmp_path: Path
) -> None:
    view = queries / QUERY
    again = tmp_path / "again.jpg"
    again.write_bytes(view.read_bytes())
    once = scores(search.find(view, threshold=0))
    assert scores(search.find(view, again, threshold=0)) == once
    assert scores(search.find(view, view, view, threshold=0)) == once
    assert scores(search.find(view, again, threshold=0, fusion="min")) == once


def test_an_unreadable_view_is_a_warning_all_unreadable_an_error(
    search: ObjectSearch, queries: Path, tmp_path: Path
) -> None:
    broken, words = tmp_path / "broken.jpg", tmp_path / "words.jpg"
    broken.write_bytes(b"")
    words.write_text("words")
    answer = search.find(broken, queries / QUERY, threshold=0)
    assert scores(answer) == scores(search.find(queries / QUERY, threshold=0))
    assert any("broken.jpg: the file is empty" in warning for warning in answer.warnings)
    with pytest.raises(UsageError, match=r"no query can be read.*broken.*empty.*words"):
        search.find(broken, words)


def test_unrelated_queries_have_answers_of_their_own(search: ObjectSearch, queries: Path) -> None:
    names = ["marker_board.jpg", QUERY, "motorcycle.jpg"]
    answers = list(search.find_each([queries / name for name in names], top=1))
    assert [Path(str(a.queries[0].ref)).name for a in answers] == names
    for name, answer in zip(names, answers, strict=True):
        assert as_bytes(answer) == as_bytes(search.find(queries / name, top=1))


def test_a_query_that_cannot_be_read_stops_no_other(
    search: ObjectSearch, queries: Path, tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("no picture")
    first, lost, last = search.find_each([queries / QUERY, words, queries / "motorcycle.jpg"])
    assert first.queries and last.queries and last.compared
    assert (lost.queries, lost.hits, lost.scanned, lost.found) == ((), (), 0, 0)
    assert lost.settings == first.settings
    assert any("words.txt: not an image" in warning for warning in lost.warnings)
    answers = search.find_each([words, None])
    assert [next(answers).queries, next(answers).queries] == [(), ()]
    with pytest.raises(UsageError, match=r"no query can be read.*None is not an image"):
        next(answers)
    with pytest.raises(UsageError, match="no query: give"):
        search.find([])


# Nothing to do


def test_no_query_and_no_references_are_told(
    quick: dict[str, Any], search: ObjectSearch, queries: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no query"):
        search.find()
    with pytest.raises(UsageError, match="no query"):
        search.find([])
    with pytest.raises(UsageError, match="no references"):
        ObjectSearch.open(quick).find(queries / QUERY)
    with pytest.raises(UsageError, match="no references"):
        ObjectSearch.open(quick).add(tmp_path).find(queries / QUERY)
    with pytest.raises(UsageError, match="no such reference: 'nowhere'"):
        ObjectSearch.open(quick).add("nowhere")
    with pytest.raises(UsageError, match=r"no such query: 'gone\.jpg'"):
        search.find("gone.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match=r"none of the 1 references can be read.*broken.*empty"):
        ObjectSearch.open(quick).add(tmp_path).find(queries / QUERY)
    with pytest.raises(UsageError, match=r"broken\.jpg"):
        search.compare(tmp_path / "broken.jpg", queries / QUERY)


def test_progress_is_told(quick: dict[str, Any], some: list[Path]) -> None:
    told: list[tuple[str, int, int | None]] = []
    ObjectSearch.open(quick, progress=lambda *what: told.append(what)).add(*some)
    assert told == [("describe", number, len(some)) for number in range(len(some) + 1)]


# Evidence


def test_pairs_carry_the_evidence(
    few: Callable[[str], ObjectSearch], queries: Path, photos: Path
) -> None:
    answer = few("default").find(queries / "electronics_book.jpg")
    hit = answer.hits[0]
    assert Path(hit.ref.uri).name == "two_books.jpg"
    assert hit.verdict == "same"
    assert hit.score == hit.pairs[0].score
    order = [pair.score for pair in hit.pairs]
    assert order == sorted(order, reverse=True)
    best = hit.pairs[0]
    assert best.verification is not None
    assert best.inliers == best.verification.n_inliers > 5
    assert best.overlap_query is not None and best.overlap_reference is not None
    assert 0 < best.overlap_query <= 1 and 0 < best.overlap_reference <= 1
    truth = (262, 106, 405, 329)  # from examples/groundtruth.csv
    assert best.reference.box_xyxy.iou(type(best.reference.box_xyxy)(*truth)) > 0.5
    for found in (best.query.box_xyxy, best.reference.box_xyxy):
        assert found.area > 0
    width, height = hit.size_wh
    for pair in hit.pairs:
        assert pair.reference.box_xyxy == pair.reference.box_xyxy.clipped((width, height))
        assert set(pair.similarities) <= {"embedding", "orb"}
        assert all(0 <= value <= 1 for value in pair.similarities.values())


def test_regions_pair_one_to_one_unless_asked(
    quick: dict[str, Any], pixels_of: Callable[[str], Pixels]
) -> None:
    thing = cropped(pixels_of("toys.jpg"), 0.4)
    height, width = thing.shape[:2]
    twice = np.full((height + 40, 2 * width + 60, 3), 127, np.uint8)
    twice[20 : 20 + height, 20 : 20 + width] = thing
    twice[20 : 20 + height, 40 + width : 40 + 2 * width] = brightened(thing)
    boxes = [(20, 20, width, height), (40 + width, 20, width, height)]
    settings = {**quick, "detector": {"name": "given-boxes", "boxes_xywh": boxes}}
    settings["assignment"] = {"local_pairs": 99}

    def copies(rule: str) -> set[tuple[float, ...]]:
        search = ObjectSearch.open({**settings, "assignment": {"rule": rule}})
        hit = search.compare(thing, twice)
        return {tuple(p.reference.box_xyxy) for p in hit.pairs if p.inliers and p.query.is_frame}

    both = {(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h in boxes}
    assert both <= copies("one-to-many")
    assert len(copies("one-to-one") & both) <= 1


def test_labels_never_veto_unless_asked(quick: dict[str, Any], some: list[Path]) -> None:
    search = ObjectSearch.open(quick)
    view, other = (search.viewer.views([path])[0][0].image for path in (some[0], some[0]))
    renamed = replace(
        other, regions=tuple(replace(r, label="vase") for r in other.regions), content="other"
    )
    assert search.comparer.compare(view, renamed).score > 0.5
    strict = ObjectSearch.open({**quick, "assignment": {"same_class": True}})
    assert strict.comparer.compare(view, renamed).score == 0.0


def test_a_mirror_image_is_found_where_asked_and_its_evidence_is_upright(
    quick: dict[str, Any], pixels_of: Callable[[str], Pixels]
) -> None:
    photo = pixels_of("toys.jpg")
    height, width = photo.shape[:2]
    seen_in_mirror = np.ascontiguousarray(photo[:, ::-1])
    assert ObjectSearch.open(quick).compare(seen_in_mirror, photo).score < 0.5
    search = ObjectSearch.open(quick, {"geometry.mirrored": True})
    hit = search.compare(seen_in_mirror, photo)
    assert hit.score > 0.5 and hit.verdict == "same"
    found = hit.pairs[0].verification
    assert found is not None and found.mirrored
    x, y, w = found.transform @ np.array([width - 1 - 30.0, 40.0, 1.0])
    assert (x / w, y / w) == pytest.approx((30.0, 40.0), abs=3.0)
    ends = found.inliers_xyxy
    assert np.abs(width - 1 - ends[:, 0] - ends[:, 2]).max() < 6
    assert np.abs(ends[:, 1] - ends[:, 3]).max() < 6
    assert (ends[:, 0] >= 0).all() and (ends[:, 0] < width).all() and height > 0


def test_a_file_is_one_reference_however_it_is_spelled(
    quick: dict[str, Any], some: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    photo = tmp_path / "real" / "photo.jpg"
    photo.write_bytes(some[0].read_bytes())
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    search = ObjectSearch.open(quick)
    for name in ("real/photo.jpg", str(photo), "link/photo.jpg"):
        search.add(name)
    [hit] = search.find(some[0], threshold=0).hits
    assert str(hit.ref) == "real/photo.jpg"  # as it was given first


def test_what_cannot_be_read_is_counted_and_the_first_are_listed(
    quick: dict[str, Any], some: list[Path], tmp_path: Path
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.jpg").write_bytes(b"no picture")
    search = ObjectSearch.open(quick).add(some[0], tmp_path)
    listed = {n: search.find(some[1], list_skipped=n) for n in (2, 100)}
    assert [len(one.skipped) for one in listed.values()] == [2, 5]
    assert {one.n_skipped for one in listed.values()} == {5}
    assert search.find(some[1]).settings["search"]["list_skipped"] == 100  # type: ignore[index]


def test_names_are_asked_for_of_what_is_listed_alone(
    quick: dict[str, Any], some: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key asks the system, and there may be 100,000 of them."""
    names = [f"{number}.jpg" for number in range(9)]
    for name in names:
        (tmp_path / name).write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    search = ObjectSearch.open(quick).add(some[0], ".")
    asked: list[ImageRef] = []

    def noted(ref: ImageRef) -> str:
        asked.append(ref)
        return key_of(ref)

    monkeypatch.setattr("objsearch.search.references.key_of", noted)
    assert len(search.find(some[1], list_skipped=2).skipped) == 2
    assert [Path(ref.uri).name for ref in asked if Path(ref.uri).name in names] == names[:2]


def test_of_odd_references_the_first_are_told_and_the_others_counted(
    quick: dict[str, Any], some: list[Path], tmp_path: Path
) -> None:
    for number in range(5):
        pixels = decode(some[number % 3].read_bytes()).pixels
        (tmp_path / f"{number}.jpg").write_bytes(encoded(pixels, "PNG"))  # not what its name says
    search = ObjectSearch.open(quick).add(tmp_path)
    told = {n: search.find(some[3], list_skipped=n).warnings for n in (0, 2, 5)}
    names = [[line.split(": ")[0] for line in of_n] for of_n in told.values()]
    first, second = (str(tmp_path / f"{number}.jpg") for number in (0, 1))
    assert names[0] == ["5 further references were odd"]
    assert names[1] == [first, second, "3 further references were odd"]
    assert len(search.warnings) == len(names[2]) == 5


def test_what_is_done_stays_when_stopped_but_no_part_of_a_file(
    quick: dict[str, Any], some: list[Path], tmp_path: Path
) -> None:
    from tests.images import files

    pages = [decode(path.read_bytes()).pixels for path in some[:3]]
    (tmp_path / "z.pdf").write_bytes(files.pdf(pages))
    (tmp_path / "a.jpg").write_bytes(some[0].read_bytes())
    seen: list[int] = []

    def stop(stage: str, done: int, total: int | None) -> None:
        seen.append(done)
        if done == 3:  # in the middle of the pages
            raise KeyboardInterrupt

    search = ObjectSearch.open({**quick, "run": {"workers": 1, "batch_size": 1}}, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        search.add(tmp_path)
    assert [Path(one.ref.uri).name for one in search.images()] == ["a.jpg"]


def test_an_answer_on_a_notebook_s_page_is_to_be_read(
    quick_search: ObjectSearch, photos: Path
) -> None:
    """Descriptors, keypoints and settings would fill it; they are there all the same."""
    answer = quick_search.find(photos / "toys.jpg", include_query=True)
    verification = Verification("homography", np.eye(3), np.zeros((500, 4), np.float32))
    for shown in (repr(answer), repr(verification)):
        assert "descriptors" not in shown and "inliers_xyxy" not in shown
        assert "settings" not in shown
    assert "toys.jpg" in repr(answer)
    assert answer.settings and answer.queries[0].descriptors
