from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from rich.console import Console

from objsearch.errors import MissingDependencyError, UsageError
from objsearch.signing import Listing, Password, SignOptions, Wanted, check_signatures
from objsearch.signing import checking as listing_module
from objsearch.signing import signing_output as told
from objsearch.signing.sign import sign_image
from objsearch.types import Pixels
from tests.pictures import drawing, encoded

HOSTILE = "=cmd<script>\x1b[31m.png"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, password: Password) -> Path:
    """Signed and unsigned, small, broken and strange files."""
    top = tmp_path_factory.mktemp("signed")
    photo = encoded(drawing(160, 180), "PNG")
    (top / "inner").mkdir()
    sign_image(photo, top / "pixel.png", password)
    sign_image(photo, top / "inner" / "robust.jpg", password, SignOptions(robust=True))
    (top / "plain.png").write_bytes(photo)
    (top / "tiny.png").write_bytes(encoded(drawing(20, 20), "PNG"))
    (top / "broken.png").write_bytes(photo[:400])
    (top / "notes.txt").write_text("no image")
    (top / "empty.jpg").write_bytes(b"")
    shutil.copy(top / "pixel.png", top / HOSTILE)
    return top


@pytest.fixture(scope="module")
def found(folder: Path, password: Password) -> Listing:
    return check_signatures([folder], Wanted(password=password, kinds=("pixel", "robust")))


def names(listing: Listing) -> set[tuple[str, str]]:
    return {(Path(one.ref.uri).name, one.kind) for one in listing.signed}


def test_every_file_is_accounted_for(found: Listing) -> None:
    assert found.scanned == 8
    assert found.scanned == found.checked + len(found.skipped)
    assert {Path(one.ref.uri).name: one.reason for one in found.skipped} == {
        "broken.png": "the file is cut short",
        "empty.jpg": "the file is empty",
        "notes.txt": "not an image in a known format",
    }
    assert names(found) == {
        ("pixel.png", "pixel"),
        (HOSTILE, "pixel"),
        ("robust.jpg", "robust"),
    }
    states = {(Path(one.ref.uri).name, one.kind): one.state for one in found.findings}
    assert states["pixel.png", "pixel"] == "intact"
    assert states["plain.png", "pixel"] == "no signature"
    assert states["tiny.png", "pixel"] == "too small for one"


def plain_data(listing: Listing) -> dict[str, object]:
    data = told.listing_json(listing)
    data.pop("elapsed_seconds")
    return data


def test_workers_and_the_quick_test_change_nothing(
    folder: Path, password: Password, found: Listing
) -> None:
    kinds = ("pixel", "robust")
    for workers in (1, 3):
        again = check_signatures([folder], Wanted(password=password, kinds=kinds, workers=workers))
        assert plain_data(again) == plain_data(found)
    quick = check_signatures([folder], Wanted(password=password, kinds=kinds, quick=True))
    assert names(quick) == names(found)


def test_progress_is_told(folder: Path, password: Password) -> None:
    told: list[tuple[str, int, int | None]] = []
    wanted = Wanted(password=password, kinds=("pixel",))
    check_signatures([folder], wanted, lambda *one: told.append(one))
    assert told == [("signed", done, 8) for done in range(1, 9)]


def test_the_threshold_is_inclusive_and_raising_it_adds_nothing(
    toys: Pixels, tmp_path: Path, password: Password
) -> None:
    path = tmp_path / "worn.png"
    sign_image(encoded(toys, "PNG"), path, password)
    with PillowImage.open(path) as opened:
        worn = np.array(opened)
    rng = np.random.default_rng(0)
    worn ^= (rng.random(worn.shape) < 0.48).astype(np.uint8)
    PillowImage.fromarray(worn).save(path)
    read = check_signatures([path], Wanted(password=password, kinds=("pixel",)))
    percentage = read.findings[0].percentage
    assert percentage is not None and 30.0 < percentage < 100.0
    signed = []
    for threshold in (1.0, percentage - 0.1, percentage, percentage + 0.1, 100.0):
        wanted = Wanted(password=password, kinds=("pixel",), threshold=threshold)
        signed.append(bool(check_signatures([path], wanted).signed))
    assert signed == [True, True, True, False, False]


def test_without_a_password_only_the_others_are_looked_for(folder: Path) -> None:
    pytest.importorskip("c2pa")
    listing = check_signatures([folder])
    assert listing.notes == ("no password: its signatures were not looked for",)
    looked = {one.kind for one in listing.findings if one.state != "not looked for"}
    assert looked == {"c2pa"}
    others = {one.kind: one.verdict for one in listing.findings if one.state == "not looked for"}
    assert others == {"pixel": "unverified", "robust": "unverified"}
    looked_at = [one for one in listing.findings if one.kind == "c2pa"]
    assert {one.state for one in looked_at} == {"no credentials"}
    assert listing.settings["password"] is False


def test_what_could_not_be_read_of_a_kind_is_told(folder: Path, password: Password) -> None:
    """The file has no credentials, but whether its pixels are signed nobody knows."""
    pytest.importorskip("c2pa")
    listing = check_signatures([folder / "broken.png"], Wanted(password=password))
    told = {one.kind: (one.verdict, one.state, one.notes) for one in listing.findings}
    reason = ("the file is cut short",)
    assert told["pixel"] == told["robust"] == ("unverified", "unreadable", reason)
    assert listing.scanned == listing.checked == 1
    assert not listing.signed


def test_missing_packages_are_told(
    folder: Path, password: Password, monkeypatch: pytest.MonkeyPatch
) -> None:
    from objsearch.signing import credentials, pdf_signatures

    for module, name in ((credentials, "has_c2pa"), (pdf_signatures, "has_pyhanko")):
        monkeypatch.setattr(module, name, lambda: False)
        monkeypatch.setattr(listing_module, name, lambda: False)
    listing = check_signatures([folder / "plain.png"], Wanted(password=password))
    assert listing.notes == (
        "C2PA signatures were not looked for: pip install 'objsearch[signing]'",
        "PDF signatures were not looked for: pip install 'objsearch[signing]'",
    )
    for kind in ("c2pa", "pdf"):
        with pytest.raises(MissingDependencyError, match=r"objsearch\[signing\]"):
            check_signatures([folder], Wanted(kinds=(kind,)))
    with pytest.raises(UsageError, match="nothing to look for"):
        check_signatures([folder])


def test_wrong_wishes(folder: Path, tmp_path: Path, password: Password) -> None:
    for threshold in (0.0, -1.0, 100.1):
        with pytest.raises(UsageError, match="up to 100 percent"):
            Wanted(threshold=threshold)
    with pytest.raises(UsageError, match="did you mean 'pixel'"):
        Wanted(kinds=("pixels",))
    with pytest.raises(UsageError, match="no password"):
        check_signatures([folder], Wanted(kinds=("robust",)))
    with pytest.raises(UsageError, match="no such image"):
        check_signatures([tmp_path / "none"], Wanted(password=password))
    for content in ("no certificates", "\xe9"):
        (tmp_path / "ca.pem").write_text(content)
        with pytest.raises(UsageError, match="no PEM certificates"):
            check_signatures([folder], Wanted(password, trust=[tmp_path / "ca.pem"]))
    with pytest.raises(UsageError, match="cannot read the certificates"):
        check_signatures([folder], Wanted(password, trust=[tmp_path / "none.pem"]))


def test_json_and_csv_hold_everything(found: Listing) -> None:
    data = json.loads(json.dumps(told.listing_json(found), allow_nan=False))
    assert data["schema"] == "objsearch/signed/1"
    assert (data["signed"], data["scanned"], data["checked"]) == (3, 8, 5)
    assert len(data["findings"]) == 10
    one = next(row for row in data["findings"] if row["path"].endswith("pixel.png"))
    assert (one["kind"], one["percentage"], one["verdict"], one["pages"]) == (
        "pixel",
        100.0,
        "signed",
        1,
    )
    rows = list(csv.DictReader(io.StringIO("".join(told.listing_csv(found)))))
    assert list(rows[0]) == list(told.COLUMNS)
    assert [row["path"] for row in rows] == [row["path"] for row in data["findings"]]


def as_text(listing: Listing, every: bool = False) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(told.listing_table(listing, every))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_table_has_a_line_a_file_or_all_of_them(found: Listing) -> None:
    text = as_text(found)
    assert text.count("nothing found") == 1  # plain.png
    assert "100%" in text
    assert "\x1b" not in text
    assert "3 signed, 8 scanned, 3 skipped" in text
    assert as_text(found, every=True).count(".png") > text.count(".png")


def test_the_page_is_complete_and_harmless(found: Listing, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    told.write_page(found, path)
    text = path.read_text(encoding="utf-8")
    assert "<script>" not in text and "&lt;script&gt;" in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
    assert "notes.txt: not an image in a known format" in text
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_changed(folder: Path, password: Password, tree: Callable[..., object]) -> None:
    before = tree(folder)
    check_signatures([folder], Wanted(password=password))
    assert tree(folder) == before


@pytest.fixture
def tree() -> Callable[[Path], dict[str, tuple[bytes, int]]]:
    def listed(top: Path) -> dict[str, tuple[bytes, int]]:
        files = sorted(path for path in top.rglob("*") if path.is_file())
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    return listed
