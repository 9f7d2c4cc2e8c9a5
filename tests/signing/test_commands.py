from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from objsearch import signing
from objsearch.apps.cli import main
from objsearch.signing import Finding, Listing
from objsearch.signing.password import ENVIRONMENT
from objsearch.types import ImageRef
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
    assert "pixel signature, 1 page, 100% in the file" in said.out
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
    assert "--lossy" in said.err
    said = run("sign", photo, "--out", out, "--password-file", secret_file, "--lossy")
    assert (said.code, said.err.count("hint")) == (0, 0)
    assert "% in the file" in said.out
    said = run("sign", photo, "--out", out, "--password-file", secret_file, "--lossy")
    assert said.code == 2
    assert "is not signed with this password" in said.err and "--force" in said.err
    base = ("sign", photo, "--out", out, "--password-file", secret_file, "--lossy")
    assert run(*base, "--force").code == 0
    former = run(*base, "--overwrite")
    assert (former.code, former.err.splitlines()[0]) == (
        0,
        "hint: --overwrite is called --force now",
    )
    # What --force was once for: a format that loses the signature.
    new = tmp_path / "new.jpg"
    former = run("sign", photo, "--out", new, "--password-file", secret_file, "--force")
    assert former.code == 0 and "called --lossy now" in former.err
    kept = run("sign", photo, "--out", new.with_suffix(".png"), *base[4:6], "--force")
    assert (kept.code, kept.err) == (0, "")


def test_an_earlier_signed_copy_is_replaced_and_the_photo_never(
    run: Run, photo: Path, secret_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    base = ("--password-file", secret_file)
    assert run("sign", photo, "--out", out, *base).code == 0
    assert run("sign", photo, "--out", out, *base).code == 0
    before = photo.read_bytes()
    for more in ((), ("--force",)):
        said = run("sign", photo, "--out", photo, *base, *more)
        assert said.code == 2 and "one of the inputs" in said.err
    assert photo.read_bytes() == before


def test_one_page_of_many_is_signed_and_looked_at(
    run: Run, secret_file: Path, tmp_path: Path
) -> None:
    scan, out = tmp_path / "scan.tif", tmp_path / "out.tif"
    first, *others = [PillowImage.fromarray(drawing(160, 180, seed=n)) for n in range(3)]
    first.save(scan, save_all=True, append_images=others)
    password = ("--password-file", secret_file)
    said = run("sign", f"{scan}#page=2", "--out", out, *password, "--json")
    assert (said.code, json.loads(said.out)["pages"]) == (0, 1)
    with PillowImage.open(out) as page:
        assert np.abs(np.asarray(page).astype(int) - np.asarray(others[0])).max() <= 1
    both = tmp_path / "both.tif"
    with PillowImage.open(out) as page:
        first.save(both, save_all=True, append_images=[page.copy()])
    for page, code in ((1, 1), (2, 0)):
        assert run("signed", f"{both}#page={page}", "--kind", "pixel", *password).code == code
    said = run("sign", f"{scan}#page=7", "--out", tmp_path / "no.png", *password)
    assert said.code == 2 and "3 pages, and no page 7" in said.err
    said = run("sign", f"{scan}#xywh=1,1,5,5", "--out", tmp_path / "no.png", *password)
    assert said.code == 2 and "not a part of one" in said.err


def test_what_was_not_looked_for_is_not_called_unsigned(
    run: Run, photo: Path, secret_file: Path
) -> None:
    pytest.importorskip("c2pa")
    said = run("signed", photo)
    assert said.code == 1
    assert "unverified" in said.out and "not all looked for" in said.out
    assert " unsigned" not in said.out
    rows = json.loads(run("signed", photo, "--json").out)["findings"]
    assert {one["kind"]: one["state"] for one in rows} == {
        "c2pa": "no credentials",
        "pixel": "not looked for",
        "robust": "not looked for",
    }
    said = run("signed", photo, "--password-file", secret_file)
    assert "unverified" not in said.out and "unsigned" in said.out


def test_an_invalid_signature_has_an_exit_code(
    run: Run, photo: Path, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding(ImageRef(str(photo)), "c2pa", "invalid", "invalid")
    monkeypatch.setattr(
        signing, "check_signatures", lambda *_: Listing((finding,), 1, (), {"kinds": []})
    )
    said = run("signed", photo, "--password-file", secret_file)
    assert said.code == 3
    assert "1 invalid" in said.out


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
