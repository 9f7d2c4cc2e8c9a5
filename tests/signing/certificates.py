"""Certificates made on the spot: an authority, signers of its own, one that has expired."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("cryptography")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key."""

    certificate: Any
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def private(self, encoding: str) -> bytes:
        return self.key.private_bytes(
            getattr(serialization.Encoding, encoding),
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def identity(
    name: str, issuer: Identity | None = None, seconds: tuple[float, float] = (-3600, 86400)
) -> Identity:
    """A signer of an issuer's, or an authority; valid from and to so many seconds from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    parent = issuer.certificate.subject if issuer else _subject(name)
    parent_key = issuer.key if issuer else key
    is_authority = issuer is None
    usage = {
        **dict.fromkeys(("key_encipherment", "data_encipherment", "key_agreement"), False),
        **dict.fromkeys(("encipher_only", "decipher_only"), False),
        **dict.fromkeys(("key_cert_sign", "crl_sign"), is_authority),
        "digital_signature": True,
        "content_commitment": not is_authority,
    }
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(parent)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(seconds=seconds[0]))
        .not_valid_after(now + datetime.timedelta(seconds=seconds[1]))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(parent_key.public_key()),
            critical=False,
        )
    )
    if not is_authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return Identity(builder.sign(parent_key, hashes.SHA256()), key)


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests of objsearch"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        ]
    )
