from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch.apps.cli import main
from objsearch.errors import UsageError
from objsearch.search.library import remembering
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.tasks.larger import LargerAnswer, find_larger
from objsearch.tasks.larger.larger_output import larger_csv, larger_json
from objsearch.tasks.larger.larger_page import write_page
from objsearch.types import Pixels
from tests.pictures import board, drawing
from tests.tasks.duplicates.conftest import put


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, pixels_of: Callable[[str], Pixels]) -> Path:
    """A query of a third of a photo's size, and copies of all kinds in `in`."""
    top = tmp_path_factory.mktemp("larger")
    inside = top / "in"
    inside.mkdir()
    photo = PillowImage.fromarray(pixels_of("graffiti_wall.jpg"))
    width, height = photo.size
    query = photo.resize((width // 3, height // 3), 1)
    query.save(top / "query.png")
    photo.save(inside / "full.png")
    photo.resize((width * 2 // 3, height * 2 // 3), 1).save(inside / "double.jpg", quality=92)
    photo.crop((width // 4, height // 4, width * 3 // 4, height * 3 // 4)).save(inside / "crop.png")
    query.save(inside / "same.jpg", quality=80)
    query.resize((query.width // 2, query.height // 2), 1).save(inside / "half.png")
    query.resize((query.width * 4, query.height * 4), 3).save(inside / "enlarged.jpg", quality=90)
    photo.rotate(90, expand=True).save(inside / "turned.png")
    PillowImage.fromarray(pixels_of("old_street.jpg")).save(inside / "other.jpg")
    (inside / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return top


@pytest.fixture(scope="module")
def search(quick: dict[str, Any], folder: Path) -> ObjectSearch:
    return ObjectSearch.open({**quick, "search": {"threshold": 0.5}}).add(folder / "in")


@pytest.fixture(scope="module")
def answer(search: ObjectSearch, folder: Path) -> LargerAnswer:
    return find_larger(search, folder / "query.png")


def names(answer: LargerAnswer) -> list[str]:
    return [Path(copy.ref.uri).name for copy in answer.copies]


def test_larger_copies_come_largest_first_and_the_more_complete_first(answer: LargerAnswer) -> None:
    assert names(answer) == ["enlarged.jpg", "full.png", "turned.png", "crop.png", "double.jpg"]
    scales = [copy.scale for copy in answer.copies]
    assert scales == pytest.approx([4.0, 3.0, 3.0, 3.0, 2.0], rel=0.02)


def test_smaller_ones_are_counted_and_others_are_none(answer: LargerAnswer) -> None:
    assert answer.not_larger == 2  # the half, and the one of the same size
    assert answer.scanned == answer.compared + len(answer.skipped) == 9
    assert [Path(one.ref.uri).name for one in answer.skipped] == ["broken.jpg"]


def test_only_the_enlarged_one_is_marked(answer: LargerAnswer) -> None:
    marked = [Path(c.ref.uri).name for c in answer.copies if c.suspected_upscale]
    assert marked == ["enlarged.jpg"]


def test_a_crop_says_how_much_it_holds(answer: LargerAnswer) -> None:
    by_name = dict(zip(names(answer), answer.copies, strict=True))
    assert by_name["crop.png"].coverage == pytest.approx(0.25, abs=0.02)
    assert by_name["crop.png"].measured_by == "transform"
    assert by_name["full.png"].coverage == 1.0
    assert by_name["full.png"].measured_by == "frame"
    assert by_name["full.png"].pixels == pytest.approx(np.prod(by_name["full.png"].size_wh))


def test_a_region_of_the_query_is_measured_as_a_picture(search: ObjectSearch, folder: Path) -> None:
    found = find_larger(search, folder / "query.png", region="25%,25%,50%,50%")
    assert "crop.png" in names(found)
    by_name = dict(zip(names(found), found.copies, strict=True))
    assert by_name["crop.png"].coverage > 0.95
    assert by_name["crop.png"].scale == pytest.approx(3.0, rel=0.03)


def test_pixels_at_hand_are_a_query_too(
    search: ObjectSearch, folder: Path, answer: LargerAnswer
) -> None:
    with PillowImage.open(folder / "query.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    for given in (pixels, (folder / "query.png").read_bytes()):
        assert names(find_larger(search, given)) == names(answer)


def test_references_at_hand_have_a_scale_and_no_detail(quick: dict[str, Any], folder: Path) -> None:
    data = (folder / "in" / "full.png").read_bytes()
    [copy] = find_larger(ObjectSearch.open(quick).add(data), folder / "query.png").copies
    assert copy.scale == pytest.approx(3.0, rel=0.02)
    assert copy.detail is None and not copy.suspected_upscale and copy.note


def test_a_short_shortlist_hides_no_copy(quick: dict[str, Any], folder: Path) -> None:
    short = {**quick, "search": {"threshold": 0.0, "shortlist": 1}}
    search = ObjectSearch.open(short).add(folder / "in")
    assert len(find_larger(search, folder / "query.png").copies) == 5


def test_photos_of_a_library_that_were_not_asked_for_do_not_make_a_search_long(
    quick: dict[str, Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shortlist holds both references; a second search would compare them again."""
    for number in range(9):
        put(tmp_path / "elsewhere" / f"{number}.png", drawing(120, 160, number))
    settings = load_settings({**quick, "search": {"threshold": 0.0, "shortlist": 8}})
    settings = remembering(settings, tmp_path / "library")
    ObjectSearch(settings).add(tmp_path / "elsewhere")
    asked: list[dict[str, Any]] = []
    find = ObjectSearch.find
    monkeypatch.setattr(
        ObjectSearch, "find", lambda self, *a, **k: asked.append(k) or find(self, *a, **k)
    )
    search = ObjectSearch(settings).add(folder / "in" / "other.jpg", folder / "in" / "full.png")
    assert len(search.index) == 11 and search.n_references == 2
    [copy] = find_larger(search, folder / "query.png").copies
    assert Path(copy.ref.uri).name == "full.png" and len(asked) == 1


def test_the_threshold_of_detail_is_a_setting(quick: dict[str, Any], folder: Path) -> None:
    search = ObjectSearch.open({**quick, "larger": {"least_detail": 0}}).add(folder / "in")
    found = find_larger(search, folder / "query.png")
    assert not any(copy.suspected_upscale for copy in found.copies)
    assert found.settings["larger"] == {"least_detail": 0}


def test_what_mostly_shows_something_else_is_no_copy_whatever_keypoints_say(
    quick: dict[str, Any], tmp_path: Path
) -> None:
    """A tenth of another picture is borne with; half is not, nor are two fifths, looked at."""
    whole = drawing(400, 600, 1)
    put(tmp_path / "query.png", cv2.resize(whole, (300, 200), interpolation=cv2.INTER_AREA))
    for percent in (10, 40, 50):
        made = whole.copy()
        made[:, -6 * percent :] = drawing(400, 600, 30)[:, -6 * percent :]
        put(tmp_path / "in" / f"{percent}.png", made)
    search = ObjectSearch.open(quick).add(tmp_path / "in")
    hits = search.find(tmp_path / "query.png", threshold=0.5, second_look={"enabled": False}).hits
    assert {hit.verdict for hit in hits} == {"same"} and len(hits) == 3
    found = find_larger(search, tmp_path / "query.png")
    agreements = {Path(copy.ref.uri).name: copy.agreement for copy in found.copies}
    assert agreements == {
        "10.png": pytest.approx(0.91, abs=0.02),
    }
    assert found.other_shots == 1, "two fifths agree well enough to be looked at by places"


def test_unreadable_queries_are_errors(search: ObjectSearch, folder: Path) -> None:
    with pytest.raises(UsageError, match=r"broken\.jpg"):
        find_larger(search, folder / "in" / "broken.jpg")
    with pytest.raises(UsageError, match="one picture, not of"):
        find_larger(search, folder / "in")


def test_the_command(
    folder: Path,
    quick: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    config = tmp_path / "quick.yaml"
    config.write_text(json.dumps(quick))
    page = tmp_path / "page.html"

    def run(*more: str) -> tuple[object, str, str]:
        words = ["larger", str(folder / "query.png"), str(folder / "in"), "--config", str(config)]
        monkeypatch.setattr(sys, "argv", ["objsearch", *words, *more])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code, *capsys.readouterr()

    code, out, err = run("--json", "--html", str(page))
    assert code == 0
    data = json.loads(out)
    assert data["schema"] == "objsearch/larger/1"
    assert [copy["suspected_upscale"] for copy in data["copies"]] == [True, *[False] * 4]
    assert "broken.jpg" in err
    html = page.read_text()
    assert html.count("data:image/jpeg") == 10 and "suspected upscale" in html
    code, out, _ = run("--csv")
    rows = list(csv.DictReader(out.splitlines()))
    assert [row["suspected_upscale"] for row in rows] == ["true", *["false"] * 4]
    assert run()[0] == 0
    assert run("--threshold", "1")[0] == 1
    assert run("--csv", "--json")[0] == 2


def form(entries: list[str]) -> PillowImage.Image:
    """A sheet that is filled in."""
    sheet = np.full((900, 640, 3), 255, np.uint8)
    for row in range(12):
        top = 60 + row * 65
        label = f"{row + 1}. {['Name', 'Street', 'Amount', 'Date'][row % 4]}"
        cv2.putText(sheet, label, (30, top), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (60, 60, 60), 1)
        cv2.line(sheet, (200, top + 8), (600, top + 8), (120, 120, 120), 1)
        entry = entries[row % len(entries)]
        cv2.putText(sheet, entry, (210, top), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (10, 20, 120), 2)
    return PillowImage.fromarray(sheet)


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> LargerAnswer:
    """One form, filled in by two; the small query is the first."""
    top = tmp_path_factory.mktemp("forms")
    (top / "in").mkdir()
    form(["Ada Lindqvist", "12.50", "Mill Lane 3"]).save(top / "in" / "own.png")
    form(["Emil Haddad", "97.00", "Old Quay 41"]).save(top / "in" / "other.png")
    own = PillowImage.open(top / "in" / "own.png")
    own.resize((256, 360), 1).save(top / "query.jpg", quality=88)
    found = ObjectSearch.open("larger", {"run.workers": 1}).add(top / "in")
    answer = find_larger(found, top / "query.jpg")
    write_page(answer, top / "page.html", lambda ref: np.asarray(PillowImage.open(str(ref))))
    assert "differs in" in (top / "page.html").read_text()
    return answer


def test_a_form_that_is_filled_in_otherwise_is_told_to_differ(forms: LargerAnswer) -> None:
    by_name = {Path(copy.ref.uri).name: copy for copy in forms.copies}
    assert by_name["own.png"].differs == ((), ())
    if "other.png" in by_name:
        in_query, in_reference = by_name["other.png"].differs
        assert len(in_query) == len(in_reference) > 0
        assert in_reference[0].x1 > 190, "most of all the entries differ"
    else:
        assert forms.other_shots == 1


def test_what_differs_is_told_in_every_form(forms: LargerAnswer) -> None:
    data = larger_json(forms)
    assert data["other_shots"] + len(data["copies"]) + data["not_larger"] == 2
    [own] = [copy for copy in data["copies"] if copy["ref"].endswith("own.png")]
    assert own["differs"] == []
    header, *lines = larger_csv(forms)
    assert header.rstrip().endswith("differs") and len(lines) == len(forms.copies)


def test_another_shot_of_the_same_view_is_no_larger_copy(
    tmp_path: Path, pixels_of: Callable[[str], Pixels]
) -> None:
    wall = pixels_of("graffiti_wall.jpg")
    height, width = wall.shape[:2]
    # What stands before the wall moves against it, as it does when the camera moves.
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    shift = 9 * np.sin(columns / 31) * np.cos(rows / 23)
    shot = cv2.remap(wall, columns + shift, rows + shift[::-1], cv2.INTER_LINEAR)
    PillowImage.fromarray(wall).resize((width // 3, height // 3), 1).save(tmp_path / "query.png")
    (tmp_path / "in").mkdir()
    PillowImage.fromarray(wall).save(tmp_path / "in" / "own.png")
    PillowImage.fromarray(np.asarray(shot, np.uint8)).save(tmp_path / "in" / "shot.png")
    found = ObjectSearch.open("larger", {"run.workers": 1}).add(tmp_path / "in")
    answer = find_larger(found, tmp_path / "query.png")
    clean = [Path(copy.ref.uri).name for copy in answer.copies if not copy.differs[1]]
    assert clean == ["own.png"]


def test_a_small_drawing_does_not_differ_from_what_it_was_reduced_from(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for seed in (0, 2):
        PillowImage.fromarray(board(seed)).save(tmp_path / "in" / f"{seed}.png")
    small = PillowImage.fromarray(board(0)).resize((320, 320), PillowImage.Resampling.LANCZOS)
    small.save(tmp_path / "query.jpg", quality=80)
    found = ObjectSearch.open("larger", {"run.workers": 1}).add(tmp_path / "in")
    answer = find_larger(found, tmp_path / "query.jpg")
    clean = [Path(copy.ref.uri).name for copy in answer.copies if not copy.differs[1]]
    assert clean == ["0.png"]
