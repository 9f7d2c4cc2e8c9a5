"""Which of several copies is the best: ordered rules, completed to a total order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from objsearch.images.holdings import Holdings
from objsearch.settings import KEEP_RULES, KeepRule
from objsearch.tasks.duplicates.folders import File

# Without loss first; then what keeps more depth and fewer scars at the same size.
FORMATS = ("TIFF", "PNG", "BMP", "JXL", "WEBP", "AVIF", "HEIF", "JPEG", "GIF")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file with what the rules look at besides."""

    file: File
    size_wh: tuple[int, int]
    node: int
    """Number of its picture: files that look the same in 8 bits share one."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file shows, beside its copies: what shows more stands first, whatever the rules.

    `is_less`: a cut, an enlargement, a frame or a screenshot of another. `companions` are files
    that belong to it: sidecars, the film of a live photo, its camera raw.
    """

    holdings: Holdings
    n_pixels: int = 0
    companions: tuple[str, ...] = ()
    is_less: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """Small for what is better kept."""
        held = self.holdings
        return (
            self.is_less,
            held.is_damaged,
            -held.n_colours,
            -held.n_pictures,
            not held.has_film,
            -held.bits,
            not held.has_alpha,
            held.has_inks,
            not (held.has_more or held.has_gain_map),
            -self.n_pixels,
            -len(held.tells) - len(self.companions),
        )


_KEYS: Mapping[KeepRule, Callable[[Candidate, Content | None], Any]] = {
    "reference": lambda candidate, _: not candidate.file.protected,
    "pixels": lambda candidate, _: -candidate.size_wh[0] * candidate.size_wh[1],
    "lossless": lambda _, content: content is None or not content.holdings.is_lossless,
    "bytes": lambda candidate, _: -candidate.file.bytes,
    "format": lambda candidate, _: (
        FORMATS.index(candidate.file.kind) if candidate.file.kind in FORMATS else 99
    ),
    "oldest": lambda candidate, _: candidate.file.mtime_ns,
    "path": lambda candidate, _: candidate.file.path,
    "newest": lambda candidate, _: -candidate.file.mtime_ns,
    "fewest-bytes": lambda candidate, _: candidate.file.bytes,
    "shortest-path": lambda candidate, _: len(candidate.file.path),
}
_WORDS: Mapping[KeepRule, str] = {
    "reference": "it is protected",
    "pixels": "most pixels",
    "lossless": "saved without loss",
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


def looks_at_quality(rules: Sequence[KeepRule]) -> bool:
    """Whether nothing but pixels counts more than how little was lost on the way to a file."""
    return all_rules(rules).index("lossless") <= KEEP_RULES.index("lossless")


def best_first(
    candidates: Iterable[Candidate],
    rules: Sequence[KeepRule],
    contents: Mapping[str, Content] | None = None,
) -> list[Candidate]:
    """In the order in which they are kept: total, because no two files share a path.

    What is protected stands first; then what shows more, by `contents` a path; then the rules.
    """
    first, *others = (_KEYS[rule] for rule in all_rules(rules))

    def key(candidate: Candidate) -> tuple[Any, ...]:
        content = contents[candidate.file.path] if contents else None
        shown = content.key if content else ()
        of_rules = (rule(candidate, content) for rule in others)
        return (first(candidate, content), shown, *of_rules)

    return sorted(candidates, key=key)


def why_better(
    best: Candidate, other: Candidate, rules: Sequence[KeepRule], contents: Mapping[str, Content]
) -> str:
    """The first rule that tells the two apart, in words."""
    shown, less = contents[best.file.path], contents[other.file.path]
    if best.file.protected == other.file.protected and shown.key != less.key:
        return _why_more(shown, less)
    for rule in all_rules(rules):
        if _KEYS[rule](best, shown) != _KEYS[rule](other, less):
            return _WORDS[rule]
    return _WORDS["path"]


def _why_more(shown: Content, less: Content) -> str:
    for number, (mine, other) in enumerate(zip(shown.key, less.key, strict=True)):
        if mine != other:
            return _MORE[number]
    return "first path"


_MORE = (
    "it shows the picture itself, in full",
    "it is not damaged",
    "it has colour",
    "it holds more pictures",
    "it holds a film",
    "more bits a sample",
    "it has transparency",
    "its colours are those of a screen",
    "it holds more than the picture",
    "most pixels",
    "it tells more: date, place, camera, words, profile, or files that belong to it",
)
