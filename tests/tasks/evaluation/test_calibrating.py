"""Labelled photos -> a calibration that a search can use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objsearch.errors import UsageError
from objsearch.match.calibration import Calibration, save
from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings
from objsearch.tasks.evaluation import calibrating
from objsearch.tasks.evaluation.calibrating import Labelled, Result, calibrate, fitted
from objsearch.tasks.evaluation.judging import Judge, photo_of
from objsearch.tasks.evaluation.pairs import is_pairs, read_pairs

SAME = (
    ("queries/palace.jpg", "photos/palace_copy_rotated.jpg"),
    ("queries/motorcycle.jpg", "photos/motorcycle_garage.jpg"),
    ("queries/toys_whale_marked.jpg", "photos/toys.jpg"),
    ("queries/marker_board.jpg", "photos/marker_board_under_mouse.jpg"),
)
DIFFERENT = tuple((one, other) for one, _ in SAME for _, other in SAME if (one, other) not in SAME)


@pytest.fixture
def pairs(root: Path, tmp_path: Path) -> Path:
    """A file of labelled pairs."""
    path = tmp_path / "pairs.csv"
    lines = [f"{root}/examples/{a},{root}/examples/{b},yes" for a, b in SAME]
    lines += [f"{root}/examples/{a},{root}/examples/{b},no" for a, b in DIFFERENT]
    path.write_text("a,b,same\n" + "\n".join(lines) + "\n")
    return path


def test_pairs_become_a_calibration_that_tells_them_apart(
    pairs: Path, first_look: dict[str, Any], tmp_path: Path, root: Path
) -> None:
    result = calibrate(load_settings(first_look), [pairs])
    data = result.as_data(0.99)
    assert (data["pairs_same"], data["pairs_different"]) == (4, 12)
    assert json.loads(json.dumps(data)) == data
    rows = data["thresholds"]
    recalls = [row["recall"] for row in rows]
    assert recalls == sorted(recalls, reverse=True)
    assert data["threshold_for_wanted_precision"] is not None
    lines = list(result.lines(0.99))
    assert "4 same and 12 different" in lines[0]
    assert len(lines) == len(rows) + 3
    path = tmp_path / "own.yaml"
    save(result.calibration, path)
    search = ObjectSearch.open({**first_look, "calibration": str(path)})
    for one, other in SAME:
        assert search.compare(root / "examples" / one, root / "examples" / other).score > 0.5
    for one, other in DIFFERENT:
        assert search.compare(root / "examples" / one, root / "examples" / other).score < 0.5


def test_a_ground_truth_will_do(root: Path, quick: dict[str, Any]) -> None:
    result = calibrate(load_settings(quick), [root / "examples" / "groundtruth.csv"])
    assert result.is_same.sum() >= 10
    assert (~result.is_same).sum() > 50
    assert set(result.calibration.coefficients) == {"orb"}
    assert "groundtruth.csv" in result.calibration.fitted_on
    assert str(root) not in result.calibration.fitted_on


def test_a_calibration_names_aliases_and_heeds_what_describes_whole_crops(
    pairs: Path, quick: dict[str, Any], tmp_path: Path
) -> None:
    orb, looks = quick["descriptors"][0], {"extractor": "perceptual-hash", "alias": "looks"}
    settings = load_settings({**quick, "descriptors": [orb, looks], "calibration": "auto"})
    calibration = calibrate(settings, [pairs]).calibration
    assert set(calibration.coefficients) == {"orb", "looks"}
    assert set(calibration.least) == {"looks"}
    save(calibration, tmp_path / "own.yaml")
    fitted = settings.model_copy(update={"calibration": str(tmp_path / "own.yaml")})
    assert fitted.load_calibration() == calibration


def test_what_different_photos_score_is_measured_where_they_are_many(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    right = [Labelled({"orb": 3 + value}, True) for value in rng.random(50)]
    wrong = [Labelled({"orb": value}, False) for value in rng.exponential(0.5, 999)]
    few = fitted(right + wrong, ["orb"], "made up")
    assert few.calibration.tail is None
    assert few.warnings == (
        "false alarms stay unknown: it takes 1000 different pairs to tell how often such pairs "
        "score much, and 999 were looked at; give more --distractors",
    )
    wrong[0] = Labelled(wrong[0].features, False, stands_for=2002, verdict="same")
    result = fitted(right + wrong, ["orb"], "made up")
    tail = result.calibration.tail
    assert tail is not None and result.warnings == ()
    assert (tail.n_pairs, tail.same) == (3000, 3 / 3000)
    highest = sorted(result.scores[~result.is_same])
    assert tail.rate(highest[-3]) == pytest.approx(3 / 3000, rel=0.01)  # not 3 / 999
    save(result.calibration, tmp_path / "own.yaml")
    read = load_settings({"descriptors": [{"extractor": "orb"}]}).model_copy(
        update={"calibration": str(tmp_path / "own.yaml")}
    )
    assert read.load_calibration() == result.calibration
    data = result.as_data(0.99)
    assert json.loads(json.dumps(data)) == data


def test_the_last_of_the_compared_stands_for_those_beyond_the_shortlist(
    quick_search: ObjectSearch, queries: Path
) -> None:
    hits = quick_search.find(queries / "palace.jpg", threshold=0.0).hits
    right = {photo_of(hits[0].ref.uri), photo_of(hits[9].ref.uri)}
    judged = list(Judge().judged(hits, right))
    made = list(calibrating._examples(judged, 5))
    assert [one.is_same for one in made] == [True, False, False, False, False, True]
    assert [one.stands_for for one in made] == [1, 1, 1, 1, 1 + 32 - 5 - 1, 1]
    assert made[0].verdict == hits[0].verdict == "same"
    every = list(calibrating._examples(judged, None))
    assert len(every) == 32 and {one.stands_for for one in every} == {1}


def test_what_a_person_is_shown_is_not_what_is_fitted(
    tmp_path: Path, quick: dict[str, Any], root: Path
) -> None:
    path = tmp_path / "truth.csv"
    photos = root / "examples/photos"
    path.write_text(
        "group_id,path,role\n"
        f"a,{root}/examples/queries/box.png,query\n"
        f"a,{photos}/box_in_scene.png,db\n,{photos}/cell.jpg,distractor\n"
    )
    shown = {"top": 1, "verdicts": ["same"], "max_false_alarms": 0.1}
    result = calibrate(load_settings({**quick, "search": shown}), [path])
    assert result.is_same.tolist() == [True, False]


def test_labels_beside_one_are_named_with_their_folder(
    pairs: Path, quick: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pairs.parent)
    result = calibrate(load_settings(quick), [Path("pairs.csv")])
    assert result.calibration.fitted_on.endswith(f" of {pairs.parent.name}/pairs.csv")


def test_labels_of_one_kind_are_told(tmp_path: Path, root: Path, quick: dict[str, Any]) -> None:
    path = tmp_path / "pairs.csv"
    photo = root / "examples/photos/toys.jpg"
    path.write_text(f"a,b,same\n{photo},{photo},yes\n")
    with pytest.raises(UsageError, match="pairs that are the same and pairs that are not") as told:
        calibrate(load_settings(quick), [path])
    assert f"1 same and 0 different pairs of {tmp_path.name}/pairs.csv" in str(told.value)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a.jpg,b.jpg,1", "a.jpg,c.jpg,different"], "line 3: same is 1 or 0, not 'different'"),
        (["a.jpg,b.jpg,"], "line 2: same is 1 or 0, not ''"),
        (["a.jpg"], "line 2: a pair wants two photos"),
        ([",b.jpg,1"], "line 2: a pair wants two photos"),
        (["", "a.jpg,b.jpg,1", "", "a.jpg,c.jpg,2"], "line 5: same is 1 or 0, not '2'"),
    ],
)
def test_a_label_that_is_none_is_no_difference(
    lines: list[str], expected: str, tmp_path: Path, quick: dict[str, Any]
) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(["a,b,same", *lines]))
    with pytest.raises(UsageError, match=expected):
        calibrate(load_settings(quick), [path])


def test_labels_as_programs_write_them(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    truths = {"1": True, "1.0": True, "True": True, " YES ": True}
    truths |= {"0": False, "0.0": False, "FALSE": False, "no": False}
    rows = [f'"{text}","{n}.jpg","b/c.jpg"' for n, text in enumerate(truths)]
    path.write_text("\n".join(['"same", "a" ,b', *rows]))
    assert is_pairs(path)
    pairs = read_pairs(path)
    assert [pair.is_same for pair in pairs] == list(truths.values())
    assert (pairs[0].a, pairs[0].b) == (tmp_path / "0.jpg", tmp_path / "b/c.jpg")


def test_what_cannot_be_read_is_told(tmp_path: Path, quick: dict[str, Any], root: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.csv"):
        calibrate(load_settings(quick), [tmp_path / "gone.csv"])
    path = tmp_path / "pairs.csv"
    path.write_text(f"a,b,same\n{root}/examples/photos/toys.jpg,gone.jpg,no\n")
    with pytest.raises(UsageError, match=r"gone\.jpg"):
        calibrate(load_settings(quick), [path])
    path.write_text(f"a,b,same\n{root}/examples/photos/toys.jpg\n")
    with pytest.raises(UsageError, match=r"pairs\.csv"):
        calibrate(load_settings(quick), [path])


def test_photos_that_are_not_there_are_told_before_the_work(
    pairs: Path, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ObjectSearch, "compare", None)
    with pairs.open("a") as stream:
        stream.write("gone.jpg,gone.jpg,yes\n")
    with pytest.raises(UsageError, match=r"pairs\.csv, line 18: no such photo: '.*gone\.jpg'"):
        calibrate(load_settings(quick), [pairs])
    truth = tmp_path / "truth.csv"
    truth.write_text("group_id,path,role\na,pairs.csv,query\na,gone.jpg,db\n")
    with pytest.raises(UsageError, match=r"truth\.csv, line 3: no such photo"):
        calibrate(load_settings(quick), [truth])


def test_precision_and_recall_by_hand() -> None:
    result = Result(
        Calibration(intercept=0, coefficients={}),
        np.array([0.95, 0.9, 0.8, 0.6, 0.3, 0.1]),
        np.array([True, True, False, True, False, False]),
    )
    assert result.at(0.9) == {
        "threshold": 0.9,
        "precision": 1.0,
        "recall": pytest.approx(2 / 3, abs=1e-4),
        "false_positive_rate": 0.0,
    }
    assert result.at(0.6)["precision"] == 0.75
    assert result.at(0.6)["false_positive_rate"] == pytest.approx(1 / 3, abs=1e-4)
    assert result.at(0.99)["recall"] == 0.0
    assert result.at(0.99)["precision"] is None  # of nothing there is none, and 0 would be bad
    assert [line.split()[1] for line in result.lines(0.75)][-3:-1] == ["1.0000", "-"]
    assert result.threshold_for(0.75) == 0.6
    assert result.threshold_for(0.99) == 0.9
    none = Result(result.calibration, np.array([0.9, 0.5]), np.array([False, True]))
    assert none.threshold_for(0.99) is None
    assert "no threshold reaches" in list(none.lines(0.99))[-1]


def test_a_threshold_for_a_precision_keeps_it() -> None:
    # Rounded to four digits it would let the wrong one in.
    scores = np.array([0.333349, 0.333341, 0.9])
    result = Result(
        Calibration(intercept=0, coefficients={}), scores, np.array([True, False, True])
    )
    threshold = result.threshold_for(1.0)
    assert threshold is not None
    assert result.at(threshold)["precision"] == 1.0


def test_a_precision_that_is_only_reached_by_rounding_is_not_reached() -> None:
    # 493 right of 498 are 0.98996.
    scores = np.array([0.5] * 498 + [0.9])
    is_same = np.array([True] * 493 + [False] * 5 + [True])
    result = Result(Calibration(intercept=0, coefficients={}), scores[:-1], is_same[:-1])
    assert result.threshold_for(0.99) is None
    result = Result(result.calibration, scores[4:], is_same[4:])
    assert result.threshold_for(0.98) == 0.5
    assert result.threshold_for(0.99) == 0.9
