"""Images with Content Credentials made on the spot."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.signing.certificates import Identity

c2pa = pytest.importorskip("c2pa")

MANIFEST = {
    "claim_generator_info": [{"name": "tests", "version": "1"}],
    "title": "A picture",
    "assertions": [
        {
            "label": "c2pa.actions",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
                        "digitalCapture",
                    }
                ]
            },
        }
    ],
}


def with_credentials(
    data: bytes, kind: str, signer: Identity, authority: Identity, remote_url: str = ""
) -> bytes:
    """The image with a manifest in it, or with one that lies elsewhere."""
    info: Any = c2pa.C2paSignerInfo(
        alg=b"es256",
        sign_cert=signer.pem + authority.pem,
        private_key=signer.private("PEM"),
        ta_url=None,
    )
    out = io.BytesIO()
    with c2pa.Signer.from_info(info) as made, c2pa.Builder(MANIFEST) as builder:
        if remote_url:
            builder.set_no_embed()
            builder.set_remote_url(remote_url)
        builder.sign(made, kind, io.BytesIO(data), out)
    return out.getvalue()
