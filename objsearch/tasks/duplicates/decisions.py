"""Pairs that someone has said are no duplicates, kept by content: they survive renames and moves.

A picture is known by the hash of its bytes and by that of its pixels: new metadata or another
lossless file changes the one and not the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import platformdirs

from objsearch.errors import UsageError
from objsearch.files import read_record, write_whole
from objsearch.search.describing import content_hash
from objsearch.settings import Settings
from objsearch.sources import Place, read_image
from objsearch.types import ImageRef, Unreadable
from objsearch.types.plans import Plan

SCHEMA = "objsearch/not-duplicates/1"


@dataclass(frozen=True, slots=True, order=True)
class Content:
    """What a file holds: hex SHA-256 of its bytes, and of its pixels where it could be decoded."""

    sha256: str
    pixels: str = ""


@dataclass(slots=True)
class Decisions:
    """Pairs of contents; each told apart by bytes or, where these differ, by pixels."""

    pairs: set[frozenset[str]] = field(default_factory=set)

    def apart(self, first: Content, second: Content) -> bool:
        """Whether someone has said that these two are no duplicates."""
        return frozenset((first.sha256, second.sha256)) in self.pairs or (
            bool(first.pixels and second.pixels)
            and first.pixels != second.pixels
            and frozenset((first.pixels, second.pixels)) in self.pairs
        )

    def add(self, first: Content, second: Content) -> None:
        """Say that two contents are no duplicates. Raises ValueError for the same bytes."""
        if first.sha256 == second.sha256:
            raise ValueError("the same bytes")
        self.pairs.add(frozenset((first.sha256, second.sha256)))
        if first.pixels and second.pixels and first.pixels != second.pixels:
            self.pairs.add(frozenset((first.pixels, second.pixels)))

    def remove(self, first: Content, second: Content) -> None:
        """Take it back."""
        self.pairs.discard(frozenset((first.sha256, second.sha256)))
        self.pairs.discard(frozenset((first.pixels, second.pixels)))


def decisions_path(settings: Settings) -> Path:
    """The file named in the settings, or the user's own."""
    if settings.duplicates.decisions:
        return Path(settings.duplicates.decisions).expanduser()
    return platformdirs.user_data_path("objsearch", appauthor=False) / "not-duplicates.json"


def load_decisions(path: Path) -> Decisions:
    """The decisions in a file; none when there is no such file. Raises UsageError."""
    if not path.exists():
        return Decisions()
    data = read_record(path, SCHEMA, "a file of decisions by 'objsearch duplicates ignore'")
    pairs: Any = data.get("pairs")
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        raise UsageError(f"'{path}': 'pairs' must be a list of pairs of hashes")
    return Decisions({frozenset(pair) for pair in pairs})


def _is_pair(pair: Any) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(digest, str) for digest in pair)
    )


def save_decisions(decisions: Decisions, path: Path) -> None:
    """Write decisions that `load_decisions` reads back. Raises UsageError."""
    data = {"schema": SCHEMA, "pairs": sorted(sorted(pair) for pair in decisions.pairs)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, [json.dumps(data, indent=1), "\n"])
    except OSError as error:
        raise UsageError(f"cannot write the decisions '{path}': {error.strerror}") from None


def decide(paths: Sequence[str], settings: Settings, *, apart: bool = True) -> int:
    """Say that none of these files is a duplicate of another; `apart=False` takes it back.

    Returns the number of pairs. Raises UsageError for what cannot be read or told apart.
    """
    contents = [(path, _content(path, settings)) for path in paths]
    where = decisions_path(settings)
    decisions = load_decisions(where)
    pairs = list(combinations(contents, 2))
    if not pairs:
        raise UsageError("give at least two files that are no duplicates of each other")
    for (path, content), (other_path, other) in pairs:
        if not apart:
            decisions.remove(content, other)
        elif content.sha256 == other.sha256:
            raise UsageError(
                f"'{path}' and '{other_path}' hold the same bytes: protect one instead"
            )
        else:
            decisions.add(content, other)
    save_decisions(decisions, where)
    return len(pairs)


def decide_planned(plan: Plan, settings: Settings) -> tuple[int, list[str]]:
    """Remember the pairs that a plan calls no duplicates; to be called before its files go.

    Returns the number of pairs, and why others were left: a file that changed since the plan was
    made, or cannot be read, is another picture than was looked at. Raises UsageError.
    """
    where = decisions_path(settings)
    decisions = load_decisions(where)
    contents: dict[str, Content] = {}
    problems = []
    n_pairs = 0
    for pair in plan.not_duplicates:
        try:
            for path in pair:
                if path not in contents:
                    contents[path] = _planned_content(path, plan, settings)
            decisions.add(*(contents[path] for path in pair))
            n_pairs += 1
        except (UsageError, ValueError) as error:
            problems.append(f"not remembered as no duplicates: {' and '.join(pair)}: {error}")
    if n_pairs:
        save_decisions(decisions, where)
    return n_pairs, problems


def _planned_content(path: str, plan: Plan, settings: Settings) -> Content:
    content = _content(path, settings)
    if content.sha256 != plan.files[path].sha256:
        raise UsageError(f"'{path}' changed since the plan was made")
    return content


def _content(path: str, settings: Settings) -> Content:
    try:
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read '{path}': {error.strerror}") from None
    image = read_image(Place(ImageRef(path)), settings.input.reading)
    return Content(digest, "" if isinstance(image, Unreadable) else content_hash(image))
