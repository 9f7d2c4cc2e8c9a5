"""What is not asked for is not loaded: checked in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def test_importing_and_asking_for_help_loads_nothing_heavy(
    tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    code = f"""
import sys
def check(what):
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    assert not loaded, (what, loaded)
import objsearch
check("import objsearch")
objsearch.__all__, dir(objsearch), objsearch.__version__
from objsearch.apps.cli import main
for command in {COMMANDS!r}:
    sys.argv = ["objsearch", *command, "--help"]
    try:
        main()
    except SystemExit as stop:
        assert stop.code in (0, None), (command, stop.code)
    check(command)
sys.argv = ["objsearch", "--version"]
try:
    main()
except SystemExit as stop:
    assert stop.code in (0, None)
check("--version")
"""
    result = python(code, tmp_path, clean_environment)
    assert result.returncode == 0, result.stderr
    assert "objsearch 0." in result.stdout


@pytest.fixture
def without_frameworks(clean_environment: dict[str, str]) -> str:
    """Code that makes deep-learning frameworks as if they were not installed."""
    return """
import sys
for name in ("torch", "torchvision", "ultralytics", "timm"):
    sys.modules[name] = None
"""


def test_no_preset_needs_a_framework(
    without_frameworks: str, photos: Path, queries: Path, clean_environment: dict[str, str]
) -> None:
    code = f"""{without_frameworks}
from objsearch import ObjectSearch
for preset in ("default", "whole-image", "fast", "copies", "orb", "sift"):
    search = ObjectSearch.open(preset).add("palace_copy_rotated.jpg", "coins.png", "toys.jpg")
    hits = search.find({str(queries / "palace.jpg")!r}, threshold=0).hits
    assert hits[0].ref.uri == "palace_copy_rotated.jpg", (preset, hits[0].ref)
"""
    result = python(code, photos, clean_environment)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("missing", ["torch", "ultralytics"])
def test_weights_from_elsewhere_say_what_they_lack(
    missing: str, root: Path, photos: Path, queries: Path, clean_environment: dict[str, str]
) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
weights = "detector.weights=" + {str(root / "models" / "things-v4.onnx")!r}
sys.argv = ["objsearch", "find", {str(queries / "palace.jpg")!r}, "--in", "toys.jpg"]
sys.argv += ["--set", weights]
from objsearch.apps.cli import main
main()
"""
    result = python(code, photos, clean_environment)
    assert result.returncode == 2, result.stderr
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert "pip install" in result.stderr
    assert "--mode whole" in result.stderr
    assert result.stdout == ""


def test_constructing_a_search_loads_no_weights(
    tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    code = """
import sys
from objsearch import ObjectSearch
search = ObjectSearch.open("default")
repr(search.settings)
loaded = [name for name in ("torch", "ultralytics", "onnxruntime") if name in sys.modules]
assert not loaded, loaded
"""
    result = python(code, tmp_path, clean_environment)
    assert result.returncode == 0, result.stderr


def test_reading_a_photo_loads_the_codecs_that_are_used_and_no_others(
    photos: Path, clean_environment: dict[str, str]
) -> None:
    code = """
import sys
from PIL import Image
from objsearch.images.codecs import FORMATS
from objsearch.images.decode import decode
for name in ("toys.jpg", "coins.png"):
    decode(open(name, "rb").read())
loaded = [name for name in ("Fpx", "Icns", "Eps", "Wmf") if f"PIL.{name}ImagePlugin" in sys.modules]
assert not loaded, loaded
lacking = [one for one in FORMATS if one not in Image.OPEN]
assert not lacking, lacking
"""
    result = python(code, photos, clean_environment)
    assert result.returncode == 0, result.stderr


def test_the_layers_are_a_contract_that_ci_checks(root: Path) -> None:
    ci = (root / ".ci" / "run").read_text(encoding="utf-8")
    make = (root / "Makefile").read_text(encoding="utf-8")
    assert "make check" in ci and "make test" in ci
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports", "sizes.py", "pytest"):
        assert tool in make


def test_a_settings_file_is_data(tmp_path: Path, clean_environment: dict[str, str]) -> None:
    # What a YAML could run if it were loaded carelessly.
    path = tmp_path / "evil.yaml"
    path.write_text("description: !!python/object/apply:os.system ['touch pwned']\n")
    code = "from objsearch import load_settings; load_settings('evil.yaml')"
    result = python(code, tmp_path, clean_environment)
    assert result.returncode == 1
    assert "ConfigError" in result.stderr
    assert not (tmp_path / "pwned").exists()
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(path.read_text())


def test_nothing_looks_for_the_network(
    photos: Path, queries: Path, clean_environment: dict[str, str]
) -> None:
    """From a process's first import to its answer, no socket is connected and no name asked for."""
    code = f"""
import os, socket, sys
tried = []
def refuse(*args, **options):
    tried.append(args)
    raise OSError("no network")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
socket.gethostbyname_ex = socket.gethostbyaddr = refuse
spawned = []
sys.addaudithook(lambda event, args: spawned.append(args) if event == "subprocess.Popen" else None)
from objsearch import ObjectSearch
search = ObjectSearch.open("default").add("palace_copy_rotated.jpg", "two_books.jpg")
answer = search.find({str(queries / "palace.jpg")!r})
assert answer.hits
assert not tried, tried
# ctypes asks the loader where a library lies; that is no program of its own.
spawned = [one for one in spawned if "ldconfig" not in str(one[0])]
assert not spawned, spawned
for name, value in {{
    "ORT_DISABLE_TELEMETRY": "1",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "ULTRALYTICS_SAFE_LOAD": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}}.items():
    assert os.environ[name] == value, name
"""
    result = python(code, photos, clean_environment)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""


def test_telemetry_is_off_before_a_framework_is_imported(
    root: Path, photos: Path, clean_environment: dict[str, str]
) -> None:
    """Both frameworks read the variables when they are imported: afterwards is too late."""
    code = f"""
import builtins, os, sys
seen = {{}}
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("onnxruntime", "ultralytics") and name not in seen:
            seen[name] = (os.environ.get("ORT_DISABLE_TELEMETRY"), os.environ.get("YOLO_OFFLINE"))
sys.meta_path.insert(0, Watch())
from objsearch import ObjectSearch
weights = {{"detector.weights": {str(root / "models" / "things-v4.onnx")!r}}}
list(ObjectSearch.open("default", weights).detect("toys.jpg"))
ObjectSearch.open("fast").compare("toys.jpg", "coins.png")
assert seen == {{"onnxruntime": ("1", "true"), "ultralytics": ("1", "true")}}, seen
"""
    result = python(code, photos, clean_environment)
    assert result.returncode == 0, result.stderr


def test_a_value_that_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    from objsearch.components.telemetry import keep_quiet

    values: dict[str, Any] = {"ORT_DISABLE_TELEMETRY": "0", "YOLO_VERBOSE": "true"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    keep_quiet()
    import os

    assert {name: os.environ[name] for name in values} == values
