from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from objsearch.apps.cli import main
from objsearch.tasks.signing.password import ENVIRONMENT
from tests.pictures import drawing, encoded

SECRET = "not-to-be-seen"


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.delenv(ENVIRONMENT, raising=False)

    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["objsearch", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        assert SECRET not in out + err
        return Said(code, out, err)

    return call


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(drawing(160, 180), "PNG"))
    return path


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "password.txt"
    path.write_text(SECRET + "\n")
    return path


def test_sign_and_find_it_again(
    run: Run, photo: Path, secret_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "signed.png"
    out.parent.mkdir()
    said = run("sign", photo, "--out", out, "--password-file", secret_file)
    assert (said.code, said.err) == (0, "")
    assert "pixel signature, 1 page, 100 % in the file" in said.out
    monkeypatch.setenv(ENVIRONMENT, SECRET)
    said = run("sign", photo, "--out", out.with_suffix(".jpg"), "--robust", "--json")
    made = json.loads(said.out)
    assert (said.code, made["schema"], made["kind"]) == (0, "objsearch/sign/1", "robust")
    assert made["halved_percentage"] >= 75.0
    said = run("signed", out.parent, "--json", "--workers", 1)
    data = json.loads(said.out)
    assert (said.code, data["signed"], data["scanned"]) == (0, 2, 2)
    monkeypatch.setenv(ENVIRONMENT, "another password")
    said = run("signed", out.parent, "--csv", "--kind", "pixel")
    assert said.code == 1
    assert said.out.splitlines()[0] == "path,kind,percentage,state,verdict,pages,notes"
    assert len(said.out.splitlines()) == 3


def test_the_page_and_the_table(run: Run, photo: Path, secret_file: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    said = run("signed", photo, "--password-file", secret_file, "--quick", "--report", page)
    assert said.code == 1
    assert "0 signed, 1 scanned, 0 skipped" in said.out
    assert "report:" in said.err
    assert page.exists()


def test_lossy_targets_and_existing_files(
    run: Run, photo: Path, secret_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jpg"
    said = run("sign", photo, "--out", out, "--password-file", secret_file)
    assert said.code == 2
    assert "--force" in said.err
    said = run("sign", photo, "--out", out, "--password-file", secret_file, "--force")
    assert said.code == 0
    assert "% in the file" in said.out
    said = run("sign", photo, "--out", out, "--password-file", secret_file, "--force")
    assert said.code == 2
    assert "--overwrite" in said.err


def test_no_password_at_all(run: Run, photo: Path, tmp_path: Path) -> None:
    said = run("sign", photo, "--out", tmp_path / "out.png")
    assert (said.code, said.out) == (2, "")
    assert "--password-file" in said.err
    assert run("signed", photo, "--kind", "pixel").code == 2
    pytest.importorskip("c2pa")
    said = run("signed", photo)
    assert said.code == 1
    assert "warning: no password" in said.err


def test_a_password_is_never_an_option(run: Run, photo: Path, tmp_path: Path) -> None:
    for command in (("sign", photo, "--out", tmp_path / "out.png"), ("signed", photo)):
        said = run(*command, "--password", "something")
        assert said.code == 2
        assert "No such option" in said.err


def test_the_prompt_asks_twice_for_signing(
    run: Run, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [SECRET, SECRET + " slip", SECRET, SECRET, SECRET, ""]
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda question, stream=None: answers.pop(0))
    out = tmp_path / "out.png"
    said = run("sign", photo, "--out", out)
    assert (said.code, said.err) == (2, "error: the two passwords differ\n")
    assert run("sign", photo, "--out", out).code == 0
    assert run("signed", out, "--kind", "pixel").code == 0
    assert run("signed", out, "--kind", "pixel").code == 2  # an empty answer is no password
    assert answers == []


def test_contradictions(run: Run, photo: Path) -> None:
    said = run("signed", photo, "--json", "--csv")
    assert (said.code, said.err) == (2, "error: give either --json or --csv, not both\n")
