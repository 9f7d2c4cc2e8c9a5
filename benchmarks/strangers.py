"""Scores of pictures that show different things, the way a search gives them.

Each query is looked for among references that show none of its things, without a second look. Among
few references every pair is compared in full; among many the shortlist says which are, as in any
search, so that pairs by the hundred thousand can be looked at.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from objsearch.search.pipeline import ObjectSearch
from objsearch.settings import load_settings

KEPT = 0.02
"""Hits that score less are only counted."""

BY_CHANCE = Path(__file__).with_name("same_by_chance.csv")
"""Pairs of files that do show the same thing, found by looking at the highest scores."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A hit that shows something else than the query."""

    query: str
    ref: str
    score: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Strangers:
    """The wrong hits of queries, those that score anything; `n_references` a query."""

    n_queries: int
    n_references: int
    hits: tuple[Stranger, ...]

    @property
    def n_pairs(self) -> int:
        return self.n_queries * self.n_references


def searched(preset: str, references: Sequence[Path], overrides: dict[str, Any]) -> ObjectSearch:
    """A search without a second look, its references described."""
    every = {"search.second_look.enabled": False, "search.threshold": 0.0, **overrides}
    return ObjectSearch(load_settings(preset, every)).add(*references)


def strangers(
    search: ObjectSearch,
    queries: Sequence[Path],
    right: Mapping[Path, Collection[Path]] | None = None,
) -> Strangers:
    """What the references score, each query by itself; true pairs (`BY_CHANCE`) are left out.

    `right` are references of a query that do show the same.
    """
    same = same_by_chance() | {
        frozenset((named(query), named(ref)))
        for query, refs in (right or {}).items()
        for ref in refs
    }
    hits = [
        Stranger(named(query), name, hit.score, hit.verdict)
        for query in queries
        for hit in search.find(query).hits
        if hit.score >= KEPT
        and frozenset((named(query), name := named(Path(hit.ref.uri)))) not in same
    ]
    return Strangers(len(queries), search.n_references, tuple(hits))


def named(path: Path) -> str:
    """A file as a set's folder and its own name."""
    return f"{path.parent.name}/{path.name}"


def same_by_chance() -> set[frozenset[str]]:
    """Files that show the same thing in sets of different ones."""
    if not BY_CHANCE.exists():
        return set()
    with BY_CHANCE.open(newline="", encoding="utf-8") as stream:
        return {frozenset((row["a"], row["b"])) for row in csv.DictReader(stream)}


def halves(photos: Path) -> tuple[list[Path], list[Path]]:
    """The photos of a folder in two halves by chance: to measure on, to report on."""
    every = sorted(photos.glob("*.jpg"))
    random.Random(36).shuffle(every)
    return every[: len(every) // 2], every[len(every) // 2 :]


def write(strangers: Iterable[Stranger], path: Path) -> None:
    """The hits as CSV, the highest scores first: to be looked at."""
    rows = sorted(map(asdict, strangers), key=lambda row: -row["score"])
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ["query", "ref", "score", "verdict"])
        writer.writeheader()
        writer.writerows(rows)
