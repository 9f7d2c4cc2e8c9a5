"""https: the address is pinned, and the certificate still has to be that of the name."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from objsearch.sources import Place, Reading, read_image, urls
from objsearch.types import Image, ImageRef, Unreadable
from tests.sources.server import Server, running


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def seen_names() -> list[str | None]:
    return []


@pytest.fixture
def secure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen_names: list[str | None]
) -> Iterator[Server]:
    """A server that is images.example by its certificate; every name leads to it."""
    path = _certificate(tmp_path, "images.example")
    real = socket.getaddrinfo
    with running() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.sni_callback = lambda sock, name, _: seen_names.append(name)
        server.socket = context.wrap_socket(server.socket, server_side=True)

        def leading_here(host: Any, *rest: Any, **options: Any) -> Any:
            return real("127.0.0.1", *rest, **options)

        monkeypatch.setattr(socket, "getaddrinfo", leading_here)
        trusting = ssl.create_default_context(cafile=str(path))
        monkeypatch.setattr(urls, "_ssl_context", lambda: trusting)
        yield server


def test_the_name_is_asked_for_and_checked(
    secure: Server, near: Reading, seen_names: list[str | None]
) -> None:
    port = secure.server_address[1]
    image = read_image(Place(ImageRef(f"https://images.example:{port}/file/drawing.png")), near)
    assert isinstance(image, Image), image
    assert seen_names == ["images.example"]
    assert secure.asked[-1][1]["Host"] == f"images.example:{port}"
    other = read_image(Place(ImageRef(f"https://other.example:{port}/file/drawing.png")), near)
    assert isinstance(other, Unreadable)
    assert "no connection to the server" in other.reason
    assert "certificate" in other.reason
