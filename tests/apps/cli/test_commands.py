"""The other subcommands: happy paths, JSON, exit codes, error sentences."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image as PillowImage

from objsearch import __version__
from objsearch.apps.cli import LINEAR_ALGEBRA, detect, doctor
from objsearch.components import weights
from objsearch.components.registry import ROOMS, names
from objsearch.match import calibration
from objsearch.settings import load_settings, preset_names
from tests.apps.cli.conftest import Cli
from tests.pictures import noise

Failing = Callable[..., str]


# compare


def test_compare_tells_same_from_different(cli: Cli, queries: Path, photos: Path) -> None:
    base = ("compare", "--preset", "fast")
    same = cli(*base, queries / "palace.jpg", photos / "palace_copy_rotated.jpg", "--json")
    assert same.code == 0
    assert same.err == ""
    assert same.data["schema"] == "objsearch/compare/1"
    assert same.data["verdict"] == "same"
    assert same.data["query"] == str(queries / "palace.jpg")
    assert same.data["reference"] == str(photos / "palace_copy_rotated.jpg")
    assert {"score", "pairs", "settings", "note"} <= set(same.data)
    assert same.data["pairs"][0]["inliers"] > 10
    other = cli(*base, queries / "cat.jpg", photos / "coins.png", "--json")
    assert other.code == 1
    assert other.data["verdict"] != "same"
    table = cli(*base, queries / "palace.jpg", photos / "palace_copy_rotated.jpg")
    assert table.code == 0
    assert "same" in table.out and "%" in table.out


def test_compare_with_what_cannot_be_read(failing: Failing, queries: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"")
    palace = queries / "palace.jpg"
    assert "broken.jpg: the file is empty" in failing("compare", palace, broken)
    assert "gone.jpg" in failing("compare", "gone.jpg", palace)
    assert "broken.jpg" in failing("compare", broken, palace, "--json")


# detect


def test_detect_is_one_object_a_line(cli: Cli, photos: Path) -> None:
    names_given = ["two_books.jpg", "coins.png"]
    result = cli("detect", *(photos / name for name in names_given), "--json")
    assert result.code == 0
    assert [Path(line["ref"]).name for line in result.lines] == names_given
    for line in result.lines:
        with PillowImage.open(line["ref"]) as picture:
            assert (line["width"], line["height"]) == picture.size
        assert line["regions"][-1]["proposal"] == "frame"
        assert {"box_xyxy", "label", "confidence", "proposal"} == set(line["regions"][0])
    people = cli("detect", photos / "two_books.jpg")
    assert people.code == 0
    assert "two_books.jpg" in people.out and "frame" in people.out


def test_detect_tells_what_cannot_be_read_and_goes_on(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"")
    result = cli("detect", broken, photos / "coins.png", "--json", "--mode", "whole")
    assert result.code == 2
    assert result.lines[0] == {"ref": str(broken), "skipped": "the file is empty"}
    assert result.lines[1]["regions"]
    assert result.err == f"warning: {broken}: the file is empty\n"


def test_detect_as_csv_has_a_row_a_region(cli: Cli, photos: Path) -> None:
    base = ("detect", photos / "two_books.jpg", photos / "coins.png")
    lines = cli(*base, "--json").lines
    rows = list(csv.DictReader(io.StringIO(cli(*base, "--csv").out)))
    assert list(rows[0]) == list(detect.COLUMNS)
    assert len(rows) == sum(len(line["regions"]) for line in lines)
    assert [row["ref"] for row in rows if row["proposal"] == "frame"] == [
        line["ref"] for line in lines
    ]
    assert rows[0]["label"] == lines[0]["regions"][0]["label"]


def test_detect_draws(cli: Cli, photos: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "a" / "drawn"
    result = cli("detect", photos / "coins.png", "--preset", "fast", "--draw", drawn)
    assert result.code == 0
    [path] = drawn.iterdir()
    assert "coins" in path.name
    with PillowImage.open(path) as picture, PillowImage.open(photos / "coins.png") as original:
        assert picture.size == original.size


def test_detect_into_a_file_is_told(cli: Cli, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    draw = ("--preset", "fast", "--draw", tmp_path / "file")
    result = cli("detect", photos / "coins.png", *draw)
    assert result.code == 2
    assert "cannot write" in result.err


# evaluate and calibrate


@pytest.fixture
def truth(root: Path) -> Path:
    return root / "examples" / "groundtruth.csv"


def test_evaluate_prints_its_figures(cli: Cli, truth: Path, config: Path) -> None:
    result = cli("evaluate", truth, "--config", config, "--json")
    assert result.code == 0
    assert result.err == ""
    data = result.data
    assert data["schema"] == "objsearch/evaluate/1"
    assert data["groundtruth"] == str(truth)
    figures = data["figures"]
    assert {"queries", "references", "map", "top1", "recall_at_1", "micro_ap"} <= set(figures)
    assert figures["queries"] == 14
    assert 0.2 < figures["map"] <= 1
    people = cli("evaluate", truth, "--config", config)
    assert people.code == 0
    assert all(name in people.out for name in figures)


@pytest.mark.parametrize("command", ["evaluate", "duplicates"])
def test_a_setting_without_a_limit_is_null_in_json(
    command: str, cli: Cli, config: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        PillowImage.fromarray(noise(64, 64)).save(tmp_path / f"{name}.png")
    truth = tmp_path / "truth.csv"
    truth.write_text("group_id,path,role\na,a.png,query\na,b.png,db\n")
    names = {"evaluate": [truth], "duplicates": [tmp_path / "a.png", tmp_path / "b.png"]}
    forget = ["--forget"] * (command == "duplicates")
    no_limit = ("--set", "input.max_megapixels=.inf")
    result = cli(command, *names[command], *forget, "--config", config, *no_limit, "--json")
    assert result.code == 0
    assert result.data["settings"]["input"]["max_megapixels"] is None


def test_calibrate_writes_what_a_search_can_name(
    cli: Cli, truth: Path, config: Path, tmp_path: Path, queries: Path, photos: Path
) -> None:
    own = tmp_path / "own.yaml"
    result = cli("calibrate", truth, "--config", config, "--out", own, "--json")
    assert result.code == 0
    data = result.data
    assert data["schema"] == "objsearch/calibrate/1"
    assert {"thresholds", "wanted_precision", "threshold_for_wanted_precision"} <= set(data)
    assert {"threshold", "precision", "recall"} <= set(data["thresholds"][0])
    assert calibration.load(str(own)).model_dump() == data["calibration"]
    named = ("--config", config, "--set", f"calibration={own}")
    found = cli("find", queries / "palace.jpg", "--in", photos, *named, "--json").data
    assert found["settings"]["calibration"] == str(own)
    assert Path(found["hits"][0]["ref"]).name.startswith("palace_copy")


def test_calibrate_for_people(cli: Cli, truth: Path, config: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    result = cli("calibrate", truth, "--config", config, "--out", own, "--precision", "0.9")
    assert result.code == 0
    assert "precision" in result.out and "0.9" in result.out
    assert str(own) in result.err


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_labels_that_are_none_are_told(
    command: str, failing: Failing, tmp_path: Path, config: Path
) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("group_id,path,role\na,b.jpg,querry\n")
    assert "did you mean 'query'" in failing(command, path, "--config", config)
    assert "gone.csv" in failing(command, tmp_path / "gone.csv", "--config", config)


def test_a_calibration_into_nowhere_is_told(
    failing: Failing, truth: Path, config: Path, tmp_path: Path
) -> None:
    nowhere = tmp_path / "no" / "folder" / "own.yaml"
    said = failing("calibrate", truth, "--config", config, "--out", nowhere)
    assert str(nowhere) in said


# models and config


def test_models_lists_weights_and_components(cli: Cli) -> None:
    result = cli("models", "--json")
    assert result.code == 0
    assert set(result.data["models"]) == set(weights.manifest())
    assert result.data["components"] == {room: list(names(room)) for room in ROOMS}
    people = cli("models")
    assert people.code == 0
    assert all(name in people.out for name in [*weights.manifest(), *names("describe")])


def test_presets_are_listed_with_what_they_are_for(cli: Cli) -> None:
    result = cli("config", "presets")
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()] == list(preset_names())
    assert all(load_settings(name).description in result.out for name in preset_names())


def test_weights_that_are_not_here_are_told(cli: Cli, tmp_path: Path) -> None:
    path, weights = tmp_path / "own.yaml", tmp_path / "mine.onnx"
    path.write_text(f"detector: {{name: yolo, weights: {weights.as_posix()}}}\n")
    checked = cli("config", "check", path)
    assert checked.code == 0
    assert checked.out.splitlines()[1:] == [
        f"{path}: detector.weights: {weights} is not on this machine"
    ]
    weights.write_bytes(b"any")
    assert cli("config", "check", path).out == f"{path}: all right\n"


def test_what_is_shown_loads_back(cli: Cli, tmp_path: Path) -> None:
    changes = ("--preset", "copies", "--set", "search.top=7", "--mode", "auto")
    result = cli("config", "show", *changes)
    assert result.code == 0
    path = tmp_path / "shown.yaml"
    path.write_text(result.out)
    settings = load_settings(path)
    assert settings.search.top == 7
    assert settings.detector.name == "yolo"
    assert cli("config", "show", "--config", path).out == result.out
    assert cli("config", "check", path).code == 0


def test_check_names_the_line(cli: Cli, failing: Failing, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("search:\n  treshold: 0.3\n")
    said = failing("config", "check", path)
    assert said == f"{path}, line 2: unknown key 'search.treshold'; did you mean 'threshold'?"
    path.write_text("descriptors: [{extractor: sift}, {extractor: perceptual-hash}]\n")
    checked = cli("config", "check", path)
    assert checked.code == 0 and "objsearch calibrate" in checked.out  # there is the fallback
    path.write_text("search: {threshold: 0.3}\n")
    result = cli("config", "check", path)
    assert (result.code, result.err) == (0, "")
    assert "all right" in result.out


def test_the_schema_is_json_schema(cli: Cli) -> None:
    result = cli("config", "schema")
    assert result.code == 0
    assert result.data["$schema"].startswith("https://json-schema.org/")
    assert {"detector", "descriptors", "search"} <= set(result.data["properties"])


# the command itself


def test_the_version(cli: Cli) -> None:
    lines = cli("--version").out.splitlines()
    assert lines[0] == f"objsearch {__version__}"
    assert f"  numpy {np.__version__}" in lines and f"  pillow {PillowImage.__version__}" in lines


def test_doctor_tells_what_is_there(cli: Cli) -> None:
    result = cli("doctor", "--json")
    assert result.code == 0 and result.data["well"]
    told = {(one["topic"], one["name"]): one for one in result.data["findings"]}
    assert told["part", "numpy"]["told"] == np.__version__
    assert told["device", "detector"]["told"] in ("cpu", "cuda", "mps")
    assert {name for topic, name in told if topic == "weights"} == set(weights.manifest())
    assert told["place", "decisions"]["told"].split(" (")[0].endswith("not-duplicates.json")
    people = cli("doctor")
    assert people.code == 0 and "numpy" in people.out


def test_doctor_says_what_is_missing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.version_of
    gone = ("timm", "numpy")
    monkeypatch.setattr(doctor, "version_of", lambda name: "" if name in gone else real(name))
    result = cli("doctor")
    assert result.code == 2
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    assert "extra timm missing pip install 'objsearch[timm]'" in lines
    assert "part numpy wrong not installed: pip install 'numpy'" in lines


def test_doctor_says_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(path: Path) -> tuple[str, str]:
        monkeypatch.setenv("OBJSEARCH_LIBRARY", str(path))
        (found,) = (one for one in doctor._places() if one.name == "library")
        return found.state, found.told

    assert told(tmp_path) == ("ok", f"{tmp_path}")
    assert told(tmp_path / "a" / "b") == ("ok", f"{tmp_path}/a/b (not there yet)")
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        said = f"{path}: nothing is kept, '{tmp_path}/file' is no folder"
        assert told(path) == ("missing", said)
    monkeypatch.setattr("os.access", lambda place, mode: False)
    assert told(tmp_path)[1].endswith(f"there is no right to write to '{tmp_path}'")


def test_doctor_says_when_nothing_can_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {one.name: one.state for one in doctor._parts()}["pylance"] == "ok"
    monkeypatch.setattr(doctor, "version_of", lambda name: "" if name == "pylance" else "1")
    (found,) = (one for one in doctor._parts() if one.name == "pylance")
    assert found.state == "missing" and found.told.startswith("nothing is remembered")


def test_doctor_knows_the_projects_own_lists(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names_of(wanted: list[str]) -> set[str]:
        return {re.split(r"[<>=;\[ ]", one)[0] for one in wanted}

    assert set(doctor.PARTS) <= names_of(project["dependencies"])
    extras = project["optional-dependencies"]
    assert {name: set(packages) for name, packages in doctor.EXTRAS.items()} == {
        name: names_of(wanted)
        for name, wanted in extras.items()
        if name not in ("dev", "mutate")  # for contributors
    }


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shells_complete_our_words(shell: str, clean_environment: dict[str, str]) -> None:
    words = {
        "_TYPER_COMPLETE_ARGS": "objsearch fi",
        "COMP_WORDS": "objsearch fi",
        "COMP_CWORD": "1",
    }
    result = subprocess.run(
        [Path(sys.executable).with_name("objsearch")],
        env={**clean_environment, **words, "_OBJSEARCH_COMPLETE": f"complete_{shell}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "find" in result.stdout, result.stderr


def test_no_command_and_an_unknown_one(cli: Cli) -> None:
    bare = cli()
    assert "find" in bare.out + bare.err
    unknown = cli("serch")
    assert unknown.code == 2
    assert unknown.out == ""
    assert "serch" in unknown.err


def test_the_installed_command_answers(photos: Path, clean_environment: dict[str, str]) -> None:
    script = Path(sys.executable).with_name("objsearch")
    result = subprocess.run(
        [script, "detect", "coins.png", "--preset", "fast", "--json"],
        cwd=photos,
        env=clean_environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["ref"] == "coins.png"


def test_shown_settings_are_plain_yaml(cli: Cli) -> None:
    data = yaml.safe_load(cli("config", "show").out)
    assert data["detector"]["name"] == "yolo"
    assert [one["extractor"]["name"] for one in data["descriptors"]] == ["embedding", "orb"]


def test_detect_and_find_tell_of_what_was_not_looked_at(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    moving = tmp_path / "moving.gif"
    frames = [PillowImage.new("L", (80, 60), shade) for shade in (0, 100, 200)]
    frames[0].save(moving, save_all=True, append_images=frames[1:])
    assert "only the first frame" in cli("detect", moving, "--json", "--mode", "whole").err
    found = cli("find", photos / "coins.png", "--in", moving, "--mode", "whole")
    assert "only the first frame" in found.err


def test_products_of_matrices_take_one_thread_unless_more_are_asked_for(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, clean_environment: dict[str, str]
) -> None:
    monkeypatch.delenv(LINEAR_ALGEBRA, raising=False)
    cli("--version")
    assert os.environ[LINEAR_ALGEBRA] == "1"
    monkeypatch.setenv(LINEAR_ALGEBRA, "3")
    cli("--version")
    assert os.environ[LINEAR_ALGEBRA] == "3"
    # It is read when numpy is imported.
    code = "import sys, objsearch.apps.cli; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=clean_environment)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full disk at hand")
@pytest.mark.parametrize("words", [("config", "show"), ("--version",)], ids=" ".join)
def test_a_full_disk_behind_standard_output_is_no_empty_answer(words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "objsearch", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 2
    assert result.stderr == "error: cannot write to standard output: No space left on device\n"
