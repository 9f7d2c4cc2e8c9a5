from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

import pymupdf
import pytest

pytest.importorskip("pyhanko")
pytest.importorskip("cryptography")

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from objsearch.errors import UsageError
from objsearch.signing import Finding, Wanted, check_signatures
from tests.signing.certificates import Identity, identity


def page(writer: PdfFileWriter | IncrementalPdfFileWriter, text: bytes) -> PageObject:
    stream = writer.add_object(generic.StreamObject(stream_data=text))
    return PageObject(contents=stream, media_box=(0, 0, 200, 200))


def plain_pdf(pages: int = 2) -> bytes:
    writer = PdfFileWriter(stream_xrefs=False)
    for number in range(pages):
        writer.insert_page(page(writer, b"0 0 %d 100 re f" % (50 + number)))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def signed_pdf(data: bytes, signer: Identity, authority: Identity, field: str = "First") -> bytes:
    store = SimpleCertificateStore()
    store.register(asn1_x509.Certificate.load(authority.der))
    made = signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(signer.der),
        signing_key=asn1_keys.PrivateKeyInfo.load(signer.private("DER")),
        cert_registry=store,
    )
    out = io.BytesIO()
    signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(data)),
        signers.PdfSignatureMetadata(field_name=field),
        signer=made,
        output=out,
    )
    return out.getvalue()


@pytest.fixture(scope="module")
def authority() -> Identity:
    return identity("An authority")


@pytest.fixture(scope="module")
def signed(authority: Identity) -> bytes:
    return signed_pdf(plain_pdf(), identity("A signer", authority), authority)


@pytest.fixture
def anchors(authority: Identity, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    path.write_bytes(authority.pem)
    return path


def look(data: bytes, *trust: Path) -> Finding:
    listing = check_signatures([data], Wanted(kinds=("pdf",), trust=trust, workers=1))
    assert not listing.skipped, listing.skipped
    return listing.findings[0]


def fields(finding: Finding) -> list[dict[str, object]]:
    listed = finding.details["signatures"]
    assert isinstance(listed, list)
    return listed


def test_no_signatures() -> None:
    finding = look(plain_pdf(3))
    assert (finding.state, finding.verdict, finding.pages) == ("no signatures", "unsigned", 3)


def test_valid_and_trusted(signed: bytes, anchors: Path) -> None:
    valid = look(signed)
    assert (valid.state, valid.verdict, valid.pages) == ("valid", "signed", 2)
    field = fields(valid)[0]
    expected = {"intact": True, "valid": True, "trusted": False, "coverage": "entire file"}
    assert {key: field[key] for key in expected} == expected
    assert (field["field"], field["signer"]) == ("First", "A signer")
    trusted = look(signed, anchors)
    assert (trusted.state, trusted.verdict) == ("trusted", "signed")
    assert trusted.notes == ("First by A signer: intact, valid, trusted, covers the entire file",)


def test_a_damaged_certificate_is_no_fault_of_the_files(
    signed: bytes, authority: Identity, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    for damaged in (authority.pem[:200], authority.pem.replace(b"M", b"!")):
        path.write_bytes(damaged)
        with pytest.raises(UsageError, match=r"ca\.pem' holds a damaged certificate"):
            look(signed, path)


def test_words_and_keys_between_certificates_do_not_count(
    signed: bytes, authority: Identity, tmp_path: Path
) -> None:
    path = tmp_path / "bundle.pem"
    words = "# Főtanúsítvány\n".encode()
    other = identity("Another authority")
    path.write_bytes(words + other.private("PEM") + other.pem + words + authority.pem + words)
    assert look(signed, path).state == "trusted"


def test_changed_bytes_are_invalid(signed: bytes, anchors: Path) -> None:
    finding = look(signed.replace(b"0 0 50 100 re", b"0 0 51 100 re"), anchors)
    assert (finding.state, finding.verdict) == ("invalid", "invalid")
    assert fields(finding)[0]["intact"] is False


@pytest.mark.parametrize("place", [8, -40])
def test_changed_signatures_are_invalid(signed: bytes, anchors: Path, place: int) -> None:
    """In the head of what lies in the signature's place, and in the signature's own number."""
    start = signed.index(b"/Contents <") + len(b"/Contents <")
    held = signed[start : signed.index(b">", start)].rstrip(b"0")
    changed = bytearray(signed)
    position = start + place % len(held)
    changed[position] = ord("7") if changed[position] == ord("0") else ord("0")
    finding = look(bytes(changed), anchors)
    assert (finding.state, finding.verdict) == ("invalid", "invalid")


def test_something_added_after_signing_is_invalid(signed: bytes, anchors: Path) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    writer.insert_page(page(writer, b"0 0 9 9 re f"))
    out = io.BytesIO()
    writer.write(out)
    finding = look(out.getvalue(), anchors)
    field = fields(finding)[0]
    assert (finding.state, finding.verdict) == ("invalid", "invalid")
    assert (field["intact"], field["changed"]) == (True, True)
    assert field["coverage"] == "entire revision"


def replaced_behind(data: bytes, end: bytes) -> bytes:
    """With an update by hand that replaces what the first page shows, and ends so."""
    with pymupdf.open(stream=data, filetype="pdf") as document:
        number = document[0].get_contents()[0]
    drawn = b"1 0 0 rg 0 0 200 200 re f"
    update = b"%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n"
    update %= (number, len(drawn), drawn)
    root, size = (re.findall(rb"/%s (\d+[ R0-9]*)" % key, data)[-1] for key in (b"Root", b"Size"))
    former = re.findall(rb"startxref\s+(\d+)", data)[-1]
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, len(data))
    trailer = b"trailer\n<< /Root %s /Size %s /Prev %s >>\n" % (root, size, former)
    start = len(data) + len(update)
    return data + update + table + trailer + b"startxref\n%d\n" % start + end


@pytest.mark.parametrize("is_twice", [False, True])
@pytest.mark.parametrize("end", [b"%%EOF\n", b"", b"%%EoF\n", b"no %%EOF"])
def test_what_stands_behind_without_an_end_marker_is_a_change(
    end: bytes, is_twice: bool, signed: bytes, authority: Identity, anchors: Path
) -> None:
    """pyHanko does not see it; MuPDF, which draws our pages, shows it."""
    before = signed
    if is_twice:
        before = signed_pdf(signed, identity("Another signer", authority), authority, "Second")
        later = IncrementalPdfFileWriter(io.BytesIO(before))
        later.set_info(later.add_object(generic.DictionaryObject()))
        out = io.BytesIO()
        later.write(out)
        before = out.getvalue()
    assert look(before, anchors).state == "trusted"
    data = replaced_behind(before, end)
    with pymupdf.open(stream=data, filetype="pdf") as document:
        assert document[0].read_contents().startswith(b"1 0 0 rg")
    finding = look(data, anchors)
    assert (finding.state, finding.verdict) == ("invalid", "invalid")
    assert fields(finding)[0]["changed"] is True


@pytest.mark.parametrize("blank", [b"\n", b"\r\n\r\n", bytes(512)])
def test_blanks_at_the_end_are_no_change(blank: bytes, signed: bytes, anchors: Path) -> None:
    assert look(signed + blank, anchors).state == "trusted"


def test_a_second_signature_is_no_change(signed: bytes, authority: Identity, anchors: Path) -> None:
    twice = signed_pdf(signed, identity("Another signer", authority), authority, "Second")
    finding = look(twice, anchors)
    assert finding.state == "trusted"
    assert [one["coverage"] for one in fields(finding)] == ["entire revision", "entire file"]


def test_the_worst_signature_counts(signed: bytes, authority: Identity, anchors: Path) -> None:
    stranger = identity("Another authority")
    twice = signed_pdf(signed, identity("A stranger", stranger), stranger, "Second")
    finding = look(twice, anchors)
    assert finding.state == "valid"
    assert [one["trusted"] for one in fields(finding)] == [True, False]


def test_expired_certificates(authority: Identity, anchors: Path) -> None:
    former = identity("A former signer", authority, (-7200, -3600))
    data = signed_pdf(plain_pdf(), former, authority)
    for trust in ((), (anchors,)):
        finding = look(data, *trust)
        assert (finding.state, finding.verdict) == ("expired", "invalid")
        assert fields(finding)[0]["intact"] is True
        assert "certificate expired" in finding.notes[0]


def test_a_certificate_that_has_not_begun_vouches_for_nothing(
    authority: Identity, anchors: Path
) -> None:
    future = identity("A future signer", authority, (3600, 7200))
    data = signed_pdf(plain_pdf(), future, authority)
    for trust in ((), (anchors,)):
        finding = look(data, *trust)
        assert (finding.state, finding.verdict) == ("invalid", "invalid")
        assert fields(finding)[0]["premature"] is True
        assert "certificate not valid yet" in finding.notes[0]


def test_stripped_signatures_are_gone(signed: bytes) -> None:
    """The first revision alone: all that the signature added is cut off."""
    end = signed.index(b"%%EOF") + len(b"%%EOF\n")
    assert look(signed[:end]).state == "no signatures"


def test_it_works_inside_an_event_loop(signed: bytes) -> None:
    async def inside() -> Finding:
        return look(signed)

    assert asyncio.run(inside()).state == "valid"


@pytest.mark.parametrize("data", [b"%PDF-1.7\nno more", b"%PDF-1.7\n%%EOF"])
def test_broken_files_are_skipped_with_a_reason(data: bytes) -> None:
    listing = check_signatures([data], Wanted(kinds=("pdf",), workers=1))
    assert "signatures cannot be read" in listing.skipped[0].reason


def test_encrypted_files_are_skipped_with_a_reason() -> None:
    writer = PdfFileWriter(stream_xrefs=False)
    writer.insert_page(page(writer, b"0 0 9 9 re f"))
    writer.encrypt(owner_pass="owner", user_pass="user")
    out = io.BytesIO()
    writer.write(out)
    listing = check_signatures([out.getvalue()], Wanted(kinds=("pdf",), workers=1))
    assert "encrypted" in listing.skipped[0].reason


def test_nothing_is_logged_to_the_terminal(
    signed: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    look(signed)
    assert capsys.readouterr() == ("", "")
