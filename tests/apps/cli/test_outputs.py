"""One rule for every output: new, or an earlier one of ours, or forced; never an input."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.apps.cli.conftest import Cli, Result
from tests.pictures import drawing, encoded

Failing = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two photos, and one photo beside it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(("a.jpg", "b.jpg")):
        (folder / name).write_bytes(encoded(drawing(90, 120, seed=number), "JPEG"))
    (tmp_path / "query.jpg").write_bytes(encoded(drawing(90, 120, seed=1), "JPEG"))
    (tmp_path / "password.txt").write_text("long enough\n")
    return folder


COMMANDS = {
    "find": (("find", "{q}", "--in", "{folder}", "--config", "{config}"), "--report"),
    "larger": (("larger", "{q}", "--in", "{folder}", "--config", "{config}"), "--report"),
    "screen": (("screen", "{folder}", "--block", "{q}"), "--report"),
    "signed": (("signed", "{folder}", "--password-file", "{password}"), "--report"),
    "duplicates": (("duplicates", "{folder}", "--config", "{config}"), "--report"),
    "duplicates' plan": (("duplicates", "{folder}", "--config", "{config}"), "--plan"),
}


@pytest.mark.parametrize(
    "words",
    [
        *((*words, option) for words, option in COMMANDS.values()),
        ("detect", "{folder}", "--draw"),
        ("sign", "{q}", "--password-file", "{password}", "--out"),
    ],
)
def test_no_file_is_called_as_standard_output_is(
    words: tuple[str, ...],
    failing: Failing,
    folder: Path,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    names = {"q": tmp_path / "query.jpg", "password": tmp_path / "password.txt"}
    told = [word.format(**names, folder=folder, config=config) for word in words]
    assert failing(*told, "-").startswith(f"{words[-1]}: '-' is standard output elsewhere")
    assert {path.name for path in folder.iterdir()} == {"a.jpg", "b.jpg"}


@pytest.mark.parametrize("case", COMMANDS)
def test_only_new_files_and_earlier_outputs_are_written(
    case: str, cli: Cli, failing: Failing, folder: Path, config: Path, tmp_path: Path
) -> None:
    names = {
        "q": tmp_path / "query.jpg",
        "folder": folder,
        "config": config,
        "password": tmp_path / "password.txt",
    }
    words, option = COMMANDS[case]
    command = [word.format(**names) for word in words]
    precious = tmp_path / "precious.txt"
    precious.write_text("not ours")
    # Neither a stranger's file nor, whatever is said, an input: told before any work.
    said = failing(*command, option, precious)
    assert said.startswith(f"{option}: '{precious}' exists, and is not ")
    assert said.endswith("name another file, or replace it with --force")
    inputs = [folder / "a.jpg", *(names[key] for key in ("q", "config") if f"{{{key}}}" in words)]
    for path in inputs:
        before = path.read_bytes()
        said = failing(*command, option, path, "--force")
        assert said == f"{option}: '{path}' is one of the inputs, which are never replaced; " + (
            "name another file"
        )
        assert path.read_bytes() == before
    # New, again over the earlier one, over an empty one, and by force.
    out = tmp_path / "out"
    for _ in range(2):
        assert cli(*command, option, out).code in (0, 1)
        assert out.stat().st_size > 100
    empty = tmp_path / "empty"
    empty.touch()
    assert cli(*command, option, empty).code in (0, 1)
    assert cli(*command, option, precious, "--force").code in (0, 1)
    assert precious.read_text() != "not ours"


def test_places_that_cannot_be_written_are_told_at_once(
    failing: Failing, folder: Path, tmp_path: Path
) -> None:
    base = ("find", tmp_path / "query.jpg", "--in", folder, "--report")
    assert "which is a folder" in failing(*base, folder)
    assert f"there is no folder '{tmp_path / 'no'}'" in failing(*base, tmp_path / "no" / "a.html")
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        assert "no right to write" in failing(*base, tmp_path / "a.html")
        tmp_path.chmod(0o700)


def test_two_outputs_are_two_files(failing: Failing, folder: Path, tmp_path: Path) -> None:
    same = tmp_path / "out"
    said = failing("duplicates", folder, "--plan", same, "--report", same)
    assert said == f"--plan and --report both name '{same}': name two files"


def test_a_link_to_a_photo_is_that_photo(failing: Failing, folder: Path, tmp_path: Path) -> None:
    link, hard = tmp_path / "link.html", tmp_path / "hard.html"
    link.symlink_to(folder / "a.jpg")
    os.link(folder / "b.jpg", hard)
    for path in (link, hard):
        base = ("find", tmp_path / "query.jpg", "--in", *sorted(folder.iterdir()))
        assert "is one of the inputs" in failing(*base, "--report", path, "--force")


def test_what_a_shell_makes_of_a_glob(failing: Failing, folder: Path) -> None:
    names = sorted(folder.glob("*.jpg"))
    said = failing("duplicates", "--plan", *names)
    assert said.startswith(f"--plan: '{names[0]}' exists, and is not a plan")


def test_a_plan_is_no_manifest(cli: Cli, failing: Failing, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "a.jpg", folder / "copy.jpg")
    plan = tmp_path / "plan.json"
    assert cli("duplicates", folder, "--plan", plan).code == 0
    applied = cli("duplicates", "apply", plan, "--json").data
    said = failing("duplicates", folder, "--plan", applied["manifest"])
    assert "is not a plan by 'objsearch duplicates'" in said
    assert cli("duplicates", "undo", applied["manifest"]).code == 0


def test_calibrations(cli: Cli, failing: Failing, root: Path, config: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    photos = root / "examples" / "photos"
    names = ("palace_copy_rotated.jpg", "palace_copy_cropped.jpg", "coins.png")
    pairs = [
        f"{photos / names[0]},{photos / names[1]},1",
        f"{photos / names[0]},{photos / names[2]},0",
    ]
    truth.write_text("a,b,same\n" + "\n".join(pairs) + "\n")
    base = ("calibrate", truth, "--config", config, "--out")
    out = tmp_path / "own.yaml"
    for _ in range(2):
        result = cli(*base, out)
        assert result.code == 0
        assert "warning: the calibration rests on 1 same and 1 different pairs" in result.err
    assert "one of the inputs" in failing(*base, config, "--force")
    mine = tmp_path / "mine.yaml"
    mine.write_text("search: {top: 3}\n")
    assert "is not a calibration" in failing(*base, mine)
    assert "has to end in .yaml" in failing(*base, tmp_path / "own.txt")
    assert mine.read_text() == "search: {top: 3}\n"
    # A calibration for other extractors is refused where it is named.
    said = failing(
        "find", photos / names[0], "--in", photos / names[1], "--set", f"calibration={out}"
    )
    assert "was made for orb, and these settings describe by embedding and orb" in said


def test_decisions_go_into_decisions_alone(failing: Failing, folder: Path) -> None:
    photos = sorted(folder.iterdir())
    before = photos[0].read_bytes()
    assert "is not JSON" in failing("duplicates", "ignore", *photos, "--decisions", photos[0])
    assert photos[0].read_bytes() == before


def test_no_drawing_is_put_where_a_link_in_its_folder_leads(
    failing: Failing, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "0001-a.png").symlink_to(tmp_path / "nowhere.png")
    told = failing("detect", folder, "--mode", "whole", "--draw", tmp_path / "drawn")
    assert "0001-a.png' is a link that leads nowhere" in told
    assert not (tmp_path / "nowhere.png").exists()


def test_drawings_replace_drawings_alone(cli: Cli, failing: Failing, folder: Path) -> None:
    drawn = folder.parent / "drawn"
    base = ("detect", folder, "--preset", "fast", "--draw", drawn)
    assert cli(*base).code == cli(*base).code == 0
    (drawn / "0001-a.png").write_bytes((folder / "a.jpg").read_bytes())
    assert "is not a drawing" in failing(*base)
    assert cli(*base, "--force").code == 0
    assert "which is no folder" in failing(*base[:-1], folder / "a.jpg")


def test_standard_output_is_written_to(folder: Path, cli: Cli, config: Path) -> None:
    query = folder / "a.jpg"
    result: Result = cli(
        *("find", query, "--in", folder, "--config", config, "--report", "/dev/stdout", "--json")
    )
    assert result.code in (0, 1)
