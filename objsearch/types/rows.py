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
    """A stored picture before the full comparison, with a cheap score in [0, 1] by alias.

    No score by an alias that the picture or the query has no descriptor of.
    """

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
        """The first option that differs, in words; empty for equal recipes.

        A component that one of both has not, such as the descriptor of an alias, differs as a
        whole.
        """
        for name in sorted({*self.options, *other.options}):
            if self.options.get(name) == other.options.get(name):
                continue
            whole = name.rpartition(".")[0]
            named = f"{whole}.name"
            has_one = (named in self.options) != (named in other.options)
            told, key = (whole, named) if has_one else (name, name)
            mine, its = (recipe.options.get(key) or "not there" for recipe in (self, other))
            return f"{told} is {its} instead of {mine}"
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
