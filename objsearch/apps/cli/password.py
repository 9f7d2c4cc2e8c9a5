"""Where a password comes from: a file, the environment or a prompt. Never the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from objsearch.errors import UsageError

if TYPE_CHECKING:
    from objsearch.settings import Signing
    from objsearch.signing.password import Password

PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="A file whose one line is the password. Without it: what the section signing of "
        "--config names, the environment's OBJSEARCH_PASSWORD, or a prompt.",
    ),
]


def asked_password(file: Path | None, section: Signing) -> Password:
    """The password for signing, asked for twice at a prompt, against slips."""
    password = _given(file, section)
    if password is not None:
        return password
    text = _prompted("Password: ")
    if text is None:
        raise UsageError("no password: give --password-file FILE, or set OBJSEARCH_PASSWORD")
    if _prompted("Once more: ") != text:
        raise UsageError("the two passwords differ")
    return _made(text)


def optional_password(file: Path | None, section: Signing) -> Password | None:
    """The password for reading, or None where none is given; an empty answer gives none."""
    password = _given(file, section)
    if password is not None:
        return password
    text = _prompted("Password (empty: look for C2PA and PDF signatures alone): ")
    return _made(text) if text else None


def _given(file: Path | None, section: Signing) -> Password | None:
    from objsearch.signing.password import password_from_file, password_of

    if file is not None:
        return password_from_file(file)
    return password_of(section.password_file, section.password_env)


def _made(text: str) -> Password:
    from objsearch.signing.password import Password

    return Password(text)


def _prompted(question: str) -> str | None:
    """What is typed, unseen, at a terminal; None where there is no terminal."""
    if not sys.stdin.isatty():
        return None
    from getpass import getpass

    try:
        return getpass(question, stream=sys.stderr)
    except EOFError:
        return None
