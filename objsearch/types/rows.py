"""What an index stores of a picture, and what it answers with before the full comparison."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from objsearch.types.descriptors import DescribedImage
from objsearch.types.images import ImageRef, Unreadable

Key = str
"""A file, page or frame, the same however its path is spelled (`sources.key_of`)."""

Stamp = tuple[int, int] | None
"""Bytes and time of change, in nanoseconds, of a file; None for what is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One picture of an index: described, or why it could not be."""

    key: Key
    ref: ImageRef
    stamp: Stamp
    image: DescribedImage | Unreadable


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored picture before the full comparison, with a cheap score in [0, 1] by alias."""

    key: Key
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What made the rows of an index: options and hashes of weights, by dotted name.

    Rows of equal recipes are equal, bit for bit on a CPU; rows of others cannot be compared.
    """

    options: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of all options."""
        lines = (f"{name}={self.options[name]!r}" for name in sorted(self.options))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def difference(self, other: Recipe) -> str:
        """The first option that differs, in words; empty for equal recipes."""
        for name in sorted({*self.options, *other.options}):
            mine, its = self.options.get(name), other.options.get(name)
            if mine != its:
                return f"{name} is {its or 'not there'} instead of {mine or 'not there'}"
        return ""


def flattened(options: Any, prefix: str = "") -> dict[str, str]:
    """Nested plain data as text by dotted name: `{"a": {"b": 1}}` is `{"a.b": "1"}`."""
    if isinstance(options, Mapping):
        made: dict[str, str] = {}
        for name, value in options.items():
            made |= flattened(value, f"{prefix}.{name}" if prefix else str(name))
        return made
    if isinstance(options, list | tuple):
        return flattened({str(number): value for number, value in enumerate(options)}, prefix)
    return {prefix: str(options)}
