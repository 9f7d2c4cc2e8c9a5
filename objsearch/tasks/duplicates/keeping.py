"""Which of several copies is the best: ordered rules, completed to a total order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from objsearch.task_sections import KEEP_RULES, KeepRule
from objsearch.tasks.duplicates.files import File

# Without loss first; then what keeps more depth and fewer scars at the same size.
FORMATS = ("TIFF", "PNG", "BMP", "JXL", "WEBP", "AVIF", "HEIF", "JPEG", "GIF")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file with what the rules look at besides."""

    file: File
    size_wh: tuple[int, int]
    node: int
    """Number of its picture: files of the same pixels share one."""


_KEYS: Mapping[KeepRule, Callable[[Candidate], Any]] = {
    "reference": lambda one: not one.file.protected,
    "pixels": lambda one: -one.size_wh[0] * one.size_wh[1],
    "bytes": lambda one: -one.file.bytes,
    "format": lambda one: FORMATS.index(one.file.kind) if one.file.kind in FORMATS else 99,
    "oldest": lambda one: one.file.mtime_ns,
    "path": lambda one: one.file.path,
    "newest": lambda one: -one.file.mtime_ns,
    "fewest-bytes": lambda one: one.file.bytes,
    "shortest-path": lambda one: len(one.file.path),
}
_WORDS: Mapping[KeepRule, str] = {
    "reference": "it is protected",
    "pixels": "most pixels",
    "bytes": "most bytes",
    "format": "best format",
    "oldest": "oldest",
    "path": "first path",
    "newest": "newest",
    "fewest-bytes": "fewest bytes",
    "shortest-path": "shortest path",
}


def all_rules(rules: Sequence[KeepRule]) -> tuple[KeepRule, ...]:
    """The rules asked for, then the others by default. What is protected always comes first."""
    return tuple(dict.fromkeys((KEEP_RULES[0], *rules, *KEEP_RULES)))


def best_first(candidates: Sequence[Candidate], rules: Sequence[KeepRule]) -> list[Candidate]:
    """In the order in which they are kept: total, because no two files share a path."""
    keys = [_KEYS[rule] for rule in all_rules(rules)]
    return sorted(candidates, key=lambda one: tuple(key(one) for key in keys))


def why_better(best: Candidate, other: Candidate, rules: Sequence[KeepRule]) -> str:
    """The first rule that tells the two apart, in words."""
    for rule in all_rules(rules):
        if _KEYS[rule](best) != _KEYS[rule](other):
            return _WORDS[rule]
    return _WORDS["path"]
