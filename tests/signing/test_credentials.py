from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("c2pa")
pytest.importorskip("cryptography")

from objsearch.signing import Finding, Password, SignOptions, Wanted, check_signatures
from objsearch.signing.sign import sign_image
from tests.pictures import drawing, encoded
from tests.signing.certificates import Identity, identity
from tests.signing.credentials_made import with_credentials

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff"}


@pytest.fixture(scope="module")
def authority() -> Identity:
    return identity("An authority")


@pytest.fixture(scope="module")
def signer(authority: Identity) -> Identity:
    return identity("A signer", authority)


@pytest.fixture(scope="module")
def plain() -> bytes:
    return encoded(drawing(140, 150), "JPEG")


@pytest.fixture(scope="module")
def signed(plain: bytes, signer: Identity, authority: Identity) -> bytes:
    return with_credentials(plain, "image/jpeg", signer, authority)


@pytest.fixture
def anchors(authority: Identity, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    path.write_bytes(authority.pem)
    return path


def look(data: bytes, *trust: Path) -> Finding:
    listing = check_signatures([data], Wanted(kinds=("c2pa",), trust=trust, workers=1))
    assert not listing.skipped, listing.skipped
    return listing.findings[0]


def test_absence_reads_no_credentials(plain: bytes) -> None:
    finding = look(plain)
    assert (finding.state, finding.verdict) == ("no credentials", "unsigned")
    assert finding.percentage is None


@pytest.mark.parametrize("kind", TYPES)
def test_valid_and_trusted(kind: str, signer: Identity, authority: Identity, anchors: Path) -> None:
    data = with_credentials(encoded(drawing(140, 150), kind), TYPES[kind], signer, authority)
    valid = look(data)
    assert (valid.state, valid.verdict, valid.notes) == ("valid", "signed", ())
    assert valid.details["signer"] == "A signer"
    assert valid.details["issuer"] == "Tests of objsearch"
    assert valid.details["generator"] == "tests 1"
    trusted = look(data, anchors)
    assert (trusted.state, trusted.verdict) == ("trusted", "signed")


def test_another_authority_vouches_for_nothing(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "another.pem"
    path.write_bytes(identity("Another authority").pem)
    finding = look(signed, path)
    assert (finding.state, finding.verdict) == ("valid", "signed")


def test_one_changed_byte_is_invalid(signed: bytes, anchors: Path) -> None:
    changed = bytearray(signed)
    changed[-300] ^= 0x55
    finding = look(bytes(changed), anchors)
    assert (finding.state, finding.verdict) == ("invalid", "invalid")
    assert finding.notes == ("the file was changed after it was signed",)


def test_a_changed_manifest_is_invalid(signed: bytes) -> None:
    finding = look(signed.replace(b"A picture", b"Another  "))
    assert finding.verdict == "invalid"
    assert finding.notes


def test_a_file_cut_in_its_manifest_is_invalid(signed: bytes) -> None:
    start = signed.index(b"jumb")
    assert look(signed[: start + 400]).verdict == "invalid"


def test_expired_certificates(plain: bytes, authority: Identity, anchors: Path) -> None:
    """Signed while it was valid, and read when it no longer is: no timestamp says when."""
    brief = identity("A brief signer", authority, (-3600, 2.0))
    data = with_credentials(plain, "image/jpeg", brief, authority)
    deadline = time.monotonic() + 6.0
    while look(data).state == "valid" and time.monotonic() < deadline:
        time.sleep(0.2)
    for trust in ((), (anchors,)):
        finding = look(data, *trust)
        assert (finding.state, finding.verdict) == ("invalid", "invalid")
        assert "the signer's certificate has expired" in finding.notes


def test_saving_again_strips_credentials(signed: bytes, tmp_path: Path, password: Password) -> None:
    path = tmp_path / "again.png"
    made = sign_image(signed, path, password, SignOptions())
    assert look(path.read_bytes()).state == "no credentials"
    assert any("Content Credentials" in warning for warning in made.warnings)


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """An address near by, and who asked it for what."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/manifest", asked
        listening.shutdown()
        thread.join()


def test_credentials_elsewhere_are_present_and_never_fetched(
    plain: bytes, signer: Identity, authority: Identity, server: tuple[str, list[str]]
) -> None:
    url, asked = server
    data = with_credentials(plain, "image/jpeg", signer, authority, remote_url=url)
    finding = look(data)
    assert (finding.state, finding.verdict) == ("present", "unverified")
    assert asked == []


def test_strange_files_are_no_signatures() -> None:
    listing = check_signatures(
        [b"hello, no image", b"\xff\xd8\xff\xe0 broken"], Wanted(kinds=("c2pa",), workers=1)
    )
    assert [one.reason for one in listing.skipped] == ["it can hold no signature looked for"]
    assert [one.verdict for one in listing.findings] == ["unsigned"]
