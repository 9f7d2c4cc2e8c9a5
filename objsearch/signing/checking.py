"""Which files of a folder are signed: every kind of signature looked for in every file."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage

from objsearch.errors import UnreadableImageError, UsageError
from objsearch.flow import Progress, counted, ordered_map, silent
from objsearch.images.codecs import FORMATS
from objsearch.signing.bits import Vote
from objsearch.signing.credentials import has_c2pa, read_credentials, require_c2pa
from objsearch.signing.findings import (
    KINDS,
    NOT_LOOKED,
    NOT_SIGNED,
    PASSWORD_KINDS,
    Finding,
    Listing,
    SignatureKind,
    SignatureVerdict,
    Wanted,
)
from objsearch.signing.pages import chosen_pages, pages_of
from objsearch.signing.password import Key
from objsearch.signing.pdf_signatures import (
    has_pyhanko,
    read_pdf_signatures,
    require_pyhanko,
)
from objsearch.signing.signatures import (
    PasswordSignature,
    PixelSignature,
    RobustSignature,
)
from objsearch.sources import Filters, Place, expand, nothing_there, read_image
from objsearch.sources.contents import Content, opened
from objsearch.sources.reading import content_of
from objsearch.types import Image, ImageRef, Unreadable

_OTHERS_PIXELS = ("HEIF", "JXL")  # decoded by readers of their own, flat, a page at a time

_CERTIFICATE, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"

Look = tuple[Sequence[SignatureKind], Callable[[], list[Finding]]]


def check_signatures(
    inputs: Any,
    wanted: Wanted = Wanted(),
    progress: Progress = silent,
    filters: Filters = Filters(),
) -> Listing:
    """Look for signatures in files, folders, globs, URLs and bytes, without changing any.

    Raises UsageError and MissingDependencyError when a kind is asked for by name and cannot be
    looked for. A file that nothing can be said of is in `skipped`, with its reason.
    """
    started = time.monotonic()
    kinds, notes = _kinds(wanted)
    checks = _Checks.of(wanted, kinds)
    places = expand(inputs, filters=filters)
    if not places:
        raise UsageError(f"nothing to look at: {nothing_there(inputs, filters)}")
    results = ordered_map(partial(_checked, checks=checks), places, workers=wanted.n_workers)
    findings: list[Finding] = []
    skipped: list[Unreadable] = []
    for result in counted(results, "signed", progress, len(places)):
        if isinstance(result, Unreadable):
            skipped.append(result)
        else:
            findings += result
    return Listing(
        tuple(findings),
        len(places),
        tuple(skipped),
        wanted.settings(kinds),
        notes,
        time.monotonic() - started,
    )


def _kinds(wanted: Wanted) -> tuple[tuple[SignatureKind, ...], tuple[str, ...]]:
    """The kinds to look for, and sentences about those that cannot be."""
    if wanted.kinds:
        return _asked_kinds(wanted), ()
    missing: dict[SignatureKind, str] = {}
    if wanted.password is None:
        missing |= dict.fromkeys(PASSWORD_KINDS, "no password: its signatures were not looked for")
    lacking = "signatures were not looked for: pip install 'objsearch[signing]'"
    if not has_c2pa():
        missing["c2pa"] = f"C2PA {lacking}"
    if not has_pyhanko():
        missing["pdf"] = f"PDF {lacking}"
    kinds = tuple(kind for kind in KINDS if kind not in missing)
    if not kinds:
        raise UsageError(
            "nothing to look for: give a password, or pip install 'objsearch[signing]'"
        )
    return kinds, tuple(dict.fromkeys(missing.values()))


def _asked_kinds(wanted: Wanted) -> tuple[SignatureKind, ...]:
    asked = tuple(kind for kind in KINDS if kind in wanted.kinds)
    if wanted.password is None and set(asked) & set(PASSWORD_KINDS):
        raise UsageError("no password: pixel and robust signatures are looked for with one")
    if "c2pa" in asked:
        require_c2pa()
    if "pdf" in asked:
        require_pyhanko()
    return asked


@dataclass(frozen=True, slots=True, eq=False)
class _Checks:
    """Everything prepared once for all files."""

    wanted: Wanted
    signatures: tuple[PasswordSignature, ...]
    has_c2pa: bool
    has_pdf: bool
    anchors: tuple[str, ...]
    missing: tuple[SignatureKind, ...]

    @classmethod
    def of(cls, wanted: Wanted, kinds: Sequence[SignatureKind]) -> _Checks:
        made: dict[str, Callable[[Key], PasswordSignature]]
        made = {"pixel": PixelSignature, "robust": RobustSignature}
        signatures: list[PasswordSignature] = []
        if wanted.password is not None:
            signatures = [made[kind](wanted.password.key) for kind in kinds if kind in made]
        anchors = tuple(_anchors(Path(path)) for path in wanted.trust)
        missing = () if wanted.kinds else tuple(kind for kind in KINDS if kind not in kinds)
        return cls(wanted, tuple(signatures), "c2pa" in kinds, "pdf" in kinds, anchors, missing)


def _anchors(path: Path) -> str:
    """The certificates in a file, without the words and keys that may stand between them."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise UsageError(f"cannot read the certificates '{path}': {error.strerror}") from None
    if _CERTIFICATE not in text:
        raise UsageError(f"'{path}' holds no PEM certificates")
    _, *others = text.split(_CERTIFICATE)
    found = "".join(f"{_CERTIFICATE}{other.partition(_END)[0]}{_END}\n" for other in others)
    try:  # what is no certificate would be told of every file's signatures
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except (ssl.SSLError, ValueError):
        raise UsageError(f"'{path}' holds a damaged certificate") from None
    return found


def _checked(place: Place | Unreadable, checks: _Checks) -> list[Finding] | Unreadable:
    if isinstance(place, Unreadable):
        return place
    try:
        content = content_of(place, checks.wanted.reading)
        if content is None:
            raise UnreadableImageError("pixels alone hold no file's signature")
        return _findings(place, content, checks)
    except UnreadableImageError as error:
        return Unreadable(place.ref, str(error))
    except OSError as error:
        return Unreadable(place.ref, f"it cannot be read ({error.strerror or error})")
    except ValueError as error:  # a path with a null byte in it
        return Unreadable(place.ref, f"it cannot be read ({error})")


def _findings(place: Place, content: Content, checks: _Checks) -> list[Finding]:
    """What was found of each kind; a kind that could not be read is `unverified`.

    Raises UnreadableImageError, the first one, when that is so of every kind.
    """
    findings: list[Finding] = []
    unread: list[Finding] = []
    errors: list[UnreadableImageError] = []
    for kinds, look in _looks(place, content, checks):
        try:
            findings += look()
        except UnreadableImageError as error:
            errors.append(error)
            if content.kind:  # of a file that is none we know, there is nothing to be missed
                notes = (str(error),)
                unread += [
                    Finding(place.ref, kind, "unverified", "unreadable", notes=notes)
                    for kind in kinds
                ]
    if not findings and errors:
        raise errors[0]
    unknown = [
        Finding(place.ref, kind, "unverified", NOT_LOOKED)
        for kind in checks.missing
        if kind in _possible(content)
    ]
    if not findings and not unknown:
        raise UnreadableImageError("it can hold no signature looked for")
    return [*findings, *unread, *unknown]


def _possible(content: Content) -> tuple[SignatureKind, ...]:
    """The kinds that a file of its format can hold."""
    if content.kind == "PDF":
        return ("c2pa", "pdf")
    if content.kind in ("MPO", *FORMATS, *_OTHERS_PIXELS):
        return (*PASSWORD_KINDS, "c2pa")
    return ()


def _looks(place: Place, content: Content, checks: _Checks) -> Iterator[Look]:
    """The kinds that such a file can hold, and how to look for them."""
    if checks.signatures and content.kind in ("", "MPO", *FORMATS, *_OTHERS_PIXELS):
        kinds = tuple(signature.kind for signature in checks.signatures)
        yield kinds, partial(_password_findings, place, content, checks)
    if checks.has_c2pa:
        yield ("c2pa",), partial(_credentials, place.ref, content, checks.anchors)
    if checks.has_pdf and content.kind == "PDF":
        yield ("pdf",), partial(_pdf, place.ref, content, checks.anchors)


def _credentials(ref: ImageRef, content: Content, anchors: Sequence[str]) -> list[Finding]:
    with opened(content) as stream:
        finding = read_credentials(stream, ref, anchors)
    return [finding] if finding is not None else []


def _pdf(ref: ImageRef, content: Content, anchors: Sequence[str]) -> list[Finding]:
    with opened(content) as stream:
        return [read_pdf_signatures(stream, ref, anchors)]


def _password_findings(place: Place, content: Content, checks: _Checks) -> list[Finding]:
    """All password signatures, in one pass over the pages."""
    quick = checks.wanted.threshold if checks.wanted.quick else None
    votes: list[list[Vote | None]] = [[] for _ in checks.signatures]
    for page in _pages(place, content, checks):
        for signature, of_kind in zip(checks.signatures, votes, strict=True):
            is_readable = signature.is_readable(page.size)
            of_kind.append(signature.vote(page, quick) if is_readable else None)
        if quick is not None and all(_is_below(of_kind[-1], quick) for of_kind in votes):
            break  # signed only if every page is: those to come change nothing
    return [
        _password_finding(place.ref, signature, of_kind, checks.wanted.threshold)
        for signature, of_kind in zip(checks.signatures, votes, strict=True)
    ]


def _pages(place: Place, content: Content, checks: _Checks) -> Iterator[PillowImage.Image]:
    limits = checks.wanted.reading.limits
    if content.kind in _OTHERS_PIXELS:
        image = read_image(place, checks.wanted.reading)
        if not isinstance(image, Image):
            raise UnreadableImageError(image.reason)
        yield PillowImage.fromarray(image.pixels)
        return
    with opened(content) as stream:
        yield from chosen_pages(pages_of(stream, limits), place.ref)


def _is_below(vote: Vote | None, threshold: float) -> bool:
    return vote is None or vote.percentage < threshold


def _password_finding(
    ref: ImageRef, signature: PasswordSignature, votes: Sequence[Vote | None], threshold: float
) -> Finding:
    read = [vote for vote in votes if vote is not None]
    if not read:
        return Finding(ref, signature.kind, "unsigned", "too small for one", pages=len(votes))
    shares = [vote.percentage if vote is not None else 0.0 for vote in votes]
    percentage = sum(shares) / len(shares)
    is_signed = min(shares) >= threshold
    state = NOT_SIGNED
    if is_signed:
        state = "intact" if min(shares) == 100.0 else "present"
    details: dict[str, object] = {
        "page_percentages": [round(share, 2) for share in shares],
        "is_full": all(vote.is_full for vote in read),
    }
    verdict: SignatureVerdict = "signed" if is_signed else "unsigned"
    notes = _page_notes(shares, threshold)
    return Finding(ref, signature.kind, verdict, state, percentage, len(votes), notes, details)


def _page_notes(shares: Sequence[float], threshold: float) -> tuple[str, ...]:
    n_signed = sum(share >= threshold for share in shares)
    return (f"{n_signed} of {len(shares)} pages signed",) if 0 < n_signed < len(shares) else ()
