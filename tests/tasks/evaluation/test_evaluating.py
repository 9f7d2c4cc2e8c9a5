"""How good is a search? Figures of a search whose answer is known by construction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from objsearch.rank.metrics import Ranked
from objsearch.search.pipeline import ObjectSearch
from objsearch.tasks.evaluation import Evaluation, Options, Outcome, evaluate
from objsearch.tasks.evaluation.groundtruth import Row, read_groundtruth
from objsearch.types import Answer, Pixels
from tests.pictures import brightened, cropped, encoded, noise, rotated


@pytest.fixture
def truth(tmp_path: Path, pixels_of: Callable[[str], Pixels]) -> Path:
    """Two things that any search finds, one that none can."""
    street, toys = pixels_of("old_street.jpg"), pixels_of("toys.jpg")
    pictures = {
        "street.png": street,
        "street_bright.png": brightened(street),
        "street_turned.png": rotated(street),
        "toys.png": toys,
        "toys_cropped.png": cropped(toys, 0.8),
        "noise.png": noise(200, 300, 1),
        "other_noise.png": noise(200, 300, 2),
    }
    for name, pixels in pictures.items():
        (tmp_path / name).write_bytes(encoded(pixels, "PNG"))
    height, width = toys.shape[:2]
    part_h, part_w = cropped(toys, 0.8).shape[:2]
    path = tmp_path / "truth.csv"
    path.write_text(
        "group_id,path,role,box\n"
        "street,street.png,query,\n"
        "street,street_bright.png,db,\n"
        "street,street_turned.png,db,\n"
        f'toys,toys.png,query,"{(width - part_w) // 2},{(height - part_h) // 2},'
        f'{(width + part_w) // 2},{(height + part_h) // 2}"\n'
        f'toys,toys_cropped.png,db,"0,0,{part_w},{part_h}"\n'
        "noise,noise.png,query,\n"
        "noise,other_noise.png,db,\n"
    )
    return path


def test_figures_by_construction(truth: Path, quick: dict[str, Any], photos: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    search = ObjectSearch.open(quick, progress=lambda *what: told.append(what))
    distractors = (photos / "coins.png", photos / "notebook.jpg")
    result = evaluate(search, read_groundtruth(truth), Options(distractors=distractors))
    figures = result.figures()
    assert figures["queries"] == 3
    assert figures["references"] == 6
    by_group = {outcome.row.group_id: outcome for outcome in result.outcomes}
    assert [by_group[name].ranked.n_right for name in ("street", "toys", "noise")] == [2, 1, 1]
    assert by_group["street"].right_hits == 2
    # Street and toys are found first; the noise is one of six, tied with all and last of them.
    assert figures["top1"] == pytest.approx(2 / 3, abs=1e-3)
    assert figures["recall_at_1"] == pytest.approx((0.5 + 1.0 + 0.0) / 3, abs=1e-3)
    assert figures["recall_at_100"] == 1.0
    assert figures["map"] == pytest.approx((1 + 1 + 1 / 6) / 3, abs=1e-3)
    assert figures["located"] == 1.0
    assert figures["queries_with_wrong_same"] == 0.0
    assert figures["seconds_per_query"] > 0  # type: ignore[operator]
    assert [what for what in told if what[0] == "evaluate"] == [
        ("evaluate", n, 3) for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    "shown", [{"top": 1}, {"offset": 1}, {"verdicts": ["uncertain"]}, {"include_query": True}]
)
def test_what_a_person_is_shown_is_not_what_is_measured(
    shown: dict[str, Any], tmp_path: Path, quick: dict[str, Any], pixels_of: Callable[[str], Pixels]
) -> None:
    toys = pixels_of("toys.jpg")[:200, :200]
    for name, pixels in {"toys": toys, "bright": brightened(toys), "turned": rotated(toys)}.items():
        (tmp_path / f"{name}.png").write_bytes(encoded(pixels, "PNG"))
    path = tmp_path / "truth.csv"
    rows = "toys,toys.png,query\ntoys,bright.png,db\ntoys,turned.png,db\n,toys.png,distractor\n"
    path.write_text("group_id,path,role\n" + rows)
    search = ObjectSearch.open({**quick, "search": shown})
    figures = evaluate(search, read_groundtruth(path)).figures()
    assert (figures["map"], figures["recall_at_10"]) == (1.0, 1.0)


def outcome_of(is_right: list[bool], n_right: int) -> Outcome:
    scores = [0.9 - 0.1 * rank for rank in range(len(is_right))]
    row = Row("a", Path("a.jpg"), "query", None)
    answer = Answer((), (), 0, 0, (), {}, 0.5)
    return Outcome(row, answer, Ranked(scores, is_right, n_right), 1, sum(is_right), ())


def test_a_query_that_nothing_is_right_for_lowers_no_mean_and_is_told() -> None:
    found, without = outcome_of([True, False], 1), outcome_of([False, False], 0)
    figures = Evaluation("t.csv", (found, without), 2).figures()
    names = ("map", "top1", "recall_at_1", "recall_at_10", "recall_at_100")
    assert [figures[name] for name in names] == [1.0] * 5
    assert (figures["queries"], figures["queries_with_wrong_same"]) == (2, 1.0)
    assert figures["micro_ap"] == 0.5  # its wrong hit of 0.9 stands before the right one
    (told,) = Evaluation("t.csv", (found, without), 2).warnings
    assert told.startswith("t.csv: 1 of 2 queries have no other photo in their group")
    assert Evaluation("t.csv", (found,), 2).warnings == ()
    assert Evaluation("t.csv", (without,), 2).figures()["map"] is None


def test_every_photo_of_a_group_as_a_query(truth: Path, quick: dict[str, Any]) -> None:
    result = evaluate(ObjectSearch.open(quick), read_groundtruth(truth), Options(every_query=True))
    assert result.figures()["queries"] == 7
    for outcome in result.outcomes:
        names = {Path(hit.ref.uri).name for hit in outcome.answer.hits}
        assert outcome.row.path.name not in names


def test_boxes_are_regions_of_interest_unless_left_out(truth: Path, quick: dict[str, Any]) -> None:
    rows = read_groundtruth(truth)
    with_boxes = evaluate(ObjectSearch.open(quick), rows)
    without = evaluate(ObjectSearch.open(quick), rows, Options(use_boxes=False))
    assert with_boxes.outcomes[1].answer.queries[0].ref.xywh is not None
    assert without.outcomes[1].answer.queries[0].ref.xywh is None
    assert without.outcomes[0].answer.queries[0].ref.xywh is None


def test_a_photo_is_the_same_however_it_is_spelled(
    tmp_path: Path, quick: dict[str, Any], pixels_of: Callable[[str], Pixels]
) -> None:
    toys = pixels_of("toys.jpg")[:240, :320]
    for name, pixels in {"toys": toys, "bright": brightened(toys), "noise": noise(99, 99)}.items():
        (tmp_path / f"{name}.png").write_bytes(encoded(pixels, "PNG"))
    (tmp_path / "link.png").symlink_to("bright.png")
    (tmp_path / "photos").mkdir()
    path = tmp_path / "truth.csv"
    path.write_text(
        "group_id,path,role\n"
        "toys,toys.png,query\n"
        "toys,photos/../toys.png,db\n"
        ",link.png,distractor\n"
        ",noise.png,distractor\n"
        "toys,photos/../bright.png,db\n"
    )
    result = evaluate(ObjectSearch.open(quick), read_groundtruth(path))
    (outcome,) = result.outcomes
    assert result.references == 3
    assert outcome.ranked.is_right == [True, False]
    assert outcome.ranked.n_right == 1  # the query itself is none


@pytest.mark.parametrize("named", ["pages.tiff", "pages.tiff#page=2"])
def test_a_file_of_pages_is_found_once_and_a_page_by_its_number(
    named: str, tmp_path: Path, quick: dict[str, Any], pixels_of: Callable[[str], Pixels]
) -> None:
    pages = [
        Image.fromarray(pixels_of(name)[:240, :320]) for name in ("coins.png", *["toys.jpg"] * 2)
    ]
    pages[0].save(tmp_path / "pages.tiff", save_all=True, append_images=pages[1:])
    pages[1].save(tmp_path / "toys.png")
    path = tmp_path / "truth.csv"
    path.write_text(f"group_id,path,role\ntoys,toys.png,query\ntoys,{named},db\n")
    result = evaluate(ObjectSearch.open(quick), read_groundtruth(path))
    figures, (outcome,) = result.figures(), result.outcomes
    assert (figures["map"], figures["top1"], figures["recall_at_100"]) == (1.0, 1.0, 1.0)
    assert len(outcome.answer.hits) == len(outcome.ranked.is_right)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_of_a_thing_in_one_photo_either_is_its_place(
    order: int, tmp_path: Path, quick: dict[str, Any], pixels_of: Callable[[str], Pixels]
) -> None:
    toys = pixels_of("toys.jpg")[:200, :200]
    scene = np.full((300, 700, 3), 128, np.uint8)
    scene[50:250, 50:250] = scene[50:250, 450:650] = toys
    for name, pixels in {"toys": toys, "scene": scene}.items():
        (tmp_path / f"{name}.png").write_bytes(encoded(pixels, "PNG"))
    boxes = [f'toys,scene.png,db,"{x},50,{x + 200},250"' for x in (50, 450)][::order]
    path = tmp_path / "truth.csv"
    path.write_text("\n".join(["group_id,path,role,box", "toys,toys.png,query,", *boxes]))
    figures = evaluate(ObjectSearch.open(quick), read_groundtruth(path)).figures()
    assert (figures["map"], figures["located"]) == (1.0, 1.0)


def test_a_box_outside_its_photo_is_told(
    tmp_path: Path, quick: dict[str, Any], pixels_of: Callable[[str], Pixels]
) -> None:
    toys = pixels_of("toys.jpg")[:200, :200]
    for name in ("toys", "copy"):
        (tmp_path / f"{name}.png").write_bytes(encoded(toys, "PNG"))
    path = tmp_path / "truth.csv"
    rows = ["toys,toys.png,query,", 'toys,copy.png,db,"150,150,400,400"', 'toys,copy.png,db,"%s"']
    path.write_text("\n".join(["group_id,path,role,box", *rows]) % "300,20,500.5,90")
    (told,) = evaluate(ObjectSearch.open(quick), read_groundtruth(path)).warnings
    said = "the box 300,20,500.5,90 of the ground truth lies outside its 200 x 200 pixels"
    assert told.endswith(f"copy.png: {said}")
