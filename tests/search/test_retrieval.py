"""Several views, what is not wanted, filters, and regions of references: through the public API."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objsearch.errors import ConfigError, UsageError
from objsearch.images.decode import decode
from objsearch.rank.fusion import fuse
from objsearch.search.pipeline import ObjectSearch
from objsearch.types import Answer, Hit
from tests.pictures import encoded

PALACE, CYCLE = "palace.jpg", "motorcycle.jpg"


def scores(answer: Answer) -> dict[str, float]:
    return {Path(hit.ref.uri).name: hit.score for hit in answer.hits}


def by_name(answer: Answer) -> dict[str, Hit]:
    return {Path(hit.ref.uri).name: hit for hit in answer.hits}


# Weights


@pytest.mark.parametrize("fusion", ["max", "mean", "rrf", "min"])
def test_weights_go_with_their_photos(
    fusion: str, quick_search: ObjectSearch, queries: Path
) -> None:
    weights = {PALACE: 3.0, CYCLE: 1.0, "cat.jpg": 2.0}
    options = {"threshold": 0, "fusion": fusion}
    answers = [
        scores(
            quick_search.find(
                *[queries / name for name in order], weights=[weights[n] for n in order], **options
            )
        )
        for order in (list(weights), list(weights)[::-1])
    ]
    assert all(answer == answers[0] for answer in answers)
    views = [queries / name for name in weights]
    plain = scores(quick_search.find(*views, **options))
    assert plain != answers[0]
    assert scores(quick_search.find(*views, weights=[7, 7, 7], **options)) == pytest.approx(plain)


def test_under_max_the_winner_has_the_most_say(quick_search: ObjectSearch, queries: Path) -> None:
    views = [queries / PALACE, queries / CYCLE]
    hits = by_name(quick_search.find(*views, weights=[1, 4], threshold=0))
    for hit in hits.values():
        palace, cycle = (hit.view_scores[str(view)] for view in views)
        assert hit.score == pytest.approx(max(palace / 4, cycle))
        assert str(hit.query) == str(views[cycle >= palace / 4])
    assert hits["palace_copy_recompressed.jpg"].score == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ([1.0], "1 weights for 2"),
        ([1, 2, 3], "3 weights for 2"),
        ([1, 0], "weights"),
        ([1, -2], "weights"),
        ([1, float("nan")], "weights"),
        ([1, float("inf")], "weights"),
        ("heavy", "weights"),
    ],
    ids=str,
)
def test_weights_that_do_not_fit_are_told(
    weights: Any, reason: str, quick_search: ObjectSearch, queries: Path
) -> None:
    with pytest.raises((UsageError, ConfigError), match=reason):
        quick_search.find(queries / PALACE, queries / CYCLE, weights=weights)


def test_of_a_photo_named_twice_the_greater_weight_counts(
    quick_search: ObjectSearch, queries: Path
) -> None:
    one, other = queries / PALACE, queries / CYCLE
    expected = quick_search.find(one, other, weights=[3, 1], fusion="mean", threshold=0)
    for views, weights in (((one, one, other), (1, 3, 1)), ((one, other, one), (3, 1, 2))):
        answer = quick_search.find(*views, weights=weights, fusion="mean", threshold=0)
        assert scores(answer) == scores(expected)


def test_every_hit_has_a_score_of_every_view_beyond_the_shortlist(
    searches: Any, queries: Path
) -> None:
    search = searches("fast")
    views = [queries / PALACE, queries / CYCLE, queries / "box.png"]
    for fusion in ("mean", "rrf"):
        answer = search.find(*views, shortlist=1, threshold=0.02, fusion=fusion)
        assert answer.hits
        assert all(len(hit.view_scores) == 3 for hit in answer.hits)
        said = [{str(h.ref): h.view_scores[str(view)] for h in answer.hits} for view in views]
        if fusion != "rrf":
            assert fuse(said, fusion) == pytest.approx({str(h.ref): h.score for h in answer.hits})


def test_ranks_count_whatever_the_threshold(searches: Any, queries: Path) -> None:
    views = [queries / PALACE, queries / CYCLE]
    every, some = (
        searches("fast").find(*views, shortlist=1, threshold=threshold, fusion="rrf")
        for threshold in (0, 0.5)
    )
    assert len(some.hits) > 2
    assert scores(some) == {ref: s for ref, s in scores(every).items() if s >= 0.5}


# What is not wanted


def test_what_is_more_like_a_negative_is_ranked_down(
    quick_search: ObjectSearch, queries: Path, photos: Path
) -> None:
    views = [queries / PALACE, queries / CYCLE]
    negative = photos / "motorcycle_garage.jpg"
    plain = by_name(quick_search.find(*views, threshold=0))
    answer = quick_search.find(*views, negatives=[negative], threshold=0)
    for name, hit in by_name(answer).items():
        [n] = hit.negative_scores.values()
        p = max(hit.view_scores.values())
        before = plain[name]
        if n > p:
            assert hit.score == pytest.approx(before.score * (1 - n) / (1 - p))
            assert hit.note == "like_a_negative" or before.note
            assert hit.verdict != "same"
        else:
            assert (hit.score, hit.note, hit.verdict) == (before.score, before.note, before.verdict)
    unwanted = by_name(answer)["motorcycle_garage.jpg"]
    assert unwanted.negative_scores == {str(negative): 1.0}
    assert unwanted.score == 0.0 < plain["motorcycle_garage.jpg"].score
    assert answer.hits[0].ref.uri.endswith("palace_copy_recompressed.jpg")
    assert answer.settings["search"]["negatives"] == [str(negative)]  # type: ignore[index]


def test_negatives_never_raise_a_score_and_their_order_never_matters(
    quick_search: ObjectSearch, queries: Path, photos: Path
) -> None:
    negatives = [photos / "palace_copy_cropped.jpg", queries / "cat.jpg", photos / "toys.jpg"]
    plain = scores(quick_search.find(queries / PALACE, threshold=0))
    one = scores(quick_search.find(queries / PALACE, negatives=negatives, threshold=0))
    other = scores(quick_search.find(queries / PALACE, negatives=negatives[::-1], threshold=0))
    assert one == other
    assert all(one[name] <= plain[name] for name in plain)
    assert any(one[name] < plain[name] for name in plain)


def test_a_single_query_shows_its_own_score_beside_the_negatives(
    quick_search: ObjectSearch, queries: Path
) -> None:
    pixels = decode((queries / "cat.jpg").read_bytes()).pixels
    answer = quick_search.find(queries / PALACE, negatives=pixels, threshold=0)
    assert all(set(hit.view_scores) == {str(queries / PALACE)} for hit in answer.hits)
    assert all(set(hit.negative_scores) == {"<array:1>"} for hit in answer.hits)


def test_negatives_that_cannot_be_read(
    quick_search: ObjectSearch, queries: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"")
    answer = quick_search.find(queries / PALACE, negatives=[broken, queries / "cat.jpg"])
    assert any("broken.jpg: the file is empty" in warning for warning in answer.warnings)
    with pytest.raises(UsageError, match=r"no unwanted image can be read.*broken"):
        quick_search.find(queries / PALACE, negatives=[broken])


def test_negatives_of_a_batch(quick_search: ObjectSearch, queries: Path, photos: Path) -> None:
    negatives = [photos / "motorcycle_garage.jpg"]
    names = [queries / PALACE, queries / CYCLE]
    answers = list(quick_search.find_each(names, negatives=negatives, threshold=0))
    for name, answer in zip(names, answers, strict=True):
        assert scores(answer) == scores(quick_search.find(name, negatives=negatives, threshold=0))


# Queries that are indexed


@pytest.fixture
def watched(first_look: dict[str, Any], some: list[Path], tmp_path: Path) -> ObjectSearch:
    """A search over copies of some photos that counts what it describes."""
    for path in some:
        shutil.copy(path, tmp_path)
    search = ObjectSearch.open(first_look).add(
        tmp_path, encoded(np.eye(80, dtype=np.uint8) * 255, "PNG")
    )
    real = search.describer.describe

    def counting(images: list[Any]) -> list[Any]:
        search.described.extend(images)  # type: ignore[attr-defined]
        return real(images)

    search.described = []  # type: ignore[attr-defined]
    search.describer.describe = counting  # type: ignore[method-assign]
    return search


@pytest.mark.parametrize("form", ["text", "path", "ref", "relative"])
def test_an_indexed_query_is_not_described_again(
    form: str, watched: ObjectSearch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "toys.jpg"
    [ref] = [one.ref for one in watched.images() if one.ref.uri == str(path)]
    given = {"text": str(path), "path": path, "ref": ref, "relative": "./toys.jpg"}[form]
    answer = watched.find(given, threshold=0)
    assert watched.described == []  # type: ignore[attr-defined]
    assert "toys.jpg" not in scores(answer)
    fresh = watched.find(path.read_bytes(), threshold=0)
    assert len(watched.described) == 1  # type: ignore[attr-defined]
    assert scores(answer) == {k: v for k, v in scores(fresh).items() if k != "toys.jpg"}


def test_what_was_at_hand_can_be_asked_for_by_its_name(watched: ObjectSearch) -> None:
    for name in ("<bytes:1>", next(one.ref for one in watched.images() if one.ref.uri[0] == "<")):
        assert str(watched.find(name, include_query=True).hits[0].ref) == "<bytes:1>"
    with pytest.raises(UsageError, match="no such query"):
        watched.find("<bytes:2>")
    assert watched.described == []  # type: ignore[attr-defined]


def test_a_file_that_has_changed_is_described_anew(watched: ObjectSearch, tmp_path: Path) -> None:
    toys, coins = tmp_path / "toys.jpg", tmp_path / "coins.png"
    toys.write_bytes(coins.read_bytes())
    answer = watched.find(toys, threshold=0)
    assert len(watched.described) == 1  # type: ignore[attr-defined]
    assert scores(answer)["coins.png"] == 1.0


def test_a_page_among_the_references_is_a_query(
    quick: dict[str, Any], some: list[Path], tmp_path: Path
) -> None:
    from tests.images import files

    pages = [decode(path.read_bytes()).pixels for path in some[1:4]]
    (tmp_path / "scan.pdf").write_bytes(files.pdf(pages))
    (tmp_path / "one.pdf").write_bytes(files.pdf(pages[:1]))
    (tmp_path / "copy.png").write_bytes(encoded(pages[2], "PNG"))
    search = ObjectSearch.open(quick).add(tmp_path)
    answer = search.find(f"{tmp_path}/scan.pdf#page=3", threshold=0)
    assert answer.queries[0] is search.references.known(answer.queries[0].ref)
    names = [str(hit.ref).rpartition("/")[2] for hit in answer.hits]
    assert names[0] == "copy.png"
    assert set(names) == {"copy.png", "one.pdf", "scan.pdf#page=1", "scan.pdf#page=2"}
    # Its only page goes by the file's own name.
    alone = search.find(f"{tmp_path}/one.pdf#page=1", threshold=0)
    assert "one.pdf" not in [str(hit.ref).rpartition("/")[2] for hit in alone.hits]


# Filters


def test_filters_leave_out_what_they_say(
    quick_search: ObjectSearch, queries: Path, photos: Path
) -> None:
    every = quick_search.find(queries / PALACE, threshold=0)
    where = {"exclude": ["palace_*"], "include": ["*.jpg"]}
    some = quick_search.find(queries / PALACE, threshold=0, where=where)
    expected = {
        name: score
        for name, score in scores(every).items()
        if name.endswith(".jpg") and not name.startswith("palace_")
    }
    assert scores(some) == expected
    assert some.scanned == some.compared == len(expected)
    assert some.filtered == every.compared - len(expected)
    assert some.settings["search"]["where"]["exclude"] == ["palace_*"]  # type: ignore[index]
    least = quick_search.find(queries / PALACE, threshold=0, where={"min_pixels": 150_000})
    assert set(scores(least)) == {
        Path(hit.ref.uri).name for hit in every.hits if hit.size_wh[0] * hit.size_wh[1] >= 150_000
    }
    assert 0 < len(least.hits) < len(every.hits)


@pytest.mark.parametrize("exclude", [[], ["c*", "*.png"], ["toys.jpg", "old_*"], ["*"]], ids=str)
def test_what_is_filtered_changes_nothing_for_the_rest(
    exclude: list[str], searches: Any, queries: Path
) -> None:
    """Also where the shortlist is short: what is left out takes no place on it."""
    search = searches("fast")
    query = str(queries / PALACE)
    answer = search.find(query, threshold=0, shortlist=3, where={"exclude": exclude})
    assert answer.compared + answer.filtered == len(search.index)
    assert len(answer.hits) == answer.compared
    if answer.compared > 3:
        assert sum("orb" in h.pairs[0].similarities for h in answer.hits if h.pairs) == 3


def test_labels_choose_images_and_unknown_ones_are_told(
    quick_search: ObjectSearch, quick: dict[str, Any], some: list[Path], queries: Path
) -> None:
    boxed = {**quick, "detector": {"name": "given-boxes", "boxes_xywh": [[9, 9, 99, 99]]}}
    search = ObjectSearch.open({**boxed, "detector": {**boxed["detector"], "label": "cup"}})
    search.add(some)
    found = search.find(queries / PALACE, threshold=0, where={"labels": ["cup", "vase"]})
    assert found.compared == len(some)
    assert [w for w in found.warnings if "label" in w] == [
        "no reference has the label 'vase' (labels there are: cup)"
    ]
    none = search.find(queries / PALACE, threshold=0, where={"labels": ["vase"]})
    assert (none.hits, none.compared, none.filtered) == ((), 0, len(some))


def test_dates_and_sizes(quick: dict[str, Any], some: list[Path], tmp_path: Path) -> None:
    day = 86_400
    for number, path in enumerate(some):
        shutil.copy(path, tmp_path)
        os.utime(tmp_path / path.name, (number * day + day / 2,) * 2)
    search = ObjectSearch.open(quick).add(tmp_path)

    def left(**where: Any) -> set[str]:
        return set(scores(search.find(some[0].read_bytes(), threshold=0, where=where)))

    names = [path.name for path in some]
    assert left(changed_from="1970-01-03") == set(names[2:])
    assert left(changed_to="1970-01-02") == set(names[:2])
    size = some[1].stat().st_size
    assert left(max_bytes=size) == {p.name for p in some if p.stat().st_size <= size}
    with pytest.raises(ConfigError, match="changed_from"):
        left(changed_from="yesterday")
    with pytest.raises(ConfigError, match="did you mean 'labels'"):
        left(label=["cup"])


# Regions of references, and detections inside


def test_a_region_of_a_reference_is_its_lossless_crop(
    quick: dict[str, Any], photos: Path, queries: Path, tmp_path: Path
) -> None:
    photo, (x, y, w, h) = photos / "box_in_scene.png", (60, 130, 260, 200)
    pixels = decode(photo.read_bytes()).pixels[y : y + h, x : x + w]
    (tmp_path / "crop.png").write_bytes(encoded(np.ascontiguousarray(pixels), "PNG"))
    [crop] = (
        ObjectSearch.open(quick)
        .add(tmp_path / "crop.png")
        .find(queries / "box.png", threshold=0)
        .hits
    )
    by_option = ObjectSearch.open(quick).add(photo, region=((x, y), (x + w, y + h)))
    by_setting = ObjectSearch.open({**quick, "input": {"region": [x, y, w, h]}}).add(photo)
    by_name = ObjectSearch.open(quick).add(f"{photo}#xywh={x},{y},{w},{h}")
    for search in (by_option, by_setting, by_name):
        [hit] = search.find(queries / "box.png", threshold=0).hits
        assert str(hit.ref) == f"{photo}#xywh={x},{y},{w},{h}"
        assert hit.score == pytest.approx(crop.score, abs=1e-3)
        assert hit.verdict == crop.verdict == "same"
        assert hit.size_wh == decode(photo.read_bytes()).pixels.shape[1::-1]
        assert hit.pairs[0].reference.box_xyxy == pytest.approx(
            crop.pairs[0].reference.box_xyxy.moved(x, y), abs=1e-3
        )


def test_a_region_that_some_references_lack(quick: dict[str, Any], some: list[Path]) -> None:
    search = ObjectSearch.open(quick).add(some, region="390,10,5000,200")
    widths = [decode(path.read_bytes()).pixels.shape[1] for path in some]
    assert len(search.index) == sum(width > 390 for width in widths) >= 1
    assert len(search.skipped) == sum(width <= 390 for width in widths) >= 1
    assert all("holds nothing" in one.reason for one in search.skipped)
    assert sum("clipped" in warning for warning in search.warnings) == len(search.index)


BOXES = [[10, 10, 100, 80], [200, 100, 150, 120], [150, 90, 300, 200]]


@pytest.fixture
def boxed(first_look: dict[str, Any], photos: Path) -> ObjectSearch:
    settings = {**first_look, "detector": {"name": "given-boxes", "boxes_xywh": BOXES}}
    return ObjectSearch.open(settings).add(photos / "toys.jpg")


def test_filter_keeps_the_detections_inside(boxed: ObjectSearch, photos: Path) -> None:
    options = {"region": "190,90:360,230", "include_query": True}
    inside = boxed.find(photos / "toys.jpg", roi_mode="filter", **options).queries[0]
    assert [(r.proposal, r.box_xyxy) for r in inside.regions] == [
        ("given", (200, 100, 350, 220)),
        ("frame", (190, 90, 360, 230)),
    ]
    assert inside.size_wh == boxed.find(photos / "toys.jpg", include_query=True).queries[0].size_wh
    cut_out = boxed.find(photos / "toys.jpg", roi_mode="replace", **options).queries[0]
    assert cut_out.regions[-1].box_xyxy == (190, 90, 360, 230)
    # A region without a detection inside is still looked for.
    nothing = boxed.find(photos / "toys.jpg", region="0,0:9,9", roi_mode="filter").queries[0]
    assert [r.proposal for r in nothing.regions] == ["frame"]


@pytest.mark.parametrize("mirrored", [False, True])
def test_keypoints_of_a_filtered_region_lie_in_it_and_match_in_place(
    mirrored: bool, quick: dict[str, Any], photos: Path, tmp_path: Path
) -> None:
    path = photos / "toys.jpg"
    target = decode(path.read_bytes()).pixels
    (tmp_path / "it.png").write_bytes(
        encoded(np.ascontiguousarray(target[:, ::-1]) if mirrored else target, "PNG")
    )
    settings = {**quick, "geometry": {"mirrored": mirrored}}
    search = ObjectSearch.open(settings).add(tmp_path / "it.png")
    hits = [
        search.find(path, region="90,70:410,300", roi_mode=mode).hits[0]
        for mode in ("replace", "filter")
    ]
    for hit in hits:
        found = hit.pairs[0].verification
        assert found is not None and found.mirrored == mirrored
        x, y, x2, y2 = found.inliers_xyxy.T
        assert x.min() >= 90 and x.max() <= 410 and y.min() >= 70 and y.max() <= 300
        expected = target.shape[1] - 1 - x if mirrored else x
        assert np.abs(x2 - expected).max() < 6 and np.abs(y2 - y).max() < 6
    assert hits[0].score == pytest.approx(hits[1].score, abs=1e-6)


def test_references_may_be_filtered_too(quick: dict[str, Any], photos: Path) -> None:
    detector = {"name": "given-boxes", "boxes_xywh": BOXES}
    search = ObjectSearch.open({**quick, "detector": detector})
    search.add(photos / "toys.jpg", region="190,90:360,230", roi_mode="filter")
    [stored] = search.images()
    assert [r.proposal for r in stored.regions] == ["given", "frame"]
    assert stored.ref.xywh == (190, 90, 170, 140)
