"""A password, and the keys made from it. It is shown, stored and logged nowhere."""

from __future__ import annotations

import hashlib
import os
import threading
import unicodedata
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from objsearch.errors import UsageError

MIN_CHARACTERS = 4
ENVIRONMENT = "OBJSEARCH_PASSWORD"

# scrypt (RFC 7914) with 32 MiB and three passes: a third of a second a guess. An image has no room
# for a salt of its own, so every image of a password shares this one.
_COST = {"n": 2**15, "r": 8, "p": 3, "maxmem": 64 * 1024 * 1024, "dklen": 32}
_SALT = b"objsearch password signature, version 1"


class Password:
    """At least four characters; the same for every way Unicode writes them (NFKC).

    Deriving the key takes a third of a second, once. Not to be pickled, printed or compared.
    """

    __slots__ = ("_key", "_lock", "_text")

    def __init__(self, text: str) -> None:
        normal = unicodedata.normalize("NFKC", text)
        if len(normal) < MIN_CHARACTERS:
            raise UsageError(f"the password needs {MIN_CHARACTERS} characters or more")
        self._text = normal.encode("utf-8", "surrogateescape")
        self._lock = threading.Lock()
        self._key: Key | None = None

    @property
    def key(self) -> Key:
        """The key that signatures are made from."""
        with self._lock:
            if self._key is None:
                self._key = Key(hashlib.scrypt(self._text, salt=_SALT, **_COST))
            return self._key

    def __repr__(self) -> str:
        return "Password(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a password is not to be stored")


class Key:
    """32 secret bytes, and the streams of keyed bytes drawn from them."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def stream(self, label: str, n_bytes: int) -> NDArray[np.uint8]:
        """`n_bytes` that no one foretells without the key; another label, another stream."""
        keyed = hashlib.shake_256(self._secret + label.encode())
        return np.frombuffer(keyed.digest(n_bytes), np.uint8)

    def bits(self, label: str, n_bits: int) -> NDArray[np.uint8]:
        """Zeros and ones."""
        return np.unpackbits(self.stream(label, -(-n_bits // 8)))[:n_bits]

    def order(self, label: str, n: int) -> NDArray[np.intp]:
        """The numbers below `n` in an order of the key's own."""
        return np.argsort(self.stream(label, 8 * n).view("<u8"), kind="stable")

    def __repr__(self) -> str:
        return "Key(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not to be stored")


def password_from_file(path: Path) -> Password:
    """What a file holds, without the line break at its end. Raises UsageError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read the password file '{path}': {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the password file '{path}' is not UTF-8 text") from None
    line = text.removesuffix("\n").removesuffix("\r")
    if "\n" in line:
        raise UsageError(f"the password file '{path}' holds more than one line")
    return Password(line)


def password_from_environment(name: str = ENVIRONMENT) -> Password | None:
    """What an environment variable holds, or None where it is not set or empty.

    Raises UsageError when a variable other than the usual one is named and holds nothing.
    """
    text = os.environ.get(name, "")
    if not text and name != ENVIRONMENT:
        raise UsageError(
            f"the environment variable '{name}' of signing.password_env holds no password"
        )
    return Password(text) if text else None


def password_of(file: str | None, variable: str = ENVIRONMENT) -> Password | None:
    """The password that a file holds, or else an environment variable."""
    if file is not None:
        return password_from_file(Path(file).expanduser())
    return password_from_environment(variable)
