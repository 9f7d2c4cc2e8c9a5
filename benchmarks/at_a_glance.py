"""Does a glance lose what SIFT of a larger picture would prove? Prints a Markdown table.

    python benchmarks/at_a_glance.py EVAL_DIR [--sets scenes,smvs_dvd] [--every 2] [--first 1]

The second look compares candidates in doubt by SIFT at 400 pixels, and at 800 where geometry finds
something there (`objsearch.search.second_comparison`). Here all of them are compared at 800, and
told is what became *same* by that, how much of it the glance would have lost, and how many
strangers (no plane at 800) it lets pass. Photos of a set lie beside 200 others; `--every` and
`--first` choose the queries: of 2 and 1 every second one, from the second on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objsearch.search import second_comparison, second_look
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.second_comparison import GLANCE_SIDE, SIFT_SURE, Closer, Plane
from objsearch.tasks.evaluation.groundtruth import read_groundtruth
from objsearch.types import Image


@dataclass(slots=True)
class Candidate:
    """One in doubt: what the glance says of it, and what SIFT of a larger picture."""

    passes: bool
    has_plane: bool = False
    is_same: bool = False


def watched() -> list[Candidate]:
    """Every candidate from now on, compared at 800 pixels whatever the glance says."""
    look: Any = second_look
    comparison: Any = second_comparison
    may_agree, judged = comparison._may_agree, look.with_plane
    seen: list[Candidate] = []

    def planes(closer: Closer, reference: Image) -> Iterator[Plane]:
        glance = second_comparison._surest(reference, GLANCE_SIDE)
        seen.append(Candidate(any(may_agree(version, glance) for version in closer.glances)))
        larger = second_comparison._surest(reference)
        for plane in closer._best(closer.surest(), larger, SIFT_SURE):
            seen[-1].has_plane = True
            yield plane

    def with_plane(comparer: Any, hit: Any, sides: Any, plane: Plane) -> Any:
        better = judged(comparer, hit, sides, plane)
        seen[-1].is_same = better is not hit
        return better

    comparison.Closer.planes = planes
    look.with_plane = with_plane
    return seen


def line(name: str, n_queries: int, seen: Sequence[Candidate]) -> str:
    proven = [candidate for candidate in seen if candidate.is_same]
    strangers = [candidate for candidate in seen if not candidate.has_plane]
    lost = sum(not candidate.passes for candidate in proven)
    share = sum(candidate.passes for candidate in strangers) / max(1, len(strangers))
    return (
        f"| {name} | {n_queries} | {len(seen)} | {len(proven)} | {lost} | "
        f"{len(strangers)} | {share:.0%} |"
    )


def asked(data: Path, name: str, every: int, first: int) -> tuple[list[Path], list[Path]]:
    """References and queries; of sets without references all photos are both."""
    rows = read_groundtruth(data / name / "groundtruth.csv").rows
    photos = list(dict.fromkeys(row.path for row in rows))
    references = list(dict.fromkeys(row.path for row in rows if row.role == "db"))
    queries = list(dict.fromkeys(row.path for row in rows if row.role == "query"))
    if name in ("scenes", "microcontrollers"):
        references = queries = photos
    return references, queries[first::every]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="EVAL_DIR")
    parser.add_argument("--sets", default="scenes,microcontrollers,dreambooth,smvs_dvd")
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args(argv)
    others = sorted((given.data / "distractors").glob("*.jpg"))
    print("| set | queries | in doubt | *same* by SIFT | lost | strangers | looked at larger |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    seen = watched()
    for name in given.sets.split(","):
        references, queries = asked(given.data, name, given.every, given.first)
        # One thread: what is noted belongs to the candidate noted last.
        search = ObjectSearch.open("default", {"run.workers": 1})
        search.add(*map(str, [*references, *others]))
        seen.clear()
        for query in queries:
            search.find(str(query))
        print(line(name, len(queries), seen), flush=True)


if __name__ == "__main__":
    main()
