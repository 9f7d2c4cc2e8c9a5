"""What is asked of a folder's signatures, and what was found: plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Literal, get_args

from objsearch.errors import UsageError, nearest
from objsearch.flow import default_workers
from objsearch.signing.bits import DEFAULT_THRESHOLD
from objsearch.signing.password import Password
from objsearch.sources import Reading
from objsearch.types import ImageRef, Unreadable

SignatureKind = Literal["pixel", "robust", "c2pa", "pdf"]
SignatureVerdict = Literal["signed", "invalid", "unverified", "unsigned"]

KINDS: tuple[SignatureKind, ...] = get_args(SignatureKind)
NOT_SIGNED = "no signature"
NOT_LOOKED = "not looked for"
"""The state of a kind that could not be looked for: the file may well carry it."""
PASSWORD_KINDS: tuple[SignatureKind, ...] = ("pixel", "robust")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for. Without `kinds` it is all that can be: password signatures need a password,
    the others their packages.

    `threshold` is the least percentage of a password signature that counts, `quick` its test that
    stops early. `trust` names PEM files with the certificates of authorities that are trusted.
    """

    password: Password | None = None
    kinds: Sequence[str] = ()
    threshold: float = DEFAULT_THRESHOLD
    quick: bool = False
    trust: Sequence[Path | str] = ()
    reading: Reading = field(default_factory=Reading)
    workers: int | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= 100.0:
            raise UsageError(f"the threshold is over 0 and up to 100 percent, not {self.threshold}")
        for kind in self.kinds:
            if kind not in KINDS:
                known = ", ".join(KINDS)
                raise UsageError(f"no signatures '{kind}'{nearest(kind, KINDS)} (known: {known})")

    @property
    def n_workers(self) -> int:
        return self.workers or default_workers()

    def settings(self, kinds: Sequence[SignatureKind]) -> dict[str, object]:
        """What was in force, as plain data; of the password, only whether there was one."""
        return {
            "kinds": list(kinds),
            "threshold": self.threshold,
            "quick": self.quick,
            "password": self.password is not None,
            "trust": [str(path) for path in self.trust],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One kind of signature in one file.

    `state` is what a person reads: `intact`, `no credentials`, `trusted`, … `percentage` belongs to
    the password signatures: the mean of the file's pages, all of which must reach the threshold.
    `details` is plain data of the kind's own.
    """

    ref: ImageRef
    kind: SignatureKind
    verdict: SignatureVerdict
    state: str
    percentage: float | None = None
    pages: int = 1
    notes: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The signatures of many files: `scanned = checked + skipped`."""

    findings: tuple[Finding, ...]
    scanned: int
    skipped: tuple[Unreadable, ...]
    settings: Mapping[str, object]
    notes: tuple[str, ...] = ()
    elapsed_seconds: float = 0.0

    @property
    def checked(self) -> int:
        return self.scanned - len(self.skipped)

    @property
    def signed(self) -> tuple[Finding, ...]:
        """The findings that count."""
        return tuple(finding for finding in self.findings if finding.verdict == "signed")

    @property
    def invalid(self) -> tuple[Finding, ...]:
        """The findings that do not fit their files."""
        return tuple(finding for finding in self.findings if finding.verdict == "invalid")

    def told(self) -> tuple[Finding, ...]:
        """What a person wants to see: every signature, and one line for a file without any."""
        told: list[Finding] = []
        for _, group in groupby(self.findings, key=lambda finding: finding.ref):
            of_file = list(group)
            looked = [finding for finding in of_file if finding.state != NOT_LOOKED]
            told += [finding for finding in looked if finding.verdict != "unsigned"] or [
                _nearest(of_file)
            ]
        return tuple(told)


def _nearest(findings: Sequence[Finding]) -> Finding:
    """Of a file without any signature, what could not be looked for, or else came nearest."""
    unknown = [finding for finding in findings if finding.state == NOT_LOOKED]
    among = unknown or findings
    return max(
        among, key=lambda finding: -1.0 if finding.percentage is None else finding.percentage
    )
