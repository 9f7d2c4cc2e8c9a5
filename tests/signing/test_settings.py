"""The section `signing` of a settings file: what to look for, and where the password lies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from objsearch.apps.cli import main
from objsearch.apps.cli.signed import wanted_of
from objsearch.errors import ConfigError, UsageError
from objsearch.settings import load_settings
from objsearch.signing import password_of
from objsearch.signing.password import ENVIRONMENT
from tests.pictures import drawing, encoded

SECRET = "not-to-be-seen"
Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.delenv(ENVIRONMENT, raising=False)

    def call(*arguments: object) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["objsearch", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        assert SECRET not in out + err
        return stopped.value.code or 0, out, err

    return call


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(drawing(160, 180), "PNG"))
    return path


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(f"signing: {text}\n")
    return path


def test_signing_and_reading_by_a_settings_file(run: Run, photo: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET + "\n")
    mine = config(tmp_path, f"{{kinds: [pixel], threshold: 80, password_file: {secret}}}")
    signed = tmp_path / "signed.png"
    assert run("sign", photo, "--out", signed, "--config", mine)[0] == 0
    code, out, _ = run("signed", signed, photo, "--config", mine, "--json")
    assert code == 0
    assert '"threshold": 80' in out and '"pixel"' in out and '"c2pa"' not in out
    # An option on the command line goes before the file.
    _, out, _ = run("signed", signed, "--config", mine, "--threshold", "60", "--json")
    assert '"threshold": 60' in out


def test_a_variable_by_name(
    run: Run, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = config(tmp_path, "{kinds: [pixel], password_env: MY_SIGNATURE}")
    code, _, err = run("signed", photo, "--config", mine)
    assert code == 2 and "MY_SIGNATURE" in err
    monkeypatch.setenv("MY_SIGNATURE", SECRET)
    assert run("sign", photo, "--out", tmp_path / "signed.png", "--config", mine)[0] == 0
    assert run("signed", tmp_path / "signed.png", "--config", mine)[0] == 0


def test_the_password_itself_has_no_place_in_it(run: Run, photo: Path, tmp_path: Path) -> None:
    mine = config(tmp_path, f"{{password: {SECRET}}}")
    code, _, err = run("signed", photo, "--config", mine)
    assert code == 2 and "unknown key 'signing.password'" in err


@pytest.mark.parametrize(
    "section",
    [{"kinds": ["pixels"]}, {"threshold": 0}, {"threshold": 101}, {"password_env": "A B"}],
)
def test_wrong_wishes_are_told(section: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(section))):
        load_settings({"signing": section})


def test_what_a_program_makes_of_it(tmp_path: Path) -> None:
    settings = load_settings({"signing": {"kinds": ["c2pa"], "quick": True, "threshold": 90}})
    wanted = wanted_of(settings, None)
    assert (tuple(wanted.kinds), wanted.quick, wanted.threshold) == (("c2pa",), True, 90)
    gone = load_settings({"signing": {"password_file": str(tmp_path / "gone")}})
    with pytest.raises(UsageError, match="gone"):
        password_of(gone.signing.password_file, gone.signing.password_env)
