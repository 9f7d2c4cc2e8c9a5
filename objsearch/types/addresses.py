"""URLs as they may be shown and stored: without what lets somebody in."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"

_USER = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#]*@", re.IGNORECASE)
_VALUE = re.compile(r"([?&;])([^=&;?#]+)=([^&;#]*)")
_ENDINGS = (
    *("token", "signature", "secret", "password", "passwd", "credential"),
    *("apikey", "api_key", "accesskey", "access_key", "accesskeyid"),
)
_NAMES = ("sig", "pwd", "pass", "auth", "authorization", "jwt", "hmac", "session", "sessionid")


def without_secrets(text: str) -> str:
    """A URL without user, password and what signs it; anything else as it is.

    Only what names nothing is hidden: URLs that differ in it alone lead to one picture.
    """
    if "://" not in text:
        return text
    return _VALUE.sub(_hidden, _USER.sub(rf"\1{HIDDEN}@", text))


def data_without_secrets(data: Any) -> Any:
    """The same of every text in plain data."""
    if isinstance(data, str):
        return without_secrets(data)
    if isinstance(data, dict):
        return {key: data_without_secrets(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [data_without_secrets(value) for value in data]
    return data


def _hidden(match: re.Match[str]) -> str:
    before, name, value = match.groups()
    plain = name.lower().replace("-", "_")
    is_secret = plain.endswith(_ENDINGS) or plain in _NAMES
    return f"{before}{name}={HIDDEN if is_secret and value else value}"
