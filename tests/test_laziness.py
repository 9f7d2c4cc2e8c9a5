"""What is not asked for is not loaded: checked in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from objsearch.apps.cli import main
from objsearch.errors import ConfigError
from objsearch.settings import load_settings

HEAVY = (
    "torch",
    "torchvision",
    "ultralytics",
    "cv2",
    "onnxruntime",
    "scipy",
    "timm",
    "lance",
    "pyarrow",
)

COMMANDS = [
    *([], ["find"], ["compare"], ["detect"], ["evaluate"], ["calibrate"], ["models"]),
    *(["larger"], ["screen"], ["sign"], ["signed"], ["doctor"]),
    *(["config"], ["config", "show"], ["config", "schema"]),
    *(["duplicates"], ["duplicates", "apply"], ["duplicates", "undo"], ["duplicates", "ignore"]),
]


PRESETS = ("default", "whole-image", "fast", "copies", "orb", "sift")


def python(code: str, cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


WATCHED = """
import contextlib, io, json, os, socket, sys
tried, spawned, imported, told = [], [], {}, {}
def refuse(*args, **options):
    tried.append(args)
    raise OSError("no network")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
socket.gethostbyname_ex = socket.gethostbyaddr = refuse
sys.addaudithook(lambda event, args: spawned.append(args) if event == "subprocess.Popen" else None)
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("onnxruntime", "ultralytics") and name not in imported:
            values = map(os.environ.get, ("ORT_DISABLE_TELEMETRY", "YOLO_OFFLINE"))
            imported[name] = [*values]
        if name == "ultralytics":
            raise ModuleNotFoundError("far enough", name=name)
sys.meta_path.insert(0, Watch())
def note(what, names):
    told[what] = [name for name in names if name in sys.modules]
"""
"""What looks for the network or starts a program is noted, and with what values of telemetry a
framework is imported. The slow one of these stops there."""

QUIET = {
    "ORT_DISABLE_TELEMETRY": "1",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "ULTRALYTICS_SAFE_LOAD": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


@pytest.fixture(scope="module")
def first_steps(
    root: Path,
    photos: Path,
    queries: Path,
    clean_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What one process tells of itself: it is imported, asked for help, searches, reads a photo.

    Each step is to load no more than it needs, so they may follow each other. Then the frameworks
    are made as if they were not installed, and every preset searches.
    """
    path = tmp_path_factory.mktemp("first steps") / "told.json"
    query, weights = str(queries / "palace.jpg"), str(root / "models" / "things-v4.onnx")
    code = f"""{WATCHED}
heavy = {HEAVY!r}
import objsearch
note("import objsearch", heavy)
objsearch.__all__, dir(objsearch), objsearch.__version__
note("names of objsearch", heavy)
from objsearch.apps.cli import main
def asked(*words):
    sys.argv = ["objsearch", *words]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            main()
        except SystemExit as stop:
            told["code of " + " ".join(words)] = stop.code or 0
    note(" ".join(words), heavy)
    return out.getvalue()
for command in {COMMANDS!r}:
    asked(*command, "--help")
told["version"] = asked("--version")

# What follows is the library's own doing, not the command line's.
for name in {[*QUIET]!r}:
    os.environ.pop(name, None)

from objsearch import ObjectSearch
from objsearch.errors import MissingDependencyError
search = ObjectSearch.open("default")
repr(search.settings)
note("constructing", ["torch", "ultralytics", "onnxruntime"])

search.add("palace_copy_rotated.jpg", "two_books.jpg")
answer = search.find({query!r}, second_look={{"doubtful": 1}})
told["hits"] = [str(hit.ref) for hit in answer.hits]
told["tried"] = [repr(one) for one in tried]
# ctypes asks the loader where a library lies; that is no program of its own.
told["spawned"] = [repr(one) for one in spawned if "ldconfig" not in str(one[0])]
told["environment"] = {{name: os.environ.get(name) for name in {[*QUIET]!r}}}

from PIL import Image
from objsearch.images.codecs import FORMATS
from objsearch.images.decode import decode
for name in ("toys.jpg", "coins.png"):
    decode(open(name, "rb").read())
note("codecs", [f"PIL.{{name}}ImagePlugin" for name in ("Fpx", "Icns", "Eps", "Wmf")])
told["lacking"] = [one for one in FORMATS if one not in Image.OPEN]

for name in {[*QUIET]!r}:
    os.environ.pop(name, None)
elsewhere = {{"detector.weights": {weights!r}, "detector.device": "cpu"}}
try:
    list(ObjectSearch.open("default", elsewhere).detect("toys.jpg"))
except MissingDependencyError as error:
    told["refused"] = str(error)
told["imported"] = imported

frameworks = ("torch", "torchvision", "ultralytics", "timm")
note("frameworks", frameworks)
for name in frameworks:
    sys.modules[name] = None
told["first"] = {{}}
for preset in {PRESETS!r}:
    search = ObjectSearch.open(preset).add("palace_copy_rotated.jpg", "coins.png", "cell.jpg")
    hits = search.find({query!r}, threshold=0, second_look={{"doubtful": 1}}).hits
    told["first"][preset] = hits[0].ref.uri
json.dump(told, open({str(path)!r}, "w"))
"""
    result = python(code, photos, clean_environment)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    told: dict[str, Any] = json.loads(path.read_text())
    return told


def test_importing_and_asking_for_help_loads_nothing_heavy(first_steps: dict[str, Any]) -> None:
    asked = [" ".join([*command, "--help"]) for command in COMMANDS]
    for what in ("import objsearch", "names of objsearch", *asked, "--version"):
        assert first_steps[what] == [], what
    assert {first_steps[f"code of {what}"] for what in (*asked, "--version")} == {0}
    assert "objsearch 0." in first_steps["version"]


def test_constructing_a_search_loads_no_weights(first_steps: dict[str, Any]) -> None:
    assert first_steps["constructing"] == []


def test_nothing_looks_for_the_network(first_steps: dict[str, Any]) -> None:
    """From a process's first import to its answer, no socket is connected and no name asked for."""
    assert first_steps["hits"]
    assert first_steps["tried"] == first_steps["spawned"] == []
    assert first_steps["environment"] == QUIET


def test_reading_a_photo_loads_the_codecs_that_are_used_and_no_others(
    first_steps: dict[str, Any],
) -> None:
    assert first_steps["codecs"] == []
    assert first_steps["lacking"] == []


def test_no_preset_needs_a_framework(first_steps: dict[str, Any]) -> None:
    assert first_steps["frameworks"] == []  # none was there before they were taken away
    assert first_steps["first"] == dict.fromkeys(PRESETS, "palace_copy_rotated.jpg")


@pytest.mark.parametrize(
    ("missing", "more"), [("torch", []), ("ultralytics", ["--set", "detector.device=cpu"])]
)
def test_weights_from_elsewhere_say_what_they_lack(
    missing: str,
    more: list[str],
    root: Path,
    photos: Path,
    queries: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A device that is chosen needs no torch to be asked: it is the other one that is missed."""
    monkeypatch.setitem(sys.modules, missing, None)
    weights = f"detector.weights={root / 'models' / 'things-v4.onnx'}"
    words = ["find", str(queries / "palace.jpg"), "--in", str(photos / "toys.jpg")]
    monkeypatch.setattr(sys, "argv", ["objsearch", *words, "--set", weights, *more])
    with pytest.raises(SystemExit) as stopped:
        main()
    out, err = capsys.readouterr()
    assert stopped.value.code == 2, err
    assert err.startswith("error: ")
    assert len(err.strip().splitlines()) == 1, err
    assert "pip install" in err and missing in err
    assert "--mode whole" in err
    assert out == ""


def test_the_layers_are_a_contract_that_ci_checks(root: Path) -> None:
    ci = (root / ".ci" / "run").read_text(encoding="utf-8")
    make = (root / "Makefile").read_text(encoding="utf-8")
    assert "make check" in ci and "make test" in ci
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports", "sizes.py", "pytest"):
        assert tool in make


def test_a_settings_file_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a YAML could run if it were loaded carelessly.
    path = tmp_path / "evil.yaml"
    path.write_text("description: !!python/object/apply:os.system ['touch pwned']\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        load_settings("evil.yaml")
    assert not (tmp_path / "pwned").exists()
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(path.read_text())


def test_telemetry_is_off_before_a_framework_is_imported(first_steps: dict[str, Any]) -> None:
    """Both frameworks read the variables when they are imported: afterwards is too late."""
    assert first_steps["imported"] == {"onnxruntime": ["1", "true"], "ultralytics": ["1", "true"]}
    assert "far enough" in first_steps["refused"]


def test_a_value_that_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    from objsearch.components.telemetry import keep_quiet

    values: dict[str, Any] = {"ORT_DISABLE_TELEMETRY": "0", "YOLO_VERBOSE": "true"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    keep_quiet()
    import os

    assert {name: os.environ[name] for name in values} == values
