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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from objsearch.search import second_comparison, second_look
from objsearch.search.pipeline import ObjectSearch
from objsearch.search.second_comparison import GLANCE_SIDE, SIFT_SURE, Closer, Plane
from objsearch.tasks.evaluation.groundtruth import read_groundtruth
from objsearch.types import Image


@dataclass
class Seen:
    """Candidates in doubt: what the glance says, and what SIFT of a larger picture."""

    passes: list[bool] = field(default_factory=list)
    has_plane: list[bool] = field(default_factory=list)
    is_same: list[bool] = field(default_factory=list)

    def line(self, name: str, n_queries: int) -> str:
        strangers = [ok for ok, plane in zip(self.passes, self.has_plane, strict=True) if not plane]
        proven = [ok for ok, same in zip(self.passes, self.is_same, strict=True) if same]
        share = sum(strangers) / max(1, len(strangers))
        return (
            f"| {name} | {n_queries} | {len(self.passes)} | {len(proven)} | "
            f"{len(proven) - sum(proven)} | {len(strangers)} | {share:.0%} |"
        )


def watch(seen: Seen) -> None:
    """Have every candidate compared at 800 pixels, and both outcomes noted."""
    look: Any = second_look
    comparison: Any = second_comparison
    may_agree, judged = comparison._may_agree, look.with_plane

    def planes(closer: Closer, reference: Image) -> Iterator[Plane]:
        glance = second_comparison._surest(reference, GLANCE_SIDE)
        seen.passes.append(any(may_agree(version, glance) for version in closer.glances))
        seen.has_plane.append(False)
        seen.is_same.append(False)
        larger = second_comparison._surest(reference)
        for plane in closer._best(closer.surest(), larger, SIFT_SURE):
            seen.has_plane[-1] = True
            yield plane

    def with_plane(comparer: Any, hit: Any, sides: Any, plane: Plane) -> Any:
        better = judged(comparer, hit, sides, plane)
        seen.is_same[-1] = better is not hit
        return better

    comparison.Closer.planes = planes
    look.with_plane = with_plane


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
    seen = Seen()
    watch(seen)
    for name in given.sets.split(","):
        references, queries = asked(given.data, name, given.every, given.first)
        # One thread: what is noted belongs to the candidate noted last.
        search = ObjectSearch.open("default", {"run.workers": 1})
        search.add(*map(str, [*references, *others]))
        vars(seen).update(vars(Seen()))
        for query in queries:
            search.find(str(query))
        print(seen.line(name, len(queries)), flush=True)


if __name__ == "__main__":
    main()
