"""Signatures of PDF files, validated through pyHanko. Nothing is fetched from anywhere."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from objsearch.errors import MissingDependencyError, UnreadableImageError
from objsearch.flow import ordered_map
from objsearch.signing.findings import Finding, SignatureVerdict
from objsearch.types import ImageRef

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

NO_SIGNATURES = "no signatures"
_COVERAGES = {
    "ENTIRE_FILE": "entire file",
    "ENTIRE_REVISION": "entire revision",
    "CONTIGUOUS_BLOCK_FROM_START": "first part",
    "UNCLEAR": "unclear",
}
_END_MARKER = re.compile(rb"(?:\A|(?<=[\r\n]))%%EOF")
_END_BYTES = 64 * 1024
"""More than pyHanko looks through for the marker."""
_BLANK = b"\0\t\n\f\r "


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """One signature field.

    `intact`: the signed bytes are as they were. `valid`: the signature is that of the certificate.
    `trusted`: a trusted authority vouches for the signer. `expired`, `premature`: its certificate
    has ended, or not begun. `changed`: something was added after signing that signing did not
    allow.
    """

    field: str
    signer: str
    signed_at: str | None
    intact: bool
    valid: bool
    trusted: bool
    expired: bool
    premature: bool
    changed: bool
    coverage: str

    @property
    def state(self) -> str:
        if not (self.intact and self.valid) or self.changed or self.premature:
            return "invalid"
        if self.trusted:
            return "trusted"
        return "expired" if self.expired else "valid"

    def told(self) -> str:
        """`Signature1 by A. Signer: intact, valid, not trusted, covers the entire file`."""
        words = [
            "intact" if self.intact else "not intact",
            "valid" if self.valid else "not valid",
            "trusted" if self.trusted else "not trusted",
        ]
        words += ["certificate expired"] if self.expired else []
        words += ["certificate not valid yet"] if self.premature else []
        words += ["changed after signing"] if self.changed else []
        return f"{self.field} by {self.signer}: {', '.join(words)}, covers the {self.coverage}"


_WORST_FIRST = ("invalid", "expired", "valid", "trusted")


def has_pyhanko() -> bool:
    """Whether the package that validates PDF signatures is installed."""
    return importlib.util.find_spec("pyhanko") is not None


def require_pyhanko() -> None:
    if not has_pyhanko():
        raise MissingDependencyError(
            "PDF signatures need pyHanko: pip install 'objsearch[signing]'"
        )


def read_pdf_signatures(stream: BinaryIO, ref: ImageRef, anchors: Sequence[str]) -> Finding:
    """The state of a PDF's signatures, that of the worst one.

    Raises UnreadableImageError. pyHanko runs an event loop of its own, so it gets a thread of its
    own: the caller's may have one already.
    """
    _keep_quiet()
    return next(ordered_map(lambda pdf: _read(pdf, ref, anchors), [stream], workers=2))


@cache
def _keep_quiet() -> None:
    """What pyHanko logs goes where a program sends it, and not by itself to the terminal."""
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).addHandler(logging.NullHandler())


def _read(stream: BinaryIO, ref: ImageRef, anchors: Sequence[str]) -> Finding:
    try:
        reader = _opened(stream)
        n_pages = int(reader.root["/Pages"]["/Count"])
    except UnreadableImageError:
        raise
    except Exception as error:  # a stranger's PDF may break its reader anywhere
        raise UnreadableImageError(f"its signatures cannot be read ({_reason(error)})") from error
    try:
        signatures = [
            _validated(embedded, anchors, _is_followed(stream, reader, embedded))
            for embedded in reader.embedded_regular_signatures
        ]
    except Exception as error:  # the file can be read, but what is in a signature's place cannot
        note = f"a signature is damaged ({_reason(error)})"
        return Finding(ref, "pdf", "invalid", "invalid", None, n_pages, (note,))
    if not signatures:
        return Finding(ref, "pdf", "unsigned", NO_SIGNATURES, pages=n_pages)
    state = min((signature.state for signature in signatures), key=_WORST_FIRST.index)
    verdict: SignatureVerdict = "signed" if state in ("valid", "trusted") else "invalid"
    details = {
        "signatures": [{**asdict(signature), "state": signature.state} for signature in signatures]
    }
    told = tuple(signature.told() for signature in signatures)
    return Finding(ref, "pdf", verdict, state, None, n_pages, told, details)


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _opened(stream: BinaryIO) -> PdfFileReader:
    from pyhanko.pdf_utils.crypt import AuthStatus
    from pyhanko.pdf_utils.reader import PdfFileReader

    reader = PdfFileReader(stream, strict=False)
    if reader.encrypted and reader.decrypt("").status == AuthStatus.FAILED:
        raise UnreadableImageError("it is encrypted; its signatures cannot be read")
    return reader


def _is_followed(stream: BinaryIO, reader: PdfFileReader, embedded: Any) -> bool:
    """Whether something lies behind a signature, or at the end, that is no later revision.

    pyHanko goes by the last end marker, and passes over what comes after. Other readers go by the
    last `startxref`, wherever it lies: what an update without a marker replaces, they show.
    """
    if embedded.signed_revision == reader.xrefs.total_revisions - 1:
        stream.seek(sum([int(number) for number in embedded.byte_range][-2:]))
        return bool(stream.read().strip(_BLANK))
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - _END_BYTES))
    return bool(_END_MARKER.split(stream.read())[-1].strip(_BLANK))


def _validated(embedded: Any, anchors: Sequence[str], is_followed: bool) -> PdfSignature:
    from pyhanko.keys import load_certs_from_pemder_data
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    roots = [root for text in anchors for root in load_certs_from_pemder_data(text.encode())]
    # An empty list of roots trusts no one; None would trust whom the system trusts.
    context = ValidationContext(trust_roots=roots, allow_fetching=False)
    status = validate_pdf_signature(embedded, signer_validation_context=context)
    signed_at, moment = status.signer_reported_dt, _moment(status)
    return PdfSignature(
        str(embedded.field_name),
        _name_of(status.signing_cert),
        signed_at.isoformat() if signed_at else None,
        bool(status.intact),
        bool(status.valid),
        bool(status.trusted),
        moment > status.signing_cert.not_valid_after,
        moment < status.signing_cert.not_valid_before,
        # Where the bytes themselves differ there is nothing more to be said of later additions.
        bool(status.intact) and (is_followed or not status.docmdp_ok),
        _COVERAGES.get(status.coverage.name, "unclear") if status.coverage else "unclear",
    )


def _name_of(certificate: Any) -> str:
    subject = certificate.subject.native
    return str(subject.get("common_name") or certificate.subject.human_friendly)


def _moment(status: Any) -> datetime:
    """When the certificate has to hold: now, or at a trusted timestamp's moment."""
    stamped = status.timestamp_validity
    if stamped is not None and stamped.trusted:
        return cast(datetime, stamped.timestamp)
    return datetime.now(UTC)
