"""What the README says works: its commands and its Python are run as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from objsearch.apps.cli import main
from objsearch.apps.cli.app import tree as command_tree
from objsearch.components.registry import ROOMS
from objsearch.settings import load_settings, preset_names
from tests.clone import lay_down
from tests.conftest import ROOT

README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
WINDOWS = ("powershell", "bat")
SHELLS = ("console", "sh", "shell", "bash")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block and the line that it begins at."""

    language: str
    text: str
    line: int

    def commands(self) -> Iterator[str]:
        """The commands that call objsearch, without prompts, with continued lines joined.

        Those for Windows are written for this system.
        """
        if self.language not in (*SHELLS, *WINDOWS):
            return
        text = self.text.replace("\\\n", " ")
        if self.language in WINDOWS:
            text = text.replace(".venv\\Scripts\\", "").replace("\\", "/")
        for line in text.splitlines():
            command = line.strip().removeprefix("$ ")
            if "objsearch" in command.split(" "):
                yield command


def blocks() -> list[Block]:
    text = README.read_text(encoding="utf-8")
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in BLOCK.finditer(text)
    ]


COMMANDS = [
    pytest.param(command, id=f"line {block.line}: {command[:60]}")
    for block in blocks()
    for command in block.commands()
]
PYTHON = [
    pytest.param(block.text, id=f"line {block.line}")
    for block in blocks()
    if block.language in ("python", "py") and ">>>" not in block.text
]
TOML = [pytest.param(one.text, id=f"line {one.line}") for one in blocks() if one.language == "toml"]
YAML = [
    pytest.param(block.text, id=f"line {block.line}")
    for block in blocks()
    if block.language in ("yaml", "yml")
]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the repository, one for all commands in order."""
    folder = tmp_path_factory.mktemp("clone")
    lay_down(folder)
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    here = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": here + os.pathsep + os.environ["PATH"], "COLUMNS": "120"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=280,
    )


def called(
    arguments: Iterable[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str, str]:
    """Exit code, standard output and standard error of `objsearch`, called in this process."""
    monkeypatch.setattr(sys, "argv", ["objsearch", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    out, err = capsys.readouterr()
    return stopped.value.code or 0, out, err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works(
    command: str,
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = shlex.split(command, comments=True)
    if words[1] == "serve":
        # It runs until it is stopped: `timeout` says so with 124.
        assert run(["timeout", "20", *words], workplace).returncode == 124
        return
    if set(command) & set("|<>;&`$"):
        result = run(["bash", "-o", "pipefail", "-c", command], workplace)
        code, out, err = result.returncode, result.stdout, result.stderr
    else:
        # In this process: importing the networks' runtimes once is enough.
        monkeypatch.chdir(workplace)
        monkeypatch.setenv("COLUMNS", "120")
        code, out, err = called(words[1:], monkeypatch, capsys)
    assert code == 0, err
    assert "Traceback" not in err
    assert "error:" not in err
    assert out


@pytest.mark.parametrize("code", PYTHON)
def test_every_python_block_works(
    code: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("text", TOML)
def test_every_entry_point_is_of_a_room(text: str) -> None:
    groups = tomllib.loads(text)["project"]["entry-points"]
    assert {group.removeprefix("objsearch.") for group in groups} <= set(ROOMS)
    assert all(value.count(":") == 1 for names in groups.values() for value in names.values())


@pytest.mark.parametrize("text", YAML)
def test_every_yaml_block_loads(text: str, tmp_path: Path) -> None:
    path = tmp_path / "readme.yaml"
    path.write_text(text, encoding="utf-8")
    load_settings(path).load_calibration()


def test_every_link_into_the_repository_leads_somewhere() -> None:
    text = README.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_preset_is_told_of() -> None:
    text = README.read_text(encoding="utf-8")
    if "preset" in text:
        assert [name for name in preset_names() if f"`{name}`" not in text] == []


# Help


def tree(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and subcommand with its path."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from tree(inner, (*path, name))


EVERY = [
    pytest.param(path, command, id=" ".join(["objsearch", *path]))
    for path, command in tree(typer.main.get_command(command_tree()))
]


@pytest.mark.parametrize(("path", "command"), EVERY)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(
    path: tuple[str, ...],
    command: Any,
    option: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    code, out, err = called([*path, option], monkeypatch, capsys)
    assert code == 0
    assert err == ""
    assert "Usage" in out
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    for parameter in command.params:
        names = [name for name in parameter.opts if name.startswith("--")]
        assert not names or any(name in plain for name in names), names
        if names and not getattr(parameter, "hidden", False):
            assert getattr(parameter, "help", None), f"{names[0]} does not say what it does"
