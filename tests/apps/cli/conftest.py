"""The command line, called in this process as a shell would call it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from objsearch.apps.cli import main


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output, which must be one JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Result]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("find", "a.jpg", ...)` is `objsearch find a.jpg ...`."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["objsearch", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        code = stopped.value.code
        return Result(code if isinstance(code, int) else int(code is not None), out, err)

    return run


def as_yaml(settings: dict[str, Any], folder: Path) -> Path:
    path = folder / "quick.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture(scope="session")
def config(first_look: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quick settings as a file for `--config`, without a second look."""
    return as_yaml(first_look, tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="session")
def reading_again(quick: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a second look, for what is about where photos lie when they are read again."""
    return as_yaml(quick, tmp_path_factory.mktemp("reading again"))


@pytest.fixture
def failing(cli: Cli) -> Callable[..., str]:
    """Run what must end with exit code 2 and one sentence on stderr alone; returns the sentence."""

    def run(*arguments: object) -> str:
        result = cli(*arguments)
        assert result.code == 2, result
        assert result.out == ""
        assert result.err.startswith("error: ")
        assert len(result.err.splitlines()) == 1
        return result.err.removeprefix("error: ").strip()

    return run
