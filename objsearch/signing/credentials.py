"""C2PA Content Credentials, read through c2pa-python. Nothing is fetched from anywhere."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, BinaryIO

from objsearch.errors import MissingDependencyError
from objsearch.signing.findings import Finding, SignatureVerdict
from objsearch.types import ImageRef

NO_CREDENTIALS = "no credentials"
# The reader goes by the bytes; the type is only how to ask it.
_ASKED_AS = "image/jpeg"
_MARKS = (b"c2pa", b"jumb")
_MARKED_BYTES = 64 * 1024 * 1024
_TOLD = {
    "assertion.dataHash.mismatch": "the file was changed after it was signed",
    "assertion.bmffHash.mismatch": "the file was changed after it was signed",
    "assertion.boxesHash.mismatch": "the file was changed after it was signed",
    "assertion.hashedURI.mismatch": "what the credentials say was changed after signing",
    "claimSignature.mismatch": "what the credentials say was changed after signing",
    "signingCredential.expired": "the signer's certificate has expired",
    "signingCredential.untrusted": "no trusted authority vouches for the signer",
    "signingCredential.revoked": "the signer's certificate was revoked",
}
_VERDICTS: Mapping[str, SignatureVerdict] = {
    "trusted": "signed",
    "valid": "signed",
    "invalid": "invalid",
}


def has_c2pa() -> bool:
    """Whether the package that reads credentials is installed."""
    return importlib.util.find_spec("c2pa") is not None


def require_c2pa() -> None:
    if not has_c2pa():
        raise MissingDependencyError(
            "Content Credentials need c2pa-python: pip install 'objsearch[signing]'"
        )


def read_credentials(stream: BinaryIO, ref: ImageRef, anchors: Sequence[str]) -> Finding | None:
    """The state of a file's credentials; None where the file's format can hold none.

    `anchors` are PEM certificates of trusted authorities; without any, no file is `trusted`.
    """
    from c2pa import C2paError, Context, Reader

    try:
        with Context.from_dict(_settings("\n".join(anchors))) as context:
            reader = Reader.try_create(_ASKED_AS, stream, context=context)
            if reader is None:
                return _none(ref)
            with reader:
                return _finding(reader, ref)
    except C2paError as error:
        return _of_error(str(error), stream, ref)


@cache
def _settings(anchors: str) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "verify": {
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
            "verify_trust": bool(anchors),
        },
        "core": {"allowed_network_hosts": []},
    }
    if anchors:
        settings["trust"] = {"trust_anchors": anchors}
    return settings


def _none(ref: ImageRef, *notes: str) -> Finding:
    return Finding(ref, "c2pa", "unsigned", NO_CREDENTIALS, notes=notes)


def _finding(reader: Any, ref: ImageRef) -> Finding:
    state = str(reader.get_validation_state() or "Invalid").lower()
    manifest = reader.get_active_manifest() or {}
    problems = _problems(reader.get_validation_results() or {})
    notes = tuple(dict.fromkeys(_told(problem) for problem in problems))
    if state == "valid":
        notes = ()  # at most that no one vouches for the signer, which the state says
    verdict = _VERDICTS.get(state, "invalid")
    return Finding(ref, "c2pa", verdict, state, None, 1, notes, _details(manifest, problems))


def _told(problem: Mapping[str, str]) -> str:
    code = problem["code"]
    return _TOLD.get(code) or problem["explanation"] or code


def _details(manifest: Mapping[str, Any], problems: Sequence[object]) -> dict[str, object]:
    signature = manifest.get("signature_info") or {}
    generators = manifest.get("claim_generator_info") or [{}]
    name, version = generators[0].get("name"), generators[0].get("version")
    return {
        "signer": signature.get("common_name"),
        "issuer": signature.get("issuer"),
        "signed_at": signature.get("time"),
        "generator": " ".join(part for part in (name, version) if part) or None,
        "title": manifest.get("title"),
        "problems": list(problems),
    }


def _problems(results: Mapping[str, Any]) -> list[dict[str, str]]:
    """The failures of the active manifest, then those of what it was made from."""
    active = results.get("activeManifest") or {}
    deltas = [
        delta.get("validationDeltas") or {} for delta in results.get("ingredientDeltas") or ()
    ]
    return [
        {"code": str(failure.get("code", "")), "explanation": str(failure.get("explanation", ""))}
        for part in (active, *deltas)
        for failure in part.get("failure") or ()
    ]


def _of_error(message: str, stream: BinaryIO, ref: ImageRef) -> Finding | None:
    kind, _, reason = message.partition(": ")
    if kind == "NotSupported":
        return None
    if kind == "Remote":
        note = "its credentials lie elsewhere, and nothing is fetched"
        return Finding(ref, "c2pa", "unverified", "present", notes=(note,))
    stream.seek(0)
    head = stream.read(_MARKED_BYTES)
    if all(mark in head for mark in _MARKS):
        return Finding(ref, "c2pa", "invalid", "invalid", notes=(reason or message,))
    return _none(ref, "its structure could not be gone through in search of them")
